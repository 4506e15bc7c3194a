from __future__ import annotations

import pytest

from metier.coding import Diagnostic
from metier.tools.python.explaining import explained
from metier.tools.python.inside.reading import read

BROKEN = [
    ("def f()\n    pass\n", "colon"),
    ("x = (1,\n", "bracket"),
    ("x = 1)\n", "bracket"),
    ("x = 'a\n", "quote"),
    ('x = """a\n', "quote"),
    ("def f():\nx = 1\n", "indented"),
    ("  x = 1\n", "indented"),
    ("def f():\n        x = 1\n    y = 2\n", "indentation"),
    ("print 'a'\n", "Python 3"),
    ("try: pass\nexcept A, b: pass\n", "brackets"),
    ("x = 017\n", "octal"),
    ("if x = 1: pass\n", "assigns"),
    ("f() = 1\n", "left of ="),
    ("x = [1 2]\n", "side by side"),
    ("x = “a”\n", "typographic"),
    ("return 1\n", "outside"),
    ("break\n", "loop"),
    ("f(a=1, 2)\n", "by position"),
    ("x = 1 \\ \n", "backslash"),
    ("x = 1\0\n", "zero byte"),
    ("math.sqrt(2)\n", "add 'import math'"),
    ("xrange(3)\n", "it is range"),
    ("pritn(3)\n", "Did you mean print?"),
    ("something(3)\n", "NameError"),
    ("def f():\n    x += 1\n    del x\n    x\n", ""),
    ("x = = 1\n", "cannot be read"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_frequent_errors_are_explained(text: str, said: str) -> None:
    for found in read("a.py", text)[:1]:
        name = str(found.pop("name", ""))
        diagnostic = explained(Diagnostic(**found), name)
        assert said in diagnostic.explanation, diagnostic
        assert not said or (diagnostic.docs or "").startswith("https://docs.python.org/3/")


def test_what_is_not_known_stays_as_it_is() -> None:
    found = Diagnostic("strange", "Nobody has seen this.")
    assert explained(found, "") == found
