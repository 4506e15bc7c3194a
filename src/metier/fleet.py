"""The fleet: what is installed here, as specialists and bases rather than as blobs.

It knows names, cards, parts and how they become a ModelPack manifest; it checks what comes in
with ``formats`` and keeps it in the ``store``. It answers no question and loads no weights.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metier.card import AnyCard, Card, ChatCard, SearchCard, read_card
from metier.errors import InputError, MetierError, NotFoundError
from metier.formats import check_part
from metier.manifest import (
    ARTIFACT_TYPE,
    BASE,
    CONFIG_TYPE,
    FILEPATH,
    KIND,
    RECIPE,
    ROLE_TYPES,
    SYSTEM,
    TASK,
    Descriptor,
    Manifest,
    Role,
    model_config,
    safe_filepath,
    system_digest,
)
from metier.reference import Digest, Reference
from metier.specialist import SPECIALIST_FILE, ChatFile, task_of
from metier.store import Entry, Ingest, Store

CARD = "card.json"
_MAX_PARTS = 1000
_MAX_CARD_BYTES = 16 << 20
_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Installed:
    """A specialist or a base that is here.

    Attributes:
        reference: Its name.
        kind: ``specialist`` or ``base``.
        card: What it is and has proved, if it has a card.
        digest: Of its manifest: changes with every byte of it.
        system: Of what answers (weights, their configuration, the base's digest): stays the same
            when only the card or a date differs.
        size_bytes: Of all parts, shared ones included.
        modified: When the name got this manifest: ISO 8601, UTC.
        manifest: Its manifest.
    """

    reference: Reference
    kind: str
    card: AnyCard | None
    digest: Digest
    system: Digest
    size_bytes: int
    modified: str
    manifest: Manifest

    @property
    def name(self) -> str:
        """The name as people write it."""
        return self.reference.familiar

    @property
    def task(self) -> str | None:
        """``classify``, ``chat``, ``search``; a base has none."""
        if self.kind != "specialist":
            return None
        return self.card.task if self.card else self.manifest.annotations.get(TASK)

    @property
    def classifier(self) -> Card | None:
        """Its card, if it is a classifier's."""
        return self.card if isinstance(self.card, Card) else None

    @property
    def chat(self) -> ChatCard | None:
        """Its card, if it is a chat specialist's."""
        return self.card if isinstance(self.card, ChatCard) else None

    @property
    def pack(self) -> SearchCard | None:
        """Its card, if it is a document pack's."""
        return self.card if isinstance(self.card, SearchCard) else None


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a specialist: its path inside, its role, digest and size in bytes."""

    filepath: str
    role: str
    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Read:
    """What a manifest's digest determines, kept so that a list costs nothing the second time."""

    manifest: Manifest
    card: AnyCard | None
    system: Digest


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
        """Everything that is here and sound, by name; see ``broken`` for the rest."""
        found, _ = self._all()
        return found

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
        if not parts or len(parts) > _MAX_PARTS:
            raise InputError(
                f"{reference.familiar!r} has {len(parts)} parts; 1 to {_MAX_PARTS} are possible.",
                code="bad_parts",
            )
        notes = dict(annotations or {})
        with self._store.ingest() as work:
            layers = tuple(
                _take_in(work, path, role, content, adopt=adopt)
                for path, (role, content) in sorted(parts.items())
            )
            notes[SYSTEM] = str(system_digest(layers, notes.get(BASE)))
            notes.setdefault(KIND, "specialist")
            config = work.add(
                model_config(name=reference.model, layers=layers, licence=licence),
                media_type=CONFIG_TYPE,
            )
            manifest = Manifest(config=config, layers=layers, annotations=notes)
            check(manifest, lambda layer: work.path(layer.blob))
            work.put(reference, manifest)
        return self.show(str(reference))

    def remove(self, name: str) -> None:
        """Remove a name; ``Store.collect_garbage`` gives the space back."""
        self._store.remove(self._entry(name).reference)

    def import_path(
        self, path: Path, name: str | None = None, *, replace: bool = True
    ) -> Sequence[Installed]:
        """Take in every specialist of an OCI image layout, as ``export`` writes it.

        Args:
            path: The folder.
            name: A name for its only artifact; ``None`` keeps the names it has there.
            replace: Whether what has the name and another recipe is replaced; else it stays and
                the artifact is passed over.

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
        reference = Reference.parse(name) if name is not None else None
        names = self._store.import_layout(
            path,
            reference=reference,
            check=check,
            accept=lambda found, manifest: self._may_take(found, manifest, replace=replace),
        )
        return [self.show(str(found)) for found, _ in names]

    def _may_take(self, reference: Reference, manifest: Manifest, *, replace: bool) -> bool:
        """Whether an artifact may have a name: bases are never replaced by something else."""
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
            raise _not_installed(reference, [known.familiar for known in entries])
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
        )

    def _read_in(self, entry: Entry) -> _Read:
        digest, manifest = self._store.get(entry.reference)
        if digest != entry.digest:
            # The name got another manifest meanwhile; the caller asked for this one.
            manifest = self._store.manifest(entry.digest)
        layer = manifest.part(CARD)
        card = None
        if layer is not None:
            card = read_card(self._store.read_blob(layer.blob, limit=_MAX_CARD_BYTES))
        system = system_digest(manifest.layers, manifest.annotations.get(BASE))
        return _Read(manifest, card, system)

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


def check(manifest: Manifest, path_of: Callable[[Descriptor], Path]) -> None:
    """Refuse an artifact whose parts are unsafe, malformed or without a path.

    Raises:
        InputError: Saying which part and why.
        CorruptError: Its card (code ``bad_card``) or what it says of a chat specialist
            (``bad_specialist``) is not valid.
    """
    if manifest.artifact_type != ARTIFACT_TYPE or manifest.config.media_type != CONFIG_TYPE:
        raise InputError(
            f"The artifact is a {manifest.artifact_type[:100]!r} and not a CNCF ModelPack.",
            code="not_a_modelpack",
            remedy="Import a folder that 'metier export' wrote.",
        )
    if not manifest.layers or len(manifest.layers) > _MAX_PARTS:
        raise InputError(
            f"The artifact has {len(manifest.layers)} parts; 1 to {_MAX_PARTS} are possible.",
            code="bad_parts",
        )
    beside = frozenset(layer.filepath or "" for layer in manifest.layers)
    for layer in manifest.layers:
        if layer.filepath is None or layer.media_type not in ROLE_TYPES.values():
            raise InputError(
                f"A part ({layer.media_type[:100]!r}) has no path, or is not a raw weight, "
                "configuration or document.",
                code="bad_parts",
                remedy="Parts are single files that are not packed; export it so.",
            )
        check_part(layer.filepath, path_of(layer), beside)
        if layer.filepath == CARD:
            if layer.size > _MAX_CARD_BYTES:
                raise InputError(
                    f"The card is longer than {_MAX_CARD_BYTES} bytes.", code="too_large"
                )
            read_card(path_of(layer).read_bytes())
        if layer.filepath == SPECIALIST_FILE:
            _check_specialist(path_of(layer))


def _check_specialist(path: Path) -> None:
    """A chat specialist may name tools and packs and nothing else; others check their own."""
    data = path.read_bytes()
    if task_of(data) == "chat":
        ChatFile.from_bytes(data)


def _take_in(
    work: Ingest, filepath: str, role: Role, content: bytes | Path, *, adopt: bool
) -> Descriptor:
    if not safe_filepath(filepath):
        raise InputError(
            f"{filepath[:120]!r} cannot be the path of a part.",
            code="bad_parts",
            remedy="A path is relative, has no '..', no ':' and no backslash.",
        )
    media_type, annotations = ROLE_TYPES[role], {FILEPATH: filepath}
    if adopt and isinstance(content, Path):
        return work.adopt(content, media_type=media_type, annotations=annotations)
    return work.add(content, media_type=media_type, annotations=annotations)


def _not_installed(reference: Reference, known: list[str]) -> NotFoundError:
    near = difflib.get_close_matches(reference.familiar, known, n=3, cutoff=0.6)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    return NotFoundError(
        f"There is no {reference.familiar!r} here.{guess}",
        remedy="'metier list' shows what is installed; 'metier make' makes one.",
        details={"near": near},
    )
