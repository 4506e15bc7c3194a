"""What a page tells beside a card, over a real home: mistakes with and without the eval."""

from __future__ import annotations

from pathlib import Path

import made_up
from metier.reference import Digest
from workshop import opened


def test_mistakes_are_read_once_and_told_from_what_is_here(tmp_path: Path) -> None:
    metier = opened(tmp_path / "home", base=False)
    rows = made_up.write(tmp_path / "rows.jsonl", made_up.rows(30))
    metier.make(metier.recipe_for(rows, name="help", budget=10.0, curve=False), folder=tmp_path)
    known = metier.mistakes("help")
    assert known is not None
    assert known.by == "truth"
    assert known is metier.mistakes("help")
    roles = [kin.role for kin in metier.lineage("help")]
    assert roles[-1] == "self"
    assert "recipe" in roles
    for path in (tmp_path / "home" / "evals").iterdir():
        path.unlink()
    metier.close()
    again = opened(tmp_path / "home", base=False)
    left = again.mistakes("help")
    assert left is not None
    assert left.by == "answer"
    assert left.examples == ()
    again.close()


def test_what_is_no_classifier_has_none(tmp_path: Path) -> None:
    metier = opened(tmp_path / "home")
    name = metier.list()[0].name
    assert metier.mistakes(name) is None
    assert [kin.role for kin in metier.lineage(name)][-1] in ("self", "made")
    metier.close()


def test_what_a_hop_did_is_told_with_verdict_and_day(tmp_path: Path) -> None:
    metier = opened(tmp_path / "home", base=False)
    rows = made_up.write(tmp_path / "rows.jsonl", made_up.rows(30))
    metier.make(metier.recipe_for(rows, name="help", budget=10.0, curve=False), folder=tmp_path)
    own = metier.show("help").system
    old, loser = Digest.of(b"old"), Digest.of(b"loser")
    fact = {"verdict": "WIN", "difference": 0.031, "fresh": False}
    acts = [
        ("2026-01-02", {"act": "hop", "from": str(old), "to": str(own), "evidence": [fact]}),
        (
            "2026-03-04",
            {
                "act": "kept",
                "from": str(own),
                "to": str(loser),
                "key": "small@linear",
                "why": "LOSS by 1.2 points.",
                "evidence": [{"verdict": "LOSS", "difference": -0.012, "fresh": False}],
            },
        ),
    ]
    for date, body in acts:
        metier.ledger.append("decision", "help", own, body, date=f"{date}T00:00:00Z")
    past = [kin for kin in metier.lineage("help") if kin.role in ("earlier", "lost")]
    assert [(kin.role, kin.name, kin.digest) for kin in past] == [
        ("lost", "small@linear", str(loser)),
        ("earlier", "help", str(old)),
    ]
    assert past[0].facts == ("not promoted", "2026-03-04", "LOSS \u22121.2 points")
    assert past[0].why == "LOSS by 1.2 points."
    assert past[1].facts == ("replaced", "2026-01-02", "the next one: WIN +3.1 points")
    metier.close()
