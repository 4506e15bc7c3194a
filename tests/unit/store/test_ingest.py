"""Bringing in: every way to give bytes, nothing dangling, and failures take themselves back."""

from __future__ import annotations

import io
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.manifest import CONFIG_TYPE, FILEPATH, WEIGHT_TYPE, Descriptor, Manifest
from metier.reference import Digest, Reference
from metier.store import Ingest, Store
from metier.store import ingest as ingests
from metier.store.layout import MAX_MANIFEST_BYTES

DATA = b"some weights"
NAME = Reference.parse("one")


def blobs(store: Store) -> set[str]:
    return {path.name for path in (store.home / "store/blobs/sha256").iterdir()}


def ingest(store: Store, steps: Callable[[Ingest], object]) -> None:
    """Do ``steps`` in one ingest, as one statement."""
    with store.ingest() as work:
        steps(work)


def drafts(store: Store) -> list[Path]:
    return list((store.home / "store/.metier/drafts").iterdir())


def test_bytes_files_and_streams_give_one_descriptor(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    link = tmp_path / "link"
    link.symlink_to(file)
    with store.ingest() as work:
        found = {
            work.add(content, media_type="x", annotations={"a": "b"}).model_dump_json()
            for content in (DATA, file, link, io.BytesIO(DATA))
        }
        adopted = work.adopt(link, media_type="x", annotations={"a": "b"})
        assert found == {adopted.model_dump_json()}
        assert adopted.blob == Digest.of(DATA)
        assert adopted.size == len(DATA)
        assert adopted.annotations == {"a": "b"}
        assert work.path(adopted.blob).read_bytes() == DATA
    assert blobs(store) == {Digest.of(DATA).hex}
    assert drafts(store) == []


def test_blobs_are_read_only(store: Store) -> None:
    with store.ingest() as work:
        digest = work.add(DATA, media_type="x").blob
    assert store.blob_path(digest).stat().st_mode & 0o222 == 0


def test_an_adopted_file_is_shared_and_keeps_its_mode(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    file.chmod(0o640)
    with store.ingest() as work:
        digest = work.adopt(file, media_type="x").blob
    assert store.blob_path(digest).samefile(file)
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_file_of_another_file_system_is_copied(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second file system is not everywhere at hand, so the link is made to fail as there."""
    file = tmp_path / "file"
    file.write_bytes(DATA)

    def elsewhere(*_arguments: object, **_named: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", elsewhere)
    with store.ingest() as work:
        digest = work.adopt(file, media_type="x").blob
    assert not store.blob_path(digest).samefile(file)
    assert store.read_blob(digest) == DATA


@pytest.mark.parametrize("way", ["bytes", "file", "stream", "adopt"])
def test_a_promised_digest_is_kept_or_nothing_comes_in(
    store: Store, tmp_path: Path, way: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    content: Any = {"bytes": DATA, "file": file, "stream": io.BytesIO(DATA), "adopt": file}[way]

    def steps(work: Ingest) -> None:
        bring: Any = work.adopt if way == "adopt" else work.add
        bring(content, media_type="x", digest=Digest.of(b"other"))

    with pytest.raises(CorruptError) as caught:
        ingest(store, steps)
    assert caught.value.code == "digest_mismatch"
    assert blobs(store) == set()
    assert drafts(store) == []
    with store.ingest() as work:
        content = io.BytesIO(DATA) if way == "stream" else content
        bring: Any = work.adopt if way == "adopt" else work.add
        assert bring(content, media_type="x", digest=Digest.of(DATA)).size == len(DATA)


def test_what_is_no_file_cannot_come_in(store: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with store.ingest() as work:
        for bring in (work.add, work.adopt):
            for name in ("absent", "loop"):
                with pytest.raises(NotFoundError):
                    bring(tmp_path / name, media_type="x")
            for name in ("pipe", "."):
                with pytest.raises(InputError) as caught:
                    bring(tmp_path / name, media_type="x")
                assert caught.value.code == "not_a_file"
    assert drafts(store) == []


@pytest.mark.parametrize(("content", "size"), [(b"absent", 6), (b"{}", 3)])
def test_a_name_needs_all_of_its_blobs(store: Store, content: bytes, size: int) -> None:
    def steps(work: Ingest) -> None:
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        layer = Descriptor(mediaType=WEIGHT_TYPE, digest=str(Digest.of(content)), size=size)
        work.put(NAME, Manifest(config=config, layers=(layer,)))

    with pytest.raises(NotFoundError) as caught:
        ingest(store, steps)
    assert caught.value.code == "blob_not_found"
    assert store.references() == []
    assert blobs(store) == set()


def test_a_manifest_keeps_its_bytes(store: Store) -> None:
    """Somebody else's manifest may have other spaces; its digest is of its own bytes."""
    with store.ingest() as work:
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        data = Manifest(config=config, layers=()).to_bytes().replace(b",", b" ,\n")
        digest = work.put(NAME, data)
    assert digest == Digest.of(data)
    found, manifest = store.get(NAME)
    assert found == digest
    assert manifest.config == config
    assert store.read_blob(digest) == data


@pytest.mark.parametrize("data", [b"{}", b"[]", b"\xff", b"x" * (MAX_MANIFEST_BYTES + 1)])
def test_a_bad_manifest_gets_no_name(store: Store, data: bytes) -> None:
    with pytest.raises((CorruptError, InputError)):
        ingest(store, lambda work: work.put(NAME, data))
    assert store.references() == []
    assert blobs(store) == set()


def test_clashing_paths_get_no_name(store: Store) -> None:
    def steps(work: Ingest) -> None:
        layer = work.add(DATA, media_type=WEIGHT_TYPE, annotations={FILEPATH: "a"})
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        work.put(NAME, Manifest(config=config, layers=(layer, layer)))

    with pytest.raises(InputError) as caught:
        ingest(store, steps)
    assert caught.value.code == "bad_manifest"
    assert store.references() == []
    assert blobs(store) == set()


def test_putting_the_same_again_changes_nothing(store: Store, put: Any) -> None:
    first = put("one", {"a.json": DATA})
    index = store.home / "store/index.json"
    before = (index.stat().st_ino, store.entries()[NAME])
    assert put("one", {"a.json": DATA}) == first
    assert (index.stat().st_ino, store.entries()[NAME]) == before


def test_a_name_moves_to_another_manifest(store: Store, put: Any) -> None:
    first = put("one", {"a.json": DATA})
    second = put("one", {"b.json": DATA})
    assert first != second
    assert store.get(NAME)[0] == second
    assert [path.name for path in (store.home / "models/one").iterdir()] == ["b.json"]


def test_a_failed_ingest_takes_back_only_its_own(store: Store, put: Any) -> None:
    put("one", {"a.json": DATA})
    before = blobs(store)

    def steps(work: Ingest) -> None:
        work.add(DATA, media_type="x")
        work.add(b"new", media_type="x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(store, steps)
    assert blobs(store) == before
    assert store.verify().problems == ()


def test_a_failed_ingest_leaves_to_gc_what_another_may_use(store: Store, put: Any) -> None:
    with store.ingest() as other:

        def steps(work: Ingest) -> None:
            work.add(b"new", media_type="x")
            other.add(b"new", media_type="x")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ingest(store, steps)
    assert store.read_blob(Digest.of(b"new")) == b"new"
    assert store.collect_garbage().removed == 1


def test_a_failure_after_the_name_takes_nothing_back(store: Store, put: Any) -> None:
    def steps(work: Ingest) -> None:
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        work.put(NAME, Manifest(config=config, layers=()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(store, steps)
    assert store.references() == [NAME]
    assert store.verify().problems == ()


def test_a_damaged_blob_is_replaced_by_a_sound_one(store: Store, put: Any) -> None:
    put("one", {"a.json": DATA})
    put("two", {"a.json": DATA, "b.json": b"b"})
    path = store.blob_path(Digest.of(DATA))
    path.chmod(0o644)
    path.write_bytes(b"damaged here")
    with pytest.raises(CorruptError):
        store.read_blob(Digest.of(DATA))
    put("one", {"a.json": DATA})
    assert store.read_blob(Digest.of(DATA)) == DATA
    # The other name's folder held a link to the damaged bytes.
    assert (store.home / "models/two/a.json").read_bytes() == DATA
    assert store.verify().problems == ()


def test_what_a_killed_process_left_is_mended_by_the_next_writer(store: Store, put: Any) -> None:
    put("one", {"a.json": DATA})
    (store.home / "models/one/a.json").unlink()
    mark = store.home / "store/.metier/linking"
    mark.touch()
    put("two")
    assert not mark.exists()
    assert (store.home / "models/one/a.json").read_bytes() == DATA


def test_a_corrupt_index_stops_a_put_and_loses_nothing(store: Store, put: Any) -> None:
    put("one")
    index = store.home / "store/index.json"
    original = index.read_bytes()
    index.write_bytes(original + b" ")
    with pytest.raises(CorruptError) as caught:
        put("two")
    assert caught.value.code == "corrupt_index"
    assert index.read_bytes() == original + b" "


def test_gc_that_holds_the_store_stops_an_ingest(store: Store) -> None:
    with store._layout.alone(), pytest.raises(StorageError) as caught, store.ingest():
        pytest.fail("beside gc")
    assert caught.value.code == "locked"


def test_times_are_iso() -> None:
    assert ingests.iso_time(0) == "1970-01-01T00:00:00Z"


def test_a_large_stream_is_copied_in_pieces(store: Store) -> None:
    data = random.Random(1).randbytes(3_000_001)
    with store.ingest() as work:
        digest = work.add(io.BytesIO(data), media_type="x").blob
    assert digest == Digest.of(data)
    assert store.read_blob(digest) == data


@pytest.mark.parametrize("way", ["bytes", "stream", "adopt"])
def test_a_name_comes_after_everything_that_it_names_is_on_the_disk(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The order that a power cut needs, as far as it can be seen without one."""
    order: list[str] = []
    flush, rename = os.fsync, Path.replace

    def recorded_flush(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        order.append("index" if target.name == "index.json" else "blob")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", recorded_flush)
    monkeypatch.setattr(Path, "replace", recorded_rename)
    file = tmp_path / "file"
    file.write_bytes(DATA)
    with store.ingest() as work:
        if way == "adopt":
            layer = work.adopt(file, media_type=WEIGHT_TYPE)
        else:
            layer = work.add(DATA if way == "bytes" else io.BytesIO(DATA), media_type=WEIGHT_TYPE)
        config = work.add(b"{}", media_type=CONFIG_TYPE)
        work.put(NAME, Manifest(config=config, layers=(layer,)))
    blob = ["file", "blob"]
    assert order == [*blob, *blob, *blob, "folder", "file", "index", "folder"]
