"""Has it become worse: agreement of state and path, what it costs, and how seldom it errs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.stats import Tally, Turning
from metier.stats.sequential import SHOWN, e_values
from metier.stats.turning import turned_at, turning_path

differences = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.3, 1.0]), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(differences, st.sampled_from([0.0, -0.01]))
def test_the_state_and_the_path_say_the_same(values: list[float], mean: float) -> None:
    path = turning_path(values, mean)
    state = Turning(mean)
    for number, value in enumerate(values):
        state = state.after([value])
        assert state.e_value == pytest.approx(path[number])
    assert state.pairs == len(values)


@settings(max_examples=40, deadline=None)
@given(differences)
def test_within_a_look_order_does_not_matter(values: list[float]) -> None:
    first, second = Turning().after(values), Turning().after(sorted(values))
    assert first.e_value == pytest.approx(second.e_value)


def test_it_is_an_e_value_to_the_last_digit() -> None:
    """Over all outcomes of 8 equal pairs its mean is exactly what it starts with."""
    total = 0.0
    for bits in range(256):
        signs = [1.0 if bits >> place & 1 else -1.0 for place in range(8)]
        total += float(turning_path(signs)[-1])
    assert total / 256 == pytest.approx(0.5, rel=1e-12)


def test_nothing_is_known_before_the_first_pair() -> None:
    assert Turning().e_value == 0.5
    assert Turning().after([]) == Turning()
    assert turning_path([0.0, 0.0]).tolist() == [0.5, 0.5]


def test_a_change_is_seen_that_the_whole_hides() -> None:
    rng = np.random.default_rng(2)
    good = rng.choice([1.0, 0.0, -1.0], 2_000, p=[0.25, 0.6, 0.15])
    bad = rng.choice([1.0, 0.0, -1.0], 600, p=[0.1, 0.6, 0.3])
    both = np.append(good, bad)
    assert e_values(both)[1][-1] < 0.5
    seen = (turning_path(both) >= SHOWN).nonzero()[0]
    assert 2_000 < seen[0] < 2_400


def test_without_it_a_change_after_3000_good_pairs_takes_6700() -> None:
    """+5 points, then -5, at exactly their rates with 30 % discordant."""
    shown = []
    for bad in (6_600, 6_700):
        wins, losses = round(525 + 0.125 * bad), round(375 + 0.175 * bad)
        pairs = {1.0: wins, -1.0: losses, 0.0: 3_000 + bad - wins - losses}
        shown.append(Tally(pairs).read().against_it >= SHOWN)
    assert shown == [False, True]


def test_the_look_of_the_change_is_named() -> None:
    looks = [[1.0] * 20, [1.0, 0.0] * 10, [-1.0] * 10, [-1.0, 0.0] * 5]
    assert turned_at(looks) == 2


def test_a_million_pairs_stay_finite() -> None:
    state = Turning().after(np.full(500_000, 1.0)).after(np.full(500_000, -1.0))
    assert np.isfinite(state.e_value)
    assert state.e_value > SHOWN
    assert 0.0 < Turning().after(np.full(1_000_000, 1.0)).e_value < 0.001


def test_equal_systems_turn_rarely_however_often_one_looks() -> None:
    rng = np.random.default_rng(20_261_123)
    hits = 0
    for _ in range(400):
        pairs = rng.choice([1.0, 0.0, -1.0], 1_500, p=[0.15, 0.7, 0.15])
        hits += bool((turning_path(pairs) >= SHOWN).any())
    assert hits <= 0.025 * 400 + 6
