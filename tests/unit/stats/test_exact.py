"""The exact tests: equal to enumeration, and never passed by fewer than six events."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from metier.stats.exact import mcnemar_p, sign_flip_p


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(6, 0, 0.03125), (5, 0, 0.0625), (4, 0, 0.125), (3, 0, 0.25), (0, 6, 0.03125), (7, 7, 1.0)],
)
def test_mcnemar_of_few_items(wins: int, losses: int, p: float) -> None:
    assert mcnemar_p(wins, losses) == pytest.approx(p)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_binomial_test(wins: int, losses: int) -> None:
    expected = binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
    assert mcnemar_p(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_without_discordance_says_nothing() -> None:
    assert mcnemar_p(0, 0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        mcnemar_p(-1, 2)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-6, 6), max_size=9))
def test_sign_flips_equal_enumeration(sums: list[int]) -> None:
    total = abs(sum(sums))
    flips = np.array(
        [np.dot(sums, signs) for signs in itertools.product((1, -1), repeat=len(sums))] or [0]
    )
    expected = min(1.0, 2.0 * float((flips >= total).mean()))
    assert sign_flip_p(np.array(sums, dtype=float)) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=1, max_size=9))
def test_graded_sums_nearly_equal_enumeration(sums: list[float]) -> None:
    # Rounding to the lattice may break ties either way: p lies between strict and weak tails.
    values = np.array(sums)
    slack = 1e-3 * np.abs(values).sum() + 1e-12
    flips = np.array(
        [np.dot(values, signs) for signs in itertools.product((1, -1), repeat=len(sums))]
    )
    total = abs(values.sum())
    least = min(1.0, 2.0 * float((flips > total + slack).mean()))
    most = min(1.0, 2.0 * float((flips >= total - slack).mean()))
    assert least - 1e-12 <= sign_flip_p(values) <= most + 1e-12


def test_unit_sums_are_mcnemar() -> None:
    sums = np.array([1.0] * 13 + [-1.0] * 4 + [0.0] * 50)
    assert sign_flip_p(sums) == mcnemar_p(13, 4)
    assert sign_flip_p(sums * 0.37) == mcnemar_p(13, 4)


def test_the_sign_of_all_sums_does_not_matter() -> None:
    sums = np.random.default_rng(5).integers(-9, 10, 40).astype(float)
    assert sign_flip_p(sums) == pytest.approx(sign_flip_p(-sums))


def test_five_clusters_never_pass_and_six_can() -> None:
    assert sign_flip_p([30.0, 29.0, 17.0, 8.0, 2.0]) == pytest.approx(2 / 2**5)
    assert sign_flip_p([30.0, 29.0, 17.0, 8.0, 2.0, 1.0]) == pytest.approx(2 / 2**6)


def test_many_graded_sums_use_the_normal_law_and_agree_with_it() -> None:
    generator = np.random.default_rng(2)
    few = generator.normal(0.03, 1.0, 1_100)
    total = abs(few.sum()) / np.sqrt(np.square(few).sum())
    assert sign_flip_p(few) == pytest.approx(2 * norm.sf(total), abs=0.03)
    many = generator.normal(0.03, 1.0, 20_000)
    total = abs(many.sum()) / np.sqrt(np.square(many).sum())
    assert sign_flip_p(many) == pytest.approx(2 * norm.sf(total))


def test_the_test_keeps_its_level_on_graded_clusters() -> None:
    generator = np.random.default_rng(4)
    found = [
        sign_flip_p(generator.normal(size=10) * generator.uniform(1, 30, 10)) < 0.05
        for _ in range(3_000)
    ]
    # 50 of 1,024 sign patterns: .0488; three standard errors either way.
    assert 0.037 <= np.mean(found) <= 0.0606
