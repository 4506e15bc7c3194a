"""Deciding: when the specialist should abstain, and what is out of scope.

It knows out-of-fold logits of the chosen rung and logits of texts that belong to no label; it
gives thresholds and what they buy. Nothing here sees the eval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.card import Abstention
from metier.heads import FloatArray, abstain_threshold, energy, log_softmax

FALSE_ALARMS_WITHOUT_EXAMPLES = 0.01
"""Share of in-scope rows that may be called out of scope when nothing out of scope was shown."""
LEAST_OUTSIDE = 50
"""Out-of-scope rows from which the threshold is fitted to them."""


@dataclass(frozen=True)
class Thresholds:
    """What ``specialist.json`` carries, with the facts for the card."""

    abstention: Abstention
    energy_below: float
    false_alarms: float


def decide(
    logits: FloatArray,
    classes: NDArray[np.int64],
    outside: FloatArray | None,
    *,
    target_accuracy: float,
    false_alarms: float,
) -> Thresholds:
    """Fit both thresholds.

    Args:
        logits: Calibrated out-of-fold logits of the chosen rung, shape (rows, labels).
        classes: True classes, shape (rows,).
        outside: Calibrated logits of texts that belong to no label, or ``None``.
        target_accuracy: Wanted of the answers given.
        false_alarms: Share of in-scope rows that may be called out of scope.
    """
    probabilities = np.exp(log_softmax(logits)).max(axis=1)
    correct = logits.argmax(axis=1) == classes
    threshold, accuracy, coverage = abstain_threshold(probabilities, correct, target_accuracy)
    inside = energy(logits)
    if outside is None or len(outside) == 0:
        false_alarms = FALSE_ALARMS_WITHOUT_EXAMPLES
        below = float(np.quantile(inside, false_alarms))
    elif len(outside) < LEAST_OUTSIDE:
        below = float(np.quantile(inside, false_alarms))
    else:
        below = _youden(inside, energy(outside))
        false_alarms = float((inside < below).mean())
    return Thresholds(
        abstention=Abstention(
            threshold=threshold,
            target_accuracy=target_accuracy,
            accuracy=accuracy,
            coverage=coverage,
            n=int(classes.size),
        ),
        energy_below=below,
        false_alarms=false_alarms,
    )


def _youden(inside: FloatArray, outside: FloatArray) -> float:
    """The threshold with the best recall minus false alarms (Youden 1950)."""
    cuts = np.unique(np.concatenate([inside, outside]))
    recall = np.searchsorted(np.sort(outside), cuts, side="left") / outside.size
    alarms = np.searchsorted(np.sort(inside), cuts, side="left") / inside.size
    return float(cuts[np.argmax(recall - alarms)])
