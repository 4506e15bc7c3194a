"""What the store takes, and that a gc gives back what was said."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from metier.reference import Reference
from metier.store import Store


def test_what_is_said_is_what_gc_gives_back(store: Store, put: Any, tmp_path: Path) -> None:
    put("one", {"a.bin": b"a" * 10_000})
    put("two", {"b.bin": b"b" * 20_000})
    before = store.occupied()
    assert before.reclaimable == 0
    assert before.blobs > 30_000
    store.remove(Reference.parse("two"))
    after = store.occupied()
    assert after.reclaimable is not None
    assert after.reclaimable >= 20_000
    assert after.blobs == before.blobs
    assert store.collect_garbage().bytes == after.reclaimable
    assert store.occupied().reclaimable == 0


def test_downloads_that_are_not_whole_are_counted_and_old_ones_reclaimed(store: Store) -> None:
    folder = store.partial_folder()
    fresh, old = folder / "fresh", folder / "old"
    for path in (fresh, old):
        path.write_bytes(b"x" * 8_192)
    week = time.time() - 8 * 86_400
    os.utime(old, (week, week))
    found = store.occupied()
    assert found.partial >= 16_384
    assert 8_192 <= found.stale < 16_384
    assert found.reclaimable == found.stale


def test_a_manifest_that_cannot_be_read_is_no_guess(store: Store, put: Any) -> None:
    put("one", {"a.bin": b"a"})
    (entry,) = store.entries().values()
    path = store.home / "store/blobs/sha256" / entry.digest.hex
    path.chmod(0o644)
    path.write_bytes(b"{")
    found = store.occupied()
    assert found.unneeded is None
    assert found.reclaimable is None
