from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w

from metier.errors import InputError
from metier.recipe import SearchRecipe

COMMIT = "0" * 40
DIR = {"kind": "dir", "path": "docs"}
GIT = {"kind": "git", "url": "https://example.org/a", "commit": COMMIT, "path": "documentation"}
NPM = {"kind": "npm", "package": "@a/b", "release": "1.2.3"}


def recipe(*data: dict[str, Any], **sections: dict[str, Any]) -> SearchRecipe:
    document: dict[str, Any] = {"specialist": {"name": "docs", "task": "search"}, **sections}
    document["data"] = list(data or [DIR])
    return SearchRecipe.from_toml(tomli_w.dumps(document))


def test_every_kind_survives_the_round_trip() -> None:
    first = recipe(DIR, GIT | {"version": "svelte@5", "files_sha256": "0" * 64}, NPM)
    again = SearchRecipe.from_toml(tomli_w.dumps(first.to_dict()))
    assert again == first
    assert all("**/*.md" in part.paths for part in again.data)


def test_another_encoder_is_the_same_recipe_on_another_build() -> None:
    first, second = recipe(), recipe(base={"ref": "another"})
    assert first.recipe_id == second.recipe_id
    build = {"data": ("a",), "toolchain": dict[str, str]()}
    assert first.build_id(base_digest="x", **build) != first.build_id(base_digest="y", **build)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"kind": "dir"}, "needs path"),
        ({"kind": "git", "url": "https://example.org/a"}, "needs url and commit"),
        (GIT | {"commit": "abc"}, "commit"),
        ({"kind": "npm", "package": "a"}, "needs package and release"),
        (NPM | {"package": "../a"}, "package"),
        (NPM | {"release": "latest"}, "release"),
        (DIR | {"url": "https://example.org"}, "has no url"),
        (GIT | {"integrity": "sha512-" + "a" * 86 + "=="}, "no integrity"),
        (DIR | {"paths": []}, "paths"),
        (DIR | {"address": "javascript:x"}, "address"),
        ({"kind": "http", "path": "x"}, "kind"),
    ],
)
def test_a_wrong_source_is_named(part: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        recipe(part)
    assert caught.value.code == "bad_recipe"


def test_the_words_of_toml_are_checked_too() -> None:
    assert tomllib.loads(tomli_w.dumps(recipe().to_dict()))["specialist"]["task"] == "search"
