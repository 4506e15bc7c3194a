"""The card of a document pack: which documents, how many passages, how they are searched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from metier.card.parsing import card_of
from metier.card.values import BaseReference, Cost, Frozen, Machine, Row
from metier.manifest import canonical_json


class DocumentSource(Frozen):
    """One source of a pack, as it was read.

    Attributes:
        source: Repository and commit, package and version, or folder.
        version: What is documented: ``svelte@5``.
        files: Documents taken.
        passages: Passages made of them.
        files_sha256: SHA-256 over the sorted lines ``sha256  path``.
        licence: SPDX name.
    """

    source: str
    version: str = ""
    files: int
    passages: int
    files_sha256: str
    licence: str | None = None


class SearchCard(Frozen):
    """What a document pack is. See ``docs/formats/card.md``."""

    format: Literal[1] = 1
    name: str
    version: str
    task: Literal["search"] = "search"
    domain: str = "general"
    description: str = ""
    licence: str | None = None
    sources: tuple[DocumentSource, ...]
    passages: int
    base: BaseReference | None = None
    rows: tuple[Row, ...] = ()
    recipe_id: str
    build_id: str
    system: str
    toolchain: dict[str, str] = Field(default_factory=dict)
    made: str
    seconds: float
    cpu_seconds: float
    machine: Machine
    cost: Cost = Cost()
    notes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> SearchCard:
        """Parse a card; raises CorruptError (code ``bad_card``) naming the field that is wrong."""
        return card_of(cls, data)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return self.model_dump(mode="json")
