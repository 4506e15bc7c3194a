"""How far confidences can be trusted: expected calibration error and AUROC.

It knows confidences, correctness and scores as arrays; it knows no classifier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from metier.stats.clusters import finite


def expected_calibration_error(
    confidences: ArrayLike, correct: ArrayLike, *, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over bins of equal mass, weighted by their items.

    Equal-mass bins (Nixon et al. 2019, "Measuring Calibration in Deep Learning", adaptive
    calibration error for the top label) rather than equal widths, which put most items in one
    bin. Fewer items than bins give one item a bin.

    Args:
        confidences: Probability of the answer given, shape (n,), 0 to 1.
        correct: Whether it was right, shape (n,), 0 or 1.
        bins: Number of bins.
    """
    stated, truth = finite(confidences), finite(correct)
    if stated.shape != truth.shape:
        raise ValueError(f"{stated.size} confidences were given for {truth.size} outcomes")
    if stated.min() < 0.0 or stated.max() > 1.0:
        raise ValueError("confidences must lie between 0 and 1")
    order = np.argsort(stated, kind="stable")
    gap = 0.0
    for part in np.array_split(order, min(bins, order.size)):
        gap += part.size * abs(float(stated[part].mean()) - float(truth[part].mean()))
    return gap / order.size


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Chance that a positive item scores higher than a negative one, ties counting half.

    The Mann-Whitney statistic over the number of pairs (Hanley and McNeil 1982).

    Args:
        positive: Scores of the items that should score high, shape (p,).
        negative: Scores of the others, shape (q,).
    """
    from scipy.stats import rankdata

    high, low = finite(positive), finite(negative)
    ranks = rankdata(np.concatenate([high, low]))
    wins = float(ranks[: high.size].sum()) - high.size * (high.size + 1) / 2.0
    return wins / (high.size * low.size)
