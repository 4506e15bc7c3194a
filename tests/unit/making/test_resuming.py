"""A make that was stopped goes on, and ends on the bytes of one that was not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workshop
from metier.assembly import Metier
from metier.card import Card
from metier.errors import InputError
from metier.making import climbing
from metier.making.learners import majority
from metier.making.resuming import MOST_BYTES, Keeper
from metier.messages import Progress

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_an_array_comes_back_under_its_key_only(tmp_path: Path) -> None:
    keeper = Keeper.open(tmp_path, {"seed": 0})
    assert keeper.find({"rung": "linear"}) is None
    keeper.keep({"rung": "linear"}, ARRAY, {"seconds": 1.5})
    found = Keeper.open(tmp_path, {"seed": 0}).find({"rung": "linear"})
    assert found is not None
    assert np.array_equal(found.array, ARRAY)
    assert found.facts == {"seconds": 1.5}
    assert keeper.find({"rung": "static"}) is None
    assert Keeper.open(tmp_path, {"seed": 1}).find({"rung": "linear"}) is None


def test_a_damaged_or_foreign_file_is_computed_again(tmp_path: Path) -> None:
    keeper = Keeper.open(tmp_path, {})
    keeper.keep({"a": 1}, ARRAY, {})
    (path,) = keeper.folder.iterdir()
    for content in (path.read_bytes()[:-40], b"", b"no archive"):
        path.write_bytes(content)
        assert keeper.find({"a": 1}) is None
    np.savez(path, array=np.array([{}], object), facts=np.zeros(0, np.uint8))
    assert keeper.find({"a": 1}) is None


def test_it_is_bounded_forgotten_and_may_be_absent(tmp_path: Path) -> None:
    keeper = Keeper.open(tmp_path, {})
    keeper.written = MOST_BYTES
    keeper.keep({"a": 1}, ARRAY, {})
    assert keeper.find({"a": 1}) is None
    keeper.written = 0
    keeper.keep({"a": 1}, ARRAY, {})
    os.utime(keeper.folder, (0, 0))
    assert Keeper.open(tmp_path, {}).find({"a": 1}) is None
    keeper.keep({"a": 1}, ARRAY, {})
    keeper.discard()
    assert not keeper.folder.exists()
    nothing = Keeper()
    nothing.keep({}, ARRAY, {})
    assert nothing.find({}) is None
    nothing.discard()


def make(metier: Metier, data: Path, stop_after: str | None = None) -> Card:
    rungs: list[str] = []

    def report(step: Progress) -> None:
        if step.stage == "rung" and step.data.get("accuracy"):
            rungs.append(str(step.data["name"]))

    recipe = workshop.recipe(metier, data, name="made", curve=False)
    return metier.make(
        recipe, folder=data.parent, report=report, cancelled=lambda: stop_after in rungs
    )


def test_a_stopped_make_goes_on_to_the_same_specialist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = workshop.tickets(tmp_path / "data")
    straight = make(workshop.opened(tmp_path / "straight"), data)
    home = tmp_path / "stopped"
    metier = workshop.opened(home)
    with pytest.raises(InputError, match="Stopped"):
        make(metier, data, stop_after="static")
    kept = list((home / "journals" / "climbs").rglob("*.npz"))
    assert len(kept) == 3, "majority, linear, static"

    climbed: list[str] = []
    real = climbing.Climb._validate

    def validate(self, learner, rows, always):
        climbed.append(learner.name)
        return real(self, learner, rows, always)

    monkeypatch.setattr(climbing.Climb, "_validate", validate)
    again = make(metier, data)
    assert not {"majority", "linear", "static"} & set(climbed)
    assert again.system == straight.system
    assert [(rung.name, rung.accuracy, rung.why) for rung in again.ladder] == [
        (rung.name, rung.accuracy, rung.why) for rung in straight.ladder
    ]
    assert [rung.seconds for rung in again.ladder if rung.accuracy] != [0.0] * 3
    assert not list((home / "journals").rglob("*.npz")), "gone once it is installed"


def test_what_needs_no_base_is_found_whatever_the_base(tmp_path: Path) -> None:
    keys = {}
    for base in ("one", "two"):
        keeper = Keeper.open(tmp_path, {"rows": 1}, base=base)
        climb = climbing.Climb.__new__(climbing.Climb)
        climb.keeper = keeper
        plain, vectors = majority(3), majority(3)
        vectors = replace(vectors, name="static", shared_bytes=10)
        keys[base] = (climb._key(plain), climb._key(vectors))
    assert keys["one"][0] == keys["two"][0]
    assert keys["one"][1] != keys["two"][1]
