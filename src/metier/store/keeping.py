"""The store as the rest of Metier sees it: names, manifests and blobs on this machine.

It binds the other modules of the package to one home folder; it knows no cards, no formats of
parts and no network. Opening one reads nothing; every read is proved by its digest. A ``Store``
may be shared by threads, and any number of processes may use one home.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from metier.errors import CorruptError, InputError, NotFoundError
from metier.manifest import Manifest
from metier.messages import Report, silent
from metier.reference import Digest, Reference
from metier.store import links, loose, renaming, sharing, upkeep
from metier.store.disk import digest_of, storage_errors
from metier.store.index import Entry, Index
from metier.store.ingest import Ingest, changing, linking
from metier.store.layout import Layout, corrupt_blob
from metier.store.occupying import Occupied, occupied
from metier.store.sharing import Accept, Check
from metier.store.upkeep import Collected, Verified


class Store:
    """An OCI image layout under ``home/store`` with friendly links under ``home/models``."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._index: tuple[tuple[int, int, int], Index] | None = None
        self._proved: dict[Digest, tuple[int, int, int]] = {}

    @classmethod
    def open(cls, home: Path, *, wait: float = 60.0) -> Store:
        """Open the store under ``home``, making it if it is not there; nothing is scanned.

        Args:
            home: The folder; see ``Settings.home``.
            wait: Seconds to wait for another process before giving up (code ``locked``).

        Raises:
            StorageError: The folder cannot be made or written.
        """
        layout = Layout(home.absolute(), wait)
        layout.prepare()
        return cls(layout)

    @property
    def home(self) -> Path:
        """The folder that it was opened with."""
        return self._layout.home

    def entries(self) -> Mapping[Reference, Entry]:
        """Every name with its manifest's digest and size and when it got it.

        Raises:
            CorruptError: The index cannot be trusted (code ``corrupt_index``).
        """
        return self._current().entries

    def references(self) -> list[Reference]:
        """Every name, sorted."""
        return sorted(self.entries())

    def get(self, reference: Reference) -> tuple[Digest, Manifest]:
        """A name's manifest, proved by its digest.

        Raises:
            NotFoundError: Nothing has this name (code ``not_found``).
            CorruptError: The manifest is damaged or lost.
        """
        entry = self._entry(reference)
        try:
            return entry.digest, self._layout.read_manifest(entry.digest)
        except NotFoundError as error:
            # Removed and collected between the two reads, or really lost.
            again = self._entry(reference)
            if again.digest != entry.digest:
                return again.digest, self._layout.read_manifest(again.digest)
            raise CorruptError(
                f"The manifest of {reference.familiar} is lost.",
                code="lost_manifest",
                remedy=f"Import it again, or remove it with 'metier rm {reference.familiar}'.",
            ) from error

    def manifest(self, digest: Digest) -> Manifest:
        """The manifest with this digest, proved."""
        return self._layout.read_manifest(digest)

    def read_blob(self, digest: Digest, *, limit: int | None = None) -> bytes:
        """A blob's bytes, proved.

        Raises:
            NotFoundError: It is not here (code ``blob_not_found``).
            CorruptError: It is damaged (code ``corrupt_blob``) or longer than ``limit`` bytes
                (code ``too_large``).
        """
        return self._layout.read(digest, limit)

    def blob_path(self, digest: Digest) -> Path:
        """Where a blob lies, for readers that map files; read only.

        All of its bytes are proved the first time that this process asks, and again whenever
        the file's size, time or inode changed. Errors are those of ``read_blob``.
        """
        with self._layout.opened(digest) as file:
            facts = os.fstat(file.fileno())
            seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if self._proved.get(digest) != seen:
                if digest_of(file) != digest:
                    raise corrupt_blob(digest)
                self._proved[digest] = seen
        return self._layout.blob(digest)

    def has_blob(self, digest: Digest) -> bool:
        """Whether a blob is here; gc leaves it alone for a day from now, as after ``add_blob``."""
        return loose.renew(self._layout, digest)

    def add_blob(self, digest: Digest, chunks: Iterable[bytes]) -> bool:
        """Bring in a blob that no name needs yet; gc leaves it alone for ``loose.KEPT_SECONDS``.

        Args:
            digest: What the bytes must have; they get their final name only then.
            chunks: The bytes, as they arrive.

        Returns:
            Whether it was not here before.

        Raises:
            InputError: They have another digest (code ``digest_mismatch``); nothing is kept.
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        return loose.add(self._layout, digest, chunks)

    def blob_at(self, path: Path) -> Digest | None:
        """The digest of the blob whose file ``path`` is, or ``None`` if it is none of ours."""
        with suppress(InputError):
            digest = Digest(path.name)
            if path == self._layout.blob(digest):
                return digest
        return None

    def blob_place(self, digest: Digest, size: int) -> Path:
        """Where a blob of this size lies; its bytes are not read.

        For weights that are mapped by an engine: proving gigabytes at every start takes longer
        than loading them, and ``verify`` proves them.

        Raises:
            NotFoundError: It is not here (code ``blob_not_found``).
            CorruptError: It has another size (code ``corrupt_blob``).
        """
        if not self._layout.has(digest, size):
            with self._layout.opened(digest):
                raise corrupt_blob(digest)
        return self._layout.blob(digest)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Blobs that are here when the block begins stay until it ends, whatever is removed.

        For readers of several blobs of one manifest; gc waits meanwhile.

        Raises:
            StorageError: gc held the store for too long (code ``locked``).
        """
        with self._layout.using():
            yield

    def partial_folder(self) -> Path:
        """Where files that are being fetched lie until they are whole; made if needed.

        It is on the blobs' file system, so that a whole file can be adopted by a link. What
        nobody touched for ``upkeep.PARTIAL_SECONDS`` is removed by gc.
        """
        folder = self._layout.partial
        with storage_errors("Making the folder of partial files"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def folder(self, reference: Reference) -> Path:
        """The friendly folder of a name, whether or not it is there."""
        return links.folder_of(self._layout.models, reference)

    @contextmanager
    def ingest(self) -> Iterator[Ingest]:
        """Bring in blobs and give them a name, while gc waits.

        If the block fails, what it brought in is taken out again.

        Raises:
            StorageError: gc held the store for too long (code ``locked``).
        """
        work = Ingest(self._layout)
        try:
            with self._layout.using():
                yield work
        except BaseException:
            work.abandon()
            raise

    def remove(self, reference: Reference) -> None:
        """Remove a name and its folder; its blobs stay until gc.

        Raises:
            NotFoundError: Nothing has this name.
        """
        with changing(self._layout) as index:
            if reference not in index.entries:
                raise _no_such_name(reference)
            with linking(self._layout):
                self._layout.write_index(index.without(reference))
                with storage_errors("Removing the links of a specialist"):
                    links.swap(self._layout, reference, None)

    def rename(
        self,
        names: Mapping[Reference, Digest | None],
        *,
        expect: Mapping[Reference, Digest | None] | None = None,
    ) -> None:
        """Give several names other manifests, or take names away, in one step.

        Whoever reads meanwhile sees all of it or nothing; so does whoever comes after a crash.

        Args:
            names: Name to the digest of a manifest that is here, or ``None`` to remove it (a
                name that is not there stays away).
            expect: What names must stand for now (``None``: not there), or nothing is changed.

        Raises:
            StorageError: A name stands for something else than expected (``name_changed``),
                or the disk is full or refuses.
            NotFoundError: A manifest or a blob of it is not here (code ``blob_not_found``).
        """
        renaming.rename(self._layout, names, expect or {})

    def collect_garbage(self) -> Collected:
        """Remove blobs that no name needs and unfinished writes; mend the index and the links.

        Raises:
            CorruptError, NotFoundError: A manifest cannot be read; nothing is deleted then.
            StorageError: An import or export is going on (code ``locked``).
        """
        return upkeep.collect_garbage(self._layout)

    def occupied(self) -> Occupied:
        """What it takes on the disk, and what a gc would give back."""
        return occupied(self._layout)

    def verify(self, report: Report = silent) -> Verified:
        """Read every byte of the store and say what is wrong."""
        return upkeep.verify(self._layout, report)

    def export(self, reference: Reference, directory: Path) -> Path:
        """Write a name into an OCI image layout that other tools read; several merge in one.

        Returns:
            ``directory``.

        Raises:
            NotFoundError: Nothing has this name.
            InputError: The folder holds something else.
            CorruptError: A blob is damaged; it is not exported.
            StorageError: The disk is full or refuses.
        """
        with self._layout.using():
            sharing.export(self._layout, self._entry(reference), directory)
        return directory

    def import_layout(
        self,
        directory: Path,
        *,
        reference: Reference | None = None,
        check: Check | None = None,
        accept: Accept | None = None,
    ) -> list[tuple[Reference, Digest]]:
        """Bring in every artifact of an OCI image layout.

        Args:
            directory: The layout. No link inside it is followed.
            reference: A name for its only artifact, or ``None`` to keep the names it has there.
            check: Called with each manifest and a function from a descriptor to the path of its
                blob, before the name is given; what it raises stops the import.
            accept: Called with each name and manifest before any of its blobs is read; where it
                says no the artifact is passed over, and what it raises stops the import.

        Returns:
            The names that were given, with the manifests' digests.

        Raises:
            InputError: It is no layout, or it has no usable names (code ``not_a_layout``).
            CorruptError: A file does not have its digest; it is not taken in.
            StorageError: The disk is full or refuses.
        """
        with sharing.opened_layout(directory) as foreign:
            offers = sharing.named(foreign.offers(), reference, directory)
            with self.ingest() as work:
                return [
                    (name, sharing.import_offer(self._layout, work, foreign, offer, name, check))
                    for name, offer in offers
                    if accept is None or accept(name, sharing.offered(foreign, offer))
                ]

    def _entry(self, reference: Reference) -> Entry:
        entry = self.entries().get(reference)
        if entry is None:
            raise _no_such_name(reference)
        return entry

    def _current(self) -> Index:
        """The index, read again only if the file is another one; each write makes a new file."""
        try:
            facts = self._layout.index_file.stat(follow_symlinks=False)
        except OSError:
            return self._layout.read_index()
        seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        known = self._index
        if known is None or known[0] != seen:
            known = (seen, self._layout.read_index())
            self._index = known
        return known[1]


def _no_such_name(reference: Reference) -> NotFoundError:
    return NotFoundError(
        f"There is no {reference.familiar!r} here.",
        remedy="'metier list' shows what is installed.",
    )
