"""Thresholds: when to abstain, and what is out of scope."""

from __future__ import annotations

import numpy as np
import pytest

from metier.heads import energy
from metier.making.deciding import (
    FALSE_ALARMS_WITHOUT_EXAMPLES,
    LEAST_OUTSIDE,
    Thresholds,
    decide,
)

RANDOM = np.random.default_rng(3)


def logits(number: int, height: float) -> np.ndarray:
    return RANDOM.normal(size=(number, 4)).astype(np.float32) + np.float32(height)


CLASSES = RANDOM.integers(0, 4, size=1000).astype(np.int64)
INSIDE = logits(1000, 5.0)
INSIDE[np.arange(1000), CLASSES] += np.float32(1.5)


def decided(outside: np.ndarray | None, *, false_alarms: float = 0.05) -> Thresholds:
    return decide(INSIDE, CLASSES, outside, target_accuracy=0.9, false_alarms=false_alarms)


@pytest.mark.parametrize("outside", [None, logits(0, 0.0)])
def test_without_examples_one_row_in_a_hundred_is_called_out_of_scope(outside) -> None:
    found = decided(outside, false_alarms=0.3)
    assert found.false_alarms == FALSE_ALARMS_WITHOUT_EXAMPLES == 0.01
    assert (energy(INSIDE) < found.energy_below).mean() == pytest.approx(0.01, abs=0.001)


def test_a_few_examples_only_give_leave_to_the_recipe() -> None:
    found = decided(logits(LEAST_OUTSIDE - 1, 0.0), false_alarms=0.2)
    assert found.false_alarms == 0.2
    assert (energy(INSIDE) < found.energy_below).mean() == pytest.approx(0.2, abs=0.001)


def test_enough_examples_decide_by_themselves() -> None:
    outside = logits(400, 3.0)
    found = decided(outside)
    inside_energy, outside_energy = energy(INSIDE), energy(outside)
    cuts = np.concatenate([inside_energy, outside_energy])
    best = max((outside_energy < cut).mean() - (inside_energy < cut).mean() for cut in cuts)
    reached = (outside_energy < found.energy_below).mean() - found.false_alarms
    assert reached == pytest.approx(best)
    assert found.false_alarms == pytest.approx((inside_energy < found.energy_below).mean())


def test_texts_that_are_told_apart_whole_cost_no_false_alarm() -> None:
    found = decided(logits(100, -50.0))
    assert found.false_alarms == 0.0
    assert found.energy_below == pytest.approx(float(energy(INSIDE).min()))


def test_texts_that_look_more_in_scope_than_the_rows_are_let_through() -> None:
    found = decided(logits(100, 60.0))
    assert found.false_alarms == 0.0


def test_abstaining_buys_the_accuracy_that_was_asked_for() -> None:
    found = decided(None).abstention
    shares = np.exp(INSIDE - energy(INSIDE)[:, None]).max(axis=1)
    given = shares >= found.threshold
    right = INSIDE.argmax(axis=1) == CLASSES
    assert right.mean() < 0.9 <= found.accuracy
    assert right[given].mean() == pytest.approx(found.accuracy)
    assert given.mean() == pytest.approx(found.coverage)
    assert found.n == 1000


def test_one_row_is_enough_to_decide_something() -> None:
    found = decide(INSIDE[:1], CLASSES[:1], None, target_accuracy=0.99, false_alarms=0.05)
    assert found.abstention.coverage == 1.0
    assert np.isfinite(found.energy_below)
