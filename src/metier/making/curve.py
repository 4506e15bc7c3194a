"""The label-efficiency curve: how many labels a class it takes, and whom that beats.

It knows nested samples of the training rows and the chosen rung's learners; each point is the
mean of several draws, scored on the sealed items with vectors that are there already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metier.card import Crossover, CurvePoint, LabelCurve, Row
from metier.heads import mix
from metier.making.clock import Clock
from metier.making.learners import Learner
from metier.messages import Progress, Report
from metier.training.fitting import Rows, fit_whole

STEPS = (1, 2, 3, 5, 10, 20, 40, 80, 160, 320)
DRAWS = 5
DRAWS_WHEN_MANY = 3
MANY = 2_000
"""Rows in a draw from which three draws are enough: their spread is below half a point."""


def draw(
    learners: Sequence[tuple[Learner, Rows, Rows]],
    weights: Sequence[float],
    classes: NDArray[np.int64],
    truth: NDArray[np.int64],
    *,
    rung: str,
    seed: int,
    report: Report,
    clock: Clock,
) -> LabelCurve:
    """Score the chosen rung at growing numbers of labels per class.

    Args:
        learners: Each with its rows of the training texts and of the eval's texts.
        weights: The mixture's weights.
        classes: Classes of the training rows, shape (rows,).
        truth: Classes of the eval's items, shape (items,); -1 for items of no ordinary label.
        rung: Its name.
        seed: Of the draws.
        report: Receives progress.
        clock: Looked at before each fit: it may raise to stop, and a budget that is spent ends
            the curve with the points that are there.
    """
    counts = np.bincount(classes)
    labels = counts.size
    most = int(np.median(counts))
    known = truth >= 0
    points: list[CurvePoint] = []
    steps = [step for step in STEPS if step < most]
    for position, step in enumerate(steps):
        size = int(np.minimum(counts, step).sum())
        draws = DRAWS_WHEN_MANY if size > MANY else DRAWS
        scores = []
        for number in range(draws):
            clock.check()
            if clock.left <= 0:
                return LabelCurve(rung=rung, points=tuple(points), seed=seed)
            rows = _sample(classes, step, np.random.default_rng([seed, number]))
            logits = [
                fit_whole(learner.fit, train[rows], classes[rows], labels, seed).logits(held)
                for learner, train, held in learners
            ]
            scores.append(
                float((mix(logits, weights).argmax(axis=1)[known] == truth[known]).mean())
            )
        points.append(
            CurvePoint(
                per_class=step,
                labels=size,
                mean=float(np.mean(scores)),
                low=min(scores),
                high=max(scores),
                draws=draws,
            )
        )
        report(
            Progress(
                "curve",
                f"{step} labels a class: {100 * points[-1].mean:.1f} %",
                fraction=(position + 1) / len(steps),
                data=points[-1].model_dump(),
            )
        )
    return LabelCurve(rung=rung, points=tuple(points), seed=seed)


def finish(curve: LabelCurve, whole: CurvePoint, rivals: Sequence[Row]) -> LabelCurve:
    """The curve with its last point (all rows) and its crossings."""
    points = (*(point for point in curve.points if point.per_class < whole.per_class), whole)
    crossings = tuple(
        _crossing(points, row.name, row.score.value)
        for row in rivals
        if row.role in ("base", "general") and row.score is not None and row.score.n
    )
    return curve.model_copy(update={"points": points, "crossovers": crossings})


def _sample(
    classes: NDArray[np.int64], per_class: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    order = generator.permutation(classes.size)
    shuffled = classes[order]
    by_class = np.argsort(shuffled, kind="stable")
    sorted_classes = shuffled[by_class]
    first = np.searchsorted(sorted_classes, sorted_classes, side="left")
    rank = np.arange(classes.size) - first
    return np.sort(order[by_class[rank < per_class]])


def _crossing(points: Sequence[CurvePoint], rival: str, accuracy: float) -> Crossover:
    above = [point.mean > accuracy for point in points]
    lasting = next((i for i in range(len(above)) if all(above[i:])), None)
    if lasting is None:
        sentence = f"Does not pass {rival} ({100 * accuracy:.1f} %) with the labels there are."
        return Crossover(against=rival, accuracy=accuracy, per_class=None, sentence=sentence)
    per_class = points[lasting].per_class
    noun = "label" if per_class == 1 else "labels"
    sentence = f"Passes {rival} ({100 * accuracy:.1f} %) from {per_class} {noun} a class on."
    return Crossover(against=rival, accuracy=accuracy, per_class=per_class, sentence=sentence)
