"""What models there are, as every dialect lists them; each manifest is read once.

It knows how an installed thing becomes a listing; it loads no weights and answers nothing. A list
that nobody changed costs one look at the index's file.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metier.assembly.abilities import abilities
from metier.assembly.facts import Facts
from metier.card import Card, ChatCard, SearchCard
from metier.errors import InputError, MetierError
from metier.fleet import Fleet, Installed
from metier.generating import ModelDetails, ModelListing
from metier.localmodel import LocalModelFile
from metier.picturing import VISION_FILE
from metier.reference import Digest, Reference
from metier.routing import is_auto

MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class Known:
    """One installed thing: what it is, its ``model.json`` if it is a local model, its listing."""

    installed: Installed
    file: LocalModelFile | None
    listing: ModelListing


class Catalogue:
    """The models of one fleet; threads may share it."""

    def __init__(self, fleet: Fleet, facts: Facts) -> None:
        self._fleet = fleet
        self._facts = facts
        self._lock = threading.Lock()
        self._seen: Mapping[Reference, Any] | None = None
        self._known: dict[str, Known] = {}
        self._listed: tuple[ModelListing, ...] = ()
        self._read: dict[Digest, Known] = {}

    def listings(self) -> Sequence[ModelListing]:
        """Everything, the latest first."""
        self._refresh()
        return self._listed

    def known(self, name: str) -> Known:
        """One of them; raises NotFoundError with near names.

        Raises InputError (``no_capability``) for the router's names, which are nobody's.
        """
        if is_auto(name):
            raise InputError(
                f"{name!r} chooses among what chats; it continues no raw text and embeds nothing.",
                code="no_capability",
                remedy="Name a model, or ask it to chat: /v1/chat/completions, /api/chat, "
                "/api/generate.",
            )
        reference = Reference.parse(name)
        if self._seen is None:
            # Nobody listed anything yet: one of a thousand costs one.
            return self._known_of(self._fleet.show(name))
        self._refresh()
        found = self._known.get(reference.familiar)
        if found is None:
            # The fleet knows near names, and why something damaged cannot be read.
            return self._known_of(self._fleet.show(name))
        return found

    def all(self) -> Sequence[Known]:
        """Everything that is installed and sound."""
        self._refresh()
        return list(self._known.values())

    def _refresh(self) -> None:
        entries = self._fleet.store.entries()
        if entries is self._seen:
            return
        known = [self._known_of(installed) for installed in self._fleet.list()]
        known.sort(key=lambda one: one.listing.name)
        known.sort(key=lambda one: one.listing.modified, reverse=True)
        with self._lock:
            self._known = {one.listing.name: one for one in known}
            self._listed = tuple(one.listing for one in known)
            self._seen = entries

    def _known_of(self, installed: Installed) -> Known:
        with self._lock:
            read = self._read.get(installed.digest)
        if read is None:
            read = self._read_in(installed)
            with self._lock:
                if len(self._read) >= MOST_KNOWN:
                    self._read.clear()
                self._read[installed.digest] = read
        listing = replace(read.listing, name=installed.name, modified=installed.modified)
        return Known(installed, read.file, listing)

    def _read_in(self, installed: Installed) -> Known:
        file = installed.model
        listing = listing_of(installed)
        if file is not None:
            listing = self._local(listing, installed, file)
        return Known(installed, file, listing)

    def _local(
        self, listing: ModelListing, installed: Installed, file: LocalModelFile
    ) -> ModelListing:
        """The listing of a local model: what its header says, if that can be read."""
        listing = replace(
            listing,
            task=file.task,
            parent=file.parent,
            details=ModelDetails(),
            settings=tuple(sorted(file.parameters)),
        )
        try:
            files = [place(self._fleet, installed, part) for part in file.weights]
            read = self._facts.of(files)
        except MetierError:
            # A damaged file is no reason to list nothing; asking it says what is wrong.
            return listing
        facts, family = read.facts, read.facts.architecture
        return replace(
            listing,
            details=ModelDetails(
                family=family,
                families=(family, "clip") if file.projector else (family,),
                parameters=facts.parameters,
                quantization=facts.quantization,
                context_length=facts.context_length,
                embedding_length=facts.embedding_length,
            ),
            capabilities=abilities(
                facts,
                file.task,
                template=file.template,
                language=file.template_language,
                fills=read.fills,
                sees=file.projector is not None,
            ),
        )


def place(fleet: Fleet, installed: Installed, part: str) -> Path:
    """Where a part lies, its bytes not proved: reading gigabytes takes longer than loading."""
    layer = installed.manifest.part(part)
    if layer is None:
        return fleet.part_path(installed, part)  # says which parts there are
    return fleet.store.blob_place(layer.blob, layer.size)


def listing_of(installed: Installed) -> ModelListing:
    """What is listed of an installed thing, by its manifest and card."""
    bare = ModelListing(
        name=installed.name,
        digest=installed.digest.hex,
        size_bytes=installed.size_bytes,
        modified=installed.modified,
        task=installed.task or "",
        details=ModelDetails(format=""),
    )
    card = installed.card
    if isinstance(card, ChatCard):
        details = ModelDetails(format="", family="specialist", families=("specialist",))
        return replace(bare, task="chat", details=details, capabilities=("completion", "tools"))
    if isinstance(card, Card | SearchCard):
        parent = card.base.name if card.base is not None else None
        details = ModelDetails(format="safetensors", family="specialist", families=("specialist",))
        return replace(
            bare, task=card.task, parent=parent, details=details, capabilities=(card.task,)
        )
    if installed.manifest.part("base.json") is not None:
        details = ModelDetails(format="onnx", family="bert", families=("bert",))
        return replace(bare, task="embed", details=details, capabilities=("embedding",))
    if installed.manifest.part(VISION_FILE) is not None:
        details = ModelDetails(format="onnx", family="vision", families=("vision",))
        return replace(bare, task="see", details=details, capabilities=("see",))
    return bare
