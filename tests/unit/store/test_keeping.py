"""The store as others see it: names, proved reads, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.errors import CorruptError, NotFoundError, StorageError
from metier.reference import Digest, Reference
from metier.store import Store
from metier.store.index import Index

ONE = Reference.parse("one")


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"#")


def test_names_and_manifests(store: Store, put: Any) -> None:
    digest = put("one", {"a.json": b"aaa"})
    put("team/two:3")
    assert [reference.familiar for reference in store.references()] == ["one", "team/two:3"]
    entry = store.entries()[ONE]
    assert entry.digest == digest
    found, manifest = store.get(ONE)
    assert found == digest
    assert manifest == store.manifest(digest)
    assert entry.size == len(manifest.to_bytes())
    assert store.folder(ONE) == store.home / "models/one"


def test_names_of_another_process_are_seen(store: Store, put: Any) -> None:
    assert store.references() == []
    put("one", into=Store.open(store.home))
    assert store.references() == [ONE]


def test_a_relative_home_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store.open(Path("here"))
    monkeypatch.chdir("/")
    assert store.home == tmp_path / "here"
    assert store.references() == []


def test_a_name_that_is_not_there(store: Store) -> None:
    for act in (store.get, store.remove, lambda name: store.export(name, Path("x"))):
        with pytest.raises(NotFoundError, match="'one'") as caught:
            act(ONE)
        assert caught.value.code == "not_found"


def test_a_lost_manifest_is_told_from_a_missing_name(store: Store, put: Any) -> None:
    digest = put("one")
    (store.home / "store/blobs/sha256" / digest.hex).unlink()
    with pytest.raises(CorruptError, match="lost") as caught:
        store.get(ONE)
    assert caught.value.code == "lost_manifest"
    assert "metier rm one" in (caught.value.remedy or "")


def test_a_name_that_moves_between_two_reads(store: Store, put: Any) -> None:
    """The index is read, then another process replaces the name and collects the old blobs."""
    put("one", {"a.json": b"old"})
    late = Store.open(store.home)
    late.references()
    _, old = late._index  # type: ignore[misc]
    new = put("one", {"a.json": b"new"})
    store.collect_garbage()
    reads = iter([old, store._layout.read_index()])
    late._current = lambda: next(reads)  # type: ignore[method-assign]
    assert late.get(ONE)[0] == new
    gone = iter([old, Index()])
    late._current = lambda: next(gone)  # type: ignore[method-assign]
    with pytest.raises(NotFoundError) as caught:
        late.get(ONE)
    assert caught.value.code == "not_found"


def test_a_path_is_proved_once_and_again_after_a_change(store: Store, put: Any) -> None:
    put("one", {"a.json": b"aaa"})
    digest = Digest.of(b"aaa")
    path = store.blob_path(digest)
    assert path.read_bytes() == b"aaa"
    assert store.blob_path(digest) == path
    damage(path)
    for _ in range(2):
        with pytest.raises(CorruptError) as caught:
            store.blob_path(digest)
        assert caught.value.code == "corrupt_blob"
    with pytest.raises(NotFoundError):
        store.blob_path(Digest.of(b"absent"))


def test_reads_are_capped(store: Store, put: Any) -> None:
    put("one", {"a.json": b"aaa"})
    assert store.read_blob(Digest.of(b"aaa"), limit=3) == b"aaa"
    with pytest.raises(CorruptError):
        store.read_blob(Digest.of(b"aaa"), limit=2)


def test_an_index_that_went_missing(store: Store, put: Any) -> None:
    put("one")
    (store.home / "store/index.json").unlink()
    with pytest.raises(CorruptError, match="missing"):
        store.references()
    with pytest.raises(CorruptError, match="missing"):
        Store.open(store.home).references()


def test_a_folder_in_place_of_the_index(store: Store) -> None:
    index = store.home / "store/index.json"
    index.unlink()
    index.mkdir()
    with pytest.raises(CorruptError):
        store.references()


def test_reading_keeps_gc_away(store: Store) -> None:
    with store.reading(), pytest.raises(StorageError) as caught:
        store.collect_garbage()
    assert caught.value.code == "locked"


def test_removing_leaves_shared_blobs(store: Store, put: Any) -> None:
    put("one", {"a.json": b"shared", "b.json": b"own"})
    put("two", {"a.json": b"shared"})
    store.remove(ONE)
    assert store.read_blob(Digest.of(b"own")) == b"own"
    done = store.collect_garbage()
    assert done.removed == 3
    with pytest.raises(NotFoundError):
        store.read_blob(Digest.of(b"own"))
    assert store.read_blob(Digest.of(b"shared")) == b"shared"


def test_a_store_that_cannot_be_written_can_be_read_and_exported(
    store: Store, put: Any, tmp_path: Path
) -> None:
    put("one", {"a.json": b"aaa"})
    folders = [store.home, *(path for path in store.home.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        reader = Store.open(store.home)
        assert reader.get(ONE)[1].layers[0].filepath == "a.json"
        reader.export(ONE, tmp_path / "out")
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (tmp_path / "out/index.json").exists()
