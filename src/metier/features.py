"""Hashed words and characters: texts to sparse rows, without a vocabulary.

It knows folding, n-grams and 32-bit hashing as array arithmetic (numpy, scipy); it knows no
labels, no model and no file. Hashes are arithmetic modulo 2**32 on UTF-16 code units, so that
JavaScript gives the same buckets. Features: Weinberger et al. 2009, "Feature Hashing for Large
Scale Multitask Learning"; character n-grams inside word boundaries as scikit-learn's ``char_wb``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

_MULTIPLIER = 0x01000193
"""FNV's prime as the base of the polynomial hash: odd, so it has an inverse modulo 2**32."""
_INVERSE = pow(_MULTIPLIER, -1, 1 << 32)
_SPACE = 0x20
FloatCounts = NDArray[np.float32]
_NOT_WORD = re.compile(r"[\W_]+", re.UNICODE)
MAX_CHARACTERS = 20_000
"""A longer text is cut to its head and tail halves, so that cost is flat in its length."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Everything that changes a row of features.

    Attributes:
        buckets: Columns, a power of two.
        words: Orders of word n-grams, of 1 and 2.
        characters: Orders of character n-grams inside ``" word "``.
    """

    buckets: int = 1 << 18
    words: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (2, 3, 4)

    def __post_init__(self) -> None:
        if self.buckets < 2 or self.buckets & (self.buckets - 1):
            raise ValueError("buckets must be a power of two")
        if not (self.words or self.characters):
            raise ValueError("a specification needs words or characters")
        if not set(self.words) <= {1, 2} or not set(self.characters) <= set(range(1, 9)):
            raise ValueError("word orders are 1 and 2, character orders 1 to 8")


def fold(text: str) -> str:
    """Case and punctuation folded away: NFKC, case-folded, words joined by single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_WORD.sub(" ", folded).strip()


def hashed_counts(texts: Sequence[str], spec: FeatureSpec) -> sparse.csr_matrix:
    """Counts of hashed n-grams.

    Args:
        texts: Any texts; an empty one gives an empty row.
        spec: Orders and buckets.

    Returns:
        CSR matrix, float32, shape (len(texts), spec.buckets), sorted indices, no duplicates.
    """
    from scipy import sparse  # a router at rest asks for single rows only, which need none of it

    units, row_of = _code_units(texts)
    row, bucket = _buckets(units, row_of, spec)
    key = row * spec.buckets + bucket.astype(np.int64)
    key.sort()
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if key.size else key
    counts = np.diff(np.append(first, key.size)).astype(np.float32)
    unique = key[first]
    pointer = np.searchsorted(unique, np.arange(len(texts) + 1, dtype=np.int64) * spec.buckets)
    matrix = sparse.csr_matrix(
        (counts, (unique % spec.buckets).astype(np.int32), pointer.astype(np.int32)),
        shape=(len(texts), spec.buckets),
    )
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix


def hashed_row(text: str, spec: FeatureSpec) -> tuple[NDArray[np.int32], FloatCounts]:
    """The one row of ``hashed_counts([text], spec)``, without a matrix around it.

    Returns:
        Sorted, unique buckets and their counts, both of shape (found,).
    """
    units, row_of = _code_units([text])
    _, bucket = _buckets(units, row_of, spec)
    if not bucket.size:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    bucket.sort()
    first = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    counts = np.diff(np.append(first, bucket.size)).astype(np.float32)
    return bucket[first].astype(np.int32), counts


def _buckets(
    units: NDArray[np.uint32], row_of: NDArray[np.int64], spec: FeatureSpec
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Row and bucket of each n-gram, in no particular order."""
    rows: list[NDArray[np.int64]] = []
    hashes: list[NDArray[np.uint32]] = []
    if spec.words:
        _word_hashes(units, row_of, spec.words, rows, hashes)
    if spec.characters:
        _character_hashes(units, row_of, spec.characters, rows, hashes)
    row = np.concatenate(rows) if rows else np.empty(0, np.int64)
    bucket = _finalise(np.concatenate(hashes)) if hashes else np.empty(0, np.uint32)
    return row, bucket & np.uint32(spec.buckets - 1)


def hash_ngrams(text: str, orders: tuple[int, ...]) -> NDArray[np.uint32]:
    """Sorted, unique 32-bit hashes of the character n-grams of one text (word-bounded)."""
    units, row_of = _code_units([text])
    hashes: list[NDArray[np.uint32]] = []
    _character_hashes(units, row_of, orders, [], hashes)
    return np.unique(_finalise(np.concatenate(hashes)))


def _code_units(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All texts as one array of UTF-16 units, each ``" word word "``, and the row of each unit."""
    pieces: list[bytes] = []
    lengths = np.empty(len(texts), np.int64)
    for index, text in enumerate(texts):
        if len(text) > MAX_CHARACTERS:
            half = MAX_CHARACTERS // 2
            text = text[:half] + " " + text[-half:]
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        words = " ".join(text.lower().split())
        piece = (f" {words} " if words else " ").encode("utf-16-le", "surrogatepass")
        pieces.append(piece)
        lengths[index] = len(piece) // 2
    units = np.frombuffer(b"".join(pieces), dtype="<u2").astype(np.uint32)
    return units, np.repeat(np.arange(len(texts), dtype=np.int64), lengths)


@lru_cache(maxsize=1)
def word_units() -> NDArray[np.bool_]:
    """Which UTF-16 units belong to words: letters, digits and the underscore. Shape (65536,)."""
    return np.fromiter(
        (chr(unit).isalnum() or unit == 0x5F for unit in range(1 << 16)), np.bool_, 1 << 16
    )


def _powers(factor: int, length: int) -> NDArray[np.uint32]:
    """``factor ** 0 … factor ** (length - 1)`` modulo 2**32."""
    steps = np.full(length, factor, np.uint32)
    steps[:1] = 1
    return np.cumprod(steps, dtype=np.uint32)


def _word_hashes(
    units: NDArray[np.uint32],
    row_of: NDArray[np.int64],
    orders: tuple[int, ...],
    rows: list[NDArray[np.int64]],
    hashes: list[NDArray[np.uint32]],
) -> None:
    inside = word_units()[units]
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    starts, ends = edges[0::2], edges[1::2]
    # The polynomial hash of units[s:e] from prefix sums: M**(e-1) * sum(u[j] * M**-j).
    prefix = np.zeros(units.size + 1, np.uint32)
    np.cumsum(units * _powers(_INVERSE, units.size), dtype=np.uint32, out=prefix[1:])
    word = (prefix[ends] - prefix[starts]) * _powers(_MULTIPLIER, units.size + 1)[ends - 1]
    row = row_of[starts]
    if 1 in orders:
        rows.append(row)
        hashes.append(word + np.uint32(0x9E3779B1))
    if 2 in orders and word.size > 1:
        together = row[1:] == row[:-1]
        pair = word[:-1] * np.uint32(0x85EBCA77) + word[1:] * np.uint32(0xC2B2AE3D)
        rows.append(row[1:][together])
        hashes.append(pair[together] + np.uint32(0x27D4EB2F))


def _character_hashes(
    units: NDArray[np.uint32],
    row_of: NDArray[np.int64],
    orders: tuple[int, ...],
    rows: list[NDArray[np.int64]],
    hashes: list[NDArray[np.uint32]],
) -> None:
    size = units.size
    spaces = np.flatnonzero(units == _SPACE)
    # For each position, the next space after it: an n-gram may end on it but not pass it.
    following = np.searchsorted(spaces, np.arange(size), side="right")
    limit = np.append(spaces, size)[following]
    rolling = np.zeros(size, np.uint32)
    for order in range(1, max(orders) + 1):
        valid = size - order + 1
        if valid <= 0:
            return
        rolling = rolling[:valid] * np.uint32(_MULTIPLIER) + units[order - 1 :]
        if order not in orders:
            continue
        last = np.arange(order - 1, size)
        keep = np.flatnonzero((last <= limit[:valid]) & (row_of[last] == row_of[:valid]))
        if order == 1:
            keep = keep[units[keep] != _SPACE]
        rows.append(row_of[keep])
        hashes.append(rolling[keep] + np.uint32((order * 0x165667B1) & 0xFFFFFFFF))


def _finalise(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's 32-bit finaliser (Appleby, public domain): all bits reach the low ones."""
    value = value ^ (value >> np.uint32(16))
    value = value * np.uint32(0x85EBCA6B)
    value ^= value >> np.uint32(13)
    value *= np.uint32(0xC2B2AE35)
    value ^= value >> np.uint32(16)
    return value
