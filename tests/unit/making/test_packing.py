"""A pack from a folder of markdown, through the real assembly."""

from __future__ import annotations

from pathlib import Path

import pytest

import coding_fleet
from metier.errors import InputError
from metier.making.packing import WITHOUT_ENCODER, folder_recipe


def test_a_folder_becomes_a_recipe(tmp_path: Path) -> None:
    recipe = folder_recipe(tmp_path, name="notes", version="us@1")
    assert recipe.specialist.name == "notes"
    assert (recipe.data[0].kind, recipe.data[0].version) == ("dir", "us@1")


def test_a_pack_says_what_is_in_it(tmp_path: Path) -> None:
    metier = coding_fleet.opened(tmp_path)
    card = metier.show("notes").pack
    assert card is not None
    assert card.passages == 2
    assert sum(source.files for source in card.sources) == 2
    assert card.notes == (WITHOUT_ENCODER,)
    assert card.base is None
    metier.close()


def test_the_same_documents_give_the_same_system(tmp_path: Path) -> None:
    one = coding_fleet.opened(tmp_path / "one")
    other = coding_fleet.opened(tmp_path / "other")
    assert one.show("notes").pack.system == other.show("notes").pack.system
    one.close()
    other.close()


def test_an_empty_folder_is_refused_and_nothing_is_installed(tmp_path: Path) -> None:
    metier = coding_fleet.opened(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError):
        metier.make(metier.pack_recipe(empty, name="nothing"), folder=tmp_path)
    assert "nothing" not in [item.name for item in metier.list()]
    metier.close()
