"""Bringing things in: blobs first, then a name for them, with gc kept away meanwhile.

It knows the order that makes a crash harmless: every blob is proved and durable before the index
names it, and the index is one atomic write. What a failed ingest brought in is taken out again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from metier.errors import CorruptError, InputError, MetierError, NotFoundError
from metier.manifest import Descriptor, Manifest
from metier.reference import Digest, Reference
from metier.store import links, loose
from metier.store.disk import (
    copy_hashed,
    digest_of,
    draft,
    flush,
    flush_folder,
    open_file,
    storage_errors,
    write_draft,
)
from metier.store.index import Entry, Index
from metier.store.layout import BLOB_MODE, MAX_MANIFEST_BYTES, Layout


class Ingest:
    """What may be done while gc waits; made by ``Store.ingest``."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._added: set[Digest] = set()
        self._replaced = False

    def add(
        self,
        content: bytes | Path | BinaryIO,
        *,
        media_type: str,
        annotations: dict[str, str] | None = None,
        digest: Digest | None = None,
    ) -> Descriptor:
        """Bring in a blob by copying it (sharing extents where the file system can).

        Args:
            content: Its bytes, a file (links are followed) or an open binary stream.
            media_type: For the descriptor.
            annotations: For the descriptor.
            digest: What it must have, if that is known.

        Returns:
            The descriptor, for a manifest.

        Raises:
            CorruptError: It does not have ``digest`` (code ``digest_mismatch``).
            NotFoundError: There is no such file.
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        if isinstance(content, bytes):
            found, size = self._add_bytes(content, digest)
        elif isinstance(content, Path):
            path = _resolved(content)
            with storage_errors(f"Reading {str(path)!r}"), open_file(path) as source:
                found, size = self._add_stream(source, digest)
        else:
            found, size = self._add_stream(content, digest)
        return _descriptor(media_type, found, size, annotations)

    def adopt(
        self,
        path: Path,
        *,
        media_type: str,
        annotations: dict[str, str] | None = None,
        digest: Digest | None = None,
    ) -> Descriptor:
        """Bring in a file without a second copy of its bytes, where that is possible.

        A reflink is tried first, then a hard link, then a copy. With a hard link a program that
        later writes into the file changes the blob too; ``verify`` finds that. Its permissions
        stay as they are. Arguments, result and errors are those of ``add``.
        """
        path = _resolved(path)
        with draft(self._layout.drafts) as place:
            try:
                os.link(path, place, follow_symlinks=False)
            except OSError:
                return self.add(path, media_type=media_type, annotations=annotations, digest=digest)
            with storage_errors(f"Adopting {str(path)!r}"), open_file(place) as file:
                found = digest_of(file)
                size = os.fstat(file.fileno()).st_size
                flush(file.fileno())
            self._settle(place, found, digest)
        return _descriptor(media_type, found, size, annotations)

    def held(
        self, digest: Digest, *, media_type: str, annotations: dict[str, str] | None = None
    ) -> Descriptor:
        """The descriptor of a blob that is here already; its bytes are not read again.

        Raises:
            NotFoundError: It is not in the store (code ``blob_not_found``).
        """
        with self._layout.opened(digest) as file:
            size = os.fstat(file.fileno()).st_size
        return _descriptor(media_type, digest, size, annotations)

    def path(self, digest: Digest) -> Path:
        """Where a blob that was brought in lies, to look at it before it gets a name."""
        return self._layout.blob(digest)

    def put(self, reference: Reference, manifest: Manifest | bytes) -> Digest:
        """Give a manifest, all of whose blobs are here, a name; replaces what had the name.

        Args:
            reference: The name.
            manifest: A manifest, or its bytes as somebody else wrote them (they are kept).

        Returns:
            The manifest's digest.

        Raises:
            NotFoundError: A blob is missing or has another size (code ``blob_not_found``).
            InputError: Two parts claim one path (code ``bad_manifest``).
            CorruptError: The manifest is not valid, or the index is not.
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        data = manifest if isinstance(manifest, bytes) else manifest.to_bytes()
        if len(data) > MAX_MANIFEST_BYTES:
            raise InputError(
                f"The manifest of {reference} is longer than {MAX_MANIFEST_BYTES} bytes.",
                code="too_large",
                remedy="Use fewer parts.",
            )
        parsed = Manifest.from_bytes(data)
        for blob in parsed.blobs():
            if not self._layout.has(blob.blob, blob.size):
                raise NotFoundError(
                    f"The manifest of {reference} names the blob {blob.digest} of {blob.size} "
                    "bytes, which is not in the store.",
                    code="blob_not_found",
                    remedy="Bring in every part before the manifest.",
                )
        digest, _ = self._add_bytes(data, None)
        with storage_errors("Writing the store's folder of blobs"):
            flush_folder(self._layout.blobs)
        self._commit(Entry(reference, digest, len(data), iso_time(time.time())), parsed)
        return digest

    def _commit(self, entry: Entry, manifest: Manifest) -> None:
        layout = self._layout
        with changing(layout) as index, links.built(layout, manifest) as tree:
            old = index.entries.get(entry.reference)
            if old is not None and old.digest == entry.digest:
                changed = index
            else:
                changed = index.with_entry(entry)
            with linking(layout):
                if changed is not index:
                    layout.write_index(changed)
                with storage_errors("Changing the links of a specialist"):
                    links.swap(layout, entry.reference, tree)
                if self._replaced:
                    # Other names may have linked to the damaged bytes.
                    links.mend(layout, changed)
        self._added.clear()

    def _add_bytes(self, data: bytes, expected: Digest | None) -> tuple[Digest, int]:
        digest = Digest.of(data)
        with draft(self._layout.drafts) as place:
            _expect(digest, expected)
            if not self._layout.intact(digest):
                with storage_errors("Writing a blob"):
                    write_draft(place, data, mode=BLOB_MODE)
                self._settle(place, digest, expected)
        return digest, len(data)

    def _add_stream(self, source: BinaryIO, expected: Digest | None) -> tuple[Digest, int]:
        with draft(self._layout.drafts) as place:
            with storage_errors("Writing a blob"):
                digest, size = copy_hashed(source, place, mode=BLOB_MODE)
            self._settle(place, digest, expected)
        return digest, size

    def _settle(self, place: Path, digest: Digest, expected: Digest | None) -> None:
        """Give a draft that is durable and proved its final name, unless it is there intact."""
        _expect(digest, expected)
        layout = self._layout
        if layout.intact(digest):
            return
        with storage_errors("Writing a blob"):
            if layout.has(digest):
                self._replaced = True
            else:
                self._added.add(digest)
            place.replace(layout.blob(digest))

    def abandon(self) -> None:
        """Take out again what a failed ingest brought in, if nobody else is at work.

        Otherwise the next gc does it. The caller no longer holds ``using``.
        """
        layout = self._layout
        if not self._added:
            return
        with suppress(MetierError), layout.alone(wait=0), layout.changing():
            needed = referenced(layout, layout.read_index()) | loose.kept(layout)
            for digest in self._added - needed:
                with storage_errors("Removing a blob"):
                    layout.blob(digest).unlink(missing_ok=True)


@contextmanager
def changing(layout: Layout) -> Iterator[Index]:
    """The index, with the right to change it; what a killed process left is mended first."""
    with layout.changing():
        index = layout.read_index()
        if layout.linking.exists():
            with storage_errors("Mending links"):
                links.mend(layout, index)
                layout.linking.unlink()
        yield index


@contextmanager
def linking(layout: Layout) -> Iterator[None]:
    """A mark on the disk while index and links are out of step; it stays if we die or fail."""
    with storage_errors("Changing the index"):
        layout.linking.touch()
    yield
    with storage_errors("Changing the index"):
        layout.linking.unlink()


def referenced(layout: Layout, index: Index) -> set[Digest]:
    """Every blob that a name needs.

    Raises:
        CorruptError, NotFoundError: A manifest cannot be read, so nobody knows.
    """
    needed: set[Digest] = set()
    for entry in index.entries.values():
        if entry.digest not in needed:
            needed.add(entry.digest)
            needed.update(blob.blob for blob in layout.read_manifest(entry.digest).blobs())
    return needed


def _expect(digest: Digest, expected: Digest | None) -> None:
    if expected is not None and digest != expected:
        raise CorruptError(
            f"A file has the digest {digest} where {expected} was promised.",
            code="digest_mismatch",
            remedy="Fetch the file again; it was damaged or changed on its way.",
        )


def _descriptor(
    media_type: str, digest: Digest, size: int, annotations: dict[str, str] | None
) -> Descriptor:
    return Descriptor(
        mediaType=media_type, digest=str(digest), size=size, annotations=annotations or {}
    )


def _resolved(path: Path) -> Path:
    """The file that a person's path leads to, links followed."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise NotFoundError(
            f"There is no file {str(path)!r}.",
            code="file_not_found",
            remedy="Check the path.",
        ) from error


def iso_time(seconds: float) -> str:
    """A time since the epoch as ISO 8601, UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
