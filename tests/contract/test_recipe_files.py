"""Every recipe that the project ships can be followed by anybody: it parses and pins its data."""

import re
import tomllib
from pathlib import Path

import pytest

from metier.datasets.converters import CONVERTERS
from metier.datasets.repositories import check_url
from metier.recipe import (
    Alternative,
    ChatRecipe,
    ChatSampling,
    DataPart,
    DocumentPart,
    GitRepository,
    Recipe,
    SearchRecipe,
    read_recipe,
)
from metier.toolchains import KNOWN

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "src" / "metier" / "recipes").glob("*.toml"))
IDS = {
    "assistant-intents": "9674f723fd56f845d5be4b3721152a5598eead6607fa6cbb63c860382a2267e8",
    "banking-intents": "e1182daf15382fbeafd10dc95ce627f341d041d260cf7ff67c74ae38f8388e18",
    "code-language": "7eea1d505fd5dcaf9602a39ad370285f14954a32a93d2c93df548de9a7ffb8a6",
    "message-spam": "a0eeb618050f9f110d03f9f68e9b54e4aa45b31c890a9660223428275a568c09",
}
"""Recipe ids of version 0.1: what was proved under them stays proved."""


def test_the_four_starters_have_recipes():
    names = {path.stem for path in RECIPES}
    assert names >= {"banking-intents", "assistant-intents", "message-spam", "code-language"}


def read(path):
    return read_recipe(path.read_text(encoding="utf-8"), where=path.name)


def of_task(task):
    return [path for path in RECIPES if read(path).specialist.task == task]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_named_like_its_specialist(path):
    recipe = read(path)
    assert recipe.specialist.name == path.stem
    assert recipe.specialist.description


@pytest.mark.parametrize(("name", "digest"), IDS.items())
def test_the_ids_of_the_first_release_stay(name, digest):
    (path,) = [path for path in RECIPES if path.stem == name]
    assert read(path).recipe_id.hex == digest


@pytest.mark.parametrize("path", of_task("classify"), ids=lambda path: path.stem)
def test_a_classifier_pins_commit_files_converter_and_rows(path):
    recipe = read(path)
    assert not set(recipe.split.train) & set(recipe.split.eval)
    for part in recipe.data:
        assert part.converter in CONVERTERS
        assert part.rows_sha256
        for source in part.repositories or (part,):
            check_url(source.url or "")
            assert re.fullmatch(r"[0-9a-f]{40}", source.commit or "")
            assert source.licence
        assert part.repositories or part.files


@pytest.mark.parametrize("path", of_task("search"), ids=lambda path: path.stem)
def test_a_pack_pins_commit_and_files_of_every_source(path):
    for part in read(path).data:
        assert part.kind == "git"
        check_url(part.url or "")
        assert part.commit
        assert part.files_sha256
        assert part.version
        assert part.licence


@pytest.mark.parametrize("path", of_task("chat"), ids=lambda path: path.stem)
def test_a_chat_specialist_names_what_exists_and_claims_nothing(path):
    recipe = read(path)
    assert recipe.base.ref is None
    assert set(recipe.answer.packs) <= {pack.stem for pack in of_task("search")}
    assert set(recipe.answer.toolchains) <= set(KNOWN)
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    assert set(recipe.answer.tools) <= points["metier.tools"].keys()
    assert all("not measured" in base.note for base in recipe.base.alternatives)


def test_every_field_and_converter_stands_on_the_page():
    page = (ROOT / "docs" / "formats" / "recipe.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:\w+\.)*([a-z][\w-]*)`", page))
    kinds = (Recipe, ChatRecipe, SearchRecipe)
    parts = [field.annotation for kind in kinds for field in kind.model_fields.values()]
    more = (DataPart, GitRepository, DocumentPart, ChatSampling, Alternative)
    fields = {name for part in (*parts, *more) for name in fields_of(part)}
    assert fields | set(CONVERTERS) <= told


def fields_of(part):
    return getattr(part, "model_fields", {})
