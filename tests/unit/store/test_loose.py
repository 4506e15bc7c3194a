"""Loose blobs: proved before they have their name, kept for a day, gone after it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.errors import InputError, StorageError
from metier.reference import Digest
from metier.store import Store
from metier.store.loose import KEPT_SECONDS

DATA = b"some weights" * 1000
DIGEST = Digest.of(DATA)


def mark(store: Store, digest: Digest = DIGEST) -> Path:
    return store.home / "store/.metier/loose" / digest.hex


def age(store: Store, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(mark(store), (then, then))


def drafts(store: Store) -> list[str]:
    return [path.name for path in (store.home / "store/.metier/drafts").iterdir()]


def test_a_blob_comes_in_pieces_and_gc_leaves_it(store: Store) -> None:
    assert not store.has_blob(DIGEST)
    assert store.add_blob(DIGEST, [DATA[:5], DATA[5:]]) is True
    assert store.add_blob(DIGEST, [DATA]) is False
    assert store.collect_garbage().removed == 0
    assert store.read_blob(DIGEST) == DATA
    assert store.verify().problems == ()


def test_after_a_day_it_is_collected(store: Store) -> None:
    store.add_blob(DIGEST, [DATA])
    age(store, KEPT_SECONDS + 60)
    assert store.collect_garbage().bytes == len(DATA)
    assert not store.has_blob(DIGEST)
    assert not mark(store).exists()


def test_who_asks_for_it_counts_on_it(store: Store, put: Any) -> None:
    store.add_blob(DIGEST, [DATA])
    age(store, KEPT_SECONDS + 60)
    assert store.has_blob(DIGEST)
    assert store.collect_garbage().removed == 0
    put("one")
    named = next(iter(store.entries().values())).digest
    store.remove(next(iter(store.entries())))
    assert store.has_blob(named)
    store.collect_garbage()
    assert store.has_blob(named)


def test_a_mark_of_the_future_keeps_nothing(store: Store) -> None:
    store.add_blob(DIGEST, [DATA])
    age(store, -10 * KEPT_SECONDS)
    assert store.collect_garbage().removed == 1


def test_a_foreign_file_among_the_marks_is_left_alone(store: Store) -> None:
    store.add_blob(DIGEST, [DATA])
    mark(store).with_name("note").write_text("x")
    assert store.collect_garbage().removed == 0


def test_other_bytes_are_refused_and_leave_nothing(store: Store) -> None:
    with pytest.raises(InputError) as caught:
        store.add_blob(DIGEST, [DATA, b"!"])
    assert caught.value.code == "digest_mismatch"
    assert not store.has_blob(DIGEST)
    assert not mark(store).exists()
    assert drafts(store) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA[:10]
        raise StorageError("The client went away.")

    with pytest.raises(StorageError):
        store.add_blob(DIGEST, broken())
    assert not store.has_blob(DIGEST)
    assert drafts(store) == []


def test_a_damaged_blob_is_replaced(store: Store) -> None:
    store.add_blob(DIGEST, [DATA])
    path = store.home / "store/blobs/sha256" / DIGEST.hex
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    assert store.add_blob(DIGEST, [DATA]) is True
    assert store.read_blob(DIGEST) == DATA


def test_a_failed_ingest_takes_out_no_loose_blob(store: Store) -> None:
    def fail() -> None:
        with store.ingest() as work:
            work.add(DATA, media_type="x")
            store.add_blob(DIGEST, [DATA])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert store.has_blob(DIGEST)


def test_a_file_of_the_store_is_known_as_its_blob(store: Store, tmp_path: Path) -> None:
    store.add_blob(DIGEST, [DATA])
    path = store.blob_path(DIGEST)
    assert store.blob_at(path) == DIGEST
    assert store.blob_at(tmp_path / path.name) is None
    assert store.blob_at(path.with_name("short")) is None
