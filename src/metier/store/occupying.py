"""What the store takes on the disk, and what a gc would give back.

It reads names and sizes, changes nothing and takes no lock: what it says is true of the moment it
looked.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from metier.errors import MetierError
from metier.store import loose
from metier.store.disk import storage_errors
from metier.store.ingest import referenced
from metier.store.layout import Layout
from metier.store.upkeep import PARTIAL_SECONDS

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Occupied:
    """Bytes on the disk.

    Attributes:
        blobs: Of everything that is filed.
        unneeded: Of blobs that no name needs and that lie nowhere else: a gc gives them back.
            ``None`` if a manifest cannot be read, so that nobody can say.
        partial: Of downloads that are not whole yet.
        stale: Of those that a gc would remove, because nobody touched them for a week.
    """

    blobs: int
    unneeded: int | None
    partial: int
    stale: int

    @property
    def reclaimable(self) -> int | None:
        """What a gc would give back."""
        return None if self.unneeded is None else self.unneeded + self.stale


def occupied(layout: Layout) -> Occupied:
    """Look once; raises StorageError if the folders cannot be read."""
    needed: set[str] | None = None
    with suppress(MetierError):
        known = referenced(layout, layout.read_index()) | loose.kept(layout)
        needed = {digest.hex for digest in known}
    blobs = unneeded = 0
    with storage_errors("Reading the store's folder of blobs"):
        for entry in os.scandir(layout.blobs):
            with suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                blobs += facts.st_size
                if needed is not None and _HEX.fullmatch(entry.name) and entry.name not in needed:
                    # A file with another name elsewhere gives no space back.
                    unneeded += facts.st_size if facts.st_nlink == 1 else 0
    partial, stale = _partial(layout.partial)
    return Occupied(blobs, None if needed is None else unneeded, partial, stale)


def _partial(folder: Path) -> tuple[int, int]:
    whole = stale = 0
    before = time.time() - PARTIAL_SECONDS
    with storage_errors("Reading the folder of partial files"), suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                # A file with holes takes less than it is long.
                size = facts.st_blocks * 512 if facts.st_nlink == 1 else 0
                whole += size
                stale += size if facts.st_mtime < before else 0
    return whole, stale
