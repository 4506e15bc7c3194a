"""The paired difference of two systems on the same items, with its interval and verdict.

It knows two rows of outcomes and the clusters of their items. The interval and the p-value
never disagree: 0 lies outside the 95 % interval exactly if p is below .05.
``docs/explanation/verdicts.md`` explains the method for people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from metier.card import Difference, Interval, Verdict
from metier.stats.clusters import (
    ClusteredMean,
    Clusters,
    Floats,
    blended_design,
    clustered_mean,
    finite,
)
from metier.stats.exact import sign_flip_p
from metier.stats.power import LEAST_DISCORDANT, LEVEL, widening
from metier.stats.tails import normal_quantile, root, student_quantile

DEFAULT_MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class PairedInterval:
    """A paired difference with its interval and the p-value that agrees with it.

    Attributes:
        difference: Mean of first minus second, over items.
        low, high: Ends of the interval, -1 to 1.
        p_value: Two-sided, exact; below 1 - level exactly if 0 lies outside the interval.
        n: Paired items.
        clusters: Independent groups among them.
        discordant: Items whose outcomes differ.
        design: Design effect in use: the items count as n / design.
        method: Name of the method with every setting that changes the result.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int
    clusters: int
    discordant: int
    design: float
    method: str


@dataclass(frozen=True, slots=True)
class _Counts:
    """Discordant items as counts of full size, among effective items.

    ``size`` turns a count back into outcome, ``design`` is the design effect, ``freedom`` the
    degrees of freedom of its estimate (infinite for independent items).
    """

    wins: float
    losses: float
    items: float
    size: float
    design: float
    freedom: float


def paired_interval(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Clusters | None = None,
    *,
    level: float = LEVEL,
) -> PairedInterval:
    """The interval of the mean paired difference, and the exact p-value that agrees with it.

    Three methods, each where it is the honest one:

    * The exact sign-flip test on the clusters (McNemar's exact test where items are independent)
      decides whether 0 lies outside: exactly if its p is below 1 - level. Fewer than six
      discordant clusters never pass it at 95 %.
    * Student's t on the clusters (CR2 variance, Satterthwaite degrees of freedom) gives the ends
      where many clusters differ.
    * Tango's score interval (Tango 1998, "Equivalence test and confidence interval for the
      difference in proportions for the paired-sample design") on effective counts widens them
      where few or no items differ: 0 discordant of n gives ±3.84 / (n + 3.84), not ±0.

    Where these ends and the exact test disagree about 0, the end next to it is put at the
    test-based limit (Miettinen 1976, "Estimability and estimation in case-referent studies"):
    difference - z · difference / z(p).

    Args:
        first: Outcomes of the first system, 0 to 1, shape (n,), without unscored items.
        second: Outcomes of the second on the same items.
        clusters: Shape (n,); ``None`` if all items are independent.
        level: Two-sided confidence level.

    Raises:
        ValueError: Different lengths, no items, or outcomes outside 0 to 1.
    """
    left, right = finite(first), finite(second)
    if left.shape != right.shape:
        raise ValueError(f"{left.size} outcomes cannot be paired with {right.size}")
    if min(left.min(), right.min()) < 0.0 or max(left.max(), right.max()) > 1.0:
        raise ValueError("outcomes must lie between 0 and 1")
    differences = left - right
    estimate = clustered_mean(differences, clusters)
    counts = _effective_counts(differences, estimate)
    flip_p = sign_flip_p(estimate.sums)
    student_low, student_high = _student(estimate, level)
    score_low, score_high = _tango(counts, level)
    low, high = _agree_with_exact(
        estimate.mean, min(student_low, score_low), max(student_high, score_high), flip_p, level
    )
    if estimate.clusters == 1 and estimate.n > 1:
        low, high = -1.0, 1.0
    return PairedInterval(
        difference=estimate.mean,
        low=max(-1.0, low),
        high=min(1.0, high),
        p_value=flip_p,
        n=estimate.n,
        clusters=estimate.clusters,
        discordant=int(np.count_nonzero(differences)),
        design=counts.design,
        method=f"paired:sign-flip+t-cr2+tango;level={level:g}",
    )


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Clusters | None = None,
    *,
    margin: float = DEFAULT_MARGIN,
) -> Difference:
    """The paired difference with its verdict, in the order of DESIGN §2.

    Interval above 0: WIN ("small" if the difference is below the margin). Below 0: LOSS. Inside
    ±margin: TIE. Lower end above -margin: NOT WORSE. Otherwise UNDERPOWERED, with the items that
    would settle it (WIN, LOSS or TIE with 80 % power, if the difference is what it seems).

    Args:
        first: Outcomes of the first system, 0 to 1, shape (n,), without unscored items.
        second: Outcomes of the second on the same items.
        clusters: Shape (n,); ``None`` if all items are independent.
        margin: The margin m, above 0 and below 1.
    """
    if not 0.0 < margin < 1.0:
        raise ValueError("the margin must lie between 0 and 1")
    found = paired_interval(first, second, clusters)
    verdict = verdict_of(found.low, found.high, margin)
    half = (found.high - found.low) / 2.0
    return Difference(
        verdict=verdict,
        small=verdict is Verdict.WIN and found.difference < margin,
        difference=found.difference,
        interval=Interval(low=found.low, high=found.high, level=LEVEL),
        margin=margin,
        n=found.n,
        clusters=found.clusters,
        discordant=found.discordant,
        p_value=found.p_value,
        needed_n=_settling_items(found, margin) if verdict is Verdict.UNDERPOWERED else None,
        detectable=min(1.0, half * widening()),
        method=found.method,
    )


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """The verdict of an interval and a margin."""
    if low > 0.0:
        return Verdict.WIN
    if high < 0.0:
        return Verdict.LOSS
    if low > -margin and high < margin:
        return Verdict.TIE
    if low > -margin:
        return Verdict.NOT_WORSE
    return Verdict.UNDERPOWERED


def upper_bound(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Clusters | None = None,
    *,
    level: float = 0.8,
) -> float:
    """One-sided upper bound of the mean of first minus second.

    The ladder asks it of losses (1 - outcome): by how much a rung may be worse than the best.

    Args:
        first: Losses or outcomes of the first, 0 to 1, shape (n,).
        second: Those of the second on the same items.
        clusters: Shape (n,); ``None`` if all items are independent.
        level: One-sided, above .5: the upper end of the two-sided interval at 2 · level - 1.
    """
    if not 0.5 < level < 1.0:
        raise ValueError("a one-sided level must lie between 0.5 and 1")
    return paired_interval(first, second, clusters, level=2.0 * level - 1.0).high


def _effective_counts(differences: Floats, estimate: ClusteredMean) -> _Counts:
    """Wins, losses and items as independent two-valued items with the same mean and variance.

    A graded discordance counts by its size h, the mean squared over the mean absolute difference,
    which gives the counts the variance of the data; one discordance of full size is averaged in,
    because the sizes of few say little about the next. Clusters divide all counts by the design
    effect (Rao and Scott 1992, "A simple method for the analysis of clustered binary data"),
    whose estimate has 2 / (Σs⁴ / (Σs²)² - 1 / clusters) degrees of freedom by Satterthwaite's
    rule: about twice the discordant clusters where they are few.
    """
    sizes = np.abs(differences)
    events = float(np.count_nonzero(sizes))
    mass = float(sizes.sum())
    seen = float(np.square(sizes).sum()) / mass if mass > 0.0 else 1.0
    size = (events * seen + 1.0) / (events + 1.0)
    design = blended_design(estimate.design, estimate.worst_design, events)
    share = 1.0 / (size * design)
    wins = float(np.clip(differences, 0.0, None).sum()) * share
    losses = float(np.clip(-differences, 0.0, None).sum()) * share
    squares = np.square(estimate.sums)
    freedom = math.inf
    if estimate.worst_design > 1.0 and squares.any():
        unevenness = float(np.square(squares).sum() / squares.sum() ** 2) - 1.0 / estimate.clusters
        freedom = max(1.0, 2.0 / max(unevenness, 1e-12))
    return _Counts(wins, losses, estimate.n / design, size, design, freedom)


def _student(estimate: ClusteredMean, level: float) -> tuple[float, float]:
    """Ends of Student's t interval on the clusters."""
    if estimate.freedom <= 0.0:
        return -1.0, 1.0
    critical = student_quantile(estimate.freedom, 0.5 + level / 2.0)
    reach = critical * math.sqrt(estimate.variance)
    return estimate.mean - reach, estimate.mean + reach


def _tango_deviate(counts: _Counts, delta: float) -> float:
    """Tango's score statistic of "the difference of counts per item is delta" (his formula 5)."""
    wins, losses, n = counts.wins, counts.losses, counts.items
    linear = -wins - losses + (2.0 * n - wins + losses) * delta
    constant = -losses * delta * (1.0 - delta)
    root = math.sqrt(max(0.0, linear**2 - 8.0 * n * constant))
    share = (root - linear) / (4.0 * n)
    variance = n * (2.0 * share + delta * (1.0 - delta))
    gap = wins - losses - n * delta
    if variance <= 0.0:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


def _tango(counts: _Counts, level: float) -> tuple[float, float]:
    """Ends of Tango's score interval, in units of the outcome."""
    critical = student_quantile(counts.freedom, 0.5 + level / 2.0)
    middle = (counts.wins - counts.losses) / counts.items
    nearly = 1.0 - 1e-12

    def low_end(delta: float) -> float:
        return _tango_deviate(counts, delta) - critical

    def high_end(delta: float) -> float:
        return _tango_deviate(counts, delta) + critical

    low = -1.0 if low_end(-nearly) <= 0.0 else root(low_end, -nearly, middle, within=1e-10)
    high = 1.0 if high_end(nearly) >= 0.0 else root(high_end, middle, nearly, within=1e-10)
    return float(low) * counts.size, float(high) * counts.size


def _agree_with_exact(
    difference: float, low: float, high: float, exact_p: float, level: float
) -> tuple[float, float]:
    """Put the end next to 0 on the side of it that the exact test says."""
    outside = exact_p < 1.0 - level
    if outside == (low > 0.0 or high < 0.0):
        return low, high
    deviate = -normal_quantile(max(exact_p, 1e-300) / 2.0)
    critical = normal_quantile(0.5 + level / 2.0)
    reach = abs(difference) * critical / deviate if deviate > 0.0 else 1.0
    return (difference - reach, high) if difference > 0.0 else (low, difference + reach)


def _settling_items(found: PairedInterval, margin: float) -> int:
    """Items for WIN, LOSS or TIE with 80 % power, if difference and spread are as seen.

    The half-width shrinks with the square root of the items; a TIE also needs enough items that
    a rare loss as large as the margin would have been seen (Tango's interval of no discordance).
    """
    half = (found.high - found.low) / 2.0 * widening()
    size = abs(found.difference)
    options = []
    if size > 0.0:
        least = LEAST_DISCORDANT * found.n / found.discordant
        options.append(max(found.n * (half / size) ** 2, least))
    if size < margin:
        square = normal_quantile(0.5 + LEVEL / 2.0) ** 2
        rare = square * (1.0 / margin - 1.0) * found.design
        spread = found.n * (half / (margin - size)) ** 2 if found.discordant else 0.0
        options.append(max(spread, rare))
    return max(found.n + 1, math.ceil(min(options)))
