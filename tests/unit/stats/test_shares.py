"""Intervals of one score: textbook values, clusters, and the edges 0 and 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from metier.stats import macro_f1, share_interval, wilson


@given(st.integers(1, 5_000), st.floats(0, 1), st.sampled_from([0.6, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(n: int, share: float, level: float) -> None:
    count = round(n * share)
    expected = binomtest(count, n).proportion_ci(level, method="wilson")
    found = wilson(count, n, level=level)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0.0 <= found.low <= count / n <= found.high <= 1.0


def test_wilson_is_the_textbook() -> None:
    # Newcombe 1998, table I: 81 of 263.
    found = wilson(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20).low == 0.0
    assert wilson(20, 20).high == 1.0
    assert wilson(3_080 * 0.93, 3_080).low == pytest.approx(0.9205, abs=1e-3)


@pytest.mark.parametrize(("count", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(count, n)


def test_independent_items_give_wilson() -> None:
    outcomes = [1.0] * 45 + [0.0] * 5
    assert share_interval(outcomes) == wilson(45, 50)
    assert share_interval(outcomes, [f"item {i}" for i in range(50)]) == wilson(45, 50)


def test_right_answers_to_one_passage_are_one() -> None:
    found = share_interval([1.0] * 300, [f"p{i % 10}" for i in range(300)])
    assert found.low < 0.75
    assert found.high == 1.0


def test_copies_widen_the_interval_as_if_they_were_not_there() -> None:
    outcomes = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0] * 4)
    single = share_interval(outcomes)
    copied = share_interval(np.repeat(outcomes, 20), np.repeat(np.arange(40), 20))
    assert copied.high - copied.low >= single.high - single.low
    assert copied.low == pytest.approx(single.low, abs=0.02)


def test_one_cluster_shows_nothing() -> None:
    found = share_interval([1.0, 0.0, 1.0], ["a", "a", "a"])
    assert (found.low, found.high) == (0.0, 1.0)


def test_two_clusters_show_little() -> None:
    found = share_interval([1.0] * 30, [0] * 10 + [1] * 20)
    assert found.low < 0.2
    assert found.high == 1.0


def test_graded_outcomes_are_narrower_than_two_valued() -> None:
    graded = share_interval(np.linspace(0.4, 0.6, 200))
    assert graded.high - graded.low < 0.03
    with pytest.raises(ValueError, match="between 0 and 1"):
        share_interval([1.5])


def test_clustered_interval_covers() -> None:
    generator = np.random.default_rng(6)
    missed = 0
    for _ in range(600):
        clusters = np.repeat(np.arange(30), generator.integers(1, 15, 30))
        chances = generator.beta(0.8, 0.2, 30)[clusters]
        found = share_interval((generator.random(clusters.size) < chances).astype(float), clusters)
        missed += not found.low <= 0.8 <= found.high
    assert missed / 600 <= 0.08


def test_macro_f1_is_scikit_learns_over_the_labels_of_the_truth() -> None:
    generator = np.random.default_rng(7)
    truth = generator.integers(0, 6, 400)
    said = np.where(generator.random(400) < 0.7, truth, generator.integers(0, 6, 400))
    found = macro_f1(truth, said, resamples=200)
    assert found.value == pytest.approx(f1_score(truth, said, average="macro"))
    assert found.interval.low < found.value < found.interval.high
    assert found.resamples == 200
    assert macro_f1(truth, said, resamples=200) == found
    assert macro_f1(truth, said, resamples=200, seed=1) != found


def test_macro_f1_counts_abstentions_as_no_label() -> None:
    found = macro_f1([0, 0, 1, 1], [0, -1, 1, 1], resamples=50)
    assert found.value == pytest.approx((2 / 3 + 1.0) / 2)


def test_macro_f1_without_spread_has_an_honest_interval() -> None:
    found = macro_f1([0, 1] * 20, [0, 1] * 20)
    assert (found.value, found.resamples) == (1.0, 0)
    assert 0.8 < found.interval.low < 1.0
    wrong = macro_f1([0, 1] * 20, [1, 0] * 20)
    assert wrong.value == 0.0
    assert wrong.interval.high > 0.0


def test_macro_f1_interval_widens_with_clusters() -> None:
    generator = np.random.default_rng(9)
    clusters = np.repeat(np.arange(25), 20)
    truth = generator.integers(0, 4, 500)
    right = (generator.random(25) < 0.7)[clusters]
    said = np.where(right, truth, (truth + 1) % 4)
    single = macro_f1(truth, said, resamples=300).interval
    clustered = macro_f1(truth, said, clusters, resamples=300).interval
    assert clustered.high - clustered.low > 2.5 * (single.high - single.low)


def test_macro_f1_refuses_bad_codes() -> None:
    with pytest.raises(ValueError, match="same length"):
        macro_f1([0, 1], [0])
    with pytest.raises(ValueError, match="missing"):
        macro_f1([0, -1], [0, 0])
