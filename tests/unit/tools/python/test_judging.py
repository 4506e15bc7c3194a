from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judging = Callable[..., Any]


def test_an_answer_passes_with_its_time(judged: Judging) -> None:
    found = judged("def f(): return 1", "assert f() == 1")
    assert (found.standing, found.stage, found.why, found.step) == ("passed", None, "", None)
    assert 0 < found.seconds < 20


def test_a_single_file_of_another_name_is_the_entry(judged: Judging) -> None:
    assert judged({"main.py": "def f(): return 1"}, "assert f() == 1").standing == "passed"
    found = judged({"a.py": "x = 1", "b.py": "y = 1"}, "assert f() == 1")
    assert (found.standing, found.stage) == ("failed", "extract")


@pytest.mark.parametrize(
    ("code", "stage", "why"),
    [
        ("while True: pass", "load", "no reply within 1.5 s"),
        ("def f():\n    while True: pass", "behaviour", "no reply within 1.5 s"),
        ("import os\ndef f(): os._exit(3)", "behaviour", "ended by itself"),
        ("def f(): return 'x' * (1 << 30)", "behaviour", "MemoryError"),
        ("def f(): return ['x' * 1000] * 0 + ['y' * 17_000_000]", "behaviour", "too much"),
    ],
)
def test_an_ended_answer_has_failed(judged: Judging, code: str, stage: str, why: str) -> None:
    found = judged(code, "assert f() == 1", seconds=1.5 if "1.5" in why else 10)
    assert (found.standing, found.stage) == ("failed", stage)
    assert why in found.why


def test_tests_that_cannot_finish_on_an_answer_fail_it(judged: Judging) -> None:
    endless = "def f():\n    while True:\n        yield 1\n"
    found = judged(endless, "assert list(f()) == [1]", seconds=1.5)
    assert found.standing == "failed"
    assert "1.5 s" in found.why


def test_a_given_file_is_not_overwritten_by_tests_nor_by_the_answer(judged: Judging) -> None:
    given = {"solution.py": "def f(): return 9\n", "extra.py": "N = 1\n"}
    code = "from extra import N\ndef f(): return N\n"
    assert judged(code, "assert f() == 1", given=given).standing == "passed"
