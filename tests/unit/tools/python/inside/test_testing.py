from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from metier.tools.python.inside.peers import GoneError
from metier.tools.python.inside.testing import TestGate

Judging = Callable[..., Any]


class Own:
    shown = 1
    _hidden = 2

    def method(self) -> int:
        return 3


@pytest.fixture
def gate() -> TestGate:
    made = TestGate()
    made.own.add(__name__)
    return made


@pytest.mark.parametrize(
    "value", [len, lambda: 1, Own().method, "a".upper, partial(int, "1"), Own, Own()]
)
def test_what_is_called_may_be_called_and_no_more(gate: TestGate, value: Any) -> None:
    gate.lend(value)
    gate.permit(value, "call", "")
    for operation, name in (("get", "__globals__"), ("get", "__code__"), ("state", "")):
        with pytest.raises(AttributeError):
            gate.permit(value, operation, name)
    for name in ("__getattribute__", "__reduce_ex__", "__class__", "__init__", "__dir__"):
        with pytest.raises(AttributeError):
            gate.permit(value, "special", name)


def test_an_iterator_is_only_advanced(gate: TestGate) -> None:
    value = (item for item in [1])
    gate.lend(value)
    gate.permit(value, "special", "__next__")
    for operation, name in (("get", "gi_frame"), ("get", "send"), ("call", "")):
        with pytest.raises(AttributeError):
            gate.permit(value, operation, name)


def test_objects_of_the_tests_own_classes_show_their_public_names(gate: TestGate) -> None:
    value = Own()
    gate.lend(value)
    gate.permit(value, "get", "shown")
    gate.permit(value, "set", "shown")
    for name in ("_hidden", "__dict__", "__class__"):
        with pytest.raises(AttributeError):
            gate.permit(value, "get", name)
    gate.lend(buffer := io.StringIO())
    gate.permit(buffer, "get", "write")


@pytest.mark.parametrize(
    "value", [sys, sys._getframe(), compile("1", "", "eval"), object(), type(sys)]
)
def test_what_leads_to_the_tests_is_not_lent(gate: TestGate, value: Any) -> None:
    if isinstance(value, type):
        gate.lend(value)  # a class of Python's own: it may be called, nothing else
        with pytest.raises(AttributeError):
            gate.permit(value, "get", "__subclasses__")
        return
    with pytest.raises(TypeError):
        gate.lend(value)


def test_what_was_not_lent_is_not_served(gate: TestGate) -> None:
    with pytest.raises(AttributeError):
        gate.permit(len, "call", "")
    gate.permit(None, "line", "")
    with pytest.raises(AttributeError):
        gate.permit(None, "load", "")


def failing(error: BaseException) -> Any:
    raise error


def test_a_failed_check_in_a_callback_is_kept_and_tells_nothing(gate: TestGate) -> None:
    with pytest.raises(AssertionError) as caught:
        gate.run(lambda: failing(AssertionError("the expected value is 42")))
    assert caught.value.args == ()
    assert "42" in str(gate.failures[0])
    with pytest.raises(ValueError, match="ordinary"):
        gate.run(lambda: failing(ValueError("ordinary")))
    with pytest.raises(GoneError):
        gate.run(lambda: failing(GoneError()))
    assert len(gate.failures) == 1


def test_the_answer_reads_what_the_tests_type(judged: Judging) -> None:
    code = "def f():\n    return [input('a? '), input()]\n"
    test = "import io, sys\nsys.stdin = io.StringIO('x\\ny\\n')\nassert f() == ['x', 'y']"
    assert judged(code, test).standing == "passed"
    found = judged(code, "assert f() == []")
    assert "EOFError" in found.why
