"""The rules of the house for code: sizes, names, docstrings, errors, and who may touch what.

Each rule is a function from a parsed file to the problems it has. Each is shown a bad snippet here,
so that a rule that can no longer fail fails itself. Exceptions stand in one table, with a reason.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

# (path, rule): reason. An entry that is no longer needed is a failure.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("src/metier/tools/python/inside/lines.py", "environment"): (
        "It runs inside the sandbox, where the environment names the two descriptors and "
        "nothing else."
    ),
    ("src/metier/cli/program.py", "environment"): (
        "METIER_DEBUG shows the traceback of an error, also of one in reading the settings"
    ),
}
MAX_BLANKET_EXCEPTS = 5

BANNED_STEM = re.compile(r"^_?(utils?|common|helpers?|misc|core|base|managers?)$")
BANNED_CLASS = re.compile(r"(Utils?|Helpers?|Manager)$")
BLANKET_REASON = re.compile(r"# noqa: BLE001 +\S+( \S+){2,}")
Rule = Callable[[str, ast.Module, str], list[str]]


def files(*suffixes: str) -> list[Path]:
    """Tracked and new files of the project with one of these suffixes; ignored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name.endswith(suffixes)]
    return sorted({path for path in paths if path.is_file()})


def in_folder(path: str, *folders: str) -> bool:
    """Whether ``path`` stands in one of the top-level ``folders``."""
    return path.split("/")[0] in folders


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of the tree, nested ones included."""
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Every call of one of the dotted ``names``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def long_functions(path: str, tree: ast.Module, source: str) -> list[str]:
    """Functions of more than 60 lines, their docstring left out."""
    found = [(node, lines_of(node)) for node in functions(tree)]
    return [
        f"{node.lineno}: {node.name} has {length} lines"
        for node, length in found
        if length > MAX_FUNCTION_LINES
    ]


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its ``def`` to its end, without its docstring."""
    first = node.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if _is_docstring(first) else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def missing_docstring(path: str, tree: ast.Module, source: str) -> list[str]:
    """Modules that do not open by saying what they are; a mirrored test says it by its name."""
    if path.startswith("tests/unit/"):
        return []
    opening = ast.get_docstring(tree) or ""
    too_short = tree.body and len(opening.split()) < 4
    return ["1: the module docstring is missing or says nothing"] if too_short else []


def banned_names(path: str, tree: ast.Module, source: str) -> list[str]:
    """Drawers for everything: utils, common, helpers, misc, core, base, manager."""
    parts = [Path(part).stem for part in path.split("/")]
    found = [f"1: {part!r} names no subject" for part in parts if BANNED_STEM.match(part)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and BANNED_CLASS.search(node.name):
            found.append(f"{node.lineno}: class {node.name} names no subject")
    return found


def blanket_excepts(path: str, tree: ast.Module, source: str) -> list[str]:
    """Handlers that catch everything and do not raise, or do nothing, and do not say why."""
    found = []
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else ""
        blanket = not caught or re.search(r"\b(Base)?Exception\b", caught)
        raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        if blanket and not raises and not BLANKET_REASON.search(lines[node.lineno - 1]):
            found.append(f"{node.lineno}: except {caught or '(bare)'} without raise or reason")
        text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        if all(isinstance(inner, ast.Pass) for inner in node.body) and "# " not in text:
            found.append(f"{node.lineno}: except … pass without a comment that says why")
    for call in calls(tree, "suppress", "contextlib.suppress"):
        if any(ast.unparse(argument) in ("Exception", "BaseException") for argument in call.args):
            found.append(f"{call.lineno}: suppress(Exception)")
    return found


def prints(path: str, tree: ast.Module, source: str) -> list[str]:
    """Calls of print: only a benchmark or an example speaks that way."""
    if in_folder(path, "benchmarks", "examples"):
        return []
    return [f"{call.lineno}: print(" for call in calls(tree, "print")]


def environment(path: str, tree: ast.Module, source: str) -> list[str]:
    """Reads of the environment outside ``settings``."""
    if not in_folder(path, "src") or path == "src/metier/settings.py":
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in (
            "os.environ",
            "os.environb",
            "os.getenv",
        ):
            found.append(f"{node.lineno}: {ast.unparse(node)} belongs into settings.py")
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names} & {"environ", "environb", "getenv"}
            found.extend(f"{node.lineno}: from os import {name}" for name in names)
        if isinstance(node, ast.keyword) and node.arg in ("envvar", "auto_envvar_prefix"):
            found.append(f"{node.value.lineno}: {node.arg}= reads the environment")
    return found


def stubs(path: str, tree: ast.Module, source: str) -> list[str]:
    """Functions that look done and do nothing; protocols and overloads are declarations."""
    if not in_folder(path, "src"):
        return []
    declared: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(b) for b in node.bases):
            declared.update(node.body)
    found = []
    for node in functions(tree):
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if node in declared or decorators & {"overload", "abstractmethod", "abc.abstractmethod"}:
            continue
        body = [statement for statement in node.body if not _is_docstring(statement)]
        if body and all(_does_nothing(statement) for statement in body):
            found.append(f"{node.lineno}: {node.name} is a stub")
    return found


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _does_nothing(node: ast.stmt) -> bool:
    ellipsis = isinstance(node, ast.Expr) and ast.unparse(node) == "..."
    raises = isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)
    return isinstance(node, ast.Pass) or ellipsis or raises


RULES: dict[str, Rule] = {
    "long-function": long_functions,
    "docstring": missing_docstring,
    "banned-name": banned_names,
    "except": blanket_excepts,
    "print": prints,
    "environment": environment,
    "stub": stubs,
}

BAD: list[tuple[str, str, str]] = [
    ("long-function", "src/metier/a.py", "def f():\n" + "    x = 1\n" * 60),
    ("docstring", "src/metier/a.py", "x = 1\n"),
    ("docstring", "src/metier/a.py", '"""Things."""\nx = 1\n'),
    ("banned-name", "src/metier/utils.py", ""),
    ("banned-name", "src/metier/core/store.py", ""),
    ("banned-name", "src/metier/a.py", "class StoreManager: ..."),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept:\n    g()"),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept (OSError, Exception) as e:\n    g()"),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept OSError:\n    pass"),
    ("except", "src/metier/a.py", "with contextlib.suppress(Exception):\n    f()"),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept Exception:  # noqa: BLE001\n    g()"),
    ("print", "src/metier/a.py", "def f():\n    print('x')"),
    ("environment", "src/metier/store.py", "import os\nx = os.environ['X']"),
    ("environment", "src/metier/store.py", "import os\nx = os.getenv('X')"),
    ("environment", "src/metier/store.py", "from os import environ"),
    ("environment", "src/metier/cli/a.py", "click.option('--x', envvar='X')"),
    ("stub", "src/metier/a.py", "def f():\n    pass"),
    ("stub", "src/metier/a.py", 'def f():\n    """Doc."""\n    raise NotImplementedError'),
    ("stub", "src/metier/a.py", "class A:\n    def f(self): ..."),
]

GOOD: list[tuple[str, str, str]] = [
    ("long-function", "src/metier/a.py", "def f():\n" + "    x = 1\n" * 59),
    (
        "long-function",
        "src/metier/a.py",
        'def f():\n    """One.\n' + "\n" * 20 + '    """\n' + "    x = 1\n" * 59,
    ),
    ("docstring", "src/metier/a.py", '"""What it knows, and what not."""\nx = 1\n'),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept Exception:\n    g()\n    raise"),
    ("except", "src/metier/a.py", "try:\n    f()\nexcept OSError:\n    g()"),
    (
        "except",
        "src/metier/a.py",
        "try:\n    f()\nexcept Exception:  # noqa: BLE001  the outermost door\n    g()",
    ),
    (
        "except",
        "src/metier/a.py",
        "try:\n    f()\nexcept OSError:\n    # It may be gone.\n    pass",
    ),
    ("print", "examples/a.py", "print('x')"),
    ("environment", "src/metier/settings.py", "import os\nx = os.environ['X']"),
    ("stub", "src/metier/a.py", "class A(Protocol):\n    def f(self): ..."),
]


@pytest.mark.parametrize(("rule", "path", "source"), BAD)
def test_a_rule_finds_what_it_forbids(rule: str, path: str, source: str) -> None:
    assert RULES[rule](path, ast.parse(source), source)


@pytest.mark.parametrize(("rule", "path", "source"), GOOD)
def test_a_rule_lets_good_code_pass(rule: str, path: str, source: str) -> None:
    assert RULES[rule](path, ast.parse(source), source) == []


def test_every_rule_has_a_bad_snippet() -> None:
    assert {rule for rule, _, _ in BAD} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_code_keeps_the_rule(rule: str) -> None:
    problems: list[str] = []
    for path in files(".py"):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text(encoding="utf-8")
        found = RULES[rule](name, ast.parse(source), source)
        if (name, rule) in EXCEPTIONS:
            assert found, f"{name} no longer needs its exception from {rule!r}"
            continue
        problems += [f"{name}:{problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_few_places_catch_everything() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(".py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if path.is_relative_to(ROOT / "src") and BLANKET_REASON.search(line)
    ]
    assert len(found) <= MAX_BLANKET_EXCEPTS, found


def too_long(lines: int) -> bool:
    return lines > MAX_FILE_LINES


def test_no_file_is_longer_than_500_lines() -> None:
    assert too_long(501)
    assert not too_long(500)
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files(".py", ".js", ".mjs", ".ts", ".css", ".html")
    }
    assert len(lengths) > 10
    problems = {name: count for name, count in lengths.items() if too_long(count)}
    assert not problems
