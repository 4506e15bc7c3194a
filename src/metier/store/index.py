"""The index: which name stands for which manifest, as an OCI image index that proves itself.

It knows the bytes of ``index.json`` and nothing of the disk. The file carries its own digest (the
SHA-256 of its bytes with the 64 digits of that digest as zeros), so a single atomic write keeps
both in step, and a flip of any bit, a space or the digest itself included, is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from metier.errors import CorruptError, MetierError, StorageError
from metier.manifest import ARTIFACT_TYPE, INDEX_TYPE, MANIFEST_TYPE, REF_NAME, canonical_json
from metier.reference import Digest, Reference

MAX_INDEX_BYTES = 64 << 20
FORMAT = "1"
_FORMAT = "io.metier.store.format"
_SELF = "io.metier.store.digest"
_MODIFIED = "io.metier.modified"
_ZEROS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One name.

    Attributes:
        reference: The name.
        digest: Of its manifest.
        size: Bytes of its manifest.
        modified: When the name got this manifest: ISO 8601, UTC, seconds.
    """

    reference: Reference
    digest: Digest
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Index:
    """All names, immutable; a change gives a new index."""

    entries: Mapping[Reference, Entry] = field(default_factory=lambda: MappingProxyType({}))

    def with_entry(self, entry: Entry) -> Index:
        """The index in which ``entry`` replaces whatever had its name."""
        return Index(MappingProxyType({**self.entries, entry.reference: entry}))

    def without(self, reference: Reference) -> Index:
        """The index without ``reference``."""
        kept = {name: entry for name, entry in self.entries.items() if name != reference}
        return Index(MappingProxyType(kept))

    def to_bytes(self) -> bytes:
        """Canonical bytes with the digest filled in."""
        document = {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": [_descriptor(self.entries[name]) for name in sorted(self.entries)],
            "annotations": {_FORMAT: FORMAT, _SELF: _ZEROS},
        }
        blank = canonical_json(document)
        document["annotations"] = {_FORMAT: FORMAT, _SELF: Digest.of(blank).hex}
        return canonical_json(document)

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Parse and prove an index.

        Raises:
            CorruptError: It is not what was written (code ``corrupt_index``).
            StorageError: A newer version of Metier wrote it (code ``newer_store``).
        """
        document = _proved(data)
        try:
            entries = [_entry(descriptor) for descriptor in document["manifests"]]
        except (KeyError, TypeError, MetierError) as error:
            raise corrupt_index("an entry has no valid name, digest or size") from error
        return cls(MappingProxyType({entry.reference: entry for entry in entries}))


def corrupt_index(why: str) -> CorruptError:
    """The error for an index that cannot be trusted."""
    return CorruptError(
        f"The store's index.json cannot be trusted: {why}.",
        code="corrupt_index",
        remedy="Run 'metier gc': it makes the index again from the manifests and the folders "
        "under models/, and deletes nothing while it does.",
    )


def _proved(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
        annotations = document["annotations"]
        written, version = annotations[_SELF], annotations[_FORMAT]
        claim = Digest(written).hex.encode()
    except (ValueError, KeyError, TypeError, RecursionError, MetierError) as error:
        raise corrupt_index("it is not the JSON that Metier writes") from error
    blank = data.replace(claim, _ZEROS.encode())
    if Digest.of(blank).hex != written:
        raise corrupt_index("its bytes do not have the digest that it carries")
    if version != FORMAT:
        raise StorageError(
            f"The store was written in format {version!r}; this version reads {FORMAT!r}.",
            code="newer_store",
            remedy="Upgrade Metier, or set METIER_HOME to another folder.",
        )
    proved: dict[str, Any] = document
    return proved


def _descriptor(entry: Entry) -> dict[str, Any]:
    return {
        "mediaType": MANIFEST_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "digest": str(entry.digest),
        "size": entry.size,
        "annotations": {REF_NAME: str(entry.reference), _MODIFIED: entry.modified},
    }


def _entry(descriptor: Mapping[str, Any]) -> Entry:
    annotations = descriptor["annotations"]
    return Entry(
        reference=Reference.parse(annotations[REF_NAME]),
        digest=Digest.parse(descriptor["digest"]),
        size=int(descriptor["size"]),
        modified=str(annotations[_MODIFIED]),
    )
