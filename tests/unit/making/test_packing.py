from __future__ import annotations

from pathlib import Path

import pytest

import talking
import workshop
from metier.assembly import Metier
from metier.card import SearchCard
from metier.errors import InputError
from metier.making.chatting import Assembled
from metier.making.packing import folder_recipe, make_pack
from metier.messages import silent
from metier.recipe import SearchRecipe


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("packing") / "home"
    home.mkdir()
    return workshop.opened(home)


def packed(
    metier: Metier, recipe: SearchRecipe, folder: Path, *, encoded: bool = False
) -> Assembled[SearchCard]:
    makers = metier._workbench.makers(workshop.BASE if encoded else None, folder)
    encoder = makers.encoder("fp32") if encoded else None
    return make_pack(recipe, makers, encoder=encoder, report=silent, cancelled=lambda: False)


def test_the_same_documents_make_the_same_bytes(metier: Metier, tmp_path: Path) -> None:
    recipe = talking.pack_recipe(tmp_path / "documents")
    first, again = (packed(metier, recipe, tmp_path) for _ in range(2))
    assert first.card.system == again.card.system
    with_vectors = packed(metier, recipe, tmp_path, encoded=True)
    assert with_vectors.card.system != first.card.system
    assert with_vectors.base_digest is not None


def test_the_card_counts_and_pins_its_sources(metier: Metier, tmp_path: Path) -> None:
    made = packed(metier, talking.pack_recipe(tmp_path / "documents"), tmp_path)
    (source,) = made.card.sources
    assert (source.files, source.passages, source.version) == (2, 2, "notes@1")
    recorded = SearchRecipe.from_toml(made.parts["recipe.toml"][1].decode())
    assert recorded.data[0].files_sha256 == source.files_sha256
    assert recorded.data[0].path == "documents", "no path of this machine travels"
    assert made.located == {source.files_sha256: str(tmp_path / "documents")}
    assert made.card.recipe_id == str(recorded.recipe_id)


def test_a_folder_of_ones_own(metier: Metier, tmp_path: Path) -> None:
    recipe = folder_recipe(talking.documents(tmp_path / "wiki"), name="wiki")
    assert packed(metier, recipe, tmp_path).card.passages == 2


def test_a_folder_without_markdown_is_refused(metier: Metier, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        packed(metier, folder_recipe(tmp_path / "empty", name="wiki"), tmp_path)
    assert caught.value.code == "no_documents"
