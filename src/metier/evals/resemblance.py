"""Which short texts resemble each other: near-duplicates among many texts, in bounded memory.

It knows sets of character n-grams and their Jaccard similarity, and finds the pairs over a
threshold without comparing all with all; it does not know what such a pair means. Long texts are
left to ``wordruns``: a text of 41 words keeps a run of 13 whatever two of its words become.

Candidates by prefix filtering (Bayardo, Ma, Srikant 2007, "Scaling Up All Pairs Similarity
Search"): two sets of Jaccard similarity t or more share k of their ``|x| - ceil(t |x|) + k``
rarest elements (Wang, Li, Feng 2012, "Can We Beat the Prefix Filtering?", for k above 1). No pair
is missed but by the hashing (2**20 buckets), unless work runs over its bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from metier.features import FeatureSpec, hashed_counts

SPEC = FeatureSpec(buckets=1 << 20, words=(), characters=(2, 3))
"""Two and three characters inside word boundaries: the order of words changes nothing, a typo
changes at most five of them."""
LONGEST = 600
"""Characters of the longest text that is compared."""
MOST_WORK = 600_000_000
"""Products, and what verifying a candidate costs in products: about twelve seconds of one core."""
_MOST_ELEMENTS = 60_000_000
"""Elements held at once: above it a sample of the buckets stands for all (consistent sampling
keeps the expected similarity)."""
_CHUNK_CHARACTERS = 2_000_000
_BLOCK = 4_000_000
"""Products of one block, which bound its memory."""
_VERIFIED = 300
"""Products that take as long as verifying one candidate."""
_PREFIX = 0.15
"""Share of its size that a set has to share in rare elements: more cost a larger product and
leave fewer candidates to verify; .1 to .3 take about the same time on the data sets tried."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows that resemble each other, of one block of queries.

    Attributes:
        searched: The queries that were looked up, int64.
        left: Queries, one for each pair, int64.
        right: Rows of the texts that were searched, int64, same shape.
        similarity: Jaccard similarity, float32, same shape.
    """

    searched: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float32]


def sets_of(
    texts: Sequence[str], *, beside: Sequence[str] = (), most: int = _MOST_ELEMENTS
) -> sparse.csr_matrix:
    """The texts as sets of hashed character n-grams.

    Args:
        texts: Folded texts; one over ``LONGEST`` characters gives an empty set, which resembles
            nothing.
        beside: The texts that they will be compared with: both must be sampled alike.
        most: Elements to hold of both; above it only a sample of the buckets is kept.

    Returns:
        CSR matrix of ones, float32, shape (len(texts), SPEC.buckets), sorted indices.
    """
    lengths = (len(text) for several in (texts, beside) for text in several)
    elements = len(SPEC.characters) * sum(length for length in lengths if length <= LONGEST)
    kept = SPEC.buckets if elements <= most else int(SPEC.buckets * most / elements)
    short = [text if len(text) <= LONGEST else "" for text in texts]
    parts = []
    for start, end in _chunks(short):
        part = hashed_counts(short[start:end], SPEC)
        # An empty text still has the n-gram of its two edges.
        filled = np.array([bool(text) for text in short[start:end]])
        chosen = np.repeat(filled, np.diff(part.indptr)) & (part.indices < kept)
        row = np.repeat(np.arange(end - start), np.diff(part.indptr))[chosen]
        pointer = np.searchsorted(row, np.arange(end - start + 1))
        parts.append(_ones(part.indices[chosen], pointer, end - start))
    if not parts:
        return _ones(np.empty(0, np.int32), np.zeros(1, np.int32), 0)
    return sparse.csr_matrix(sparse.vstack(parts))


def similar_pairs(
    queries: sparse.csr_matrix,
    texts: sparse.csr_matrix,
    threshold: float,
    *,
    query_classes: NDArray[np.int64],
    text_classes: NDArray[np.int64],
    most_work: int = MOST_WORK,
) -> Iterator[Pairs]:
    """All pairs of a query and a text of one class whose Jaccard similarity reaches the threshold.

    Args:
        queries: Sets, one a row (``sets_of``).
        texts: Sets to search.
        threshold: Above 0, at most 1.
        query_classes: A number for each query; only pairs of one number are compared.
        text_classes: A number for each text.
        most_work: Where the search ends. The queries come in an order of which any beginning is
            spread evenly over all, so that what was searched until then is a fair sample.

    Yields:
        Pairs in blocks of queries; memory depends on a block, not on all pairs.
    """
    if not queries.shape[0] or not texts.shape[0]:
        return
    order = np.argsort(np.arange(queries.shape[0], dtype=np.uint32) * np.uint32(0x9E3779B1))
    queries, classes = queries[order], query_classes[order]
    frequency = np.bincount(queries.indices, minlength=SPEC.buckets)
    frequency += np.bincount(texts.indices, minlength=SPEC.buckets)
    rank = np.empty(SPEC.buckets, np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(SPEC.buckets)
    rare_queries = _rarest(queries, rank, threshold, classes)
    rare_texts = _rarest(texts, rank, threshold, text_classes).T.tocsr()
    cost = np.asarray(rare_queries @ np.diff(rare_texts.indptr).astype(np.float32)).ravel()
    needed, needed_texts = _shared(queries, threshold), _shared(texts, threshold)
    work = 0
    for start, end in _blocks(cost):
        shared = (rare_queries[start:end] @ rare_texts).tocoo()
        left, right = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        enough = shared.data >= np.minimum(needed[left], needed_texts[right])
        enough &= classes[left] == text_classes[right]
        left, right = left[enough], right[enough]
        left, right, similarity = _verified(queries, texts, left, right, threshold)
        yield Pairs(order[start:end], order[left], right, similarity)
        work += int(cost[start:end].sum()) + _VERIFIED * int(enough.sum())
        if work > most_work:
            return


def _verified(
    queries: sparse.csr_matrix,
    texts: sparse.csr_matrix,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The candidates that reach the threshold, by their whole sets."""
    own = np.diff(queries.indptr).astype(np.float32)[left]
    other = np.diff(texts.indptr).astype(np.float32)[right]
    possible = np.minimum(own, other) >= threshold * np.maximum(own, other)
    left, right, own, other = left[possible], right[possible], own[possible], other[possible]
    shared = np.empty(left.size, np.float32)
    step = 1 << 15
    for start in range(0, left.size, step):
        at = slice(start, start + step)
        both = queries[left[at]].multiply(texts[right[at]])
        shared[at] = np.asarray(both.sum(axis=1)).ravel()
    similarity = shared / (own + other - shared)
    good = similarity >= threshold
    return left[good], right[good], similarity[good]


def _least(sets: sparse.csr_matrix, threshold: float) -> NDArray[np.int64]:
    """Elements that each set shares at least with any set that is similar enough."""
    # A little slack: a product like .75 * 4 must not be rounded up to 4 elements.
    least: NDArray[np.int64] = np.ceil(threshold * np.diff(sets.indptr) - 1e-6).astype(np.int64)
    return least


def _shared(sets: sparse.csr_matrix, threshold: float) -> NDArray[np.int64]:
    """Rare elements that each set shares with any set that is similar enough (k above)."""
    share = np.ceil(_PREFIX * np.diff(sets.indptr)).astype(np.int64)
    return np.minimum(np.maximum(share, 8), _least(sets, threshold))


def _rarest(
    sets: sparse.csr_matrix,
    rank: NDArray[np.int64],
    threshold: float,
    classes: NDArray[np.int64],
) -> sparse.csr_matrix:
    """Of each set the rarest elements, as many as prefix filtering needs.

    Elements of different classes are put into different columns (but for chance, which costs
    time and no pair), so that the product of two such matrices holds pairs of one class.
    """
    sizes = np.diff(sets.indptr)
    row = np.repeat(np.arange(sets.shape[0], dtype=np.int64), sizes)
    key = row * SPEC.buckets + rank[sets.indices]
    key.sort()
    kept = sizes - _least(sets, threshold) + _shared(sets, threshold)
    place = np.arange(key.size) - np.repeat(sets.indptr[:-1].astype(np.int64), sizes)
    chosen = place < kept[row]
    salt = (classes * 0x9E3779B1 >> 7) & (SPEC.buckets - 1)
    column = (key[chosen] & (SPEC.buckets - 1)) ^ salt[row[chosen]]
    pointer = np.concatenate(([0], np.cumsum(kept)))
    return _ones(column, pointer, int(kept.size))


def _blocks(cost: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Ranges of consecutive queries of about equal cost."""
    start, total = 0, 0.0
    for row, own in enumerate(cost):
        if row > start and total + own > _BLOCK:
            yield start, row
            start, total = row, 0.0
        total += float(own)
    yield start, len(cost)


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    start, total = 0, 0
    for row, text in enumerate(texts):
        if row > start and total + len(text) > _CHUNK_CHARACTERS:
            yield start, row
            start, total = row, 0
        total += len(text)
    if len(texts) > start:
        yield start, len(texts)


def _ones(indices: NDArray[Any], pointer: NDArray[Any], rows: int) -> sparse.csr_matrix:
    ones = np.ones(indices.size, np.float32)
    return sparse.csr_matrix((ones, indices, pointer), (rows, SPEC.buckets))
