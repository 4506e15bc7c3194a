"""Taking parts in: bytes, files and blobs become layers under safe paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InputError, NotFoundError
from metier.fleet.taking import check_number, give_name, take_in, take_in_all
from metier.manifest import DOC_TYPE, KIND, SYSTEM
from metier.reference import Digest, Reference
from metier.store import Store

NAME = Reference.parse("one")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def test_bytes_files_and_blobs(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_bytes(b"[]")
    held = Digest.of(b"held")
    store.add_blob(held, [b"held"])
    with store.ingest() as work:
        layers = take_in_all(
            store,
            work,
            {
                "c.md": ("doc", held),
                "a.json": ("doc", b"{}"),
                "b.json": ("doc", file),
                "d.md": ("doc", store.blob_path(held)),
            },
            adopt=True,
        )
        give_name(work, NAME, layers, {}, None)
    assert [layer.filepath for layer in layers] == ["a.json", "b.json", "c.md", "d.md"]
    assert layers[2].digest == layers[3].digest == str(held)
    assert {layer.media_type for layer in layers} == {DOC_TYPE}
    _, manifest = store.get(NAME)
    assert manifest.layers == layers
    assert manifest.annotations[KIND] == "specialist"
    assert SYSTEM in manifest.annotations
    assert store.blob_path(layers[1].blob).samefile(file)


def test_a_blob_that_is_not_here(store: Store) -> None:
    with pytest.raises(NotFoundError), store.ingest() as work:
        take_in(work, "a.json", "doc", Digest.of(b"missing"))


@pytest.mark.parametrize("path", ["../a.json", "/a.json", "a:b.json", ""])
def test_a_path_that_leaves_its_folder(store: Store, path: str) -> None:
    with pytest.raises(InputError) as caught, store.ingest() as work:
        take_in(work, path, "doc", b"{}")
    assert caught.value.code == "bad_parts"


def test_numbers_of_parts() -> None:
    check_number(NAME, 1)
    for number in (0, 1001):
        with pytest.raises(InputError):
            check_number(NAME, number)
