"""From a recipe of any task to something installed, with its task, digests and recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
import workshop
from metier.assembly import Metier
from metier.card import ChatCard, SearchCard
from metier.errors import InputError
from metier.messages import Progress
from metier.recipe import ChatRecipe, SearchRecipe


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("making") / "home"
    home.mkdir()
    return workshop.opened(home)


def test_a_chat_specialist_claims_nothing(metier: Metier, tmp_path: Path) -> None:
    recipe = ChatRecipe.from_toml(talking.CHAT)
    card = metier.make(recipe, folder=tmp_path)
    assert isinstance(card, ChatCard)
    assert card.evidence == ()
    assert all(row.score is None and row.command for row in card.rows)
    installed = metier.show("helper")
    assert (installed.task, installed.chat) == ("chat", card)
    assert str(installed.system) == card.system
    assert {part.filepath for part in metier.parts("helper")} == {
        "card.json",
        "prompt.md",
        "recipe.toml",
        "specialist.json",
    }
    assert metier.recipe_of("helper") == recipe


def test_a_pack_is_bound_to_its_encoder(metier: Metier, tmp_path: Path) -> None:
    heard: list[Progress] = []
    recipe = talking.pack_recipe(tmp_path / "documents")
    recipe = recipe.model_copy(update={"base": recipe.base.model_copy(update={"ref": "tiny"})})
    card = metier.make(recipe, folder=tmp_path, report=heard.append)
    assert isinstance(card, SearchCard)
    assert card.base is not None
    assert card.base.name == "tiny"
    assert card.passages == 2
    installed = metier.show("notes")
    assert (installed.task, installed.pack) == ("search", card)
    assert str(installed.system) == card.system
    assert next(item.stage for item in heard) == "data"
    assert heard[-1].stage == "done"


def test_a_pack_without_its_encoder_says_so(metier: Metier, tmp_path: Path) -> None:
    heard: list[Progress] = []
    recipe = talking.pack_recipe(tmp_path / "documents", name="words")
    recipe = recipe.model_copy(update={"base": recipe.base.model_copy(update={"ref": "absent"})})
    card = metier.make(recipe, folder=tmp_path, report=heard.append)
    assert card.base is None
    assert "words only" in card.notes[0]
    assert "by words only" in heard[0].message


def test_a_base_is_not_replaced_by_any_task(metier: Metier, tmp_path: Path) -> None:
    pack = talking.pack_recipe(tmp_path / "documents", name=workshop.BASE)
    chat = ChatRecipe.from_toml(talking.CHAT.replace('"helper"', f'"{workshop.BASE}"'))
    for recipe in (pack, chat):
        with pytest.raises(InputError) as caught:
            metier.make(recipe, folder=tmp_path)
        assert caught.value.code == "name_taken"


def test_stopping_installs_nothing(metier: Metier, tmp_path: Path) -> None:
    recipe = talking.pack_recipe(tmp_path / "documents", name="stopped")
    with pytest.raises(InputError) as caught:
        metier.make(recipe, folder=tmp_path, cancelled=lambda: True)
    assert caught.value.code == "cancelled"
    assert "stopped" not in {item.name for item in metier.list()}


def test_one_may_take_the_place_of_another(metier: Metier, tmp_path: Path) -> None:
    pack: SearchRecipe = talking.pack_recipe(tmp_path / "documents", name="twice")
    metier.make(pack, folder=tmp_path)
    chat = ChatRecipe.from_toml(talking.CHAT.replace('"helper"', '"twice"'))
    metier.make(chat, folder=tmp_path)
    assert metier.show("twice").task == "chat"
