"""Exact tests of "no difference" between two systems that answered the same items.

It knows counts and signed sums. Under "the systems are equal" every cluster's difference is as
likely to carry one sign as the other, whatever its size and however its items hang together; so
the tests need no model of the data. They are conservative: an exact test of few events cannot
reach its level, only stay below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metier.stats.tails import binomial_tail, normal_tail

Floats = NDArray[np.float64]

_WORK = 100_000_000
"""Cells that the sign-flip distribution may touch; about a quarter of a second."""
_FINEST = 16_384
"""Steps that a sum of graded differences is laid on."""
_MOST = 1_200
"""Graded sums beyond which the normal law stands in: then a step is still a tenth of a sum."""


def mcnemar_p(wins: int, losses: int) -> float:
    """Exact two-sided p of McNemar's test (McNemar 1947; binomial form, twice the tail).

    Args:
        wins: Items that only the first system gets right.
        losses: Items that only the second gets right.

    Fewer than six discordant items can never give p ≤ .05: 6 to 0 gives .031, 5 to 0 .063.
    """
    if wins < 0 or losses < 0:
        raise ValueError("counts cannot be negative")
    return min(1.0, 2.0 * binomial_tail(min(wins, losses), wins + losses, 0.5))


def sign_flip_p(sums: ArrayLike) -> float:
    """Two-sided p of the sign-flip test on cluster sums.

    Fisher 1935, "The Design of Experiments", §21: the distribution of the total over all 2^g
    assignments of signs to the g sums that are not 0, by convolution on a lattice; twice the
    smaller tail, at most 1. Whole sums are exact. Graded sums are rounded to a fine lattice
    first: the test of the rounded sums is itself exact, since rounding keeps the symmetry. Where
    that would take too long (graded: more than 1,200 clusters) the normal law stands in. With
    sums of ±1 this is McNemar's exact test.

    Args:
        sums: Signed difference of each cluster, shape (clusters,).
    """
    array = np.asarray(sums, dtype=np.float64)
    array = array[np.abs(array) > 1e-12]
    if array.size == 0:
        return 1.0
    sizes = np.abs(array)
    if sizes.max() - sizes.min() <= 1e-9 * sizes.max():
        wins = int((array > 0).sum())
        return mcnemar_p(wins, int(array.size) - wins)
    steps = _on_lattice(array)
    if steps is None:
        return min(1.0, 2.0 * normal_tail(-abs(array.sum()) / np.sqrt((array**2).sum())))
    return _flip_tail(steps)


def _on_lattice(values: Floats) -> NDArray[np.int64] | None:
    """Whole steps: exact for whole values, else rounded; ``None`` if that takes too long."""
    total = float(np.abs(values).sum())
    whole = np.round(values)
    if float(np.abs(values - whole).max()) < 1e-9 and total * values.size <= _WORK:
        steps = whole.astype(np.int64)
        common = int(np.gcd.reduce(np.abs(steps)))
        return np.asarray(steps // common, dtype=np.int64)
    if values.size > _MOST:
        return None
    rounded = np.round(values * (_FINEST / total)).astype(np.int64)
    return np.asarray(rounded[rounded != 0], dtype=np.int64)


def _flip_tail(steps: NDArray[np.int64]) -> float:
    """Twice the smaller tail of the total of ``steps`` under random signs, at most 1."""
    sizes = np.abs(steps)
    total = int(sizes.sum())
    weights = np.zeros(total + 1)
    weights[0] = 1.0
    reached = 0
    for size in np.sort(sizes).tolist():
        # Position j is "j steps carry a plus".
        before = weights[: reached + 1] * 0.5
        weights[: reached + 1] = before
        reached += size
        weights[size : reached + 1] += before
    plus = int(sizes[steps > 0].sum())
    return min(1.0, 2.0 * float(weights[max(plus, total - plus) :].sum()))
