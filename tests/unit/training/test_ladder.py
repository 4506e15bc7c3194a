"""The stop rule: the cheapest rung that is good enough, or the best and why."""

from __future__ import annotations

import numpy as np
import pytest

from metier.training.ladder import Candidate, choose, loss_bound, mixture


def candidate(
    name: str, right: int, number: int, *, ms: float, size: int = 1000, seed: int | None = None
) -> Candidate:
    """A rung that gets ``right`` of ``number`` rows of class 0 right, the first or random ones."""
    good = np.zeros(number, bool)
    good[:right] = True
    if seed is not None:
        good = np.random.default_rng(seed).permutation(good)
    logits = np.stack([good.astype(np.float32), 1.0 - good.astype(np.float32)], axis=1)
    return Candidate(name, (name,), logits, (1.0,), ms, size)


def pick(candidates, number: int, margin: float = 0.01):
    return choose(candidates, np.zeros(number, np.int64), np.arange(number), margin=margin)


def test_the_cheapest_that_is_as_good_is_taken() -> None:
    rungs = [candidate("cheap", 4750, 5000, ms=0.2), candidate("dear", 4760, 5000, ms=5)]
    choice = pick(rungs, 5000)
    assert choice.name == "cheap"
    assert choice.decided
    assert "0.2 points behind dear" in choice.why


def test_a_rung_that_is_clearly_worse_is_not_taken() -> None:
    rungs = [candidate("cheap", 4500, 5000, ms=0.2), candidate("dear", 4760, 5000, ms=5)]
    choice = pick(rungs, 5000)
    assert (choice.name, choice.decided) == ("dear", True)
    assert "5.2 points behind" in choice.reasons["cheap"]


def test_few_rows_that_cannot_decide_take_the_best_point_estimate_and_say_so() -> None:
    rungs = [
        candidate("cheap", 40, 50, ms=0.2, seed=1),
        candidate("dear", 40, 50, ms=5, seed=2),
        candidate("dearest", 41, 50, ms=9, seed=3),
    ]
    choice = pick(rungs, 50, margin=0.03)
    assert choice.name == "dearest"
    assert not choice.decided
    assert choice.why.startswith("UNDERPOWERED")


def test_rungs_of_one_cost_are_one_step_and_the_better_is_taken() -> None:
    rungs = [
        candidate("encoder", 4700, 5000, ms=3.0, size=90_000_000),
        candidate("ensemble", 4735, 5000, ms=3.3, size=90_600_000),
    ]
    assert pick(rungs, 5000).name == "ensemble"
    dearer = [rungs[0], candidate("ensemble", 4735, 5000, ms=9.0, size=90_600_000)]
    assert pick(dearer, 5000).name == "encoder"


def test_order_of_the_candidates_does_not_matter() -> None:
    rungs = [
        candidate("a", 4700, 5000, ms=0.1),
        candidate("b", 4745, 5000, ms=1),
        candidate("c", 4750, 5000, ms=4),
    ]
    assert pick(rungs, 5000) == pick(rungs[::-1], 5000)


def test_clustered_losses_have_a_wider_bound() -> None:
    chance = np.random.default_rng(0)
    per_cluster = chance.normal(size=40)
    loss = np.repeat(per_cluster, 10)
    _, alone = loss_bound(loss, np.arange(400))
    _, together = loss_bound(loss, np.repeat(np.arange(40), 10))
    assert together - loss.mean() > 2 * (alone - loss.mean())


def test_one_cluster_says_nothing() -> None:
    assert loss_bound(np.zeros(10), np.zeros(10, np.int64))[1] == np.inf


def test_the_bound_covers_the_truth_four_times_of_five() -> None:
    chance = np.random.default_rng(0)
    covered = [
        loss_bound(chance.normal(0.02, 1, 200), np.arange(200))[1] >= 0.02 for _ in range(1000)
    ]
    assert np.mean(covered) == pytest.approx(0.8, abs=0.04)


def test_a_mixture_names_its_members_and_is_calibrated() -> None:
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 3, 500)
    logits = np.eye(3, dtype=np.float32)[truth] + chance.normal(size=(500, 3)).astype(np.float32)
    mixed = mixture(
        "ensemble", [("a", logits), ("b", logits * 5)], truth, nominal_ms=1.0, total_bytes=10
    )
    assert mixed.members == ("a", "b")
    assert mixed.logits.shape == (500, 3)
    assert mixed.correct(truth).mean() > 0.5
