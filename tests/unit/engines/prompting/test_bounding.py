"""Operators and filters check first."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting.bounding import (
    FILTERS,
    OPERATORS,
    RefusalError,
    chained,
    check_method,
    concatenated,
    now,
    refuse,
    small_range,
)
from metier.errors import InputError

LONG = "x" * 1_500_000


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [
        ("+", LONG, LONG),
        ("*", "x", 10**9),
        ("*", 10**9, [1]),
        ("*", 1 << 3000, 1 << 3000),
        ("**", 10, 10**9),
        ("%", "%99999d", 1),
        ("%", "%s" * 9, LONG),
    ],
)
def test_operators(operator: str, left: Any, right: Any) -> None:
    with pytest.raises(InputError, match="template"):
        OPERATORS[operator](left, right)


def test_operators_let_the_rest_pass() -> None:
    for operator, left, right in (("+", "a", 1), ("*", 2, 3), ("**", 2.0, 9), ("%", 7, 4)):
        OPERATORS[operator](left, right)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("join", (["x" * 1000] * 9999,)),
        ("replace", ("aaa", "a", LONG)),
        ("center", ("a", 10**9)),
        ("indent", ("a\n" * 99, 99_999)),
        ("format", ("%99999d", 1)),
        ("batch", ([1], 10**9)),
        ("tojson", ([1] * 9999, False, 9999)),
        ("list", (iter(range(10**7)),)),
        ("trim", ("a" * 99_999, "b" * 99_999)),
    ],
)
def test_filters(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match="template"):
        FILTERS[name](*arguments)


def test_methods() -> None:
    for owner, name, arguments in (
        ("a", "ljust", (10**9,)),
        ("", "join", (["x" * 1000] * 9999,)),
        ("a" * 9999, "replace", ("", "b" * 9999)),
        ("a" * 99_999, "strip", ("b" * 99_999,)),
    ):
        with pytest.raises(InputError, match="template"):
            check_method(owner, name, arguments)
    assert check_method(",", "join", (iter("ab"),)) == (["a", "b"],)
    assert check_method("a", "upper", ()) == ()


def test_texts_together() -> None:
    assert concatenated(iter("ab")) == "ab"
    assert chained("a", 1, None) == "a1None"
    for function in (lambda: concatenated([LONG, LONG]), lambda: chained(LONG, LONG)):
        with pytest.raises(InputError, match="template"):
            function()


def test_functions() -> None:
    assert list(small_range(1, 4)) == [1, 2, 3]
    with pytest.raises(InputError, match="range"):
        small_range(10**9)
    with pytest.raises(RefusalError, match="no"):
        refuse("no")
    assert len(now("%Y")) == 4
    with pytest.raises(InputError, match="date"):
        now("%Y" * 999)


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("round", (2.345, 1, "floor"), 2.3),
        ("round", (2.31, 1, "ceil"), 2.4),
        ("sum", ([{"a": 1}, {"a": 2}], "a"), 3),
        ("join", ([["x", "y"]], "", "1"), "y"),
        ("format", ("%(a)s",), "%(a)s"),
        ("trim", ("xax", "x"), "a"),
        ("string", (None,), "None"),
    ],
)
def test_what_filters_give(name: str, arguments: tuple[Any, ...], result: Any) -> None:
    if name == "format":
        assert FILTERS[name](*arguments, a="b") == "b"
    else:
        assert FILTERS[name](*arguments) == result
