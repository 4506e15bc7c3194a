"""A file of examples as a recipe: the defaults, and what no recipe can hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InputError
from metier.making.asking import Columns, recipe_for
from metier.recipe import Recipe


def test_one_file_trains_and_is_examined() -> None:
    recipe = recipe_for(Path("rows.csv"), name="mine")
    (part,) = recipe.data
    assert (part.kind, part.path, part.role) == ("file", "rows.csv", "both")
    assert recipe == Recipe.model_validate(
        {"specialist": {"name": "mine"}, "data": [{"kind": "file", "path": "rows.csv"}]}
    )


def test_sealed_rows_in_a_file_of_their_own_never_train() -> None:
    recipe = recipe_for(Path("rows.csv"), name="mine", eval_file=Path("sealed.csv"))
    assert [(part.path, part.role) for part in recipe.data] == [
        ("rows.csv", "train"),
        ("sealed.csv", "eval"),
    ]


def test_a_folder_is_a_folder(tmp_path) -> None:
    assert recipe_for(tmp_path, name="mine").data[0].kind == "dir"


def test_every_choice_arrives() -> None:
    recipe = recipe_for(
        Path("rows.csv"),
        name="mine",
        domain=" orders ",
        columns=Columns("body", "kind", "author"),
        budget=12.5,
        seed=9,
        drop_leaks=True,
        curve=False,
    )
    assert (recipe.split.text, recipe.split.label, recipe.split.group) == ("body", "kind", "author")
    assert recipe.specialist.domain == "orders"
    assert recipe.split.drop_leaks
    assert (recipe.ladder.budget_seconds, recipe.ladder.seed) == (12.5, 9)
    assert not recipe.ladder.curve


@pytest.mark.parametrize("choices", [{"budget": 0}, {"budget": -1.0}, {"seed": -1}])
def test_impossible_numbers_are_said_in_words(choices) -> None:
    with pytest.raises(InputError) as caught:
        recipe_for(Path("rows.csv"), name="mine", **choices)
    assert caught.value.code == "bad_recipe"
    assert str(next(iter(choices.values()))) in caught.value.message


@pytest.mark.parametrize("name", ["", "a b", "../etc", "UPPER/../x"])
def test_names_that_no_store_can_hold_are_refused(name) -> None:
    with pytest.raises(InputError):
        recipe_for(Path("rows.csv"), name=name)
