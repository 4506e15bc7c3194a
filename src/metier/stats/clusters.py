"""The mean of items that come in clusters: its variance, degrees of freedom and design effect.

It knows sums over clusters; it knows nothing of what the items are. Ten samples of one task, or
many questions on one passage, are not independent; the clusters are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Clusters = Sequence[str] | Sequence[int] | NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """The mean over items of values that come in clusters.

    Attributes:
        mean: Mean over items (not over clusters).
        variance: Of the mean, between clusters (CR2); 0 where no residual differs from 0.
        freedom: Degrees of freedom of that variance; 0 with a single cluster.
        n: Items.
        clusters: Clusters.
        worst_design: The design effect if the items of a cluster were all alike (Kish):
            the sum of the squared cluster sizes over n; 1 for unclustered items.
        design: Sum of squared cluster sums over the sum of squared values, both about the mean:
            how much larger the variance is than that of independent items; 1 where unknown.
        sums: Sum of the values of each cluster, shape (clusters,).
    """

    mean: float
    variance: float
    freedom: float
    n: int
    clusters: int
    worst_design: float
    design: float
    sums: Floats


def clustered_mean(values: ArrayLike, clusters: Clusters | None = None) -> ClusteredMean:
    """Mean, variance between clusters and degrees of freedom.

    The variance is CR2 (Bell and McCaffrey 2002, "Bias reduction in standard errors for linear
    regression with multi-stage samples") of the regression on a constant, where the adjustment
    of a cluster is 1 / (1 - its share of the items). The degrees of freedom are Satterthwaite's
    with compound symmetry as the working model (Imbens and Kolesár 2016, "Robust standard errors
    in small samples: some practical advice"), its correlation taken from the data.

    Args:
        values: Shape (n,), finite.
        clusters: Shape (n,), equal for items of one cluster; ``None`` if all are independent.

    Raises:
        ValueError: No values, a value that is not finite, or lengths that differ.
    """
    array = finite(values)
    codes, sizes = cluster_codes(clusters, array.size)
    n, groups = array.size, sizes.size
    mean = float(array.mean())
    sums = np.asarray(np.bincount(codes, weights=array, minlength=groups), dtype=np.float64)
    residual_sums = sums - mean * sizes
    squares = float(np.square(array - mean).sum())
    scale = 1e-12 * max(1.0, float(np.abs(array).max())) ** 2
    worst = float(np.square(sizes).sum() / n)
    design = float(np.square(residual_sums).sum()) / squares if squares > scale * n else 1.0
    variance = freedom = 0.0
    if groups > 1:
        shares = sizes / n
        if squares > scale * n:
            variance = float((np.square(residual_sums) / (1.0 - shares)).sum()) / n**2
        correlation = 0.0 if worst <= 1.0 else min(1.0, max(0.0, (design - 1.0) / (worst - 1.0)))
        freedom = _satterthwaite(shares, sizes * (1.0 + (sizes - 1.0) * correlation))
    return ClusteredMean(mean, variance, freedom, n, groups, worst, design, sums)


def blended_design(observed: float, worst: float, events: float, *, least: float = 1.0) -> float:
    """The design effect where few events were seen.

    A handful of events says little about how they clump, none says nothing. So one event of the
    worst kind (a whole cluster alike) is averaged with the events that were seen; with many the
    estimate stands by itself.

    Args:
        observed: Design effect of the data.
        worst: Kish's, if clusters were all alike.
        events: How many informative events stand behind ``observed``.
        least: No design effect is below this: 1, that of independent two-valued items; 0 for
            graded values, whose variance may be smaller.
    """
    return (events * max(observed, least) + max(worst, least)) / (events + 1.0)


def finite(values: ArrayLike) -> Floats:
    """``values`` as float64 of shape (n,); raises ValueError if empty, nested or not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError("values must be one row of at least one number")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite; leave unscored items out")
    return array


def cluster_codes(clusters: Clusters | None, n: int) -> tuple[NDArray[np.intp], Floats]:
    """Codes 0 … groups - 1, shape (n,), and the size of each group, shape (groups,)."""
    if clusters is None:
        return np.arange(n, dtype=np.intp), np.ones(n)
    names = np.asarray(clusters)
    if names.shape != (n,):
        raise ValueError(f"{names.size} clusters were given for {n} items")
    _, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
    return codes.astype(np.intp), counts.astype(np.float64)


def _satterthwaite(shares: Floats, variances: Floats) -> float:
    """Degrees of freedom of the CR2 variance: trace(M)² / trace(M²).

    M = C (Ω - w v' - v w' + (Σv) w w') C is the covariance of the adjusted residual sums, where
    w are the clusters' shares, v = diag Ω the working variances of their sums and C² = 1/(1 - w).
    Written out, so that it takes time linear in the number of clusters.
    """
    adjust = 1.0 / np.sqrt(1.0 - shares)
    left, right = adjust * shares, adjust * variances
    diagonal = adjust**2 * variances
    total = float(variances.sum())
    aa, bb, ab = float(left @ left), float(right @ right), float(left @ right)
    trace = float(diagonal.sum()) - 2.0 * ab + total * aa
    cross = float((diagonal * left * (total * left - 2.0 * right)).sum())
    rank_two = 2.0 * ab**2 + 2.0 * aa * bb + (total * aa) ** 2 - 4.0 * total * aa * ab
    return trace**2 / (float((diagonal**2).sum()) + 2.0 * cross + rank_two)
