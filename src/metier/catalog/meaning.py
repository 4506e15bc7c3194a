"""The meaning of a volume's entries: one bit a dimension to look through all, half floats to judge.

It knows arrays; it encodes no text. The scan compares signs (Hamming distance, Charikar 2002); the
nearest by sign are judged again by the cosine of their vectors in half precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
BITS, HALVES = "signs.npy", "vectors.npy"
AGAIN = 512
"""Entries that are judged again; of those nearest by sign."""
_LOT = 1 << 15
"""Entries compared at a time, so that the lot stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The vectors of one volume.

    Attributes:
        signs: (words, n) uint64: bit by bit whether a dimension is positive.
        halves: (n, d) float16, of length 1; all zero where an entry has none.
    """

    signs: NDArray[np.uint64]
    halves: NDArray[np.float16]

    @classmethod
    def open(cls, folder: Path) -> Meaning:
        """Open what ``build`` wrote: signs into memory, vectors mapped."""
        halves = np.load(folder / HALVES, mmap_mode="r")
        return cls(np.load(folder / BITS), halves)

    @property
    def width(self) -> int:
        """Dimensions of a vector."""
        return int(self.halves.shape[1])

    def nearest(
        self, query: Vectors, most: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, float]]:
        """The nearest places with their cosine, the nearest first.

        Args:
            query: (d,) of length 1.
            most: How many at most.
            allowed: (n,) which entries may be found; ``None`` is all.
        """
        count = self.halves.shape[0]
        if not count or most < 1:
            return []
        again = max(AGAIN, 2 * most)
        if allowed is not None and int(allowed.sum()) <= again:
            places = np.flatnonzero(allowed)
        elif count <= again:
            places = np.arange(count)
        else:
            places = self._by_sign(query, again, allowed)
        cosines = self.halves[places].astype(np.float32) @ query.astype(np.float32)
        best = np.argsort(-cosines, kind="stable")[:most]
        return [(int(places[one]), float(cosines[one])) for one in best]

    def _by_sign(
        self, query: Vectors, most: int, allowed: NDArray[np.bool_] | None
    ) -> NDArray[np.intp]:
        """Places whose signs differ least from the query's, about ``most`` of them."""
        asked = signs_of(query[None, :])[:, 0]
        count = self.signs.shape[1]
        apart = np.empty(count, np.uint16)
        for start in range(0, count, _LOT):
            end = min(start + _LOT, count)
            lot = np.zeros(end - start, np.uint16)
            for word, mine in zip(self.signs, asked, strict=True):
                lot += np.bitwise_count(word[start:end] ^ mine)
            apart[start:end] = lot
        if allowed is not None:
            apart[~allowed] = np.iinfo(np.uint16).max
        counts = np.bincount(apart, minlength=1)
        edge = int(np.searchsorted(np.cumsum(counts), most))
        inside = np.flatnonzero(apart < edge)
        on_edge = np.flatnonzero(apart == edge)[: most - len(inside)]
        return np.concatenate([inside, on_edge])


def signs_of(vectors: NDArray[np.floating]) -> NDArray[np.uint64]:
    """(n, d) vectors to (words, n) bits, dimension by dimension, padded with zeros."""
    packed = np.packbits(vectors > 0, axis=1)
    words = -(-packed.shape[1] // 8)
    padded = np.zeros((packed.shape[0], words * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


def build(folder: Path, halves: NDArray[np.float16]) -> None:
    """Write vectors of length 1 and their signs."""
    count = halves.shape[0]
    words = signs_of(halves[:1]).shape[0] if count else 0
    signs = np.empty((words, count), np.uint64)
    for start in range(0, count, _LOT):
        signs[:, start : start + _LOT] = signs_of(halves[start : start + _LOT])
    np.save(folder / HALVES, halves)
    np.save(folder / BITS, signs)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Each row of length 1; rows that are zero or not finite become zero."""
    wide = np.asarray(vectors, np.float32)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        found = np.where((lengths > 0) & np.isfinite(lengths), wide / lengths, 0.0)
    return np.asarray(found, np.float32)
