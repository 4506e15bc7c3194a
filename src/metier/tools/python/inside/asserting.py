"""Runs assertions and doctests, and says what was expected where and what was found.

It knows Python's syntax and how a failed assertion reads; the names of the answer come from
``Answer``, and nothing of the answer runs here.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import io
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from .modules import Answer
from .peers import Caught, GoneError
from .verdicts import shown, told, verdict

_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "Eq": ("==", operator.eq),
    "NotEq": ("!=", operator.ne),
    "Lt": ("<", operator.lt),
    "LtE": ("<=", operator.le),
    "Gt": (">", operator.gt),
    "GtE": (">=", operator.ge),
    "Is": ("is", operator.is_),
    "IsNot": ("is not", operator.is_not),
    "In": ("in", lambda left, right: left in right),
    "NotIn": ("not in", lambda left, right: left not in right),
}
_EXPECT, _HOLD = "_metier_expect", "_metier_hold"


class _Telling(ast.NodeTransformer):
    """Turns each ``assert`` into a call that knows its two sides."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.count = 0

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """A call in place of the statement."""
        self.count += 1
        text = ast.get_source_segment(self._source, node.test) or ast.unparse(node.test)
        message = node.msg or ast.Constant(None)
        later = ast.Lambda(ast.arguments([], [], None, [], [], None, []), message)
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            sides = [test.left, ast.Constant(type(test.ops[0]).__name__), test.comparators[0]]
            name = _EXPECT
        else:
            sides, name = [test], _HOLD
        call = ast.Call(ast.Name(name, ast.Load()), [*sides, ast.Constant(text), later], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node))


def _expect(left: Any, name: str, right: Any, text: str, message: Callable[[], Any]) -> None:
    sign, holds = _OPERATORS[name]
    if holds(left, right):
        return
    if sign == "==":
        found = f"expected {shown(right)}, found {shown(left)}"
    else:
        found = f"{shown(left)} {sign} {shown(right)} does not hold"
    raise AssertionError(_sentence(text, found, message()))


def _hold(value: Any, text: str, message: Callable[[], Any]) -> None:
    if not value:
        raise AssertionError(_sentence(text, f"found {shown(value)}", message()))


def _sentence(text: str, found: str, message: Any) -> str:
    line = " ".join(text.split())
    short = line if len(line) <= 240 else line[:240] + " …"
    return f"{short}: {found}" + (f" ({str(message)[:200]})" if message else "")


def names_in(trees: Iterable[ast.AST]) -> list[str]:
    """Names that some code reads."""
    found = {
        node.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return sorted(found)


def bind(order: Mapping[str, Any], answer: Answer, trees: Iterable[ast.AST]) -> dict[str, Any]:
    """The names of a test's globals: those of the answer that the test reads.

    A name of a built-in is the answer's only where the task says so (``names``).
    """
    named = set(order["names"])
    wanted = [name for name in names_in(trees) if name in named or not hasattr(builtins, name)]
    space: dict[str, Any] = {"__name__": "tests", _EXPECT: _expect, _HOLD: _hold}
    space.update(answer.names(order["module"], wanted))
    return space


def run_asserts(order: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Run set-up code and then each test, in one module; the first that fails decides."""
    sources = [order["setup"], *order["tests"]]
    try:
        trees = [ast.parse(source) for source in sources]
    except SyntaxError as error:
        return verdict("tests", f"The task's tests do not parse: {error}.")
    telling = [_Telling(source) for source in sources]
    changed = [each.visit(tree) for each, tree in zip(telling, trees, strict=True)]
    if not any(each.count for each in telling):
        return verdict("tests", "The task's tests assert nothing.")
    try:
        space = bind(order, answer, trees)
        for step, tree in enumerate(changed):
            code = compile(tree, "setup" if step == 0 else f"test {step}", "exec")
            failed = _attempt(code, space, order, step or None)
            if failed is not None:
                return failed
    except GoneError as error:
        return verdict("behaviour", f"The answer's process ended: {error}.")
    return verdict(None)


def _attempt(
    code: Any, space: dict[str, Any], order: Mapping[str, Any], step: int | None = None
) -> dict[str, Any] | None:
    caught = Caught()
    with caught:
        exec(code, space)  # noqa: S102 the task's own tests
    error = caught.error
    if error is None:
        return None
    if isinstance(error, AssertionError):
        return verdict("behaviour", f"{error}.", step)
    if isinstance(error, ImportError) and error.name not in order["modules"] and not _theirs(error):
        return verdict("tests", f"The task's tests need what is not here: {error}.", step)
    if isinstance(error, NameError) and not _theirs(error):
        return verdict("behaviour", f"The answer defines no {error.name!r}.", step)
    return verdict("behaviour", f"{told(error)}.", step)


def _theirs(error: BaseException) -> bool:
    """Whether an error was raised in the answer's process."""
    return bool(getattr(error, "__notes__", None))


def run_doctests(order: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Run the examples that the task gives; the first that fails decides."""
    text = "\n".join(order["tests"])
    try:
        parsed = doctest.DocTestParser().get_examples(text)
        trees = [ast.parse(example.source) for example in parsed]
    except (ValueError, SyntaxError) as error:
        return verdict("tests", f"The task's examples do not parse: {error}.")
    if not parsed:
        return verdict("tests", "The task has no examples.")
    try:
        space = bind(order, answer, trees)
        setup = compile(order["setup"], "setup", "exec")
        return _attempt(setup, space, order) or _examples(parsed, space)
    except GoneError as error:
        return verdict("behaviour", f"The answer's process ended: {error}.")


def _examples(parsed: Sequence[doctest.Example], space: dict[str, Any]) -> dict[str, Any]:
    checker = doctest.OutputChecker()
    for step, example in enumerate(parsed, start=1):
        flags = sum(flag for flag, on in example.options.items() if on)
        printed, caught = io.StringIO(), Caught()
        hook, sys.displayhook = sys.displayhook, _display
        with redirect_stdout(printed), caught:
            exec(compile(example.source, f"example {step}", "single"), space)  # noqa: S102
        sys.displayhook = hook
        line = example.source.strip()
        if caught.error is None:
            if checker.check_output(example.want, printed.getvalue(), flags):
                continue
            found = f"expected {example.want.strip()!r}, found {printed.getvalue().strip()!r}"
        elif example.exc_msg is not None and _same_error(checker, example.exc_msg, caught.error):
            continue
        else:
            found = told(caught.error)
        return verdict("behaviour", f"{line}: {found}.", step)
    return verdict(None)


def _display(value: Any) -> None:
    if value is not None:
        sys.stdout.write(repr(value) + "\n")


def _same_error(checker: doctest.OutputChecker, want: str, error: BaseException) -> bool:
    found = f"{type(error).__name__}: {error}\n"
    short = f"{type(error).__name__}\n"
    return checker.check_output(want, found, 0) or (not str(error) and want == short)
