"""Loose blobs: bytes that came before the name that will need them, as an upload in pieces does.

A mark of the same digits under ``.metier/loose`` says when one came; for a day gc leaves it alone.
It knows no manifests.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from metier.errors import InputError
from metier.reference import Digest
from metier.store.disk import draft, flush_folder, storage_errors, write_stream
from metier.store.layout import BLOB_MODE, Layout

KEPT_SECONDS = 24 * 3600.0
_HEX = re.compile(r"[0-9a-f]{64}")


def add(layout: Layout, digest: Digest, chunks: Iterable[bytes]) -> bool:
    """Bring in a blob and mark it; see ``Store.add_blob``."""
    with layout.using():
        if layout.intact(digest):
            _mark(layout, digest)
            return False
        with draft(layout.drafts) as place:
            with storage_errors("Writing a blob"):
                found = write_stream(place, chunks, mode=BLOB_MODE)
            if found != digest:
                raise InputError(
                    f"The bytes that came have the digest {found} and not {digest}.",
                    code="digest_mismatch",
                    remedy="Send the file again, under its own digest.",
                )
            _mark(layout, digest)
            with storage_errors("Writing a blob"):
                place.replace(layout.blob(digest))
                flush_folder(layout.blobs)
    return True


def renew(layout: Layout, digest: Digest) -> bool:
    """Whether a blob is here; if so, the one who asks counts on it from now on."""
    if not layout.has(digest):
        return False
    with layout.using():
        found = layout.has(digest)
        if found:
            _mark(layout, digest)
    return found


def kept(layout: Layout, *, forget: bool = False) -> set[Digest]:
    """Digests that came within the last day; with ``forget`` older marks are removed."""
    found: set[Digest] = set()
    oldest = time.time() - KEPT_SECONDS
    with storage_errors("Reading the marks of loose blobs"), suppress(FileNotFoundError):
        for entry in os.scandir(_folder(layout)):
            if not _HEX.fullmatch(entry.name):
                continue
            # A mark of the future (a clock that was wrong) must not keep a blob for ever.
            if oldest <= entry.stat(follow_symlinks=False).st_mtime <= time.time() + 60:
                found.add(Digest(entry.name))
            elif forget:
                Path(entry.path).unlink(missing_ok=True)
    return found


def _folder(layout: Layout) -> Path:
    return layout.drafts.parent / "loose"


def _mark(layout: Layout, digest: Digest) -> None:
    """Say that a blob is wanted from now on; before it has its name, so gc never sees it bare."""
    with storage_errors("Marking a loose blob"):
        _folder(layout).mkdir(exist_ok=True)
        path = _folder(layout) / digest.hex
        path.touch()
        os.utime(path)
