"""Where things lie on the disk, and the primitive acts on them.

    <home>/store/oci-layout, index.json, blobs/sha256/<64 hex>     an OCI image layout
    <home>/store/.metier/{*.lock, linking, drafts/, partial/}      ours
    <home>/models/…                                                 friendly links (see ``links``)

It knows paths, the locks and how a blob and the index are read and proved. Lock order: users
(shared: whoever needs blobs to stay; exclusive: gc), then index (exclusive: whoever changes it).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from metier.errors import CorruptError, InputError, NotFoundError, StorageError
from metier.manifest import Manifest
from metier.reference import Digest
from metier.store.disk import (
    digest_of,
    open_file,
    read_capped,
    storage_errors,
    write_whole,
)
from metier.store.index import MAX_INDEX_BYTES, Index, corrupt_index
from metier.store.locks import locked

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
MAX_MANIFEST_BYTES = 4 << 20
BLOB_MODE = 0o444
COURTESY = 0.5
"""Seconds that a new user of blobs lets a waiting gc go first."""
IMPORT_AGAIN = "Import it again; the damaged bytes are then replaced."


@dataclass(frozen=True, slots=True)
class Layout:
    """A store's places. ``wait`` is how many seconds a lock is waited for."""

    home: Path
    wait: float = 60.0

    @property
    def root(self) -> Path:
        """The OCI image layout."""
        return self.home / "store"

    @property
    def index_file(self) -> Path:
        """``index.json``."""
        return self.root / "index.json"

    @property
    def layout_file(self) -> Path:
        """``oci-layout``."""
        return self.root / "oci-layout"

    @property
    def blobs(self) -> Path:
        """The folder of blobs."""
        return self.root / "blobs" / "sha256"

    @property
    def drafts(self) -> Path:
        """The folder of unfinished writes."""
        return self.root / ".metier" / "drafts"

    @property
    def partial(self) -> Path:
        """The folder of files that are being fetched, and of what is there of them so far."""
        return self.root / ".metier" / "partial"

    @property
    def linking(self) -> Path:
        """The mark that stands while links are being changed."""
        return self.root / ".metier" / "linking"

    @property
    def models(self) -> Path:
        """The folder of friendly links."""
        return self.home / "models"

    def blob(self, digest: Digest) -> Path:
        """Where the blob lies; made from nothing but 64 hexadecimal digits."""
        return self.blobs / digest.hex

    def prepare(self) -> None:
        """Make what a store needs, if it is not there; two or three ``stat`` calls otherwise."""
        if self.layout_file.exists() and self.index_file.exists():
            return
        with storage_errors(f"Making the store {str(self.root)!r}"):
            for folder in (self.blobs, self.drafts, self.models):
                folder.mkdir(parents=True, exist_ok=True)
        with self.changing():
            # The order tells a store that was never finished from one that lost its index.
            if not self.layout_file.exists():
                if not self.index_file.exists():
                    self.write_index(Index())
                with storage_errors("Writing oci-layout"):
                    write_whole(self.layout_file, LAYOUT, drafts=self.drafts)

    @contextmanager
    def using(self) -> Iterator[None]:
        """Keep gc away for the length of the block; any number of users at once."""
        # A gc that waits holds the gate: without this pause, readers that follow each other
        # closely would keep it waiting for ever. Only a pause, because this thread may be a user
        # already, for whom gc waits.
        courtesy = self._locked("gate.lock", exclusive=False, wait=min(self.wait, COURTESY))
        with suppress(StorageError), courtesy:
            pass
        with self._locked("users.lock", exclusive=False):
            yield

    @contextmanager
    def alone(self, wait: float | None = None) -> Iterator[None]:
        """No user of blobs but this one for the length of the block."""
        with (
            self._locked("gate.lock", exclusive=True, wait=wait),
            self._locked("users.lock", exclusive=True, wait=wait),
        ):
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The right to change the index and the links for the length of the block."""
        with self._locked("index.lock", exclusive=True):
            yield

    @contextmanager
    def _locked(self, name: str, *, exclusive: bool, wait: float | None = None) -> Iterator[None]:
        seconds = self.wait if wait is None else wait
        path = self.root / ".metier" / name
        holder = locked(path, exclusive=exclusive, wait=seconds, what="The store")
        with storage_errors("Locking the store"):
            holder.__enter__()
        try:
            yield
        finally:
            holder.__exit__(None, None, None)

    def read_index(self) -> Index:
        """The index as it is on the disk now.

        Raises:
            CorruptError: It is missing or not what was written (code ``corrupt_index``).
        """
        with storage_errors("Reading index.json"):
            try:
                with open_file(self.index_file) as file:
                    data = read_capped(file, MAX_INDEX_BYTES)
            except FileNotFoundError as error:
                raise corrupt_index("it is missing") from error
            except InputError as error:
                raise corrupt_index("it is not a plain file") from error
        if data is None:
            raise corrupt_index(f"it is longer than {MAX_INDEX_BYTES} bytes")
        return Index.from_bytes(data)

    def write_index(self, index: Index) -> None:
        """Replace the index; the caller holds ``changing``."""
        data = index.to_bytes()
        if len(data) > MAX_INDEX_BYTES:
            raise StorageError(
                f"The store has too many names: its index would pass {MAX_INDEX_BYTES} bytes.",
                code="too_large",
                remedy="Remove specialists that nobody uses with 'metier rm'.",
            )
        with storage_errors("Writing index.json"):
            write_whole(self.index_file, data, drafts=self.drafts)

    def has(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the blob is there (with this size); its bytes are not read."""
        try:
            found = self.blob(digest).stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            return False
        return size is None or found == size

    def read(self, digest: Digest, limit: int | None = None) -> bytes:
        """A blob's bytes, proved by their digest.

        Raises:
            NotFoundError: It is not in the store (code ``blob_not_found``).
            CorruptError: Its bytes are not what they were (code ``corrupt_blob``).
            CorruptError: It is longer than ``limit`` (code ``too_large``).
        """
        with self.opened(digest) as file:
            cap = os.fstat(file.fileno()).st_size if limit is None else limit
            data = read_capped(file, cap)
        if data is None:
            raise CorruptError(f"The blob {digest} is longer than {cap} bytes.", code="too_large")
        if Digest.of(data) != digest:
            raise corrupt_blob(digest)
        return data

    def intact(self, digest: Digest) -> bool:
        """Whether the blob is there and has its digest; all of it is read."""
        try:
            with self.opened(digest) as file:
                return digest_of(file) == digest
        except (NotFoundError, CorruptError):
            return False

    @contextmanager
    def opened(self, digest: Digest) -> Iterator[BinaryIO]:
        """A blob, open for reading; its bytes are not proved."""
        with storage_errors(f"Reading the blob {digest}"):
            try:
                file = open_file(self.blob(digest))
            except FileNotFoundError as error:
                raise NotFoundError(
                    f"The blob {digest} is not in the store.",
                    code="blob_not_found",
                    remedy="Run 'metier verify' to see what needs it.",
                ) from error
            except InputError as error:
                raise corrupt_blob(digest) from error
            with file:
                yield file

    def read_manifest(self, digest: Digest) -> Manifest:
        """A manifest, proved by its digest and checked by ``metier.manifest``."""
        return Manifest.from_bytes(self.read(digest, MAX_MANIFEST_BYTES))


def corrupt_blob(digest: Digest) -> CorruptError:
    """The error for bytes that do not have their digest."""
    return CorruptError(
        f"The blob {digest} does not have its digest any more.",
        code="corrupt_blob",
        remedy=IMPORT_AGAIN,
    )
