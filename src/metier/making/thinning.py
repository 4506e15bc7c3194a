"""Thinning: fewer training rows where a budget could not carry them all.

It knows how long a fit takes on some rows and how many would fit; it drops no label and says how
many rows it left. Without a budget nothing is thinned.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metier.making.climbing import PROBE, fold_number
from metier.making.clock import Clock
from metier.making.material import HashedWords
from metier.making.rows import Rows
from metier.messages import Progress, Report
from metier.training.fitting import fit_hinge, fit_whole

SHARE = 0.4
"""Of what is left of the budget, for the cheapest rung that learns."""
LEAST_PER_LABEL = 10
SAFETY = 1.5
"""A fit takes more than proportionally longer on more rows."""


def within_budget(rows: Rows, clock: Clock, seed: int, report: Report) -> Rows:
    """The rows, or a stratified part of them that the budget can carry.

    Args:
        rows: All training rows; the eval is never touched.
        clock: Knows what is left.
        seed: Decides which rows stay.
        report: Told if rows are left out.
    """
    number = len(rows.texts)
    if clock.budget is None or number <= PROBE or rows.recipe.of_pictures:
        return rows
    picked = stratified(rows.classes, PROBE, seed)
    texts = [rows.texts[row] for row in picked.tolist()]
    start = time.perf_counter()
    words = HashedWords(texts, len(rows.labels))
    fit_whole(fit_hinge, words.rows, rows.classes[picked], len(rows.labels), seed)
    one = (time.perf_counter() - start) / picked.size
    expected = one * number * (fold_number(number) + 1) * SAFETY
    allowed = max(clock.left, 0.0) * SHARE
    if expected <= allowed:
        return rows
    kept = stratified(rows.classes, max(PROBE, int(number * allowed / expected)), seed)
    sentence = (
        f"Trained on {kept.size:,} of {number:,} rows: a budget of {clock.budget:.0f} s does not "
        "carry them all."
    )
    report(Progress("data", sentence))
    keep = kept.tolist()
    return replace(
        rows,
        texts=tuple(rows.texts[row] for row in keep),
        classes=rows.classes[kept],
        clusters=rows.clusters[kept],
        notes=(*rows.notes, sentence),
    )


def stratified(classes: NDArray[np.int64], number: int, seed: int) -> NDArray[np.int64]:
    """About ``number`` rows with each label in proportion, at least ten of it if there are ten."""
    chance = np.random.default_rng(seed)
    kept = []
    for label in np.unique(classes).tolist():
        there = np.flatnonzero(classes == label)
        share = max(LEAST_PER_LABEL, round(number * there.size / classes.size))
        kept.append(chance.permutation(there)[:share])
    return np.sort(np.concatenate(kept))
