"""Several names at once: what stands where is changed in one step, or not at all.

It knows that one write of the index is the moment of the change: before it nothing happened, after
it only links are left to be put right, which the next change does if this process dies. It brings
in no blob.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from metier.errors import NotFoundError, StorageError
from metier.reference import Digest, Reference
from metier.store import links
from metier.store.disk import storage_errors
from metier.store.index import Entry
from metier.store.ingest import changing, iso_time, linking
from metier.store.layout import Layout

Names = Mapping[Reference, Digest | None]


def rename(layout: Layout, names: Names, expect: Names) -> None:
    """Change what names stand for; see ``Store.rename``."""
    with layout.using(), changing(layout) as index, ExitStack() as held:
        for reference, wanted in expect.items():
            entry = index.entries.get(reference)
            if (entry.digest if entry else None) != wanted:
                raise _changed(reference)
        changed, trees = index, dict[Reference, Path | None]()
        now = iso_time(time.time())
        for reference, digest in names.items():
            if digest is None:
                changed, trees[reference] = changed.without(reference), None
                continue
            manifest = layout.read_manifest(digest)
            missing = next((b for b in manifest.blobs() if not layout.has(b.blob, b.size)), None)
            if missing is not None:
                raise NotFoundError(
                    f"{reference.familiar} needs the blob {missing.digest}, which is not here.",
                    code="blob_not_found",
                    remedy="Run 'metier verify' to see what is damaged.",
                )
            size = layout.blob(digest).stat().st_size
            changed = changed.with_entry(Entry(reference, digest, size, now))
            trees[reference] = held.enter_context(links.built(layout, manifest))
        with linking(layout):
            layout.write_index(changed)
            with storage_errors("Changing the links of a specialist"):
                for reference, tree in trees.items():
                    links.swap(layout, reference, tree)


def _changed(reference: Reference) -> StorageError:
    return StorageError(
        f"{reference.familiar!r} was changed by somebody else meanwhile; nothing was done.",
        code="name_changed",
        remedy=f"Look at 'metier show {reference.familiar}', and do it again.",
        retryable=True,
    )
