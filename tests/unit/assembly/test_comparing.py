"""Which evals may be compared on, and by whom; see also ``examine.contrasting``."""

from __future__ import annotations

from pathlib import Path

from metier.assembly import Metier
from metier.settings import Settings


def test_an_empty_home_has_no_evals(tmp_path: Path) -> None:
    assert Metier.open(Settings(home=tmp_path)).comparing.evals() == []


def test_starters_have_an_eval_each(tmp_path: Path) -> None:
    metier = Metier.open(Settings(home=tmp_path))
    metier.install_starters(lambda _: None)
    found = metier.comparing.evals()
    names = {item.name for item in metier.list() if item.classifier is not None}
    assert {one.name for one in found} == names
    for one in found:
        assert one.owners == (one.name,)
        assert set(one.others) == names - {one.name}
        assert one.items > 100
        assert one.labels > 1
