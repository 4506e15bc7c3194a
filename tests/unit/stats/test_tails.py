"""Tails and quantiles against tables in any book, and each other."""

from __future__ import annotations

import math

import pytest

from metier.stats.tails import (
    binomial_tail,
    normal_quantile,
    normal_tail,
    root,
    student_quantile,
)


def test_the_normal_distribution() -> None:
    assert normal_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)
    assert normal_tail(1.644854) == pytest.approx(0.95, abs=1e-6)
    assert normal_tail(normal_quantile(0.123)) == pytest.approx(0.123)


def test_the_t_distribution() -> None:
    assert student_quantile(1.0, 0.975) == pytest.approx(12.7062, abs=1e-4)
    assert student_quantile(10.0, 0.975) == pytest.approx(2.228139, abs=1e-6)


def test_the_binomial_distribution() -> None:
    assert binomial_tail(1, 10, 0.5) == pytest.approx(11 / 1024)
    assert binomial_tail(10, 10, 0.5) == 1.0


def test_a_root_is_found() -> None:
    found = root(lambda at: at**2 - 2.0, 0.0, 2.0, within=1e-12)
    assert found == pytest.approx(math.sqrt(2.0), abs=1e-11)
