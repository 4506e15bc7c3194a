"""The comparison that may be looked at for ever: agreement, order, edges, and its error rates."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metier.card import Verdict
from metier.stats import Anytime, Tally, anytime
from metier.stats.sequential import MOST, SHOWN, e_values, least, reduced

Floats = NDArray[np.float64]

tenths = st.integers(0, 10).map(lambda number: number / 10)
tables = st.lists(st.tuples(tenths, tenths, st.sampled_from("abcdefghijklmnop")), max_size=120)


def outcomes(wins: int, losses: int, n: int) -> tuple[Floats, Floats]:
    """Two rows that differ on the first ``wins + losses`` of ``n`` items."""
    first, second = np.ones(n), np.ones(n)
    second[:wins] = 0.0
    first[wins : wins + losses] = 0.0
    return first, second


def read(table: list[tuple[float, float, str]], **options: Any) -> Anytime:
    """``anytime`` of a table's rows."""
    own, other, clusters = zip(*table, strict=True) if table else ((), (), ())
    return anytime(own, other, clusters, **options)


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from([0.01, 0.05, 0.2]))
def test_the_interval_and_the_e_values_never_disagree(
    table: list[tuple[float, float, str]], margin: float
) -> None:
    found = read(table, margin=margin)
    assert (found.low > 0.0) == (found.for_it >= SHOWN) == (found.verdict is Verdict.WIN)
    assert (found.high < 0.0) == (found.against_it >= SHOWN) == (found.verdict is Verdict.LOSS)
    assert (found.low > -margin) == (found.not_worse >= SHOWN)
    assert -1.0 <= found.low <= found.difference <= found.high <= 1.0
    assert found.not_worse >= found.for_it or found.not_worse == pytest.approx(found.for_it)


@settings(max_examples=100, deadline=None)
@given(tables)
def test_swapping_the_two_mirrors_everything(table: list[tuple[float, float, str]]) -> None:
    found = read(table)
    mirrored = read([(other, own, cluster) for own, other, cluster in table])
    assert mirrored.low == pytest.approx(-found.high, abs=1e-9)
    assert mirrored.for_it == pytest.approx(found.against_it)
    assert (mirrored.wins, mirrored.losses) == (found.losses, found.wins)


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    table: list[tuple[float, float, str]], random: Any
) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    found, again = read(table), read(shuffled)
    assert again.for_it == pytest.approx(found.for_it, rel=1e-9)
    assert again.low == pytest.approx(found.low, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(tenths, tenths), max_size=80), st.integers(0, 80))
def test_a_kept_state_goes_on_as_if_never_put_down(
    table: list[tuple[float, float]], cut: int
) -> None:
    names = [str(number) for number in range(len(table))]
    own, other = [row[0] for row in table], [row[1] for row in table]
    at_once = Tally().after(own, other, names)
    halves = Tally().after(own[:cut], other[:cut], names[:cut])
    halves = halves.after(own[cut:], other[cut:], names[cut:])
    assert halves == at_once
    assert halves.read() == at_once.read()


def test_items_that_come_late_to_a_counted_cluster_are_set_aside() -> None:
    first = Tally().after([1.0, 0.0], [0.0, 0.0], ["a", "a"])
    second = first.after([0.0, 1.0, 1.0], [1.0, 0.0, 0.0], ["a", "b", "a"])
    assert first.counts == {0.5: 1}
    assert second.counts == {0.5: 1, 1.0: 1}
    assert second.late == 2
    assert second.read().pairs == 2


def test_a_cluster_counts_once_with_its_mean() -> None:
    differences = np.array([1.0, 1.0, -1.0, 0.5])
    assert reduced(differences, ["a", "a", "a", "b"]).tolist() == pytest.approx([1 / 3, 0.5])
    found = anytime([1, 1, 0, 1], [0, 0, 1, 0.5], ["a", "a", "a", "b"])
    assert (found.pairs, found.wins, found.losses) == (2, 2, 0)


def test_right_or_wrong_pairs_are_a_mixture_on_the_discordant_ones() -> None:
    some = anytime(*outcomes(40, 10, 50))
    more = anytime(*outcomes(40, 10, 5_000))
    assert more.for_it == pytest.approx(some.for_it)
    assert more.against_it == pytest.approx(some.against_it)


def test_the_capital_is_an_e_value_to_the_last_digit() -> None:
    """Over all outcomes of 8 equal pairs the capital's mean is exactly what it starts with."""
    total = 0.0
    for bits in range(256):
        signs = np.array([1.0 if bits >> place & 1 else -1.0 for place in range(8)])
        total += e_values(signs)[0][-1]
    assert total / 256 == pytest.approx(0.5, rel=1e-12)


def test_it_cannot_gain_where_the_mean_is_what_is_doubted() -> None:
    """A law on -1, .2 and 1 with the mean -.2: against "at most -.2" the factor's mean is 1."""
    chances = {-1.0: Fraction(1, 2), 0.2: Fraction(1, 4), 1.0: Fraction(1, 4)}
    mean = float(sum(Fraction(value) * chance for value, chance in chances.items()))
    expected = sum(
        float(chance) * e_values(np.array([value]), mean)[0][0] for value, chance in chances.items()
    )
    assert expected == pytest.approx(0.5)


def test_every_look_is_what_the_path_says() -> None:
    rng = np.random.default_rng(5)
    own, other = rng.random(60), rng.random(60)
    up, down = e_values(own - other)
    tally = Tally()
    for number in range(60):
        tally = tally.after([own[number]], [other[number]], [str(number)])
        found = tally.read()
        assert found.for_it == pytest.approx(up[number])
        assert found.against_it == pytest.approx(down[number])


def test_nothing_is_known_before_the_first_pair() -> None:
    found = anytime([], [])
    assert (found.low, found.high, found.pairs) == (-1.0, 1.0, 0)
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.needed == least() == 11


@pytest.mark.parametrize("pairs", [10, 11])
def test_the_least_that_shows_anything(pairs: int) -> None:
    found = anytime(*outcomes(pairs, 0, pairs))
    assert (found.verdict is Verdict.WIN) == (pairs == 11)


def test_equal_answers_become_a_tie() -> None:
    assert anytime(*outcomes(0, 0, 700)).verdict is Verdict.UNDERPOWERED
    assert anytime(*outcomes(0, 0, 700)).needed == 723
    assert anytime(*outcomes(0, 0, 723)).verdict is Verdict.TIE


def test_what_it_needs_is_what_decides_when_it_has_come() -> None:
    found = anytime(*outcomes(60, 40, 400))
    assert found.verdict is Verdict.UNDERPOWERED
    assert found.needed is not None
    times = -(-found.needed // 400)
    assert anytime(*outcomes(60 * times, 40 * times, 400 * times)).verdict is Verdict.WIN
    times = found.needed // 400
    less = anytime(*outcomes(60 * times, 40 * times, 400 * times))
    assert less.verdict in (Verdict.UNDERPOWERED, Verdict.NOT_WORSE)
    assert less.needed == pytest.approx(found.needed, abs=1)


def test_a_million_pairs_neither_overflow_nor_lose_the_interval() -> None:
    rng = np.random.default_rng(11)
    own = rng.random(1_000_000)
    other = np.clip(own + rng.normal(0.002, 0.1, own.size), 0.0, 1.0)
    found = anytime(own, other)
    assert found.verdict is Verdict.LOSS
    assert found.low < found.difference < found.high < 0.0
    assert found.high - found.low < 0.002
    assert anytime(*outcomes(600_000, 400_000, 1_000_000)).for_it == pytest.approx(MOST)


def test_too_many_distinct_differences_are_rounded_against_each_side() -> None:
    rng = np.random.default_rng(3)
    own, other = rng.random(6_000), rng.random(6_000)
    found = anytime(own, other)
    up, down = e_values(own - other)
    assert found.for_it <= up[-1]
    assert found.against_it <= down[-1]
    assert found.for_it == pytest.approx(up[-1], rel=0.1)


@pytest.mark.parametrize(
    ("own", "other", "clusters"),
    [
        ([1.0], [0.0, 1.0], None),
        ([1.5], [0.0], None),
        ([1.0], [float("nan")], None),
        ([1.0], [0.0], ["a", "b"]),
    ],
)
def test_what_is_no_pair_is_refused(own: Any, other: Any, clusters: Any) -> None:
    with pytest.raises(ValueError, match=r"outcomes|length|clusters"):
        anytime(own, other, clusters)
    with pytest.raises(ValueError, match="margin"):
        anytime([1.0], [0.0], margin=0.0)


def ever(differences: Floats, mean: float = 0.0) -> tuple[bool, bool]:
    """Whether either e-value is ever 20, looking after each difference."""
    up, down = e_values(differences, mean)
    return bool((up >= SHOWN).any()), bool((down >= SHOWN).any())


@pytest.mark.parametrize("law", ["right or wrong", "graded", "rare", "skewed"])
def test_equal_systems_are_told_apart_rarely_however_often_one_looks(law: str) -> None:
    """400 worlds of 1,500 pairs, a look after each: at most 2.5 % a side, chance allowed for."""
    rng = np.random.default_rng(20_261_123)
    hits = np.zeros(2)
    for _ in range(400):
        if law == "graded":
            differences = np.clip(rng.normal(0.0, 0.2, 1_500), -1.0, 1.0)
        elif law == "skewed":  # seldom a lot lost, often a little won; the mean is 0
            differences = np.where(rng.random(1_500) < 0.1, -0.9, 0.1)
        else:
            share = 0.3 if law == "right or wrong" else 0.02
            differences = rng.choice([1.0, 0.0, -1.0], 1_500, p=[share / 2, 1 - share, share / 2])
        hits += ever(differences)
    assert (hits <= 0.025 * 400 + 6).all()


def test_the_sequence_covers_the_true_mean_at_every_look() -> None:
    rng = np.random.default_rng(8)
    missed = 0
    for _ in range(300):
        differences = rng.choice([1.0, 0.0, -1.0], 1_000, p=[0.2, 0.7, 0.1])
        missed += any(ever(differences, 0.1))
    assert missed <= 0.05 * 300 + 6


def test_a_true_difference_is_found() -> None:
    rng = np.random.default_rng(9)
    found = 0
    for _ in range(100):
        found += ever(rng.choice([1.0, 0.0, -1.0], 2_000, p=[0.175, 0.7, 0.125]))[0]
    assert found >= 80
