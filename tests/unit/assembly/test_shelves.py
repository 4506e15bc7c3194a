"""Packs: opened once, searched together, by words alone where their encoder is not here."""

from __future__ import annotations

from pathlib import Path

import pytest

import talking
import workshop
from metier.assembly import Metier
from metier.assembly.shelves import Library, Shelf
from metier.errors import InputError, NotFoundError
from metier.recipe import SearchBase


@pytest.fixture(scope="module")
def metier(tmp_path_factory: pytest.TempPathFactory) -> Metier:
    home = tmp_path_factory.mktemp("library") / "home"
    home.mkdir()
    opened = workshop.opened(home)
    words = talking.pack_recipe(home.parent / "documents")
    opened.make(words, folder=home)
    base = SearchBase(ref=workshop.BASE)
    meaning = talking.pack_recipe(home.parent / "documents", name="meant")
    opened.make(meaning.model_copy(update={"base": base}), folder=home)
    return opened


def library(metier: Metier) -> Library:
    return Library(metier.fleet, metier._answering)


def test_a_pack_is_opened_once(metier: Metier) -> None:
    shelf = library(metier)
    assert shelf.pack("notes") is shelf.pack("notes")
    assert shelf.pack("notes").way == "words only"
    assert shelf.pack("meant").way == "words and meaning"


def test_a_pack_whose_encoder_is_gone_is_searched_by_words(metier: Metier, tmp_path: Path) -> None:
    exported = metier.export("meant", tmp_path / "out")
    other = workshop.opened(tmp_path / "other", base=False)
    other.import_path(exported)
    assert library(other).pack("meant").way == "words only"
    assert other.search("meant", "sorting a list of names")[0].title == "Lists"


def test_several_packs_are_one_shelf(metier: Metier) -> None:
    shelf = library(metier).shelf(["notes", "absent", "meant"])
    assert isinstance(shelf, Shelf)
    assert shelf.name == "notes and meant"
    found = shelf.search("sorting a list of names", top=3)
    assert len(found) == 3
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
    single = library(metier).shelf(["notes"])
    assert single is not None
    assert shelf.digest != single.digest
    assert library(metier).shelf(["absent"]) is None


def test_what_is_no_pack_is_refused(metier: Metier) -> None:
    with pytest.raises(InputError) as caught:
        library(metier).pack(workshop.BASE)
    assert caught.value.code == "not_a_pack"
    with pytest.raises(NotFoundError):
        library(metier).pack("absent")
