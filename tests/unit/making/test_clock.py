"""Time: what is left of a budget, and how a person's stop is said."""

from __future__ import annotations

import time

import pytest

from metier.errors import InputError
from metier.making.clock import Clock, never


def test_without_a_budget_time_never_runs_out() -> None:
    assert Clock().left == float("inf")
    assert not never()


def test_a_budget_runs_down_past_zero() -> None:
    clock = Clock(0.01)
    first = clock.left
    time.sleep(0.02)
    assert clock.left < 0 < first <= 0.01
    assert clock.left == pytest.approx(0.01 - clock.seconds, abs=0.005)


def test_waiting_costs_wall_time_and_no_processor_time() -> None:
    clock = Clock()
    time.sleep(0.05)
    assert clock.seconds >= 0.05
    assert clock.cpu_seconds < clock.seconds


def test_a_stop_is_an_error_only_once_it_was_asked_for() -> None:
    asked = False
    clock = Clock(cancelled=lambda: asked)
    clock.check()
    asked = True
    with pytest.raises(InputError) as caught:
        clock.check()
    assert caught.value.code == "cancelled"


def test_a_spent_budget_is_no_stop() -> None:
    Clock(1e-9).check()
