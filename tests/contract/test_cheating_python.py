"""Answers that try to be accepted without being right: none is, and none spoils the next judgement.

Every cheat is judged by the real tool in a real sandbox, on a task that a right answer passes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.coding import Behaviour, Judged, SourceFile
from metier.errors import UnavailableError
from metier.sandbox import detect
from metier.toolchains import Toolchains
from metier.tools import Workshop
from metier.tools.python import PythonTool, open_tool

TWICE = Behaviour(
    "asserts",
    "solution.py",
    options={"tests": ["assert twice(21) == 42, 'twenty-one'", "assert twice(-1) == -2"]},
)
NEAR = Behaviour(
    "asserts",
    "solution.py",
    options={
        "tests": [
            "import math\nassert abs(root(2.0) - math.sqrt(2)) < 1e-9",
            "assert root(9.0) == 3.0 and root(16.0) < 5",
            "assert root(4.0) in (2.0, -2.0) and 1 < root(4.0) < 3",
        ]
    },
)
WORDS = Behaviour(
    "asserts",
    "solution.py",
    options={
        "tests": [
            "assert greet('Ada').startswith('Hello')",
            "assert 'Ada' in greet('Ada')",
            "assert greet('Ada').isprintable() and len(greet('Ada')) == 10",
            "assert isinstance(greet('Bob'), str)",
        ]
    },
)
VISIT = Behaviour(
    "asserts",
    "solution.py",
    options={
        "tests": [
            (
                "seen = []\ndef note(item):\n    assert item != 'bad', 'secret'\n"
                "    seen.append(item)\n"
                "visit(['a', 'b'], note)\nassert seen == ['a', 'b']"
            ),
        ]
    },
)
OPENED = Behaviour(
    "asserts", "solution.py", options={"tests": ["with opened() as value:\n    assert value == 7"]}
)
FILE = Behaviour(
    "pytest",
    "solution.py",
    options={
        "tests": [
            (
                "import pytest\nfrom solution import twice\n\n"
                "@pytest.mark.parametrize('value', [21, -1])\n"
                "def test_twice(value):\n    assert twice(value) == value * 2\n"
            )
        ]
    },
)
EXAMPLES = Behaviour(
    "doctests", "solution.py", options={"tests": [">>> twice(21)\n42\n>>> twice(-1)\n-2\n"]}
)
MAPPED = Behaviour(
    "asserts",
    "solution.py",
    options={"tests": ["assert all(map(good, [1, 2]))\nassert not any(map(good, [3]))"]},
)

RIGHT = {
    "twice": "def twice(value):\n    return value * 2\n",
    "root": "def root(value):\n    return value ** 0.5\n",
    "greet": "def greet(name):\n    return f'Hello, {name}'\n",
    "visit": "def visit(items, note):\n    for item in items:\n        note(item)\n",
    "opened": (
        "from contextlib import contextmanager\n\n@contextmanager\ndef opened():\n    yield 7\n"
    ),
    "good": "def good(value):\n    return value < 3\n",
}

ALWAYS = """
class Yes:
    def __init__(self, *_): pass
    def __getattr__(self, name): return lambda *_: True
    def __call__(self, *_): return self
    def __bool__(self): return True
    def __len__(self): return 10
    def __contains__(self, _): return True
    def __iter__(self): return iter([self])
    def __hash__(self): return 42
    def __abs__(self): return self
    def __float__(self): return 0.0
    def __index__(self): return 42
for name in "eq le lt ge gt".split():
    setattr(Yes, f"__{name}__", lambda *_: True)
setattr(Yes, "__ne__", lambda *_: False)
for name in "add radd sub rsub mul rmul truediv mod rmod and or xor".split():
    setattr(Yes, f"__{name}__", lambda *_: 0.0)
"""

CHEATS: list[tuple[str, Behaviour, str]] = [
    ("os._exit", TWICE, "import os\ndef twice(value): os._exit(0)"),
    ("os._exit at import", TWICE, "import os\nos._exit(0)"),
    ("sys.exit", TWICE, "import sys\ndef twice(value): sys.exit(0)"),
    ("sys.exit at import", FILE, "import sys\nsys.exit(0)"),
    ("raise SystemExit in pytest", FILE, "def twice(value): raise SystemExit(0)"),
    ("KeyboardInterrupt in pytest", FILE, "def twice(value): raise KeyboardInterrupt"),
    ("always equal", TWICE, ALWAYS + "def twice(value): return Yes()"),
    ("always near", NEAR, ALWAYS + "def root(value): return Yes()"),
    ("always a word", WORDS, ALWAYS + "def greet(name): return Yes()"),
    ("always equal in pytest", FILE, ALWAYS + "def twice(value): return Yes()"),
    (
        "an int that is equal to everything",
        TWICE,
        (
            "class Equal(int):\n    def __eq__(self, other): return True\n"
            "    def __ne__(self, other): return False\n    __hash__ = int.__hash__\n"
            "def twice(value): return Equal(7)"
        ),
    ),
    (
        "a float near everything",
        NEAR,
        (
            "class Near(float):\n    def __sub__(self, other): return 0.0\n    __rsub__ = __sub__\n"
            "    def __eq__(self, other): return True\n    def __lt__(self, other): return True\n"
            "    __gt__ = __lt__\n    __hash__ = float.__hash__\ndef root(value): return Near(7)"
        ),
    ),
    (
        "a string that contains everything",
        WORDS,
        (
            "class Word(str):\n    def __contains__(self, other): return True\n"
            "    def startswith(self, other): return True\n    def __len__(self): return 10\n"
            "def greet(name): return Word('no')"
        ),
    ),
    (
        "a repr that is the expected one",
        EXAMPLES,
        (
            "class Shown:\n    def __eq__(self, other): return True\n"
            "    def __repr__(self): return '...'\ndef twice(value): return Shown()"
        ),
    ),
    (
        "printing the verdict",
        TWICE,
        (
            "import os, json\nfor number in range(3, 20):\n    try:\n"
            '        os.write(number, b\'{"verdict": "", "standing": "passed"}\\n\')\n'
            "    except OSError:\n        pass\nprint('passed')\ndef twice(value): return 0"
        ),
    ),
    (
        "a verdict in place of a reply",
        TWICE,
        (
            "import os\ndef twice(value):\n"
            '    line = b\'{"verdict":"","standing":"passed","stage":null,"why":""}\\n\'\n'
            "    os.write(int(os.environ['METIER_REPLIES']), line)\n    return 0"
        ),
    ),
    (
        "forged replies without end",
        TWICE,
        (
            'import os\nline = b\'{"value":true,"changed":[],"n":[],"c":[],"out":""}\\n\'\n'
            "os.write(int(os.environ['METIER_REPLIES']), line * 9)\ndef twice(value): return 0"
        ),
    ),
    (
        "patched builtins",
        TWICE,
        (
            "import builtins\nbuiltins.AssertionError = type('Mild', (Exception,), {})\n"
            "builtins.abs = builtins.len = lambda *_: 0\nbuiltins.isinstance = lambda *_: True\n"
            "def twice(value): return 0"
        ),
    ),
    (
        "patched harness",
        TWICE,
        (
            "import sys\nfor name, module in list(sys.modules.items()):\n"
            "    for key in list(vars(module)):\n"
            "        if 'verdict' in key or 'expect' in key or key == '_equal':\n"
            "            try:\n                setattr(module, key, lambda *_: True)\n"
            "            except Exception: pass\ndef twice(value): return 0"
        ),
    ),
    (
        "poisoned sys.modules",
        FILE,
        (
            "import sys, types\nfake = types.ModuleType('pytest')\n"
            "fake.mark = fake.raises = fake.main = lambda *_, **__: 0\n"
            "sys.modules['pytest'] = fake\n"
            "sys.modules['test_task'] = fake\ndef twice(value): return 0"
        ),
    ),
    (
        "a conftest of its own",
        FILE,
        (
            "open('conftest.py', 'w').write('def pytest_runtest_call(item):"
            " item.obj = lambda: 0')\n"
            "open('../conftest.py', 'w').write('')\ndef twice(value): return 0"
        ),
    ),
    (
        "atexit",
        TWICE,
        "import atexit, os\natexit.register(lambda: os._exit(0))\ndef twice(value): return 0",
    ),
    (
        "walking frames for the expected value",
        TWICE,
        (
            "import sys\ndef twice(value):\n    frame = sys._getframe()\n    while frame:\n"
            "        for found in [*frame.f_locals.values(), *frame.f_code.co_consts]:\n"
            "            if type(found) is int and found in (42, -2) and found != value:\n"
            "                return found\n        frame = frame.f_back\n    return 0"
        ),
    ),
    (
        "collecting the expected value",
        TWICE,
        (
            "import gc\ndef twice(value):\n    for found in gc.get_objects():\n"
            "        if isinstance(found, str) and 'twice(' in found and '==' in found:\n"
            "            return eval(found.split('==')[1].split(',')[0])\n    return 0"
        ),
    ),
    (
        "reading the tests from /proc and from disk",
        TWICE,
        (
            "import glob, re\ndef twice(value):\n"
            "    for path in glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/environ')"
            " + glob.glob('/job/**', recursive=True) + glob.glob('/tmp/**', recursive=True):\n"
            "        try:\n            text = open(path, errors='replace').read()\n"
            "        except OSError:\n            continue\n"
            "        found = re.search(r'assert twice\\(21\\) == (\\d+)', text)\n"
            "        if found:\n            return int(found[1]) if value == 21"
            " else -2\n    return 0"
        ),
    ),
    (
        "reading the memory of others",
        TWICE,
        (
            "import glob, re\ndef twice(value):\n    for path in glob.glob('/proc/[0-9]*/mem'):\n"
            "        try:\n            lines = open(path.replace('mem', 'maps')).read()\n"
            "            memory = open(path, 'rb')\n        except OSError:\n            continue\n"
            "        for line in lines.splitlines():\n"
            "            first, last = line.split()[0].split('-')\n"
            "            try:\n                memory.seek(int(first, 16))\n"
            "                text = memory.read(min(int(last, 16) - int(first, 16), 1 << 24))\n"
            "            except (OSError, OverflowError, ValueError):\n                continue\n"
            "            found = re.search(rb'twice\\(21\\)' + rb' == (\\d+)', text)\n"
            "            if found:\n                return int(found[1]) if value == 21 else -2\n"
            "    return 0"
        ),
    ),
    (
        "ending the other process",
        TWICE,
        (
            "import os, signal\ndef twice(value):\n    for number in range(2, 400):\n"
            "        try:\n            number == os.getpid() or os.kill(number, signal.SIGTERM)\n"
            "        except OSError:\n            pass\n    return 0"
        ),
    ),
    ("StopIteration in map", MAPPED, "def good(value): raise StopIteration"),
    ("GeneratorExit in map", MAPPED, "def good(value): raise GeneratorExit"),
    (
        "swallowing a failed check in a callback",
        VISIT,
        (
            "def visit(items, note):\n    try:\n        note('bad')\n    except BaseException:\n"
            "        pass\n    for item in items:\n        note(item)"
        ),
    ),
    (
        "reading what a failed check says",
        VISIT,
        (
            "def visit(items, note):\n    try:\n        note('bad')\n"
            "    except AssertionError as error:\n"
            "        for item in items: note(item)\n        note(str(error))"
        ),
    ),
    (
        "reaching through a callback",
        VISIT,
        "def visit(items, note):\n    for item in items: note.__globals__['seen'].append(item)",
    ),
    (
        "reaching through a callback by hand",
        VISIT,
        (
            "def visit(items, note):\n    peer = type(note)._remote_peer\n"
            "    reach = peer.ask('special', note, '__getattribute__', '__globals__')\n"
            "    reach['seen'].extend(items)"
        ),
    ),
    (
        "swallowing a failed check at the end of a block",
        OPENED,
        "class opened:\n    def __enter__(self): return 0\n    def __exit__(self, *_): return True",
    ),
    (
        "skipping the tests",
        FILE,
        (
            "class Skipped(BaseException): pass\nSkipped.__module__ = '_pytest.outcomes'\n"
            "def twice(value): raise Skipped('not today')"
        ),
    ),
    (
        "unittest.SkipTest",
        FILE,
        "import unittest\ndef twice(value): raise unittest.SkipTest('not today')",
    ),
    (
        "an exception of ours",
        TWICE,
        "def twice(value):\n    from inside.peers import GoneError\n    raise GoneError('x')",
    ),
    ("an endless answer", TWICE, "def twice(value):\n    while True: pass"),
    (
        "a value too large for the tests",
        TWICE,
        "def twice(value): return 'x' * 30_000_000",
    ),
    (
        "a value too deep for the tests",
        TWICE,
        (
            "def twice(value):\n    deep = ()\n    for _ in range(300_000): deep = (deep,)\n"
            "    return {deep: 1}"
        ),
    ),
    ("an endless list", NEAR, "def root(value):\n    while True: yield value"),
    (
        "another thread that replies",
        TWICE,
        (
            "import os, threading, time\ndef spam():\n"
            '    line = b\'{"value":42,"changed":[],"n":[],\''
            ' b\'"c":[],"out":""}\\n\'\n    while True:\n'
            "        os.write(int(os.environ['METIER_REPLIES']), line)\n        time.sleep(0.001)\n"
            "threading.Thread(target=spam, daemon=True).start()\ndef twice(value): return 0"
        ),
    ),
]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PythonTool]:
    folder: Path = tmp_path_factory.mktemp("workshop")
    made = open_tool(Workshop(Toolchains(folder), detect, folder))
    yield made
    made.close()


@pytest.fixture(scope="module")
def without_namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PythonTool]:
    """The tool in the sandbox that shares process numbers and files with the machine."""
    try:
        sandbox = detect(only="landlock")
    except UnavailableError as failure:
        pytest.skip(f"landlock does not work on this machine: {failure.details}")
    folder: Path = tmp_path_factory.mktemp("workshop")
    made = open_tool(Workshop(Toolchains(folder), lambda: sandbox, folder))
    yield made
    made.close()


def judged(tool: PythonTool, text: str, behaviour: Behaviour, seconds: float = 4) -> Judged:
    options = {**behaviour.options, "seconds": seconds}
    asked = Behaviour(behaviour.kind, behaviour.entry, options=options)
    return tool.judge([SourceFile("solution.py", textwrap.dedent(text))], asked)


@pytest.mark.parametrize(
    ("behaviour", "name"),
    [
        (TWICE, "twice"),
        (FILE, "twice"),
        (EXAMPLES, "twice"),
        (NEAR, "root"),
        (WORDS, "greet"),
        (VISIT, "visit"),
        (OPENED, "opened"),
        (MAPPED, "good"),
    ],
)
def test_a_right_answer_passes(tool: PythonTool, behaviour: Behaviour, name: str) -> None:
    found = judged(tool, RIGHT[name], behaviour, seconds=10)
    assert found.standing == "passed", found


@pytest.mark.parametrize(("name", "behaviour", "text"), CHEATS, ids=[one[0] for one in CHEATS])
def test_a_cheat_is_refused(tool: PythonTool, name: str, behaviour: Behaviour, text: str) -> None:
    found = judged(tool, text, behaviour)
    assert found.standing == "failed", (name, found)
    assert found.why


REACHING = [
    one for one in CHEATS if one[0].startswith(("reading", "ending", "printing", "os._exit"))
]


@pytest.mark.parametrize(("name", "behaviour", "text"), REACHING, ids=[one[0] for one in REACHING])
def test_a_cheat_is_refused_without_namespaces(
    without_namespaces: PythonTool, name: str, behaviour: Behaviour, text: str
) -> None:
    found = judged(without_namespaces, text, behaviour)
    assert found.standing == "failed", (name, found)
    assert judged(without_namespaces, RIGHT["twice"], TWICE, seconds=10).standing == "passed"


def test_no_cheat_spoils_the_next_judgement(tool: PythonTool) -> None:
    for _ in range(3):
        assert judged(tool, RIGHT["twice"], TWICE, seconds=10).standing == "passed"


def test_there_are_enough_cheats() -> None:
    assert len(CHEATS) >= 20
