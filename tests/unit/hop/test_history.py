"""Acts of hopping come back from the ledger as they were written; other decisions do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from metier.card import Cost, Evidence, Score
from metier.hop import Challenger, Ruling, back, body_of, earlier_of, history
from metier.ledger import Ledger
from metier.reference import Digest
from metier.stats import paired_difference

OLD, NEW, OTHER = (str(Digest(letter * 64)) for letter in "abc")
EVAL = "sha256:" + "e" * 64


def evidence(system: str) -> Evidence:
    found = paired_difference([1.0] * 30 + [0.0] * 3, [0.0] * 30 + [1.0] * 3)
    score = Score(metric="accuracy", value=0.9, n=33, clusters=33)
    return Evidence(
        against="other",
        system=system,
        system_name="triage",
        rival=OLD,
        rival_name="triage",
        eval_fingerprint=EVAL,
        score=score,
        rival_score=score,
        difference=found,
        date="2026-11-23",
        cost=Cost(ms_per_text=2.0),
        rival_cost=Cost(ms_per_text=1.0),
        results=(NEW, OLD),
        command="metier hop triage --base new",
    )


def ruling(system: str, act: str = "kept", ground: str = "underpowered") -> Ruling:
    name = "triage@rejected-bbbbbbbb"
    made = Challenger("new", system=system, name=name, evidence=evidence(system), seconds=2.0)
    return Ruling(made, act, ground, "new: because")  # type: ignore[arg-type]


def test_acts_come_back_the_latest_first(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    digest = Digest.parse(OLD)
    ledger.append("decision", "triage", digest, {"rung": "linear", "why": "a make"})
    ledger.append("decision", "triage", digest, body_of("kept", OLD, ruling(NEW)))
    promoted = body_of("hop", OLD, ruling(OTHER, "hop", "win"), suspect=True)
    ledger.append("decision", "triage", Digest.parse(OTHER), promoted)
    ledger.append("decision", "triage", digest, back(OTHER, OLD, "it is back"))
    found = history(ledger.rows("decision", "triage"))
    assert [one.act for one in found] == ["rollback", "hop", "kept"]
    hopped, kept = found[1], found[2]
    assert (hopped.before, hopped.after, hopped.name, hopped.suspect) == (OLD, OTHER, "", True)
    assert (kept.key, kept.ground, kept.name) == (
        "new",
        "underpowered",
        "triage@rejected-bbbbbbbb",
    )
    (fact,) = kept.evidence
    assert fact["eval"] == EVAL
    assert fact["low"] < fact["difference"] < fact["high"]
    assert fact["fresh"] is False
    assert fact["results"] == [NEW, OLD]
    assert len(hopped.row) == 64


def test_earlier_comparisons_are_counted_once_each(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    digest = Digest.parse(OLD)
    for system, ground in ((NEW, "loss"), (NEW, "underpowered"), (OTHER, "luck"), (OLD, "same")):
        body = body_of("kept", OLD, ruling(system, ground=ground))
        ledger.append("decision", "triage", digest, body)
    done = history(ledger.rows("decision", "triage"))
    assert earlier_of(done, OLD, EVAL) == 2
    assert earlier_of(done, OLD, EVAL, but={NEW}) == 1
    assert earlier_of(done, NEW, EVAL) == 0
    assert earlier_of(done, OLD, "sha256:" + "f" * 64) == 0


def test_a_body_of_another_version_does_no_harm() -> None:
    row = SimpleNamespace(date="2026-11-23", hash="0" * 64, body={"act": "kept", "evidence": None})
    (done,) = history([row])
    assert done.evidence == ()
    assert history([]) == ()
