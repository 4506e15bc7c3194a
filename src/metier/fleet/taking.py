"""Taking parts in: bytes, files and blobs become the layers of a manifest that gets a name.

It knows the store's way of bringing things in and what a manifest needs; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from metier.errors import InputError
from metier.fleet.checking import MAX_PARTS, check
from metier.manifest import (
    BASE,
    CONFIG_TYPE,
    FILEPATH,
    KIND,
    ROLE_TYPES,
    SYSTEM,
    Descriptor,
    Manifest,
    Role,
    model_config,
    safe_filepath,
    system_digest,
)
from metier.reference import Digest, Reference
from metier.routing import AUTO
from metier.store import Ingest, Store


def take_in_all(
    store: Store,
    work: Ingest,
    parts: Mapping[str, tuple[Role, bytes | Path | Digest]],
    *,
    adopt: bool,
) -> tuple[Descriptor, ...]:
    """Bring in parts by path; a file of the store is taken as its blob."""
    layers = []
    for path, (role, content) in sorted(parts.items()):
        held = store.blob_at(content) if isinstance(content, Path) else None
        layers.append(take_in(work, path, role, held or content, adopt=adopt))
    return tuple(layers)


def check_number(reference: Reference, parts: int) -> None:
    """Refuse too many parts, and none (code ``bad_parts``)."""
    if not 1 <= parts <= MAX_PARTS:
        raise InputError(
            f"{reference.familiar!r} has {parts} parts; 1 to {MAX_PARTS} are possible.",
            code="bad_parts",
        )


def give_name(
    work: Ingest,
    reference: Reference,
    layers: tuple[Descriptor, ...],
    notes: dict[str, str],
    licence: str | None,
) -> None:
    """Write the manifest of parts that were brought in, and give it the name."""
    notes[SYSTEM] = str(system_digest(layers, notes.get(BASE)))
    notes.setdefault(KIND, "specialist")
    config = work.add(
        model_config(name=reference.model, layers=layers, licence=licence),
        media_type=CONFIG_TYPE,
    )
    manifest = Manifest(config=config, layers=layers, annotations=notes)
    check(manifest, lambda layer: work.path(layer.blob))
    work.put(reference, manifest)


def own_name(name: str) -> Reference:
    """A name that may be given to something new; raises InputError (code ``bad_name``).

    ``NAME@previous`` and its like are only ever given by a hop, ``auto`` and ``auto:<domain>`` are
    the router's.
    """
    reference = Reference.parse(name)
    if reference.name == AUTO:
        raise InputError(
            f"{reference.familiar!r} is what programs ask to be routed; nothing gets this name.",
            code="bad_name",
            remedy="Choose another name.",
        )
    if reference.side:
        raise InputError(
            f"{reference.familiar!r} is what a hop puts aside; nothing else gets such a name.",
            code="bad_name",
            remedy=f"Choose a name without '@', like {reference.model!r}; an import takes --name.",
        )
    return reference


def take_in(
    work: Ingest,
    filepath: str,
    role: Role,
    content: bytes | Path | Digest,
    *,
    adopt: bool = False,
) -> Descriptor:
    """Bring in one part; raises InputError (``bad_parts``) if its path leaves its folder."""
    if not safe_filepath(filepath):
        raise InputError(
            f"{filepath[:120]!r} cannot be the path of a part.",
            code="bad_parts",
            remedy="A path is relative, has no '..', no ':' and no backslash.",
        )
    media_type, annotations = ROLE_TYPES[role], {FILEPATH: filepath}
    if isinstance(content, Digest):
        return work.held(content, media_type=media_type, annotations=annotations)
    if adopt and isinstance(content, Path):
        return work.adopt(content, media_type=media_type, annotations=annotations)
    return work.add(content, media_type=media_type, annotations=annotations)
