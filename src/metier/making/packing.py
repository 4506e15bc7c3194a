"""A document pack from its recipe: documents gathered, cut, indexed, and a card of what is in it.

It knows the order of the work; where documents come from and how they are searched is known
elsewhere. Nothing is measured here, and the card claims nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from metier.card import Cost, DocumentSource, SearchCard
from metier.datasets.documents import Documents, documents_of
from metier.making.carding import cost_class, recipe_toml
from metier.making.chatting import Assembled, system_of
from metier.making.clock import Clock
from metier.making.makers import Makers
from metier.making.rows import Places
from metier.manifest import Role
from metier.messages import Encoder, Progress, Report
from metier.recipe import DocumentPart, SearchRecipe, SearchSpecialist
from metier.retrieval import PackSource, build_pack
from metier.retrieval.pack import CHUNKS, FACTS

WITHOUT_ENCODER = "It was made without an encoder and is searched by words only."


def make_pack(
    recipe: SearchRecipe,
    makers: Makers,
    *,
    encoder: Encoder | None,
    report: Report,
    cancelled: Callable[[], bool],
) -> Assembled[SearchCard]:
    """Make a pack; installs nothing.

    Args:
        recipe: What to make.
        makers: Places, the encoder's base by name and digest, facts of this machine.
        encoder: The encoder, or ``None``: then it is searched by words only.
        report: Receives progress: stage ``data``, then those of ``build_pack``.
        cancelled: Asked often; stops the work with InputError (code ``cancelled``).

    Raises:
        InputError: The documents are wrong; the message says which and how to mend it.
        UnavailableError: A source cannot be reached.
    """
    clock = Clock(None, cancelled)

    def hear(progress: Progress) -> None:
        clock.check()
        report(progress)

    gathered = [_gathered(part, makers.places, hear) for part in recipe.data]
    sources = [_source(part, found) for part, found in zip(recipe.data, gathered, strict=True)]
    parts = build_pack(sources, encoder=encoder, report=hear)
    answering: dict[str, tuple[Role, bytes]] = {
        path: ("weight-config" if path == FACTS else "weight", data) for path, data in parts.items()
    }
    recorded, located = _recorded(recipe, gathered, makers.places.folder)
    base = makers.base if encoder is not None else None
    base_digest = base.digest if base is not None else None
    size = sum(len(data) for data in parts.values())
    shared = encoder.size_bytes if encoder is not None else 0
    described = _described(recorded, gathered, parts[CHUNKS])
    card = SearchCard(
        name=recipe.specialist.name,
        version=recipe.specialist.version,
        domain=recipe.specialist.domain,
        description=recipe.specialist.description,
        licence=recipe.specialist.licence,
        sources=described,
        passages=sum(source.passages for source in described),
        base=base,
        recipe_id=str(recorded.recipe_id),
        build_id=str(
            recorded.build_id(
                base_digest=base_digest,
                data=tuple(found.sha256 for found in gathered),
                toolchain=makers.toolchain,
            )
        ),
        system=system_of(answering, base_digest),
        toolchain=makers.toolchain,
        made=makers.today,
        seconds=clock.seconds,
        cpu_seconds=clock.cpu_seconds,
        machine=makers.machine,
        cost=Cost(cost_class=cost_class(size + shared), size_bytes=size, shared_bytes=shared),
        notes=() if encoder is not None else (WITHOUT_ENCODER,),
    )
    documents: dict[str, tuple[Role, bytes]] = {
        "card.json": ("doc", card.to_bytes()),
        "recipe.toml": ("doc", recipe_toml(recorded)),
    }
    return Assembled(card, answering | documents, base_digest, located)


def folder_recipe(folder: Path, *, name: str, version: str = "") -> SearchRecipe:
    """The recipe of a pack of one's own folder of markdown."""
    return SearchRecipe(
        specialist=SearchSpecialist(
            name=name,
            domain="documents",
            description=f"Searches the documents of {folder.name or folder}.",
        ),
        data=(DocumentPart(kind="dir", path=str(folder), version=version),),
    )


def _gathered(part: DocumentPart, places: Places, report: Report) -> Documents:
    return documents_of(
        part,
        folder=places.folder,
        mirror=places.mirror,
        cache=places.cache,
        report=report,
        confined=places.confined,
    )


def _source(part: DocumentPart, found: Documents) -> PackSource:
    return PackSource(
        documents=found.files,
        source=found.source,
        version=part.version,
        address=part.address,
        dialect=part.dialect,
    )


def _recorded(
    recipe: SearchRecipe, gathered: Sequence[Documents], folder: Path
) -> tuple[SearchRecipe, dict[str, str]]:
    """The recipe as it travels: local folders by name and digest; and where they lie here."""
    located: dict[str, str] = {}
    parts = []
    for part, found in zip(recipe.data, gathered, strict=True):
        changes: dict[str, str] = {"files_sha256": found.sha256}
        if part.kind == "dir":
            located[found.sha256] = str((folder / part.path).absolute())
            changes["path"] = found.source
        parts.append(part.model_copy(update=changes))
    return recipe.model_copy(update={"data": tuple(parts)}), located


def _described(
    recipe: SearchRecipe, gathered: Sequence[Documents], chunks: bytes
) -> tuple[DocumentSource, ...]:
    """Every source with its counts."""
    made: Counter[tuple[str, str]] = Counter()
    for line in chunks.splitlines():
        chunk = json.loads(line)
        made[chunk["source"], chunk["version"]] += 1
    return tuple(
        DocumentSource(
            source=found.source,
            version=part.version,
            files=len(found.files),
            passages=made[found.source, part.version],
            files_sha256=found.sha256,
            licence=part.licence,
        )
        for part, found in zip(recipe.data, gathered, strict=True)
    )
