"""Budgets: time, size, depth."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting import limits
from metier.errors import InputError


def code(function: Any, *arguments: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return caught.value.code


def spin() -> None:
    while True:
        limits.spend()


def test_time_is_noticed() -> None:
    with limits.budgeted(0.01):
        assert code(spin) == "template_too_slow"


def test_a_budget_ends_with_its_block() -> None:
    with limits.budgeted(0.01) as outer:
        with limits.budgeted(5) as inner:
            assert limits.current() is inner
        assert limits.current() is outer
    limits.spend(10_000)


def test_depth_and_what_is_made_are_bounded() -> None:
    budget = limits.Budget(5)

    def descend(depth: int) -> None:
        with budget.deeper():
            if depth:
                descend(depth - 1)

    descend(limits.MOST_CALLS - 1)
    assert code(descend, limits.MOST_CALLS) == "template_too_long"
    assert code(budget.make, limits.MOST_MADE + 1) == "template_too_long"


def test_a_shared_value_weighs_as_often_as_it_stands() -> None:
    inner = ["abc"]
    assert limits.weigh([inner, inner]) == 2 * 3 + 4 * 5
    assert limits.weigh({"a": inner}) == 1 + 3 + 4 * 4
    assert limits.weigh(True) == 20


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def doubled(depth: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(depth):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "a" * (2 * limits.MOST_OUTPUT + 1),
        ["a" * limits.MOST_OUTPUT] * 3,
        [0] * (limits.MOST_ITEMS + 1),
        1 << (limits.MOST_BITS + 1),
        nested(100),
        nested(100_000),
        doubled(59),
    ],
)
def test_values_beyond_the_bounds(value: Any) -> None:
    assert code(limits.bounded, value) == "template_too_long"


def test_values_within_the_bounds_pass() -> None:
    for value in (None, True, 1.5, "a", [1, [2]], {"a": (1,)}, 1 << 60):
        assert limits.bounded(value) is value


def test_counted_keeps_length_and_order() -> None:
    counted = limits.Counted([1, 2, 3])
    assert len(counted) == 3
    assert list(counted) == list(counted) == [1, 2, 3]
    with limits.budgeted(5):
        assert code(list, limits.Counted(iter(range(10**9)))) == "template_too_long"
