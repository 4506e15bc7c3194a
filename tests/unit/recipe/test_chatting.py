from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w

from metier.errors import InputError
from metier.recipe import ChatRecipe

SMALLEST = '[specialist]\nname = "kit"\ntask = "chat"\n[answer]\nprompt = "Answer."\n'


def recipe(**sections: dict[str, Any]) -> ChatRecipe:
    document = tomllib.loads(SMALLEST)
    for name, fields in sections.items():
        document[name] = document.get(name, {}) | fields
    return ChatRecipe.from_toml(tomli_w.dumps(document))


def test_it_survives_the_round_trip() -> None:
    first = recipe(
        answer={"tools": ["svelte"], "toolchains": ["svelte@5", "kit@2"], "packs": ["svelte-docs"]},
        base={"alternatives": [{"ref": "a", "note": "not measured"}]},
        eval={"names": ["svelte"]},
    )
    again = ChatRecipe.from_toml(tomli_w.dumps(first.to_dict()))
    assert again == first
    assert again.answer.versions == {"svelte": "svelte@5", "kit": "kit@2"}


def test_another_base_is_the_same_recipe_and_anything_else_is_not() -> None:
    first = recipe()
    assert recipe(base={"ref": "remote:x"}).recipe_id == first.recipe_id
    assert recipe(answer={"prompt": "Other."}).recipe_id != first.recipe_id
    assert first.build_id(toolchain={}) != first.build_id(toolchain={"a": "1"})


@pytest.mark.parametrize(
    ("section", "fields", "told"),
    [
        ("answer", {"tools": ["../evil"]}, "answer.tools.0"),
        ("answer", {"tools": ["https://x/y"]}, "answer.tools.0"),
        ("answer", {"tools": ["a", "a"]}, "twice"),
        ("answer", {"toolchains": ["svelte"]}, "answer.toolchains.0"),
        ("answer", {"toolchains": ["svelte@4", "svelte@5"]}, "two versions"),
        ("answer", {"packs": ["a/b/c/d"]}, "answer.packs.0"),
        ("answer", {"prompt": ""}, "answer.prompt"),
        ("answer", {"candidates": 0}, "answer.candidates"),
        ("answer", {"repairs": 99}, "answer.repairs"),
        ("answer", {"code": "x"}, "answer.code"),
        ("eval", {"names": ["a b"]}, "eval.names.0"),
        ("specialist", {"name": "a b"}, "specialist.name"),
    ],
)
def test_a_wrong_field_is_named(section: str, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        recipe(**{section: fields})
    assert caught.value.code == "bad_recipe"
