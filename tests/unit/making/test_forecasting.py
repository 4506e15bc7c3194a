"""How long a make takes: an estimate that follows what it really took."""

from __future__ import annotations

import pytest

from metier.making.forecasting import Course, Speed, forecast, steps
from metier.messages import Progress

BANKING = Speed(rows=10_003, sealed=3_080, labels=77, characters=60, encoder=None)


def test_more_rows_labels_or_a_base_take_longer() -> None:
    seconds = forecast(BANKING)["seconds"]
    assert 4 < seconds < 40
    assert forecast(Speed(100, 20, 2, 40, None))["seconds"] < 4
    with_base = forecast(Speed(10_003, 3_080, 77, 60, 0.003))
    assert with_base["seconds"] > seconds + 30
    assert with_base["low"] < with_base["seconds"] < with_base["high"]
    assert forecast(BANKING, curve=False)["seconds"] < seconds


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_pace_of_this_machine() -> None:
    clock = Clock()
    heard: list[Progress] = []
    course = Course([("leaks", 2.0), ("linear", 10.0), ("eval", 10.0)], heard.append, clock=clock)
    course(Progress("leaks", "x"))
    assert heard[-1].seconds_left is None
    clock.now = 2.0
    course(Progress("rung", "Trying.", data={"name": "linear"}))
    assert heard[-1].seconds_left == pytest.approx(20.0)
    clock.now = 32.0  # it took three times as long
    course(Progress("eval", "x"))
    assert 20 < heard[-1].seconds_left < 30
    assert heard[-1].fraction == pytest.approx(32 / (32 + heard[-1].seconds_left))
    clock.now = 500.0
    course(Progress("eval", "still"))
    assert heard[-1].seconds_left > 0, "never nothing while something is left"


def test_a_step_that_tells_its_share_is_believed_and_a_budget_ends_it() -> None:
    clock = Clock()
    heard: list[Progress] = []
    course = Course([("encoder", 10.0), ("eval", 0.0)], heard.append, budget=50.0, clock=clock)
    course(Progress("encode", "x", fraction=0.0))
    assert heard[-1].seconds_left == pytest.approx(10.0)
    clock.now = 20.0
    course(Progress("encode", "x", fraction=0.5))
    assert heard[-1].seconds_left == pytest.approx(20.0)
    clock.now = 45.0
    course(Progress("encode", "x", fraction=0.5))
    assert heard[-1].seconds_left == pytest.approx(5.0)


def test_holding_two_encoders_against_each_other_is_a_step_of_its_own() -> None:
    clock = Clock()
    heard: list[Progress] = []
    course = Course([("trial", 5.0), ("encoder", 60.0)], heard.append, clock=clock)
    course(Progress("rung", "Holding int8 against fp32.", data={"name": "encoder-int8"}))
    clock.now = 4.0
    course(Progress("encode", "x", fraction=0.9))
    assert heard[-1].seconds_left > 60, "the end of the trial is not the end"
    course(Progress("rung", "Trying it.", data={"name": "encoder-int8"}))
    course(Progress("encode", "x", fraction=0.0))
    clock.now = 14.0
    course(Progress("encode", "x", fraction=0.1))
    assert heard[-1].seconds_left == pytest.approx(90.0)


def test_every_stage_of_a_make_has_its_step() -> None:
    names = [name for name, _ in steps(Speed(100, 20, 2, 40, 0.01))]
    assert names == ["leaks", "linear", "static", "trial", "encoder", "fits", "eval", "curve"]
    assert names[:2] + names[-2:] == [name for name, _ in steps(Speed(100, 20, 2, 40, None))]
