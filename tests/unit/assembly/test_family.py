"""What a page tells beside a card, over a real home: mistakes with and without the eval."""

from __future__ import annotations

from pathlib import Path

import made_up
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
