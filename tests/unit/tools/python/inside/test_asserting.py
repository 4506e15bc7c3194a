from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

from metier.tools.python.inside.asserting import names_in

Judging = Callable[..., Any]


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("assert f(1) == 3", "f(1) == 3: expected 3, found 2."),
        ("assert f(1) == 3, 'off by one'", "f(1) == 3: expected 3, found 2 (off by one)."),
        ("assert f(1) != 2", "f(1) != 2: 2 != 2 does not hold."),
        ("assert f(1) in (5, 6)", "f(1) in (5, 6): 2 in (5, 6) does not hold."),
        ("assert f(1) is None", "f(1) is None: 2 is None does not hold."),
        ("assert not f(1)", "not f(1): found False."),
        ("assert 1 < f(1) < 2", "1 < f(1) < 2: found False."),
        ("assert f('a') == 'b'", "TypeError"),
        ("assert g(1) == 2", "The answer defines no 'g'."),
        ("for x in range(3):\n    assert f(x) == x + 1\nassert f(9) == 0", "expected 0, found 10"),
        ("raise ValueError('no')\nassert 1", "ValueError: no."),
    ],
)
def test_a_failed_assertion_says_what_was_expected(judged: Judging, test: str, why: str) -> None:
    found = judged("def f(x): return x + 1", "assert f(0) == 1", test)
    assert (found.standing, found.stage, found.step) == ("failed", "behaviour", 2)
    assert why in found.why


@pytest.mark.parametrize(
    "tests",
    [["f(1)"], ["assert f(1) =="], ["import numpy_of_nowhere\nassert f(1)"], []],
)
def test_a_task_whose_tests_are_broken_judges_nobody(judged: Judging, tests: list[str]) -> None:
    found = judged("def f(x): return x", *tests)
    assert (found.standing, found.stage) == ("unscored", None)
    assert "task" in found.why


def test_set_up_runs_before_the_tests_among_their_names(judged: Judging) -> None:
    code = "class Node:\n    def __init__(self, value): self.value, self.left = value, None\n"
    code += "def depth(node): return 0 if node is None else 1 + depth(node.left)\n"
    setup = "root = Node(1)\nroot.left = Node(2)\n"
    assert judged(code, "assert depth(root) == 2", setup=setup).standing == "passed"


def test_the_tests_own_names_win(judged: Judging) -> None:
    code = "def check(x): return True\ndef f(x): return 0\ndef sum(x): return 9\n"
    tests = "def check(candidate):\n    assert candidate(1) == 2\ncheck(f)"
    assert judged(code, tests).standing == "failed"
    assert judged(code, "assert sum([1]) == 1").standing == "passed"
    assert judged(code, "assert sum([1]) == 9", names=["sum"]).standing == "passed"


def test_examples_are_run_as_doctests(judged: Judging) -> None:
    code = "def f(x):\n    print('in f')\n    if x < 0: raise ValueError('neg')\n    return [x]\n"
    text = (
        "Some prose.\n\n>>> f(1)\nin f\n[1]\n>>> y = f(2)\nin f\n>>> y\n[2]\n"
        ">>> f(-1)\nTraceback (most recent call last):\n    ...\nValueError: neg\n"
        ">>> f(3)  # doctest: +ELLIPSIS\nin ...\n"
    )
    assert judged(code, text, kind="doctests").standing == "passed"
    found = judged(code, text.replace("[2]", "[3]"), kind="doctests")
    assert (found.standing, found.step) == ("failed", 3)
    assert "'[3]'" in found.why
    assert judged(code, "no examples", kind="doctests").standing == "unscored"
    assert judged(code, ">>> f(\n1\n", kind="doctests").standing == "unscored"
    assert judged("f = None", ">>> f(1)\n1\n", kind="doctests").standing == "failed"


def test_names_that_are_read() -> None:
    assert names_in([ast.parse("a = b(c)\ndef d(e): return e.f + g")]) == ["b", "c", "e", "g"]
