"""Runs of 13 words that two sets of texts share.

It knows folded words and 64-bit hashes of runs of them; it does not know what a shared run means.
Thirteen words are the run length of Brown et al. 2020 (GPT-3, appendix C).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 13
_CHUNK_WORDS = 2_000_000
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class SharedRuns:
    """What shares a run with what.

    Attributes:
        items: For each eval position with a shared run: the first training position that has
            one, and the share of the item's runs that stand in train.
        sources: Training positions that share a run with any eval item.
    """

    items: dict[int, tuple[int, float]]
    sources: set[int]


def shared_runs(train: Sequence[str], evaluation: Sequence[str]) -> SharedRuns:
    """Runs of 13 words in both; texts are folded already. Memory grows with the eval only."""
    words: dict[str, int] = {}
    eval_parts = [(runs, rows) for runs, rows in _runs(evaluation, words)]
    if not eval_parts:
        return SharedRuns({}, set())
    eval_runs = np.concatenate([runs for runs, _ in eval_parts])
    eval_rows = np.concatenate([rows for _, rows in eval_parts])
    known = np.unique(eval_runs)
    first = np.full(known.size, -1, np.int64)
    sources: set[int] = set()
    for runs, rows in _runs(train, words):
        at = np.minimum(np.searchsorted(known, runs), known.size - 1)
        hit = known[at] == runs
        sources.update(np.unique(rows[hit]).tolist())
        # Backwards, so that the first row of a run is the one that stays.
        found, where = at[hit][::-1], rows[hit][::-1]
        unseen = first[found] < 0
        first[found[unseen]] = where[unseen]
    owner = first[np.searchsorted(known, eval_runs)]
    leaked = np.flatnonzero(owner >= 0)
    totals = np.bincount(eval_rows, minlength=len(evaluation))
    shared = np.bincount(eval_rows[leaked], minlength=len(evaluation))
    items: dict[int, tuple[int, float]] = {}
    for place in leaked.tolist():
        item = int(eval_rows[place])
        if item not in items:
            items[item] = (int(owner[place]), round(float(shared[item] / totals[item]), 4))
    return SharedRuns(items, sources)


def _runs(
    texts: Sequence[str], words: dict[str, int]
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Hashes of all runs and the text of each, in chunks; ``words`` numbers the words seen."""
    numbers: list[int] = []
    lengths: list[int] = []
    start = 0
    for row, text in enumerate(texts):
        parts = text.split()
        if len(parts) < LENGTH:
            parts = []
        numbers.extend(words.setdefault(word, len(words)) for word in parts)
        lengths.append(len(parts))
        if len(numbers) > _CHUNK_WORDS or row == len(texts) - 1:
            yield from _hashed(numbers, lengths, start)
            numbers, lengths, start = [], [], row + 1


def _hashed(
    numbers: list[int], lengths: list[int], start: int
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    count = len(numbers) - LENGTH + 1
    if count < 1:
        return
    code = _mixed(np.array(numbers, np.uint64) + np.uint64(1))
    row = np.repeat(np.arange(start, start + len(lengths), dtype=np.int64), lengths)
    run = np.zeros(count, np.uint64)
    for offset in range(LENGTH):
        run = run * _MULTIPLIER + code[offset : offset + count]
    whole = row[:count] == row[LENGTH - 1 :]
    yield _mixed(run[whole]), row[:count][whole]


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
