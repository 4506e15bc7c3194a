"""Places, first opening, and reads that are proved."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from metier.errors import CorruptError, NotFoundError, StorageError
from metier.reference import Digest, Reference
from metier.store import layout as places
from metier.store.index import Entry, Index
from metier.store.layout import LAYOUT, Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path, wait=0.1)
    made.prepare()
    return made


def put(layout: Layout, data: bytes, digest: Digest | None = None) -> Digest:
    digest = digest or Digest.of(data)
    layout.blob(digest).write_bytes(data)
    return digest


def test_a_new_store_is_an_oci_layout(layout: Layout) -> None:
    assert layout.layout_file.read_bytes() == LAYOUT
    assert layout.read_index().entries == {}
    assert layout.blobs == layout.root / "blobs" / "sha256"


def test_preparing_again_changes_nothing(layout: Layout) -> None:
    before = layout.index_file.stat().st_ino
    layout.prepare()
    assert layout.index_file.stat().st_ino == before


def test_opening_is_cheap_however_much_there_is(layout: Layout) -> None:
    for number in range(500):
        put(layout, str(number).encode())
    times = []
    for _ in range(20):
        began = time.process_time()
        Layout(layout.home).prepare()
        times.append(time.process_time() - began)
    assert min(times) < 0.001


@pytest.mark.parametrize("lost", ["oci-layout", "index.json", "both"])
def test_a_store_that_was_killed_while_it_was_made(tmp_path: Path, lost: str) -> None:
    layout = Layout(tmp_path)
    layout.prepare()
    if lost != "index.json":
        layout.layout_file.unlink()
    if lost != "oci-layout":
        layout.index_file.unlink()
    layout.prepare()
    assert layout.layout_file.read_bytes() == LAYOUT
    if lost == "index.json":
        # It was finished once, so this is a loss and not a beginning.
        with pytest.raises(CorruptError) as caught:
            layout.read_index()
        assert caught.value.code == "corrupt_index"
    else:
        assert layout.read_index().entries == {}


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="Making the store"):
        Layout(tmp_path / "file").prepare()


def test_a_blob_is_proved_when_it_is_read(layout: Layout) -> None:
    digest = put(layout, b"sound")
    assert layout.read(digest) == b"sound"
    assert layout.has(digest)
    assert layout.has(digest, 5)
    assert not layout.has(digest, 4)
    assert layout.intact(digest)
    put(layout, b"other", digest)
    assert not layout.intact(digest)
    with pytest.raises(CorruptError) as caught:
        layout.read(digest)
    assert caught.value.code == "corrupt_blob"


def test_a_blob_may_be_capped(layout: Layout) -> None:
    digest = put(layout, b"12345")
    assert layout.read(digest, 5) == b"12345"
    with pytest.raises(CorruptError) as caught:
        layout.read(digest, 4)
    assert caught.value.code == "too_large"


def test_a_blob_that_is_not_there(layout: Layout) -> None:
    digest = Digest.of(b"absent")
    assert not layout.has(digest)
    assert not layout.intact(digest)
    with pytest.raises(NotFoundError) as caught:
        layout.read(digest)
    assert caught.value.code == "blob_not_found"


def test_a_blob_that_is_a_link_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    digest = Digest.of(b"secret")
    layout.blob(digest).symlink_to(secret)
    assert not layout.intact(digest)
    with pytest.raises(CorruptError) as caught:
        layout.read(digest)
    assert caught.value.code == "corrupt_blob"


def test_an_index_that_is_a_link_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    moved = tmp_path / "moved.json"
    layout.index_file.rename(moved)
    layout.index_file.symlink_to(moved)
    with pytest.raises(CorruptError, match="plain file"):
        layout.read_index()


def test_an_index_beyond_the_cap_is_refused(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_INDEX_BYTES", 50)
    with pytest.raises(CorruptError, match="longer than 50"):
        layout.read_index()
    with pytest.raises(StorageError) as caught:
        layout.write_index(Index())
    assert caught.value.code == "too_large"


def test_a_manifest_beyond_the_cap_is_refused(layout: Layout) -> None:
    digest = put(layout, b" " * (places.MAX_MANIFEST_BYTES + 1))
    with pytest.raises(CorruptError) as caught:
        layout.read_manifest(digest)
    assert caught.value.code == "too_large"


def test_users_keep_gc_out_and_gc_keeps_users_out(layout: Layout) -> None:
    with layout.using(), layout.using(), pytest.raises(StorageError) as caught, layout.alone():
        pytest.fail("gc beside users")
    assert caught.value.code == "locked"
    with layout.alone(), pytest.raises(StorageError), layout.using():
        pytest.fail("a user beside gc")
    with layout.alone(wait=0):
        pass


def test_one_at_a_time_changes_the_index(layout: Layout) -> None:
    with layout.changing(), pytest.raises(StorageError), layout.changing():
        pytest.fail("two writers")


def test_an_error_inside_a_lock_is_not_an_error_of_the_lock(layout: Layout) -> None:
    with pytest.raises(FileNotFoundError), layout.using():
        raise FileNotFoundError("mine")


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "nowhere", wait=0)
    with pytest.raises(StorageError, match="Locking the store"), layout.changing():
        pytest.fail("locked nothing")


def test_entries_survive(layout: Layout) -> None:
    entry = Entry(Reference("a"), Digest.of(b""), 0, "2026-01-01T00:00:00Z")
    layout.write_index(Index().with_entry(entry))
    assert layout.read_index().entries == {Reference("a"): entry}
