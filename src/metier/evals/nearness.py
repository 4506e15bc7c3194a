"""How near eval texts are to training texts, measured by how near those are to each other.

It knows labels, similarities and shares; it does not know copies or shared runs, and it decides
only whether texts are more alike than by nature. People ask the same thing in nearly the same
words: in banking77 29 % of the test texts are near-duplicates of a training text, but so are 26 %
of the training texts of each other, so the first figure alone tells nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.special import bdtrc

from metier.evals import resemblance
from metier.messages import Example

SIMILARITIES = (0.75, 0.9)
"""Jaccard similarities of character 2- and 3-grams from which two texts are near-duplicates, and
from which they are so near that fewer of them tell something."""
NATURAL_FACTOR = 1.5
"""Eval texts may resemble training texts this much more often than those resemble each other:
on six public data sets with official splits it is 0 to 2.1 times, the most where few do
(benchmarks/leak_gate.py)."""
TOLERATED = 0.01
"""Share of the eval that may leak; above it no WIN can be given."""
_CHANCE = 0.05
"""How seldom chance alone may take texts that are alike by nature for leaks."""
_SAMPLE = 5_000


@dataclass(frozen=True, slots=True)
class Match:
    """A training row that overlaps with an eval item, and how much, 0 to 1."""

    train: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Level:
    """How often texts are at least so near to each other.

    Attributes:
        similarity: The Jaccard similarity that is meant.
        share: Share of the eval items, as far as they were searched, with such a training row.
        among_train: Share of the training rows with such another one, weighted to the eval's mix
            of labels.
        items: Eval items that were searched.
        rows: Training rows that were compared with the others.
    """

    similarity: float
    share: float
    among_train: float
    items: int
    rows: int

    @property
    def limit(self) -> float:
        """The share up to which the texts are taken to be alike by nature.

        The most items, as a share, that come out in one of twenty evals of this size if a text
        has a near-duplicate with the chance ``NATURAL_FACTOR`` times that of the training rows
        (one of two imagined rows more having one, for few rows tell little), plus ``TOLERATED``.
        """
        among = (self.among_train * self.rows + 1) / (self.rows + 2)
        chance = min(1.0, NATURAL_FACTOR * among + TOLERATED)
        counts = np.arange(1, self.items + 1)
        # bdtrc(k - 1, n, p) is the chance of k or more of n.
        usual = bdtrc(counts - 1, self.items, chance) >= _CHANCE
        return float(np.count_nonzero(usual)) / max(1, self.items)

    @property
    def natural(self) -> bool:
        """Whether the share is within the limit."""
        return self.share <= self.limit


@dataclass(frozen=True, slots=True)
class Nearness:
    """Near-duplicates of eval items in train, and the yardsticks for them.

    Attributes:
        matches: For each eval position with a near-duplicate its most similar training row.
        sources: Training positions behind them, with their highest similarity to any eval item.
        levels: How often texts are so near, from the lowest similarity to the highest.
    """

    matches: dict[int, Match]
    sources: dict[int, float]
    levels: tuple[Level, ...]

    @property
    def counted_from(self) -> float:
        """The similarity from which near-duplicates are leaks; above 1 where none are."""
        return next((level.similarity for level in self.levels if not level.natural), 2.0)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts as sets, with a number for each distinct folded text and for each label."""

    sets: sparse.csr_matrix
    numbers: NDArray[np.int64]
    labels: NDArray[np.int64]

    def at(self, rows: NDArray[np.int64]) -> _Texts:
        """Some of them."""
        return _Texts(self.sets[rows], self.numbers[rows], self.labels[rows])


@dataclass(frozen=True, slots=True)
class _Nearest:
    """For each query whether it was searched, its best text or -1, and that similarity.

    ``hit`` is each text's best similarity to any query, 0 where there is none.
    """

    searched: NDArray[np.bool_]
    best: NDArray[np.int64]
    similarity: NDArray[np.float32]
    hit: NDArray[np.float32]


def measure(
    train: Sequence[Example],
    evaluation: Sequence[Example],
    train_keys: list[str],
    eval_keys: list[str],
) -> Nearness:
    """Near-duplicates of one label, and how often training rows have one among themselves.

    Equal folded texts are no near-duplicates but copies; they are counted elsewhere.

    Args:
        train: Rows to train on.
        evaluation: Eval items.
        train_keys: Their folded texts.
        eval_keys: Those of the eval items.
    """
    copies: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, key in enumerate(train_keys):
        copies[key, train[row].label].append(row)
    label_number = _numbered(
        example.label for several in (train, evaluation) for example in several
    )
    text_number = _numbered(key for several in (train_keys, eval_keys) for key in several)
    first = np.array([rows[0] for rows in copies.values()], np.int64)
    texts = [key for key, _ in copies]
    known = _Texts(
        resemblance.sets_of(texts, beside=eval_keys),
        np.array([text_number[key] for key in texts], np.int64),
        np.array([label_number[label] for _, label in copies], np.int64),
    )
    asked = _Texts(
        resemblance.sets_of(eval_keys, beside=texts),
        np.array([text_number[key] for key in eval_keys], np.int64),
        np.array([label_number[example.label] for example in evaluation], np.int64),
    )
    nearest = _nearest(asked, known)
    groups = list(copies.values())
    sample = _like_eval(known.labels, asked.labels)
    among = _nearest(known.at(sample), known)
    return Nearness(
        matches={
            item: Match(int(first[nearest.best[item]]), float(nearest.similarity[item]))
            for item in np.flatnonzero(nearest.best >= 0).tolist()
        },
        sources={
            row: float(nearest.hit[at])
            for at in np.flatnonzero(nearest.hit).tolist()
            for row in groups[at]
        },
        levels=tuple(
            _level(value, nearest, among, known.labels, asked.labels, sample)
            for value in SIMILARITIES
        ),
    )


def _level(
    similarity: float,
    nearest: _Nearest,
    among: _Nearest,
    classes: NDArray[np.int64],
    eval_classes: NDArray[np.int64],
    sample: NDArray[np.int64],
) -> Level:
    near = np.count_nonzero(nearest.similarity >= similarity)
    items = int(np.count_nonzero(nearest.searched))
    has_near = among.similarity[among.searched] >= similarity
    expected = _expected(classes, eval_classes, sample[among.searched], has_near)
    return Level(
        similarity=similarity,
        share=int(near) / max(1, items),
        among_train=expected,
        items=items,
        rows=int(np.count_nonzero(among.searched)),
    )


def _numbered(values: Iterable[str]) -> dict[str, int]:
    """Each distinct value with a number."""
    return {value: number for number, value in enumerate(dict.fromkeys(values))}


def _nearest(queries: _Texts, known: _Texts) -> _Nearest:
    """The most similar known text of each query, its own copies left out."""
    size = queries.numbers.size
    found = _Nearest(
        searched=np.zeros(size, np.bool_),
        best=np.full(size, -1, np.int64),
        similarity=np.zeros(size, np.float32),
        hit=np.zeros(known.numbers.size, np.float32),
    )
    for pairs in resemblance.similar_pairs(
        queries.sets,
        known.sets,
        SIMILARITIES[0],
        query_classes=queries.labels,
        text_classes=known.labels,
    ):
        found.searched[pairs.searched] = True
        other = queries.numbers[pairs.left] != known.numbers[pairs.right]
        left, right, value = pairs.left[other], pairs.right[other], pairs.similarity[other]
        np.maximum.at(found.hit, right, value)
        ascending = np.lexsort((-right, value, left))
        # Of several values for one place numpy keeps the last: the most similar, the first row.
        found.best[left[ascending]] = right[ascending]
        found.similarity[left[ascending]] = value[ascending]
    return found


def _like_eval(classes: NDArray[np.int64], eval_classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of at most about 5,000 training rows with the eval's mix of labels."""
    chosen: list[NDArray[np.int64]] = []
    for label, count in zip(*np.unique(eval_classes, return_counts=True), strict=True):
        rows = np.flatnonzero(classes == label)
        take = min(rows.size, int(np.ceil(_SAMPLE * count / eval_classes.size)))
        # Evenly spaced and not random: the same rows on every machine.
        chosen.append(rows[np.linspace(0, rows.size - 1, take).astype(np.int64)] if take else rows)
    return np.concatenate(chosen) if chosen else np.empty(0, np.int64)


def _expected(
    classes: NDArray[np.int64],
    eval_classes: NDArray[np.int64],
    sample: NDArray[np.int64],
    has_near: NDArray[np.bool_],
) -> float:
    """Share of training rows with a near-duplicate in train, weighted by the eval's labels."""
    total = 0.0
    for label, count in zip(*np.unique(eval_classes, return_counts=True), strict=True):
        chosen = has_near[classes[sample] == label]
        size = int(np.count_nonzero(classes == label))
        if chosen.size and size > 1:
            # A training row has one row fewer to resemble than an eval item has.
            total += min(1.0, float(chosen.mean()) * size / (size - 1)) * float(count)
    return total / max(1, eval_classes.size)
