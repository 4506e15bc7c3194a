from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judging = Callable[..., Any]

CODE = "import math\nVALUE = 3\n_hidden = 4\ndef f(): return VALUE\ndef g(): return f()\n"


@pytest.mark.parametrize(
    "test",
    [
        "import solution\nassert solution.VALUE == 3 and solution.f() == 3",
        "from solution import f, VALUE\nassert f() == VALUE",
        "from solution import *\nassert f() == VALUE",
        "import solution\nassert solution.math.pi > 3 and solution._hidden == 4",
        "import solution\nsolution.VALUE = 5\nassert solution.g() == 5",
        (
            "import solution\nsolution.f = lambda: 8\nassert solution.g() == 8\ndel solution.f\n"
            "assert solution.g() == 3"
        ),
        "import solution\nassert not hasattr(solution, 'nothing')",
    ],
)
def test_the_answers_module_is_imported_as_any(judged: Judging, test: str) -> None:
    found = judged(CODE, test)
    assert found.standing == "passed", found


@pytest.mark.parametrize(
    "test", ["from solution import nothing\nassert 1", "import solution\nassert solution.nothing"]
)
def test_a_name_that_is_missing_is_the_answers_fault(judged: Judging, test: str) -> None:
    found = judged(CODE, test)
    assert found.standing == "failed", found
    assert "nothing" in found.why


def test_given_files_are_there_for_both(judged: Judging) -> None:
    given = {"shop.py": "class Item:\n    def __init__(self, price): self.price = price\n"}
    code = "def total(items): return sum(item.price for item in items)\n"
    test = "from shop import Item\nassert total([Item(2), Item(3)]) == 5"
    assert judged(code, test, given=given).standing == "passed"
