"""The paired difference: verdicts, their order, and the edges where other methods break."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metier.card import Verdict
from metier.stats import paired_difference, paired_interval, upper_bound
from metier.stats.paired import verdict_of

Floats = NDArray[np.float64]


def outcomes(wins: int, losses: int, n: int) -> tuple[Floats, Floats]:
    """Two rows that differ on the first ``wins + losses`` of ``n`` items."""
    first, second = np.ones(n), np.ones(n)
    second[:wins] = 0.0
    first[wins : wins + losses] = 0.0
    return first, second


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.2, Verdict.WIN),
        (0.001, 0.002, Verdict.WIN),
        (-0.2, -0.001, Verdict.LOSS),
        (-0.009, 0.009, Verdict.TIE),
        (-0.009, 0.02, Verdict.NOT_WORSE),
        (0.0, 0.02, Verdict.NOT_WORSE),
        (-0.02, 0.009, Verdict.UNDERPOWERED),
        (-0.02, 0.02, Verdict.UNDERPOWERED),
        (-0.01, 0.005, Verdict.UNDERPOWERED),
        (-0.02, 0.0, Verdict.UNDERPOWERED),
    ],
)
def test_verdicts_come_in_the_order_of_the_design(
    low: float, high: float, verdict: Verdict
) -> None:
    assert verdict_of(low, high, 0.01) is verdict


def test_a_clear_win() -> None:
    found = paired_difference(*outcomes(60, 20, 1_000))
    assert found.verdict is Verdict.WIN
    assert not found.small
    assert found.difference == pytest.approx(0.04)
    assert found.interval.low == pytest.approx(0.0228, abs=2e-3)
    assert found.interval.high == pytest.approx(0.0577, abs=2e-3)
    assert (found.n, found.clusters, found.discordant) == (1_000, 1_000, 80)
    assert found.needed_n is None


def test_a_win_smaller_than_the_margin_is_small() -> None:
    found = paired_difference(*outcomes(17, 3, 3_080))
    assert found.verdict is Verdict.WIN
    assert found.small


def test_swapping_the_systems_mirrors_everything() -> None:
    first, second = outcomes(60, 20, 1_000)
    win, loss = paired_difference(first, second), paired_difference(second, first)
    assert loss.verdict is Verdict.LOSS
    assert loss.difference == pytest.approx(-win.difference)
    assert loss.interval.low == pytest.approx(-win.interval.high, abs=1e-8)
    assert loss.interval.high == pytest.approx(-win.interval.low, abs=1e-8)
    assert loss.p_value == win.p_value
    assert not loss.small


@pytest.mark.parametrize("n", [6, 20, 100, 1_000, 5_000])
@pytest.mark.parametrize("wins", range(6))
def test_fewer_than_six_discordant_items_never_win(n: int, wins: int) -> None:
    assert paired_difference(*outcomes(wins, 0, n)).verdict not in (Verdict.WIN, Verdict.LOSS)
    assert paired_difference(*outcomes(0, wins, n)).verdict not in (Verdict.WIN, Verdict.LOSS)


def test_six_all_one_way_win() -> None:
    for n in (6, 20, 100, 5_000):
        assert paired_difference(*outcomes(6, 0, n)).verdict is Verdict.WIN


def test_five_of_twenty_are_underpowered_not_merely_not_worse() -> None:
    found = paired_difference(*outcomes(5, 0, 20))
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.interval.low < -0.01
    assert found.p_value == pytest.approx(0.0625)


@pytest.mark.parametrize(
    ("n", "verdict"),
    [(2, Verdict.UNDERPOWERED), (50, Verdict.UNDERPOWERED), (380, Verdict.UNDERPOWERED),
     (381, Verdict.TIE), (5_000, Verdict.TIE)],
)  # fmt: skip
def test_equal_answers_tie_only_with_enough_items(n: int, verdict: Verdict) -> None:
    found = paired_difference(*outcomes(0, 0, n))
    assert found.verdict is verdict
    assert found.interval.high == pytest.approx(min(1.0, 3.8415 / (n + 3.8415)), abs=1e-3)
    assert found.needed_n == (381 if verdict is Verdict.UNDERPOWERED else None)
    assert found.p_value == 1.0


def test_equal_answers_in_few_clusters_show_nothing() -> None:
    first, second = outcomes(0, 0, 3_000)
    clusters = np.arange(3_000) % 10
    found = paired_difference(first, second, clusters)
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.interval.high > 0.2
    assert found.needed_n is not None
    assert found.needed_n > 3_000


def test_one_cluster_is_underpowered() -> None:
    found = paired_difference(*outcomes(100, 0, 200), ["a"] * 200)
    assert found.verdict is Verdict.UNDERPOWERED
    assert (found.interval.low, found.interval.high) == (-1.0, 1.0)


def test_copies_of_items_do_not_make_a_win() -> None:
    first, second = outcomes(5, 0, 40)
    once = paired_difference(first, second)
    clusters = np.repeat(np.arange(40), 25)
    copied = paired_difference(np.repeat(first, 25), np.repeat(second, 25), clusters)
    assert copied.p_value == once.p_value
    assert copied.verdict is once.verdict
    assert copied.interval.high - copied.interval.low >= once.interval.high - once.interval.low
    naive = paired_difference(np.repeat(first, 25), np.repeat(second, 25))
    assert naive.verdict is Verdict.WIN


def test_order_of_items_and_names_of_clusters_do_not_matter() -> None:
    generator = np.random.default_rng(11)
    first = generator.integers(0, 2, 200).astype(float)
    second = generator.integers(0, 2, 200).astype(float)
    clusters = generator.integers(0, 30, 200)
    order = generator.permutation(200)
    one = paired_difference(first, second, clusters)
    two = paired_difference(first[order], second[order], [f"c{100 - c}" for c in clusters[order]])
    assert two.interval.low == pytest.approx(one.interval.low)
    assert two.p_value == pytest.approx(one.p_value)


def test_graded_scores_are_compared() -> None:
    generator = np.random.default_rng(12)
    base = generator.uniform(0.2, 0.8, 300)
    better = np.clip(base + generator.normal(0.03, 0.05, 300), 0, 1)
    found = paired_difference(better, base)
    assert found.verdict is Verdict.WIN
    assert found.interval.high - found.interval.low < 0.02
    assert found.discordant == 300


def test_few_small_graded_differences_are_no_tie() -> None:
    first, second = np.full(60, 0.5), np.full(60, 0.5)
    first[:2] += 0.01
    found = paired_difference(first, second)
    assert found.verdict is Verdict.UNDERPOWERED


def test_upper_bound_is_one_sided() -> None:
    first, second = outcomes(20, 60, 1_000)
    eighty = upper_bound(1 - first, 1 - second)
    ninety = upper_bound(1 - first, 1 - second, level=0.9)
    assert 0.04 < eighty < ninety
    assert eighty == pytest.approx(0.04 + 0.8416 * np.sqrt((0.08 - 0.0016) / 1_000), abs=1e-3)
    with pytest.raises(ValueError, match="one-sided"):
        upper_bound(first, second, level=0.5)


def test_upper_bound_of_equal_losses_is_not_zero() -> None:
    first, second = outcomes(0, 0, 200)
    assert 0.0 < upper_bound(first, second) < 0.01


def test_needed_items_are_enough_when_the_data_go_on_as_they_began() -> None:
    first, second = outcomes(12, 8, 200)
    found = paired_difference(first, second)
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.needed_n is not None
    times = -(-found.needed_n // 200)
    more = paired_difference(np.tile(first, times), np.tile(second, times))
    assert more.verdict is Verdict.WIN


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="2 outcomes cannot be paired with 1"):
        paired_interval([1.0, 0.0], [1.0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired_interval([2.0], [1.0])
    with pytest.raises(ValueError, match="margin"):
        paired_difference([1.0], [1.0], margin=0.0)


cases = st.tuples(
    st.integers(0, 40), st.integers(0, 40), st.integers(0, 300), st.integers(1, 12), st.booleans()
)


@settings(max_examples=150, deadline=None)
@given(cases, st.integers(0, 10_000))
def test_laws(case: tuple[int, int, int, int, bool], seed: int) -> None:
    wins, losses, equal, size, graded = case
    n = wins + losses + equal
    assume(n > 0)
    generator = np.random.default_rng(seed)
    first, second = outcomes(wins, losses, n)
    if graded:
        first, second = first * generator.uniform(0, 1, n), second * generator.uniform(0, 1, n)
    clusters = generator.integers(0, max(1, n // size), n)
    found = paired_difference(first, second, clusters)
    low, high = found.interval.low, found.interval.high
    assert -1.0 <= low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= high <= 1.0
    assert low < high
    assert found.p_value is not None
    if found.clusters > 1:
        assert (found.p_value < 0.05) == (low > 0.0 or high < 0.0)
    assert found.verdict is verdict_of(low, high, found.margin)
    assert (found.needed_n is not None) == (found.verdict is Verdict.UNDERPOWERED)
    assert found.needed_n is None or found.needed_n > n
    # The end next to 0 is the exact test's; the other one moves away as the level rises.
    wider = paired_interval(first, second, clusters, level=0.99)
    assert found.difference < 0.0 or wider.high >= high - 1e-9
    assert found.difference > 0.0 or wider.low <= low + 1e-9
