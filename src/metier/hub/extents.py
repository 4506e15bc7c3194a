"""Which bytes of a file are here: sets of half-open ranges, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

Extent = tuple[int, int]
"""First byte, and the byte after the last."""


def merged(extents: Iterable[Extent]) -> list[Extent]:
    """The same bytes in as few extents as possible, in order; empty ones are left out."""
    found: list[Extent] = []
    for start, stop in sorted(extents):
        if start >= stop:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def missing(extents: Iterable[Extent], size: int) -> list[Extent]:
    """What is not among ``extents`` of a file of ``size`` bytes."""
    found: list[Extent] = []
    at = 0
    for start, stop in merged(extents):
        if at < min(start, size):
            found.append((at, min(start, size)))
        at = max(at, stop)
    if at < size:
        found.append((at, size))
    return found


def total(extents: Iterable[Extent]) -> int:
    """How many bytes they have together."""
    return sum(stop - start for start, stop in merged(extents))


def cut(extents: Iterable[Extent], length: int) -> list[Extent]:
    """The same bytes in pieces of at most ``length``, in order."""
    return [
        (at, min(at + length, stop))
        for start, stop in merged(extents)
        for at in range(start, stop, length)
    ]
