"""Remaking: what counts as the same specialist, and what is said when it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import made_up
import workshop
from metier.assembly import Metier
from metier.card import Verdict
from metier.errors import InputError, UnavailableError
from metier.evals.results import read_result
from metier.making.remaking import Remade, remake, sealed_again, trained_on
from metier.messages import silent


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("remaking")


@pytest.fixture(scope="module")
def metier(home) -> Metier:
    metier = workshop.opened(home, base=False)
    data = workshop.tickets(home / "data", train=15, held_out=15)
    metier.make(workshop.recipe(metier, data, name="tickets", curve=False), folder=home)
    return metier


def remade(metier: Metier, name="tickets", *, card=None, result=None, recipe=None) -> Remade:
    installed = metier.show(name)
    path = metier.fleet.part_path(name, "results/specialist.jsonl")
    recipe = recipe or metier.recipe_of(name)
    return remake(
        card or installed.card,
        result or read_result(path),
        recipe,
        metier._workbench.remakers(recipe),
        report=silent,
        cancelled=lambda: False,
    )


def test_the_same_recipe_gives_the_same_digest(metier) -> None:
    found = remade(metier)
    assert found.same_digest
    assert found.passed
    assert found.equal_labels == 1.0
    assert found.verdicts["majority"] == ("WIN", "WIN")
    assert found.to_dict()["system"] == metier.show("tickets").card.system


def test_other_bytes_with_the_same_answers_pass(metier) -> None:
    card = metier.show("tickets").card.model_copy(update={"system": "sha256:" + "0" * 64})
    found = remade(metier, card=card)
    assert not found.same_digest
    assert found.passed


def test_other_bytes_with_other_answers_do_not(metier) -> None:
    card = metier.show("tickets").card.model_copy(update={"system": "sha256:" + "0" * 64})
    result = read_result(metier.fleet.part_path("tickets", "results/specialist.jsonl"))
    first, *rest = result.items
    changed = replace(result, items=(replace(first, answer="0" * 16), *rest))
    found = remade(metier, card=card, result=changed)
    assert found.equal_labels == pytest.approx(59 / 60)
    assert not found.passed


def test_a_worse_verdict_does_not_pass(metier) -> None:
    card = metier.show("tickets").card
    evidence = card.against("majority")
    easier = evidence.difference.model_copy(update={"verdict": Verdict.LOSS})
    before = card.model_copy(
        update={
            "system": "sha256:" + "0" * 64,
            "evidence": (evidence.model_copy(update={"difference": easier}),),
        }
    )
    assert remade(metier, card=before).passed
    recipe = metier.recipe_of("tickets")
    ladder = recipe.ladder.model_copy(update={"rungs": ("majority",)})
    found = remade(metier, recipe=recipe.model_copy(update={"ladder": ladder}))
    assert found.verdicts["majority"][0] == "WIN"
    assert found.verdicts["majority"][1] != "WIN"
    assert not found.passed


def test_equal_answers_with_a_worse_verdict_do_not_pass(metier, tmp_path) -> None:
    data = workshop.tickets(tmp_path, train=10, held_out=1)
    card = metier.make(workshop.recipe(metier, data, name="few", curve=False), folder=tmp_path)
    evidence = card.against("majority")
    assert evidence.difference.verdict is Verdict.UNDERPOWERED
    better = evidence.difference.model_copy(update={"verdict": Verdict.WIN})
    claimed = card.model_copy(
        update={
            "system": "sha256:" + "0" * 64,
            "evidence": (evidence.model_copy(update={"difference": better}),),
        }
    )
    found = remade(metier, "few", card=claimed)
    metier.remove("few")
    assert found.equal_labels == 1.0
    assert not found.passed


def test_items_of_another_eval_are_never_equal(metier) -> None:
    result = read_result(metier.fleet.part_path("tickets", "results/specialist.jsonl"))
    fewer = replace(result, items=result.items[1:])
    assert remade(metier, result=fewer).equal_labels == 0.0


def test_changed_data_is_a_problem_with_a_name_and_a_remedy(metier, home) -> None:
    path = home / "data" / "tickets.jsonl"
    before = path.read_bytes()
    path.write_bytes(before + b'{"text": "one more", "label": "returns", "split": "train"}\n')
    try:
        found = metier.verify(remake=True)
    finally:
        path.write_bytes(before)
    (problem,) = found["problems"]
    assert problem["where"] == "tickets"
    assert "tickets.jsonl" in problem["what"]
    assert found["remade"] == []


def test_a_remake_leaves_no_eval_no_journal_and_no_change_behind(metier, home) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert metier.verify(remake=True)["problems"] == []
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_what_it_was_trained_on_is_known_while_the_rows_are_here(metier, home) -> None:
    installed = metier.show("tickets")
    places = metier._workbench.places(home)
    rows = trained_on(installed, metier.recipe_of, places)
    assert sorted(row.text for row in rows) == sorted(row["text"] for row in made_up.rows(15))
    sealed = sealed_again(installed, metier.recipe_of, places)
    assert sealed.fingerprint == installed.card.data.eval_digest
    other = installed.card.data.model_copy(
        update={"train_digest": "sha256:" + "0" * 64, "eval_digest": "sha256:" + "0" * 64}
    )
    changed = replace(installed, card=installed.card.model_copy(update={"data": other}))
    assert trained_on(changed, metier.recipe_of, places) is None
    with pytest.raises(InputError) as caught:
        sealed_again(changed, metier.recipe_of, places)
    assert caught.value.code == "other_eval"


def test_rows_that_are_gone_are_said(metier, home) -> None:
    path = home / "data" / "tickets.jsonl"
    path.rename(home / "elsewhere.jsonl")
    try:
        installed = metier.show("tickets")
        assert trained_on(installed, metier.recipe_of, metier._workbench.places(home)) is None
        with pytest.raises(UnavailableError) as caught:
            sealed_again(installed, metier.recipe_of, metier._workbench.places(home))
    finally:
        (home / "elsewhere.jsonl").rename(path)
    assert caught.value.code == "eval_not_here"
