"""Which adapters a worker is started with: those that are asked for, and others while they are few.

A base with a thousand adapters is not started with all of them: each takes memory of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from metier.generating import AdapterWeights, Residence
from metier.scheduler.holding import Held
from metier.scheduler.sizing import Shape
from metier.scheduler.values import Measured

MOST_ADAPTERS = 64
"""Adapters that a worker is started with, but for those that the request itself needs."""
SHARE = 0.25
"""Of the memory for models that further adapters of one base may take."""


def chosen(
    known: Sequence[AdapterWeights],
    required: Collection[str],
    recent: Sequence[str],
    sizes: Mapping[str, int],
    room: int,
) -> tuple[AdapterWeights, ...]:
    """The adapters to start with, in the order of ``known``.

    Args:
        known: Every adapter over the base, those that are likely to be asked first.
        required: Digests of those that the request uses: they are taken in any case.
        recent: Digests that were asked lately, the latest first: they are taken before others.
        sizes: Digest to bytes.
        room: Bytes that all models together may take.
    """
    digests = [adapter.digest for adapter in known]
    here = set(digests)
    order = dict.fromkeys([*(name for name in recent if name in here), *digests])
    taken = set(required)
    spare = int(room * SHARE)
    for digest in order:
        size = sizes.get(digest, 0)
        if digest not in taken and len(taken) < MOST_ADAPTERS and size <= spare:
            taken.add(digest)
            spare -= size
    return tuple(adapter for adapter in known if adapter.digest in taken)


def with_adapters(
    asked: Residence, measured: Measured, same: Sequence[Held], room: int
) -> tuple[Residence, Shape]:
    """What is opened, with the adapters that it is started with, and its shape.

    Args:
        asked: What the request wants.
        measured: What there is.
        same: Residents of the same base, the newest last; what was asked of them comes first.
        room: Bytes that all models together may take.
    """
    required = {adapter.digest for adapter in asked.adapters}
    recent = [
        digest
        for held in reversed(same)
        for stay in reversed(held.names.values())
        for digest in stay.adapters
    ]
    taken = chosen(measured.residence.adapters, required, recent, measured.sizes, room)
    size = sum(measured.sizes.get(adapter.digest, 0) for adapter in taken)
    return replace(measured.residence, adapters=taken), replace(measured.shape, adapters=size)
