from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w

from metier.errors import InputError
from metier.recipe import RUNGS, Recipe
from metier.reference import Digest

SMALLEST = """
[specialist]
name = "triage"

[[data]]
kind = "file"
path = "tickets.csv"
"""


def recipe(**sections: dict[str, Any]) -> Recipe:
    document = tomllib.loads(SMALLEST)
    for name, fields in sections.items():
        document[name] = document.get(name, {}) | fields
    return Recipe.from_toml(tomli_w.dumps(document))


def test_the_smallest_recipe_has_every_default() -> None:
    smallest = Recipe.from_toml(SMALLEST)
    assert smallest.ladder.rungs == RUNGS
    assert smallest.base.ref
    assert smallest.eval.margin == smallest.ladder.margin


def test_a_recipe_survives_the_round_trip() -> None:
    first = recipe(ladder={"rungs": ["linear"], "seed": 3}, split={"group": "customer"})
    again = Recipe.from_toml(tomli_w.dumps(first.to_dict()))
    assert again == first
    assert again.recipe_id == first.recipe_id


def test_another_base_is_the_same_recipe() -> None:
    first, second = recipe(), recipe(base={"ref": "another"})
    assert first != second
    assert first.recipe_id == second.recipe_id


@pytest.mark.parametrize(
    "sections",
    [
        {"ladder": {"seed": 1}},
        {"ladder": {"margin": 0.02}},
        {"specialist": {"name": "other"}},
        {"split": {"drop_leaks": True}},
        {"answer": {"target_accuracy": 0.9}},
    ],
)
def test_anything_else_is_another_recipe(sections: dict[str, dict[str, Any]]) -> None:
    assert recipe(**sections).recipe_id != recipe().recipe_id


def test_a_build_is_the_recipe_with_base_data_and_toolchain() -> None:
    def build(**changes: Any) -> Digest:
        facts: dict[str, Any] = {
            "base_digest": "sha256:b",
            "data": ("sha256:d",),
            "toolchain": {"numpy": "2"},
        }
        return recipe().build_id(**(facts | changes))

    assert build() == build()
    assert build(base_digest=None) != build()
    assert build(data=("sha256:e",)) != build()
    assert build(toolchain={"numpy": "3"}) != build()


@pytest.mark.parametrize(
    ("sections", "where"),
    [
        ({"specialist": {"colour": "red"}}, "specialist.colour"),
        ({"ladder": {"rungs": ["magic"]}}, "ladder"),
        ({"ladder": {"rungs": []}}, "ladder"),
        ({"ladder": {"budget_seconds": 0}}, "ladder.budget_seconds"),
        ({"split": {"eval_share": 1.0}}, "split.eval_share"),
        ({"eval": {"scorer": "vibes"}}, "eval.scorer"),
    ],
)
def test_a_wrong_field_is_named(sections: dict[str, dict[str, Any]], where: str) -> None:
    with pytest.raises(InputError, match=where) as caught:
        recipe(**sections)
    assert caught.value.code == "bad_recipe"


def test_a_name_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="'not a name' is not a valid name"):
        recipe(specialist={"name": "not a name"})


@pytest.mark.parametrize(
    "source",
    [
        'kind = "git"\nurl = "x"',
        'kind = "file"',
        'kind = "web"\npath = "x"',
        'kind = "file"\npath = "x"\nrows_sha256 = "short"',
    ],
)
def test_a_source_says_where_it_is(source: str) -> None:
    text = f'[specialist]\nname = "triage"\n[[data]]\n{source}\n'
    with pytest.raises(InputError) as caught:
        Recipe.from_toml(text)
    assert caught.value.code == "bad_recipe"


def test_a_recipe_without_data_is_refused() -> None:
    with pytest.raises(InputError, match="data"):
        Recipe.from_toml('[specialist]\nname = "triage"\n')


def test_what_is_no_toml_says_where_it_breaks() -> None:
    with pytest.raises(InputError, match="line 2") as caught:
        Recipe.from_toml("[specialist]\nname = \n", where="my.toml")
    assert "my.toml" in caught.value.message
