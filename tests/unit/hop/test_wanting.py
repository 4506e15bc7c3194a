"""The bases that a person names, and what of a recipe each changes."""

from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.hop import Wanted, on_base, views_of
from metier.recipe import RUNGS, DataPart, LadderPart, Recipe, SpecialistPart


def recipe(*rungs: str) -> Recipe:
    return Recipe(
        specialist=SpecialistPart(name="triage"),
        data=(DataPart(kind="file", path="rows.csv"),),
        ladder=LadderPart(rungs=rungs or RUNGS),
    )


@pytest.mark.parametrize(
    ("text", "base", "view"),
    [
        ("bge-small", "bge-small", ""),
        ("bge-small@static", "bge-small", "static"),
        ("hf.co/team/bge@encoder", "hf.co/team/bge", "encoder"),
    ],
)
def test_a_base_and_its_view(text: str, base: str, view: str) -> None:
    wanted = Wanted.parse(text)
    assert (wanted.base, wanted.view) == (base, view)
    assert wanted.key == text


@pytest.mark.parametrize(("text", "code"), [("bge@int8", "bad_view"), ("../bge", "bad_name")])
def test_what_is_no_base_is_refused(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Wanted.parse(text)
    assert caught.value.code == code


def test_the_whole_base_opens_every_rung_over_it() -> None:
    narrow = recipe("majority", "static")
    again = on_base(narrow, Wanted("new"))
    assert again.base.ref == "new"
    assert again.ladder.rungs == ("majority", "static", "encoder", "ensemble")
    assert again.recipe_id != narrow.recipe_id


def test_one_view_keeps_to_it() -> None:
    assert on_base(recipe(), Wanted("new", "static")).ladder.rungs == (
        "majority",
        "linear",
        "static",
    )
    assert on_base(recipe("majority", "static"), Wanted("new", "encoder")).ladder.rungs == (
        "majority",
        "encoder",
    )


def test_the_same_rungs_on_another_base_are_the_same_recipe() -> None:
    whole = recipe()
    assert on_base(whole, Wanted("new")).recipe_id == whole.recipe_id
    static = recipe("static", "majority")
    assert on_base(static, Wanted("new", "static")).recipe_id == static.recipe_id


@pytest.mark.parametrize(
    ("rungs", "view"),
    [
        (RUNGS, ""),
        (("majority", "static"), "static"),
        (("linear", "encoder"), "encoder"),
        (("majority", "linear"), ""),
    ],
)
def test_the_view_of_a_recipe(rungs: tuple[str, ...], view: str) -> None:
    assert views_of(rungs) == view
