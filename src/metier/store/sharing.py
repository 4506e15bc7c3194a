"""In and out: an OCI image layout in a folder, as other OCI tools write and read it.

It knows foreign layouts, which it does not trust: every step is opened without following links,
every blob is proved by its digest and size, every document is capped. What somebody else put into
a layout that we export to is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from metier.errors import CorruptError, InputError, MetierError, NotFoundError
from metier.manifest import (
    INDEX_TYPE,
    MANIFEST_TYPE,
    REF_NAME,
    Descriptor,
    Manifest,
    canonical_json,
)
from metier.reference import Digest, Reference
from metier.store.disk import (
    copy_hashed,
    digest_of,
    discard,
    draft,
    flush_folder,
    open_file,
    open_folder,
    read_capped,
    storage_errors,
    write_draft,
    write_whole,
)
from metier.store.index import MAX_INDEX_BYTES, Entry
from metier.store.ingest import Ingest
from metier.store.layout import BLOB_MODE, LAYOUT, MAX_MANIFEST_BYTES, Layout, corrupt_blob
from metier.store.locks import locked

_MAX_ENTRIES = 10_000
Check = Callable[[Manifest, Callable[[Descriptor], Path]], None]
Accept = Callable[[Reference, Manifest], bool]
"""Looks at what a layout brings before it gets a name: the manifest, and where a blob lies."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One manifest that a foreign layout offers; ``reference`` is its name there, if valid."""

    reference: Reference | None
    descriptor: Descriptor


class Foreign:
    """An open foreign layout: nothing in it is trusted, no link in it is followed."""

    def __init__(self, root: int, blobs: int, where: Path) -> None:
        self._root = root
        self._blobs = blobs
        self._where = where

    def offers(self) -> list[Offer]:
        """The manifests in its index, in order.

        Raises:
            InputError: It is not an OCI image layout (code ``not_a_layout``).
        """
        if self._document("oci-layout", 4096).get("imageLayoutVersion") != "1.0.0":
            raise self._not_a_layout("its oci-layout file names no version that we know")
        entries = self._document("index.json", MAX_INDEX_BYTES).get("manifests")
        if not isinstance(entries, list) or len(entries) > _MAX_ENTRIES:
            raise self._not_a_layout("its index.json lists no manifests, or too many")
        return [self._offer(entry) for entry in entries]

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """One of its blobs, with the size that was promised; the digest is for the reader."""
        digest = descriptor.blob
        with storage_errors(f"Reading {str(self._where)!r}"):
            try:
                file = open_file(digest.hex, folder=self._blobs)
            except FileNotFoundError as error:
                raise NotFoundError(
                    f"The layout {str(self._where)!r} has no blob {digest}.",
                    code="blob_not_found",
                    remedy="Export or copy it again; it is not complete.",
                ) from error
            size = os.fstat(file.fileno()).st_size
        if size != descriptor.size:
            file.close()
            raise CorruptError(
                f"The blob {digest} in {str(self._where)!r} has {size} bytes where "
                f"{descriptor.size} were promised.",
                code="digest_mismatch",
                remedy="Export or copy it again; it was damaged on its way.",
            )
        return file

    def manifest(self, descriptor: Descriptor) -> bytes:
        """The bytes of a manifest, proved by its digest."""
        with self.open(descriptor) as file:
            data = read_capped(file, MAX_MANIFEST_BYTES)
        if data is None:
            raise InputError(
                f"A manifest in {str(self._where)!r} is longer than {MAX_MANIFEST_BYTES} bytes.",
                code="too_large",
            )
        if Digest.of(data) != descriptor.blob:
            raise CorruptError(
                f"A manifest in {str(self._where)!r} does not have the digest {descriptor.digest}.",
                code="digest_mismatch",
                remedy="Export or copy it again; it was damaged on its way.",
            )
        return data

    def _document(self, name: str, limit: int) -> dict[str, Any]:
        with storage_errors(f"Reading {str(self._where)!r}"):
            try:
                with open_file(name, folder=self._root) as file:
                    data = read_capped(file, limit)
            except FileNotFoundError as error:
                raise self._not_a_layout(f"it has no file {name}") from error
        if data is None:
            raise self._not_a_layout(f"its {name} is longer than {limit} bytes")
        document = parsed_object(data)
        if document is None:
            raise self._not_a_layout(f"its {name} is not a JSON object")
        return document

    def _offer(self, entry: Any) -> Offer:
        try:
            descriptor = Descriptor.model_validate(entry)
            descriptor.blob  # noqa: B018  parsing is the check
        except (ValueError, MetierError) as error:
            raise self._not_a_layout("its index.json has an entry without a digest") from error
        if descriptor.media_type != MANIFEST_TYPE:
            raise InputError(
                f"The layout {str(self._where)!r} offers a {descriptor.media_type[:100]!r}, "
                "which is no single artifact.",
                code="not_an_artifact",
                remedy="Export the one artifact that you want into a layout of its own.",
            )
        try:
            reference = Reference.parse(descriptor.annotations.get(REF_NAME, ""))
        except InputError:
            reference = None
        return Offer(reference, descriptor)

    def _not_a_layout(self, why: str) -> InputError:
        return not_a_layout(self._where, why)


def not_a_layout(where: Path, why: str) -> InputError:
    """The error for a folder that is no OCI image layout."""
    return InputError(
        f"{str(where)!r} is not an OCI image layout: {why}.",
        code="not_a_layout",
        remedy="Import a folder that 'metier export' or another OCI tool wrote.",
    )


def parsed_object(data: bytes) -> dict[str, Any] | None:
    """``data`` as a JSON object, or ``None``."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


@contextmanager
def opened_layout(directory: Path) -> Iterator[Foreign]:
    """Open a foreign layout; the last step of ``directory`` itself may be a link.

    Raises:
        InputError: It is not a folder, or has no folder ``blobs/sha256`` of its own.
    """
    with ExitStack() as stack:
        with storage_errors(f"Reading {str(directory)!r}"):
            try:
                root = open_folder(directory.resolve(strict=True))
                stack.callback(os.close, root)
                first = open_folder("blobs", folder=root)
                stack.callback(os.close, first)
                blobs = open_folder("sha256", folder=first)
                stack.callback(os.close, blobs)
            except FileNotFoundError as error:
                why = "it has no blobs/sha256" if directory.exists() else "it is not there"
                raise not_a_layout(directory, why) from error
        yield Foreign(root, blobs, directory)


def named(
    offers: list[Offer], reference: Reference | None, where: Path
) -> list[tuple[Reference, Offer]]:
    """Each offer with the name that it will get.

    Raises:
        InputError: A name is missing, not valid or given twice, or one name is wanted for several
            artifacts (code ``not_a_layout``).
    """
    if not offers:
        raise not_a_layout(where, "it is empty")
    if reference is not None:
        if len(offers) > 1:
            raise InputError(
                f"{str(where)!r} holds {len(offers)} artifacts; one name cannot serve them all.",
                code="not_a_layout",
                remedy="Leave the name out, or export the one that you want by itself.",
            )
        return [(reference, offers[0])]
    found: dict[Reference, Offer] = {}
    for offer in offers:
        if offer.reference is None or offer.reference in found:
            raise InputError(
                f"An artifact in {str(where)!r} has no name, or one that another has too.",
                code="not_a_layout",
                remedy="Give it a name when you import it, like --name banking-intents.",
            )
        found[offer.reference] = offer
    return list(found.items())


def offered(foreign: Foreign, offer: Offer) -> Manifest:
    """The manifest of an offer, proved by its digest; none of its blobs is read."""
    return Manifest.from_bytes(foreign.manifest(offer.descriptor))


def import_offer(
    layout: Layout,
    ingest: Ingest,
    foreign: Foreign,
    offer: Offer,
    reference: Reference,
    check: Check | None,
) -> Digest:
    """Bring one offered manifest and its blobs into the store under ``reference``."""
    data = foreign.manifest(offer.descriptor)
    manifest = Manifest.from_bytes(data)
    for blob in manifest.blobs():
        if not layout.intact(blob.blob):
            with foreign.open(blob) as source:
                ingest.add(source, media_type=blob.media_type, digest=blob.blob)
    if check is not None:
        check(manifest, lambda blob: layout.blob(blob.blob))
    return ingest.put(reference, data)


def export(layout: Layout, entry: Entry, directory: Path) -> None:
    """Copy a name's manifest and blobs into an OCI image layout, made or added to.

    The folder's own lock keeps two exports apart; its index is written last.
    """
    manifest = layout.read_manifest(entry.digest)
    with storage_errors(f"Exporting to {str(directory)!r}"):
        target = _prepared(layout, directory)
        lock = locked(target, exclusive=True, wait=layout.wait, what=str(directory))
        with lock, _drafts(target) as drafts:
            index = drafts / "index.json"
            with _taken_back_on_failure() as made:
                for digest in (entry.digest, *(blob.blob for blob in manifest.blobs())):
                    _export_blob(layout, digest, target, drafts, made)
                flush_folder(target / "blobs" / "sha256")
                marker = target / "oci-layout"
                if not marker.exists():
                    made.append(marker)
                    write_whole(marker, LAYOUT, drafts=drafts)
                write_draft(index, _merged(target, entry, manifest.artifact_type), mode=0o644)
            index.replace(target / "index.json")
            flush_folder(target)


@contextmanager
def _taken_back_on_failure() -> Iterator[list[Path]]:
    """A list of new files, which are removed again if the block fails."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _prepared(layout: Layout, directory: Path) -> Path:
    """The folder to export to, made if it is not there, with its folder of blobs."""
    if directory.resolve().is_relative_to(layout.root.resolve()):
        raise InputError(
            f"{str(directory)!r} is inside the store itself.",
            code="not_a_folder",
            remedy="Name a folder outside the store.",
        )
    if directory.exists() and not directory.is_dir():
        raise InputError(
            f"{str(directory)!r} is a file; an export needs a folder.",
            code="not_a_folder",
            remedy="Name a folder, which is made if it is not there.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    target = directory.resolve()
    foreign = [entry for entry in target.iterdir() if entry.name not in _OURS]
    if foreign and not (target / "oci-layout").exists():
        raise InputError(
            f"The folder {str(directory)!r} has other files in it and is no OCI image layout.",
            code="not_a_layout",
            remedy="Name an empty or a new folder, or one that was exported to before.",
        )
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    return target


_OURS = ("blobs", "oci-layout", "index.json", ".metier-drafts")


@contextmanager
def _drafts(target: Path) -> Iterator[Path]:
    """A folder for drafts that is emptied before (of what a killed export left) and after."""
    drafts = target / ".metier-drafts"
    discard(drafts)
    drafts.mkdir()
    try:
        yield drafts
    finally:
        discard(drafts)


def _export_blob(
    layout: Layout, digest: Digest, target: Path, drafts: Path, made: list[Path]
) -> None:
    """Copy a blob, unless it is there and sound; a new file is noted in ``made``."""
    place = target / "blobs" / "sha256" / digest.hex
    with suppress(FileNotFoundError, InputError), open_file(place) as file:
        if digest_of(file) == digest:
            return
    with draft(drafts) as copy:
        with layout.opened(digest) as source:
            found, _ = copy_hashed(source, copy, mode=BLOB_MODE)
        if found != digest:
            raise corrupt_blob(digest)
        if not place.exists():
            made.append(place)
        copy.replace(place)


def _merged(target: Path, entry: Entry, artifact_type: str) -> bytes:
    """The target's index with this name in it; other entries stay as they are."""
    name = str(entry.reference)
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}
    path = target / "index.json"
    try:
        with open_file(path) as file:
            data = read_capped(file, MAX_INDEX_BYTES)
    except FileNotFoundError:
        data = canonical_json(document)
    found = parsed_object(data) if data is not None else None
    if found is None or not isinstance(found.get("manifests"), list):
        raise not_a_layout(target, "its index.json is not one")
    kept = [other for other in found["manifests"] if _name_of(other) != name]
    descriptor = {
        "mediaType": MANIFEST_TYPE,
        "artifactType": artifact_type,
        "digest": str(entry.digest),
        "size": entry.size,
        "annotations": {REF_NAME: name},
    }
    return canonical_json({**document, **found, "manifests": [*kept, descriptor]})


def _name_of(entry: Any) -> Any:
    """The name that an entry of a foreign index carries, if any."""
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    return annotations.get(REF_NAME) if isinstance(annotations, dict) else None
