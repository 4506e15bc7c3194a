from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judging = Callable[..., Any]

CODE = """
class Empty(Exception):
    def __init__(self, name):
        super().__init__(f"{name} is empty")
        self.name = name

class Stack:
    def __init__(self, name="stack"):
        self.name, self._items = name, []
    def push(self, item):
        self._items.append(item)
        return self
    def pop(self):
        if not self._items:
            raise Empty(self.name)
        return self._items.pop()
    def __len__(self):
        return len(self._items)

def talk():
    print("hello", input("name? "))
"""
TESTS = """
import pytest
import solution
from solution import Empty, Stack

@pytest.fixture
def stack():
    return Stack("pile").push(1).push(2)

def test_order(stack):
    assert [stack.pop(), stack.pop()] == [2, 1]
    assert len(stack) == 0

@pytest.mark.parametrize("count", [0, 3])
def test_empty(count):
    stack = Stack("x")
    for number in range(count):
        stack.push(number).pop()
    with pytest.raises(Empty, match="x is empty") as caught:
        stack.pop()
    assert caught.value.name == "x"

def test_talk(monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda prompt: prompt.upper())
    solution.talk()
    assert capsys.readouterr().out == "hello NAME? \\n"

class TestGroup:
    def test_in_a_class(self):
        assert isinstance(Stack(), Stack)
"""


def test_a_file_of_tests_runs_with_real_pytest(judged: Judging) -> None:
    found = judged(CODE, TESTS, kind="pytest")
    assert found.standing == "passed", found


def test_a_failed_test_is_named_with_its_number(judged: Judging) -> None:
    found = judged(CODE.replace("self._items.pop()", "self._items.pop(0)"), TESTS, kind="pytest")
    assert (found.standing, found.step) == ("failed", 1)
    assert "test_task.py::test_order" in found.why
    assert "[1, 2] == [2, 1]" in found.why


@pytest.mark.parametrize(
    ("tests", "standing"),
    [
        ("def test_nothing(:", "unscored"),
        ("x = 1", "unscored"),
        ("import not_a_package_at_all\ndef test_a(): assert True", "unscored"),
        ("from solution import nothing\ndef test_a(): assert True", "failed"),
        ("import pytest\ndef test_a():\n    pytest.skip('all')", "failed"),
        ("def test_a(): assert True\nimport sys\ndef test_b(): sys.exit(0)", "failed"),
    ],
)
def test_what_is_not_a_passed_test_does_not_pass(
    judged: Judging, tests: str, standing: str
) -> None:
    assert judged(CODE, tests, kind="pytest").standing == standing
