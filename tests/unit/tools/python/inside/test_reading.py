from __future__ import annotations

import pytest

from metier.tools.python.inside.reading import MOST_FINDINGS, read


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("def f(:\n    pass\n", "syntax", 1, 7),
        ("x = (1,\n", "syntax", 1, 5),
        ("def f():\nreturn 1\n", "indentation", 2, 1),
        ("if 1:\n\tx = 1\n        y = 2\n", "tabs", 3, 1),
        ("return 1\n", "syntax", 1, 1),
        ("def f():\n    return y\n", "undefined_name", 2, 12),
        ("x = '\ud800'\n", "bad_characters", None, None),
        ("x = 1\0\n", "syntax", 1, 1),
        ("x=" + "+".join("1" * 200_000), "too_deep", None, None),
    ],
)
def test_what_is_wrong_has_its_place(
    text: str, code: str, line: int | None, column: int | None
) -> None:
    (found,) = read("a.py", text)
    assert (found["code"], found["line"], found["column"]) == (code, line, column)
    assert found["severity"] == "error"
    assert found["message"].endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import os\nx = 1\n",
        "from typing import *\nx: List[int] = []\n",
        "def f():\n    global x\n    x = 1\n",
        "__import__('os').system('touch executed')\n",
    ],
)
def test_what_works_has_no_error(text: str) -> None:
    assert [one for one in read("a.py", text) if one["severity"] == "error"] == []


def test_doubts_are_warnings() -> None:
    found = read("a.py", "x = 1\nif x is 1: pass\ny = '\\d'\n")
    assert {one["severity"] for one in found} == {"warning"}
    assert {one["code"] for one in found} >= {"doubtful_syntax"}


def test_the_first_findings_are_enough() -> None:
    assert len(read("a.py", "f(" + ", ".join(f"x{number}" for number in range(500)) + ")")) == (
        MOST_FINDINGS
    )
