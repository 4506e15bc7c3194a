from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Judging = Callable[..., Any]


@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("LIMIT = 7\ndef f(): return LIMIT", "assert f() == LIMIT == 7"),
        ("import math\ndef f(): return math.pi", "assert f() == math.pi"),
        ("def f(): return [*range(3)]", "assert f() == [0, 1, 2]"),
        ("def f(items): items.sort()", "x = [2, 1]\nassert f(x) is None and x == [1, 2]"),
        (
            "def f(d): d['b'] = [1]; return d['b']",
            "d = {}\nassert f(d) is d['b'] and d == {'b': [1]}",
        ),
        ("def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)", "assert f(950) == 950"),
        (
            "def f(n):\n    return f(n + 1)",
            "import sys\ntry:\n    f(0)\n    assert False\nexcept RecursionError:\n    assert True",
        ),
        ("def f():\n    yield from (1, 2)", "g = f()\nassert next(g) == 1 and list(g) == [2]"),
        ("def f(g): return sorted(g, key=lambda x: -x)", "assert f(x for x in [1, 3]) == [3, 1]"),
        ("def f(): return 2 ** 10_000", "assert f() == 2 ** 10_000"),
        ("def f(): return input() + input('? ')", "assert f() == 'ab'"),
        ("import sys\ndef f(): return sys.stdin.read()", "assert f() == 'a\\nb\\n'"),
        ("async def f(x): return x + 1", "import asyncio\nassert asyncio.run(f(1)) == 2"),
        ("def f(*a, k=1, **o): return a, k, o", "assert f(1, k=2, z=3) == ((1,), 2, {'z': 3})"),
        (
            "class A:\n    n = 0\n    def __call__(self): self.n += 1; return self.n",
            "a = A()\na()\nassert a() == 2 and A.n == 0 and callable(a)",
        ),
    ],
)
def test_an_answer_works_as_in_one_process(judged: Judging, code: str, test: str) -> None:
    found = judged(code, test, stdin="a\nb\n")
    assert found.standing == "passed", found


def test_several_files_import_each_other(judged: Judging) -> None:
    found = judged(
        {
            "solution.py": "from tools.words import join\ndef f(): return join('a', 'b')\n",
            "tools/words.py": "from .glue import GLUE\ndef join(*parts): return GLUE.join(parts)\n",
            "tools/glue.py": "GLUE = '-'\n",
        },
        "from tools.glue import GLUE\nassert f() == f'a{GLUE}b'",
    )
    assert found.standing == "passed", found


def test_what_a_prompt_gives_is_there_before_the_answer(judged: Judging) -> None:
    prelude = "from typing import List\ndef half(x): return x / 2\n"
    code = "def f(items: List[int]): return half(sum(items))"
    assert judged(code, "assert f([4]) == 2", prelude=prelude).standing == "passed"


@pytest.mark.parametrize(
    "code", ["1 / 0", "import not_there", "raise SystemExit", "open('/etc/shadow')"]
)
def test_an_answer_that_cannot_be_loaded_says_why(judged: Judging, code: str) -> None:
    found = judged(f"{code}\ndef f(): return 1\n", "assert f() == 1")
    assert (found.standing, found.stage) == ("failed", "load")
    assert "line 1" in found.why


def test_the_answer_sees_no_packages_and_no_home(judged: Judging) -> None:
    code = (
        "import importlib.util, os\n"
        "def f(): return importlib.util.find_spec('pytest'), os.listdir(os.path.expanduser('~'))\n"
    )
    assert judged(code, "assert f() == (None, [])").standing == "passed"
