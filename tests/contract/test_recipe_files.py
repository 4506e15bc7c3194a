"""Every recipe that the project ships can be followed by anybody: it parses and pins its data."""

import re
import tomllib
from pathlib import Path

import pytest

from metier.datasets.converters import CONVERTERS
from metier.datasets.repositories import check_url
from metier.recipe import DataPart, GitRepository, Recipe, SearchRecipe, read_recipe

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "src" / "metier" / "recipes").glob("*.toml"))
IDS = {
    "assistant-intents": "9674f723fd56f845d5be4b3721152a5598eead6607fa6cbb63c860382a2267e8",
    "banking-intents": "e1182daf15382fbeafd10dc95ce627f341d041d260cf7ff67c74ae38f8388e18",
    "code-language": "7eea1d505fd5dcaf9602a39ad370285f14954a32a93d2c93df548de9a7ffb8a6",
    "message-spam": "a0eeb618050f9f110d03f9f68e9b54e4aa45b31c890a9660223428275a568c09",
}
"""Recipe ids of version 0.1: what was proved under them stays proved."""


def task(name):
    return [
        path
        for path in RECIPES
        if tomllib.loads(path.read_text("utf-8"))["specialist"].get("task", "classify") == name
    ]


def test_the_four_starters_have_recipes():
    names = {path.stem for path in RECIPES}
    assert names >= {"banking-intents", "assistant-intents", "message-spam", "code-language"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_of_a_known_task(path):
    recipe = read_recipe(path.read_text(encoding="utf-8"), where=path.name)
    assert recipe.specialist.name == path.stem
    assert recipe.specialist.description


@pytest.mark.parametrize("path", task("search"), ids=lambda path: path.stem)
def test_a_pack_pins_commit_and_files(path):
    recipe = SearchRecipe.from_toml(path.read_text(encoding="utf-8"), where=path.name)
    for part in recipe.data:
        assert part.kind == "git"
        assert part.files_sha256
        assert part.licence
        assert part.version
        check_url(part.url or "")


@pytest.mark.parametrize("path", task("classify"), ids=lambda path: path.stem)
def test_a_recipe_pins_commit_files_converter_and_rows(path):
    recipe = Recipe.from_toml(path.read_text(encoding="utf-8"), where=path.name)
    assert recipe.specialist.name == path.stem
    assert recipe.specialist.description
    assert not set(recipe.split.train) & set(recipe.split.eval)
    for part in recipe.data:
        assert part.converter in CONVERTERS
        assert part.rows_sha256
        for source in part.repositories or (part,):
            check_url(source.url or "")
            assert re.fullmatch(r"[0-9a-f]{40}", source.commit or "")
            assert source.licence
        assert part.repositories or part.files


def test_every_field_and_converter_stands_on_the_page():
    page = (ROOT / "docs" / "formats" / "recipe.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:\w+\.)?([a-z][\w-]*)`", page))
    parts = [field.annotation for field in Recipe.model_fields.values()]
    fields = {name for part in (*parts, DataPart, GitRepository) for name in fields_of(part)}
    assert fields | set(CONVERTERS) <= told


def fields_of(part):
    return getattr(part, "model_fields", {})
