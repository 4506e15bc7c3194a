"""What comes with the package: recipes by name, starters once, and nobody's own is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
import workshop
from metier.assembly import Metier, starting
from metier.errors import InputError, NotFoundError
from metier.recipe import ChatRecipe
from metier.settings import Settings


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    return Metier.open(Settings(home=tmp_path / "home"))


def test_recipes_are_found_by_name_and_near_names_are_told() -> None:
    assert starting.packaged_recipe("sveltekit").name == "sveltekit.toml"
    with pytest.raises(NotFoundError, match="Did you mean sveltekit") as caught:
        starting.packaged_recipe("svelte-kit")
    assert caught.value.code == "no_recipe"


def test_the_starters_are_those_that_have_recipes(metier: Metier) -> None:
    metier.install_starters()
    tasks = {item.name: item.task for item in metier.list() if item.kind == "specialist"}
    recipes = {name: metier.packaged_recipe(name) for name in metier.recipes()}
    expected = {
        name: recipe.specialist.task
        for name, recipe in recipes.items()
        if recipe.specialist.task not in ("search", "classify-image")
    }
    assert tasks == expected


@pytest.mark.parametrize("name", ["sveltekit", "react", "coder"])
def test_a_chat_starter_is_what_its_recipe_makes(metier: Metier, name: str) -> None:
    metier.install_starters()
    recipe = metier.packaged_recipe(name)
    assert isinstance(recipe, ChatRecipe)
    assert metier.recipe_of(name) == recipe, "run scripts/starters"
    card = metier.show(name).chat
    assert card is not None
    assert card.recipe_id == str(recipe.recipe_id)
    assert all(row.score is None for row in card.rows)
    assert set(card.packs) <= set(metier.recipes()), "its packs can be made by name"


def test_what_was_removed_stays_removed(metier: Metier) -> None:
    metier.install_starters()
    metier.remove("coder")
    metier.install_starters()
    assert "coder" not in {item.name for item in metier.list()}


def test_a_specialist_of_ones_own_keeps_its_name(metier: Metier, tmp_path: Path) -> None:
    own = ChatRecipe.from_toml(talking.CHAT.replace('"helper"', '"coder"'))
    metier.make(own, folder=tmp_path)
    metier.install_starters()
    assert metier.recipe_of("coder") == own
    assert "sveltekit" in {item.name for item in metier.list()}


def test_importing_never_replaces_a_base(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    metier = workshop.opened(home)
    metier.make(ChatRecipe.from_toml(talking.CHAT), folder=tmp_path)
    exported = metier.export("helper", tmp_path / "out")
    with pytest.raises(InputError) as caught:
        metier.import_path(exported, name=workshop.BASE)
    assert caught.value.code == "name_taken"
    assert metier.show(workshop.BASE).kind == "base"
    same = metier.export(workshop.BASE, tmp_path / "base")
    assert [item.name for item in metier.import_path(same)] == [workshop.BASE], "the same is fine"
