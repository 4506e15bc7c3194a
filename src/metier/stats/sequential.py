"""A paired difference that may be looked at after every item, for ever.

It knows pairs of outcomes between 0 and 1, the clusters of their items and the looks in which they
came; it knows no system, no date and no clock.

The method, in the words of Waudby-Smith and Ramdas 2024, "Estimating means of bounded random
variables by betting" (JRSS B 86(1), section 4: the capital process, hedged capital; appendix on
diversified bets): against "the mean difference is m" a player with half the stake on each side
bets a fixed share of it on every difference D. Betting upwards, a share u multiplies the capital by

    1 - u + u (1 + D) / (1 + m),        0 <= u < 1, -1 <= D <= 1,

whose expectation is at most 1 if the mean is at most m, whatever else the law of D is. The capital
averaged over many u is an e-process: its chance of *ever* reaching 20 is at most half of 5 %, since
it starts with half (Ville's inequality). For D in {-1, 0, 1} and m = 0 the factor is 1 + uD: ties
pay nothing, and the average is a mixture e-process on the discordant pairs with p = (1 + u) / 2 (a
uniform law of u would be the truncated beta mixture in closed form).

Three things follow from the *fixed* shares:

* The capital is the same in whatever order the differences came: arrival cannot be arranged.
* It falls in m, so what it does not exclude is an interval, and the e-values against 0 and against
  the margin are that interval's own: they cannot disagree about 0.
* The counts of the distinct differences are all that must be kept (``Tally``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metier.card import Verdict
from metier.stats.clusters import Clusters, cluster_codes, finite

Floats = NDArray[np.float64]

SHOWN = 20.0
"""The e-value that shows something: with half the stake a side, 2.5 % each, 5 % together."""
MOST = 1e300
"""E-values are cut off here, so that they can be written down."""
FARTHEST = 1_000_000_000
"""``needed`` is told up to here; beyond it is never."""

STAKES: Floats = np.geomspace(0.002, 0.99, 36)
"""Shares u. The steps are fine enough for up to 1e6 pairs: at the interval's end the best share is
known to about 30 %, and a step is 19 %."""
_CENTRE, _WIDTH = 0.2, 0.7
_WEIGHTS: Floats = 1.0 / (1.0 + (np.log(STAKES / _CENTRE) / _WIDTH) ** 2)
LOG_WEIGHTS: Floats = np.log(0.5 * _WEIGHTS / _WEIGHTS.sum())
"""Half the stake, most of it on shares around a fifth (5 points with 25 % discordant), and enough
on every scale; chosen on simulations of +5 points, see decision 0300."""
_LOG_SHOWN = math.log(SHOWN)
_DISTINCT = 4_096
"""Distinct differences beyond which they are laid on a lattice, each side against itself."""
_DIGITS = 12
CEILING = 1e200
"""Capital that is carried on in plain numbers is cut off here."""
_ROWS = 128


@dataclass(frozen=True, slots=True)
class Anytime:
    """What pairs say so far, valid however often anybody looks.

    Attributes:
        difference: Mean difference over clusters, own minus other.
        low, high: Ends of the 95 % confidence sequence, -1 to 1.
        for_it: E-value against "own is no better", with half the stake: 20 or more exactly if
            ``low`` is above 0.
        against_it: E-value against "own is no worse": 20 or more exactly if ``high`` is below 0.
        not_worse: E-value against "own is worse by the margin or more": 20 or more exactly if
            ``low`` is above the margin's negative.
        pairs: Clusters, each of which counts one.
        wins, losses: Clusters whose difference is above, below 0.
        needed: Pairs in all that would decide, if they go on as they did; ``None`` if it is decided
            or would take more than 1e9.
        margin: What counts as no difference.
        verdict: In the order of DESIGN §3: WIN, LOSS, TIE, NOT WORSE, UNDERPOWERED.
    """

    difference: float
    low: float
    high: float
    for_it: float
    against_it: float
    not_worse: float
    pairs: int
    wins: int
    losses: int
    needed: int | None
    margin: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """The running state: all that must be kept to go on.

    Attributes:
        counts: How many clusters had which difference.
        seen: Names of the clusters that were counted.
        late: Items set aside because their cluster had been counted in an earlier look.
    """

    counts: Mapping[float, int] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    late: int = 0

    def after(
        self, own: ArrayLike, other: ArrayLike, clusters: Sequence[str] | None = None
    ) -> Tally:
        """The state after one more look.

        A cluster is one pair: the mean difference of the items that it has in the look in which it
        is first seen. Items that come to it later are set aside: to let them change a difference
        that was looked at already would let the capital move without a bet. Within a look order
        does not matter.

        Args:
            own: Outcomes of the one, 0 to 1, shape (n,), without unscored items; n may be 0.
            other: Outcomes of the other on the same items, shape (n,).
            clusters: Names, shape (n,); ``None`` if every item stands alone and is new.

        Raises:
            ValueError: Lengths that differ, or outcomes outside 0 to 1.
        """
        differences = _differences(own, other)
        if differences.size == 0:
            return self
        if clusters is None:
            return Tally(_counted(self.counts, differences), self.seen, self.late)
        names = np.asarray([str(name) for name in clusters])
        if names.shape != differences.shape:
            raise ValueError(f"{names.size} clusters were given for {differences.size} items")
        if self.seen:
            new = np.asarray([name not in self.seen for name in names.tolist()])
            late = int(new.size - new.sum())
            names, differences = names[new], differences[new]
        else:
            late = 0
        if names.size == 0:
            return Tally(self.counts, self.seen, self.late + late)
        counts = _counted(self.counts, reduced(differences, names))
        return Tally(counts, self.seen | frozenset(names.tolist()), self.late + late)

    def read(self, *, margin: float = 0.01) -> Anytime:
        """What the pairs say so far.

        Args:
            margin: What counts as no difference, above 0 and below 1.
        """
        if not 0.0 < margin < 1.0:
            raise ValueError("the margin must lie between 0 and 1")
        values = np.asarray(sorted(self.counts), dtype=np.float64)
        counts = np.asarray([self.counts[value] for value in values.tolist()], dtype=np.float64)
        pairs = int(counts.sum())
        if pairs == 0:
            verdict = Verdict.UNDERPOWERED
            return Anytime(0.0, -1.0, 1.0, 0.5, 0.5, 0.5, 0, 0, 0, least(), margin, verdict)
        mean = float(values @ counts) / pairs
        up, down = _Side.of(values, counts), _Side.of(-values, counts)
        low, high = up.low(mean, margin), -down.low(-mean, margin)
        decided = low > 0.0 or high < 0.0 or (low > -margin and high < margin)
        return Anytime(
            difference=mean,
            low=low,
            high=high,
            for_it=_capped(up.log_capital(0.0)),
            against_it=_capped(down.log_capital(0.0)),
            not_worse=_capped(up.log_capital(-margin)),
            pairs=pairs,
            wins=int(counts[values > 0].sum()),
            losses=int(counts[values < 0].sum()),
            needed=None if decided else _needed(up, down, pairs, margin),
            margin=margin,
            verdict=_verdict(low, high, margin),
        )


def anytime(
    own: ArrayLike,
    other: ArrayLike,
    clusters: Sequence[str] | None = None,
    *,
    margin: float = 0.01,
) -> Anytime:
    """What pairs say if all of them were first seen together; see ``Tally`` for looks.

    Args:
        own: Outcomes of the one, 0 to 1, shape (n,); n may be 0.
        other: Outcomes of the other on the same items.
        clusters: Names, shape (n,); ``None`` if every item stands alone.
        margin: What counts as no difference.
    """
    return Tally().after(own, other, clusters).read(margin=margin)


def e_values(differences: ArrayLike, mean: float = 0.0) -> tuple[Floats, Floats]:
    """Both e-values after each difference, in their order: ``Tally``'s numbers, up to 1e200.

    Args:
        differences: One a cluster, -1 to 1, shape (n,).
        mean: What is doubted, -.5 to .5.

    Returns:
        Against "the mean is at most this", and against "it is at least this"; shape (n,) each.
    """
    array = finite(differences)
    return _path(array, mean), _path(-array, -mean)


def log_factors(values: Floats, mean: float) -> Floats:
    """Logarithm of what each share makes of each difference, if it bets on more than ``mean``.

    Args:
        values: Differences, shape (n,).
        mean: What is doubted, above -1.

    Returns:
        Shape (n, shares).
    """
    grown = (values - mean) / (1.0 + mean)
    return np.asarray(np.log1p(np.outer(grown, STAKES)), dtype=np.float64)


def factor_blocks(differences: Floats, mean: float) -> Iterator[tuple[int, Floats]]:
    """What each share makes of each difference: first row, and factors of shape (rows, shares).

    So few rows that, from ``CEILING`` down, their product neither overflows nor loses a share that
    could still matter.
    """
    for start in range(0, differences.size, _ROWS):
        grown = (differences[start : start + _ROWS] - mean) / (1.0 + mean)
        yield start, 1.0 + np.outer(grown, STAKES)


def reduced(differences: ArrayLike, clusters: Clusters | None) -> Floats:
    """One difference a cluster: the mean of its items', shape (clusters,).

    Means, not signs of sums: the null is about the mean difference, and a majority sign would test
    another one where clusters are of unequal kinds. A cluster of one right-or-wrong item keeps its
    -1, 0 or 1.
    """
    array = finite(differences)
    codes, sizes = cluster_codes(clusters, array.size)
    return np.asarray(np.bincount(codes, weights=array) / sizes, dtype=np.float64)


def least() -> int:
    """Fewest pairs that can ever show anything: all of them one way, as far as can be."""
    grows = np.log1p(STAKES)
    return next(n for n in range(1, 1_000) if _sum(LOG_WEIGHTS + n * grows) >= _LOG_SHOWN)


@dataclass(frozen=True, slots=True)
class _Side:
    """Bets that the mean is larger than m, on distinct differences and how often each occurred."""

    values: Floats
    counts: Floats

    @classmethod
    def of(cls, values: Floats, counts: Floats) -> _Side:
        """Too many distinct values are rounded down to a lattice: the capital only gets less."""
        if values.size > _DISTINCT:
            half = _DISTINCT // 2
            steps = np.floor(values * half) / half
            values, codes = np.unique(steps, return_inverse=True)
            counts = np.bincount(codes, weights=counts).astype(np.float64)
        return cls(values, counts)

    def logs(self, mean: float) -> Floats:
        """Logarithm of each share's capital, its stake left out, shape (shares,)."""
        return np.asarray(self.counts @ log_factors(self.values, mean), dtype=np.float64)

    def log_capital(self, mean: float) -> float:
        """Logarithm of the capital against "the mean is at most this"."""
        return _sum(LOG_WEIGHTS + self.logs(mean))

    def low(self, middle: float, margin: float) -> float:
        """Smallest mean that is not excluded; never on the wrong side of 0 or of the margin.

        At the observed mean no share has won anything (the logarithm is concave), so the end lies
        below; the capital falls in the mean, so halving finds it.
        """
        above, below = -1.0 + 1e-12, max(middle, -1.0 + 2e-12)
        if self.log_capital(above) < _LOG_SHOWN:
            return -1.0
        marks = (-margin, 0.0)
        excluded = [mark for mark in marks if self.log_capital(mark) >= _LOG_SHOWN]
        above = max([above, *excluded])
        below = min([below, *(mark for mark in marks if mark not in excluded)])
        for _ in range(60):
            between = 0.5 * (above + below)
            if not above < between < below:
                break
            if self.log_capital(between) >= _LOG_SHOWN:
                above = between
            else:
                below = between
        return math.nextafter(above, 1.0) if above in excluded else above


def _differences(own: ArrayLike, other: ArrayLike) -> Floats:
    first, second = np.asarray(own, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError("both rows of outcomes must have the same length")
    if first.size == 0:
        return first
    both = np.concatenate([first, second])
    if not ((both >= 0.0) & (both <= 1.0)).all():
        raise ValueError("outcomes must lie between 0 and 1; leave unscored items out")
    return first - second


def _counted(before: Mapping[float, int], differences: Floats) -> dict[float, int]:
    # Rounded, so that .3 - .2 and .2 - .1 are one difference; + 0. makes -0 a 0.
    values, counts = np.unique(np.round(differences, _DIGITS) + 0.0, return_counts=True)
    found = dict(before)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        found[value] = found.get(value, 0) + count
    return found


def _path(differences: Floats, mean: float) -> Floats:
    """The capital after each difference, in plain numbers: some rows at a time cannot overflow."""
    found = np.empty(differences.size)
    weights = np.exp(LOG_WEIGHTS)
    capital = np.ones(STAKES.size)
    for start, factors in factor_blocks(differences, mean):
        grown = capital * factors.cumprod(axis=0)
        found[start : start + grown.shape[0]] = grown @ weights
        capital = np.minimum(grown[-1], CEILING)
    return found


def _needed(up: _Side, down: _Side, pairs: int, margin: float) -> int | None:
    """Pairs until it is better, worse, or within the margin, at the rate so far."""
    better, worse = _crossing(up, 0.0, pairs), _crossing(down, 0.0, pairs)
    alike = max(_crossing(up, -margin, pairs), _crossing(down, -margin, pairs))
    first = min(better, worse, alike)
    return first if first <= FARTHEST else None


def _crossing(side: _Side, mean: float, pairs: int) -> int:
    """Pairs at which the capital reaches ``SHOWN`` if every pair adds what they did on average."""
    rate = side.logs(mean) / pairs
    if rate.max() * FARTHEST + LOG_WEIGHTS.max() < _LOG_SHOWN:
        return FARTHEST + 1
    # The logarithm of a sum of exponentials is convex and starts below: it crosses once.
    least_pairs, most_pairs = 1, FARTHEST
    while least_pairs < most_pairs:
        between = (least_pairs + most_pairs) // 2
        if _sum(LOG_WEIGHTS + between * rate) >= _LOG_SHOWN:
            most_pairs = between
        else:
            least_pairs = between + 1
    return least_pairs


def _sum(logs: Floats) -> float:
    highest = float(logs.max())
    return highest + math.log(float(np.exp(logs - highest).sum()))


def _capped(log_capital: float) -> float:
    return math.exp(min(log_capital, math.log(MOST)))


def _verdict(low: float, high: float, margin: float) -> Verdict:
    if low > 0.0:
        return Verdict.WIN
    if high < 0.0:
        return Verdict.LOSS
    if low > -margin:
        return Verdict.TIE if high < margin else Verdict.NOT_WORSE
    return Verdict.UNDERPOWERED
