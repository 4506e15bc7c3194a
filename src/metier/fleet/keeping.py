"""The fleet: what is installed here, as specialists and bases rather than as blobs.

It knows names, cards, parts and how they become a ModelPack manifest; it checks what comes in
with ``formats`` and keeps it in the ``store``. It answers no question and loads no weights.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metier.card import AnyCard, read_card
from metier.errors import CorruptError, InputError, MetierError, NotFoundError
from metier.fleet import models
from metier.fleet.checking import CARD, MAX_CARD_BYTES, MAX_MODEL_BYTES, check
from metier.fleet.installed import Installed, Part
from metier.fleet.taking import check_number, give_name, own_name, take_in, take_in_all
from metier.localmodel import MODEL_FILE, LocalModelFile
from metier.manifest import (
    BASE,
    KIND,
    RECIPE,
    ROLE_TYPES,
    TASK,
    Descriptor,
    Manifest,
    Role,
    system_digest,
)
from metier.reference import Digest, Reference
from metier.store import Check, Entry, Store

_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class _Read:
    """What a manifest's digest determines, kept so that a list costs nothing the second time."""

    manifest: Manifest
    card: AnyCard | None
    system: Digest
    model: LocalModelFile | None


class Fleet:
    """The specialists and bases in one store; may be shared by threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[Digest, _Read] = {}

    @property
    def store(self) -> Store:
        """The store underneath."""
        return self._store

    def list(self) -> Sequence[Installed]:
        """Everything that is here and sound, by name; see ``broken`` for the rest.

        What a hop put aside (``NAME@previous``) is not listed; see ``aside``.
        """
        found, _ = self._all()
        return [item for item in found if not item.reference.side]

    def aside(self, name: str | None = None) -> Sequence[Installed]:
        """What hops put aside: of one name, or of all; sound ones, by name."""
        front = Reference.parse(name).front if name is not None else None
        found, _ = self._all()
        return [
            item for item in found if item.reference.side and front in (None, item.reference.front)
        ]

    def broken(self) -> dict[Reference, MetierError]:
        """What is here by name but cannot be read, and why."""
        _, failed = self._all()
        return failed

    def show(self, name: str) -> Installed:
        """One of them.

        Raises:
            NotFoundError: Nothing has this name; the message and ``details["near"]`` name those
                that are spelled alike.
            CorruptError: It is damaged.
        """
        entry = self._entry(name)
        return self._installed(entry)

    def parts(self, name: str | Installed) -> Sequence[Part]:
        """The files of one of them, by path.

        Here and below: readers of several parts pass the ``Installed`` that ``show`` gave, so
        that all parts come from one manifest even if the name gets another one meanwhile.
        """
        roles = {media_type: role for role, media_type in ROLE_TYPES.items()}
        found = [
            Part(layer.filepath, roles.get(layer.media_type, "other"), layer.blob, layer.size)
            for layer in self._resolved(name).manifest.layers
            if layer.filepath is not None
        ]
        return sorted(found, key=lambda part: part.filepath)

    def read_part(self, name: str | Installed, filepath: str) -> bytes:
        """The bytes of one of its files, proved by their digest.

        Raises:
            NotFoundError: It has no such file (code ``part_not_found``).
            CorruptError: The file is damaged.
        """
        return self._store.read_blob(self._part(name, filepath).blob)

    def part_path(self, name: str | Installed, filepath: str) -> Path:
        """Where one of its files lies, proved once per process; read only. See ``read_part``."""
        return self._store.blob_path(self._part(name, filepath).blob)

    def install(
        self,
        reference: Reference,
        parts: Mapping[str, tuple[Role, bytes | Path]],
        annotations: Mapping[str, str] | None = None,
        licence: str | None = None,
        *,
        adopt: bool = False,
    ) -> Installed:
        """Make an artifact from its files and give it a name, all or nothing.

        Args:
            reference: The name; what had it before is replaced.
            parts: Path inside the specialist to its role and its bytes or file.
            annotations: For the manifest; ``io.metier.system`` is filled in here.
            licence: SPDX identifier for the configuration.
            adopt: Whether files may be taken in by hard link instead of by copy. Only for files
                that nobody writes to afterwards.

        Raises:
            InputError: A part is unsafe, malformed, or has a path that leaves its folder.
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        check_number(reference, len(parts))
        with self._store.ingest() as work:
            layers = take_in_all(self._store, work, parts, adopt=adopt)
            give_name(work, reference, layers, dict(annotations or {}), licence)
        return self.show(str(reference))

    def install_model(
        self,
        reference: Reference,
        model: LocalModelFile,
        files: Mapping[str, bytes | Path | Digest],
        *,
        kind: Literal["base", "specialist"] = "base",
        annotations: Mapping[str, str] | None = None,
        licence: str | None = None,
        adopt: bool = False,
    ) -> Installed:
        """Make a local model of its files and give it a name, all or nothing.

        Args:
            reference: The name; what had it before is replaced.
            model: What it is. Its ``base`` may be empty and is filled in from the weights.
            files: Path inside the model to bytes, a file, or the digest of a blob that is here
                (a file of the store is taken as its blob): everything that ``model`` names, and
                texts beside it.
            kind: ``base`` for what was pulled or imported, ``specialist`` for what was made.
            annotations: For the manifest.
            licence: SPDX identifier for the configuration.
            adopt: As in ``install``.

        Raises:
            InputError: A file is missing, unsafe or malformed (``bad_parts``, ``bad_gguf`` …);
                the weights are not the base that ``model`` names (``wrong_base``); or the name
                is that of a base that specialists may stand on (``name_taken``).
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        check_number(reference, len(files) + 1)
        self._refuse_base(reference)
        parts = {
            path: (models.role_of(model, path), content) for path, content in sorted(files.items())
        }
        notes = {TASK: model.task, **(annotations or {}), KIND: kind}
        with self._store.ingest() as work:
            layers = take_in_all(self._store, work, parts, adopt=adopt)
            bound = models.bound(model, layers)
            layers = (*layers, take_in(work, MODEL_FILE, "weight-config", bound.to_bytes()))
            if kind == "specialist":
                notes[BASE] = bound.base
            give_name(work, reference, layers, notes, licence)
        return self.show(str(reference))

    def copy(self, source: str, destination: str) -> Installed:
        """Give what has a name a second one; its digest stays the same.

        Raises:
            NotFoundError: Nothing has the name ``source``.
            InputError: ``destination`` is no name, or is that of a base that specialists may
                stand on (code ``name_taken``).
        """
        reference = own_name(destination)
        with self._store.ingest() as work:
            entry = self._entry(source)
            if entry.reference != reference:
                self._refuse_base(reference)
                work.put(reference, self._store.read_blob(entry.digest))
        return self.show(destination)

    def has_blob(self, digest: Digest) -> bool:
        """Whether a blob with this digest is here, named or loose."""
        return self._store.has_blob(digest)

    def put_blob(self, digest: Digest, chunks: Iterable[bytes]) -> bool:
        """Bring in a blob that a model will be made of; kept for a day if nothing names it.

        Returns:
            Whether it was not here before.

        Raises:
            InputError: The bytes have another digest (code ``digest_mismatch``).
            StorageError: The disk is full (code ``disk_full``) or refuses.
        """
        return self._store.add_blob(digest, chunks)

    def blob_path(self, digest: Digest) -> Path:
        """Where a blob lies; raises NotFoundError (``blob_not_found``) and CorruptError."""
        return self._store.blob_path(digest)

    def remove(self, name: str) -> None:
        """Remove a name and what was put aside from it, in one step.

        ``Store.collect_garbage`` gives the space back.
        """
        reference = self._entry(name).reference
        gone = [one for one in self._store.entries() if one.side and one.front == reference]
        self._store.rename(dict.fromkeys([reference, *gone]))

    def import_path(
        self,
        path: Path,
        name: str | None = None,
        *,
        replace: bool = True,
        further: Check | None = None,
    ) -> Sequence[Installed]:
        """Take in every specialist of an OCI image layout, as ``export`` writes it.

        Args:
            path: The folder.
            name: A name for its only artifact; ``None`` keeps the names it has there.
            replace: Whether what has the name and another recipe is replaced; else it stays and
                the artifact is passed over.
            further: Called with each manifest and a function to the paths of its parts once
                everything else was found sound; what it raises stops the import.

        Raises:
            InputError: It is something else, a part is unsafe or malformed, or a base that is
                here has the name (code ``name_taken``): what stands on it would be lost.
            CorruptError: A file does not have its digest.
            StorageError: The disk is full or refuses.
        """
        if not path.is_dir():
            there = "is not a folder" if path.exists() else "is not there"
            raise InputError(
                f"{str(path)!r} {there}; an import takes a folder that holds an OCI image layout.",
                code="not_a_layout",
                remedy="Name a folder that 'metier export' or another OCI tool wrote.",
            )
        reference = own_name(name) if name is not None else None

        def checked(manifest: Manifest, path_of: Callable[[Descriptor], Path]) -> None:
            check(manifest, path_of)
            if further is not None:
                further(manifest, path_of)

        names = self._store.import_layout(
            path,
            reference=reference,
            check=checked,
            accept=lambda found, manifest: self._may_take(found, manifest, replace=replace),
        )
        return [self.show(str(found)) for found, _ in names]

    def import_gguf(
        self,
        path: Path,
        name: str | None = None,
        *,
        projector: Path | None = None,
        licences: Sequence[str] = (),
    ) -> Installed:
        """Take in a GGUF file, with the shards beside it, as a base.

        The file is taken over by hard link where that is possible: its bytes are not copied.

        Args:
            path: The file, or any shard.
            name: What it will be called; ``None`` is made from the file's name.
            projector: GGUF of the part that sees pictures.
            licences: Their texts.

        Raises:
            InputError: It is no GGUF file, no model, or a shard is missing (code ``bad_gguf``).
            StorageError: The disk is full or refuses.
        """
        files = models.shards_of(path)
        reference = own_name(name if name is not None else models.name_from(path.name))
        model, parts = models.base_from(files, projector, tuple(licences))
        return self.install_model(reference, model, parts, adopt=True)

    def _refuse_base(self, reference: Reference) -> None:
        """A base that others name by digest, as an encoder, is not replaced by a local model."""
        own_name(str(reference))
        entry = self._store.entries().get(reference)
        if entry is None:
            return
        with suppress(CorruptError):
            before = self._store.manifest(entry.digest)
            if before.annotations.get(KIND) == "base" and before.part(MODEL_FILE) is None:
                raise InputError(
                    f"{reference.familiar!r} is a base that specialists may stand on.",
                    code="name_taken",
                    remedy="Choose another name, or remove the base first.",
                )

    def _may_take(self, reference: Reference, manifest: Manifest, *, replace: bool) -> bool:
        """Whether an artifact may have a name: bases are never replaced by something else."""
        own_name(str(reference))
        entry = self._store.entries().get(reference)
        if entry is None:
            return True
        before = self._store.manifest(entry.digest)
        if before.annotations.get(KIND) == "base" and before.layers != manifest.layers:
            raise InputError(
                f"{reference.familiar!r} is a base that specialists may stand on.",
                code="name_taken",
                remedy="Import it under another name with --name, or remove the base first.",
            )
        return replace or before.annotations.get(RECIPE) == manifest.annotations.get(RECIPE)

    def export(self, name: str, directory: Path) -> Path:
        """Write one of them into an OCI image layout; several can share one folder."""
        return self._store.export(self._entry(name).reference, directory)

    def _all(self) -> tuple[Sequence[Installed], dict[Reference, MetierError]]:
        found = []
        failed: dict[Reference, MetierError] = {}
        for reference, entry in sorted(self._store.entries().items()):
            try:
                found.append(self._installed(entry))
            except MetierError as error:
                failed[reference] = error
        return found, failed

    def _entry(self, name: str) -> Entry:
        reference = Reference.parse(name)
        entries = self._store.entries()
        entry = entries.get(reference)
        if entry is None:
            if reference.front in entries and reference.side:
                raise _nothing_aside(reference, entries)
            raise _not_installed(reference, [one.familiar for one in entries if not one.side])
        return entry

    def _installed(self, entry: Entry) -> Installed:
        read = self._read.get(entry.digest)
        if read is None:
            read = self._read_in(entry)
            if len(self._read) >= _CACHED:
                self._read.clear()
            self._read[entry.digest] = read
        return Installed(
            reference=entry.reference,
            kind=read.manifest.annotations.get(KIND, "specialist"),
            card=read.card,
            digest=entry.digest,
            system=read.system,
            size_bytes=sum(blob.size for blob in read.manifest.blobs()),
            modified=entry.modified,
            manifest=read.manifest,
            model=read.model,
        )

    def _read_in(self, entry: Entry) -> _Read:
        digest, manifest = self._store.get(entry.reference)
        if digest != entry.digest:
            # The name got another manifest meanwhile; the caller asked for this one.
            manifest = self._store.manifest(entry.digest)
        layer = manifest.part(CARD)
        card = None
        if layer is not None:
            card = read_card(self._store.read_blob(layer.blob, limit=MAX_CARD_BYTES))
        system = system_digest(manifest.layers, manifest.annotations.get(BASE))
        described = manifest.part(MODEL_FILE)
        model = None
        if described is not None:
            data = self._store.read_blob(described.blob, limit=MAX_MODEL_BYTES)
            model = LocalModelFile.from_bytes(data)
        return _Read(manifest, card, system, model)

    def _resolved(self, name: str | Installed) -> Installed:
        return name if isinstance(name, Installed) else self.show(name)

    def _part(self, name: str | Installed, filepath: str) -> Descriptor:
        installed = self._resolved(name)
        layer = installed.manifest.part(filepath)
        if layer is None:
            there = sorted(part.filepath or "" for part in installed.manifest.layers)
            raise NotFoundError(
                f"{installed.name!r} has no part {filepath[:120]!r}; it has {', '.join(there)}.",
                code="part_not_found",
                details={"parts": there},
            )
        return layer


def _nothing_aside(reference: Reference, entries: Iterable[Reference]) -> NotFoundError:
    front = reference.front
    there = sorted(one.familiar for one in entries if one.side and one.front == front)
    said = f" There is {', '.join(there)}." if there else ""
    return NotFoundError(
        f"{front.familiar!r} has no {reference.side!r} beside it.{said}",
        remedy=f"'metier hop {front.familiar} --base REF' makes it again on another base and "
        "keeps the one before.",
        details={"near": there},
    )


def _not_installed(reference: Reference, known: list[str]) -> NotFoundError:
    near = difflib.get_close_matches(reference.familiar, known, n=3, cutoff=0.6)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    return NotFoundError(
        f"There is no {reference.familiar!r} here.{guess}",
        remedy="'metier list' shows what is installed; 'metier make' makes one.",
        details={"near": near},
    )
