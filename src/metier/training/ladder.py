"""The ladder: which rung is good enough, decided on rows that its heads have not seen.

It knows cross-validated outcomes, costs and the stop rule of DESIGN §6; it fits nothing and
loads nothing. The rule: rungs are ordered by milliseconds per text, then by bytes; the first
whose loss against the best is at most the margin by point estimate, and whose one-sided 80 %
bound is at most twice the margin, is chosen. Rungs that cost nearly the same count as one step,
of which the best is taken (docs/decisions/0080-one-step-of-the-ladder.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from metier.heads import FloatArray, fit_mixture, mix

BOUND_LEVEL = 0.80
SAME_COST = 1.25
"""Two rungs whose milliseconds and whose bytes differ by less than this factor cost the same."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rung that was tried.

    Attributes:
        name: Its name on the ladder.
        members: Names of the learners whose logits it mixes; one for a single rung.
        logits: Out-of-fold logits after mixing and calibration, shape (rows, labels).
        weights: The mixture's weights, one per member.
        nominal_ms: Milliseconds for one text at a time on a reference machine: what the order and
            the steps of the ladder go by, so that a remake chooses alike whatever the machine's
            mood. What was measured stands on the card.
        total_bytes: Its own and its shared bytes.
    """

    name: str
    members: tuple[str, ...]
    logits: FloatArray
    weights: tuple[float, ...]
    nominal_ms: float
    total_bytes: int

    def correct(self, classes: NDArray[np.int64]) -> NDArray[np.float64]:
        """1.0 where its best label is right, shape (rows,)."""
        return np.asarray(self.logits.argmax(axis=1) == classes, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen rung, whether the data could decide, and the reasons, rung by rung."""

    name: str
    decided: bool
    why: str
    reasons: dict[str, str]


def mixture(
    name: str,
    members: Sequence[tuple[str, FloatArray]],
    classes: NDArray[np.int64],
    *,
    nominal_ms: float,
    total_bytes: int,
) -> Candidate:
    """A candidate whose members are weighed and calibrated together on out-of-fold logits."""
    logits = [member for _, member in members]
    weights = fit_mixture(logits, classes)
    return Candidate(
        name=name,
        members=tuple(member for member, _ in members),
        logits=mix(logits, weights),
        weights=weights,
        nominal_ms=nominal_ms,
        total_bytes=total_bytes,
    )


def choose(
    candidates: Sequence[Candidate],
    classes: NDArray[np.int64],
    clusters: NDArray[np.int64],
    *,
    margin: float,
) -> Choice:
    """Apply the stop rule.

    Args:
        candidates: At least one.
        classes: True classes, shape (rows,).
        clusters: Cluster of each row: rows of a cluster are not independent.
        margin: Loss that is accepted, a share of 1.
    """
    ordered = sorted(candidates, key=lambda rung: (rung.nominal_ms, rung.total_bytes))
    outcomes = {rung.name: rung.correct(classes) for rung in ordered}
    best = max(ordered, key=lambda rung: float(outcomes[rung.name].mean()))
    reasons: dict[str, str] = {}
    undecided: list[str] = []
    passing: Candidate | None = None
    for rung in ordered:
        loss, bound = loss_bound(outcomes[best.name] - outcomes[rung.name], clusters)
        text = f"{points(loss)} points behind {best.name} (80 % bound {points(bound)})"
        if rung is best:
            text = "best by cross-validation"
        elif loss <= margin and bound > 2 * margin and passing is None:
            undecided.append(rung.name)
            text += ": these rows cannot decide"
        if passing is None and (rung is best or (loss <= margin and bound <= 2 * margin)):
            passing = rung
        reasons[rung.name] = text
    chosen = _best_of_step(passing or best, ordered, outcomes)
    decided = chosen is not best or not undecided
    if chosen is not passing and passing is not None:
        reasons[passing.name] += f"; {chosen.name} costs the same and is better"
    elif chosen is not best:
        reasons[best.name] += ", but dearer than needed"
    return Choice(chosen.name, decided, _why(chosen, best, undecided, margin, reasons), reasons)


def _best_of_step(
    passing: Candidate, ordered: Sequence[Candidate], outcomes: dict[str, NDArray[np.float64]]
) -> Candidate:
    """The best of the rungs that cost the same as the first that passes."""
    step = [
        rung
        for rung in ordered
        if rung.nominal_ms <= passing.nominal_ms * SAME_COST
        and rung.total_bytes <= passing.total_bytes * SAME_COST
        and rung.nominal_ms >= passing.nominal_ms
    ]
    return max(step, key=lambda rung: float(outcomes[rung.name].mean()))


def loss_bound(loss: NDArray[np.float64], clusters: NDArray[np.int64]) -> tuple[float, float]:
    """Mean paired loss and its one-sided upper 80 % bound.

    The standard error is that of a ratio of cluster sums (Cochran 1977, *Sampling Techniques*,
    §9A.1) with Student's t over clusters.
    """
    mean = float(loss.mean())
    _, index = np.unique(clusters, return_inverse=True)
    number = int(index.max()) + 1
    if number < 2:
        return mean, float("inf")
    residual = np.bincount(index, weights=loss - mean)
    error = float(np.sqrt(number / (number - 1) * (residual**2).sum()) / loss.size)
    return mean, mean + float(student.ppf(BOUND_LEVEL, number - 1)) * error


def points(share: float) -> str:
    """A share as points with one decimal: ``0.0123`` is ``1.2``."""
    return f"{100 * share:.1f}"


def _why(
    chosen: Candidate,
    best: Candidate,
    undecided: Sequence[str],
    margin: float,
    reasons: dict[str, str],
) -> str:
    if chosen is not best:
        reason = reasons[chosen.name]
        return f"The cheapest rung within {points(margin)} points of the best: {reason}."
    if undecided:
        names = " and ".join(undecided)
        return (
            f"UNDERPOWERED: {names} may do as well, but these rows cannot show it; "
            f"{best.name} has the best point estimate."
        )
    return f"No cheaper rung comes within {points(margin)} points of it."
