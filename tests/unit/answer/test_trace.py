"""The trace: what was done, what it took, and when it must end."""

from __future__ import annotations

import pytest

from metier.answer.plan import Budget
from metier.answer.trace import Trace
from metier.conversing import Draft
from metier.errors import InputError


def test_tokens_and_money_add_up() -> None:
    trace = Trace(Budget(tokens=100))
    assert trace.spent is None
    trace.count(Draft("a", 10, 5, spent=0.1))
    trace.count(Draft("b", 20, 5, spent=0.2))
    assert (trace.tokens_in, trace.tokens_out, trace.tokens_left) == (30, 10, 60)
    assert trace.spent == pytest.approx(0.3)
    trace.count(Draft("c", 100, 5))
    assert trace.spent is None
    assert trace.tokens_left == 0


def test_the_end_of_a_budget_is_said_once() -> None:
    trace = Trace(Budget(tokens=10))
    assert trace.spare()
    trace.count(Draft("a", 10, 5))
    assert not trace.spare()
    assert not trace.spare()
    assert [step.summary for step in trace.steps] == [
        "The budget of 10 tokens is spent: this is what there is."
    ]
    assert trace.ended_by == "tokens"


def test_no_seconds_are_left() -> None:
    trace = Trace(Budget(seconds=0.0))
    assert trace.halted()
    assert not trace.spare()
    assert trace.ended_by == "seconds"


def test_a_stop_is_an_error_and_not_a_budget() -> None:
    trace = Trace(Budget(), cancelled=lambda: True)
    assert trace.halted()
    with pytest.raises(InputError):
        trace.spare()
    assert trace.ended_by is None


def test_steps_are_shown_as_they_are_written() -> None:
    shown: list = []
    trace = Trace(Budget(), shown.append)
    trace.add("note", "Hello.", 0.5, code="x")
    assert tuple(shown) == trace.steps
    assert trace.steps[0].data == {"code": "x"}
    assert trace.steps[0].seconds == 0.5
