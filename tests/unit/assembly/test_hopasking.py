"""Who is asked what: answers of before count only if they are of this and still true."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.assembly import hopasking as module
from metier.assembly.hopasking import Asking
from metier.assembly.workbench import never
from metier.errors import InputError, NotFoundError
from metier.making.rows import gather
from metier.messages import Progress, silent


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hopasking") / "home"
    home.mkdir()
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=30, held_out=30)
    for name, rungs in (("tickets", ("majority",)), ("better", ("linear",))):
        recipe = workshop.recipe(metier, data, name=name, curve=False)
        ladder = recipe.ladder.model_copy(update={"rungs": rungs})
        metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return home


@pytest.fixture
def metier(template: Path, tmp_path: Path) -> Metier:
    shutil.copytree(template, tmp_path / "home")
    return Metier.open(workshop.settings(tmp_path / "home"))


def asking(metier: Metier) -> Asking:
    recipe = metier._workbench.classifier_recipe("tickets")
    rows = gather(recipe, metier._workbench.places(metier.settings.home), silent)
    return Asking(metier._workbench, metier.show("tickets"), rows)


def test_answers_of_before_count_and_both_are_timed_alike(metier: Metier) -> None:
    reused: list[str] = []
    found = asking(metier).evidence(metier.show("better"), "new", None, silent, never, reused)
    assert reused == ["answers to the sealed items"] * 2
    assert found.difference.verdict == "WIN"
    assert found.cost.ms_per_text
    assert found.rival_cost.ms_per_text
    assert found.cost.size_bytes
    (row,) = [one for one in metier.ledger.rows("evidence") if one.body["against"] == "other"]
    assert row.subject == "tickets"
    assert row.body["system"] == str(metier.show("better").system)


def test_with_other_libraries_everything_is_asked_again(
    metier: Metier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "toolchain", lambda: {"numpy": "another"})
    reused: list[str] = []
    heard: list[Progress] = []
    again = asking(metier).evidence(metier.show("better"), "new", None, heard.append, never, reused)
    assert reused == []
    assert any(one.message == "Asking better." for one in heard)
    monkeypatch.undo()
    once = asking(metier).evidence(metier.show("better"), "new", None, silent, never, [])
    assert again.difference == once.difference


def test_fresh_items_are_those_that_nobody_knows(metier: Metier, tmp_path: Path) -> None:
    sealed = made_up.rows(30, seed=77)[:5]
    trained = made_up.rows(30)[:5]
    new = made_up.rows(10, seed=4_321)
    heard: list[Progress] = []
    path = made_up.write(tmp_path / "fresh.jsonl", [*sealed, *trained, *new])
    found = asking(metier).fresh(path, heard.append)
    texts = {item.text for item in found.items}
    assert texts <= {row["text"] for row in new}
    assert heard[-1].data["left_out"] == 50 - len(found.items) >= 10
    known = made_up.write(tmp_path / "known.jsonl", [*sealed, *trained])
    with pytest.raises(InputError) as caught:
        asking(metier).fresh(known, silent)
    assert caught.value.code == "nothing_fresh"
    with pytest.raises(NotFoundError):
        asking(metier).fresh(tmp_path / "absent.jsonl", silent)
