"""Catalogues that were added: all or nothing, by name, never under a name of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.catalog import static
from metier.catalog.keeping import Shelf
from metier.errors import InputError, NotFoundError
from metier.finding import Entry


def files(*names: str, name: str = "acme") -> dict[str, bytes]:
    entries = [Entry(name=one, kind="model", task="chat") for one in names]
    return static.render(entries, name=name, title="", made="2026-11-23")


def add(shelf: Shelf, held: dict[str, bytes], address: str = "https://acme.example/") -> None:
    shelf.add(lambda path, most: held[path][:most], address=address, today="2026-11-23")


def test_a_catalogue_is_kept_renewed_and_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "catalogs")
    assert shelf.names() == []
    assert shelf.list() == ([], [])
    add(shelf, files("a"))
    first = shelf.stamps()
    assert [entry.name for entry in shelf.entries("acme")] == ["a"]
    add(shelf, files("a", "b"))
    assert len(shelf.entries("acme")) == 2
    assert shelf.stamps() != first
    (kept,), faults = shelf.list()
    assert (kept.address, kept.added, faults) == ("https://acme.example/", "2026-11-23", [])
    shelf.remove("acme")
    assert shelf.names() == []


def test_names_of_ours_and_of_another_are_refused(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(InputError) as told:
        add(shelf, files("a", name="curated"))
    assert told.value.code == "catalogue_taken"
    add(shelf, files("a"))
    with pytest.raises(InputError) as told:
        add(shelf, files("b"), "https://evil.example/")
    assert told.value.code == "catalogue_taken"
    assert [entry.name for entry in shelf.entries("acme")] == ["a"]


def test_a_wrong_catalogue_leaves_what_is_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    add(shelf, files("a"))
    broken = {path: data.replace(b'"b"', b'"c"') for path, data in files("b").items()}
    with pytest.raises(InputError):
        add(shelf, broken)
    assert [entry.name for entry in shelf.entries("acme")] == ["a"]


def test_what_cannot_be_read_is_told_and_can_be_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    add(shelf, files("a"))
    (tmp_path / "acme" / "catalogue.json").write_text("{", "utf-8")
    kept, faults = shelf.list()
    assert kept == []
    assert "acme" in faults[0]
    shelf.remove("acme")
    assert shelf.names() == []


def test_an_unknown_name_is_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    add(shelf, files("a"))
    with pytest.raises(NotFoundError) as told:
        shelf.show("acne")
    assert told.value.code == "no_catalogue"
    assert "acme" in told.value.message
