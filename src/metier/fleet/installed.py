"""One thing that is installed, as it is listed: its name, card, digests and parts.

It knows what a manifest says of it and opens no file.
"""

from __future__ import annotations

from dataclasses import dataclass

from metier.card import AnyCard, Card, ChatCard, SearchCard
from metier.localmodel import LocalModelFile
from metier.manifest import TASK, Manifest
from metier.picturing import VISION_FILE
from metier.reference import Digest, Reference


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
        model: What its weights, template and parameters are, if it is a local model.
    """

    reference: Reference
    kind: str
    card: AnyCard | None
    digest: Digest
    system: Digest
    size_bytes: int
    modified: str
    manifest: Manifest
    model: LocalModelFile | None = None

    @property
    def name(self) -> str:
        """The name as people write it."""
        return self.reference.familiar

    @property
    def sees(self) -> bool:
        """Whether it is an encoder of pictures."""
        return self.manifest.part(VISION_FILE) is not None

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
