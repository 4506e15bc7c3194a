"""Intervals of one system's score: a share (Wilson) and macro-F1 (bootstrap), clustered.

It knows outcomes between 0 and 1 and label codes; it knows no names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metier.card import Interval
from metier.stats.clusters import Clusters, blended_design, cluster_codes, clustered_mean, finite
from metier.stats.tails import normal_quantile, student_quantile

Codes = NDArray[np.intp]


def wilson(count: float, n: float, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share (Wilson 1927), for independent items.

    Args:
        count: Successes, 0 to n; may be a fraction (graded outcomes, effective counts).
        n: Items, above 0.
        level: Two-sided.
    """
    if not (n > 0 and 0 <= count <= n):
        raise ValueError("successes must lie between 0 and the number of items, above 0")
    low, high = _wilson_ends(count, n, normal_quantile(0.5 + level / 2.0))
    return Interval(low=low, high=high, level=level)


def share_interval(
    outcomes: ArrayLike, clusters: Clusters | None = None, *, level: float = 0.95
) -> Interval:
    """Wilson's interval with the effective number of items and a t quantile.

    The effective number is n over the design effect (Kish 1965; Korn and Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data"). Independent two-valued outcomes give plain Wilson. Where no or few items
    fail the clusters count as alike, so that 30 right answers to one passage are one, not 30.

    Args:
        outcomes: 0 to 1, shape (n,), without unscored items.
        clusters: Shape (n,); ``None`` if all items are independent.
        level: Two-sided.
    """
    values = finite(outcomes)
    if values.min() < 0.0 or values.max() > 1.0:
        raise ValueError("outcomes must lie between 0 and 1")
    estimate = clustered_mean(values, clusters)
    two_valued = bool(np.isin(values, (0.0, 1.0)).all())
    if estimate.worst_design <= 1.0 and two_valued:
        return wilson(float(values.sum()), values.size, level=level)
    if estimate.clusters == 1:
        return Interval(low=0.0, high=1.0, level=level)
    spread = estimate.mean * (1.0 - estimate.mean)
    observed = estimate.variance * values.size / spread if spread > 0.0 else 1.0
    events = float(min((values < 0.5).sum(), (values >= 0.5).sum()))
    design = blended_design(
        observed, estimate.worst_design, events, least=1.0 if two_valued else 0.0
    )
    effective = values.size / design
    critical = student_quantile(max(estimate.freedom, 1.0), 0.5 + level / 2.0)
    low, high = _wilson_ends(estimate.mean * effective, effective, critical)
    return Interval(low=low, high=high, level=level)


def _wilson_ends(count: float, n: float, critical: float) -> tuple[float, float]:
    """Wilson 1927: the shares whose score statistic reaches ``critical``.

    ``scipy.stats.binomtest`` has it for whole counts and normal quantiles only.
    """
    share, square = count / n, critical**2
    middle = (share + square / (2.0 * n)) / (1.0 + square / n)
    reach = critical * math.sqrt(share * (1.0 - share) / n + square / (4.0 * n * n))
    reach /= 1.0 + square / n
    # At 0 and 1 rounding could put the end beside the share.
    return max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))


@dataclass(frozen=True, slots=True)
class MacroF1:
    """Macro-F1 with its interval; ``resamples`` is 0 where no resampling could show a spread."""

    value: float
    interval: Interval
    resamples: int


def macro_f1(
    truth: ArrayLike,
    predicted: ArrayLike,
    clusters: Clusters | None = None,
    *,
    resamples: int = 1_000,
    seed: int = 0,
) -> MacroF1:
    """Mean F1 of the labels that occur in the truth, with a 95 % cluster bootstrap interval.

    Whole clusters are drawn with replacement; the interval is BCa (Efron 1987, "Better bootstrap
    confidence intervals"; ``scipy.stats.bootstrap``), because a resample without a rare label
    pulls macro-F1 to one side. Where the resamples show no spread (every item right, or every
    one wrong) the interval is that of the share of right answers.

    Args:
        truth: Label codes 0 … , shape (n,).
        predicted: Codes, shape (n,); -1 for an abstention or a label the eval does not have.
        clusters: Shape (n,); ``None`` if all items are independent.
        resamples: Bootstrap draws.
        seed: Of the draws.
    """
    from scipy.stats import bootstrap

    true_codes = np.asarray(truth, dtype=np.intp)
    answer_codes = np.asarray(predicted, dtype=np.intp)
    if true_codes.ndim != 1 or true_codes.size == 0 or true_codes.shape != answer_codes.shape:
        raise ValueError("truth and predictions must be rows of the same length, at least 1")
    if true_codes.min() < 0:
        raise ValueError("a true label cannot be missing")
    codes, sizes = cluster_codes(clusters, true_codes.size)
    labels = int(max(true_codes.max(), answer_codes.max())) + 1
    right = true_codes == answer_codes
    value = _mean_f1(true_codes, answer_codes, np.ones(true_codes.size), labels)
    if right.all() or not right.any() or sizes.size == 1:
        return MacroF1(value, share_interval(right.astype(float), clusters), 0)

    def statistic(drawn: NDArray[np.float64]) -> float:
        weights = np.bincount(drawn.astype(np.intp), minlength=sizes.size).astype(np.float64)
        return _mean_f1(true_codes, answer_codes, weights[codes], labels)

    found = bootstrap(
        (np.arange(sizes.size),),
        statistic,
        n_resamples=resamples,
        vectorized=False,
        method="BCa",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    if not np.isfinite([found.low, found.high]).all():
        return MacroF1(value, share_interval(right.astype(float), clusters), 0)
    interval = Interval(low=min(float(found.low), value), high=max(float(found.high), value))
    return MacroF1(value, interval, resamples)


def _mean_f1(truth: Codes, predicted: Codes, weights: NDArray[np.float64], labels: int) -> float:
    """F1 of each label that has weight in the truth, averaged."""
    hit = np.bincount(truth, weights=weights * (truth == predicted), minlength=labels)
    true = np.bincount(truth, weights=weights, minlength=labels)
    known = predicted >= 0
    said = np.bincount(predicted[known], weights=weights[known], minlength=labels)
    present = true > 0
    return float((2.0 * hit[present] / (true[present] + said[present])).mean())
