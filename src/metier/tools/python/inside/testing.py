"""The process that runs the tests: it holds them and what they expect, never the answer.

It knows which of its objects the answer may use and how; what it says at the end, tagged with the
secret of this judgement, is the verdict.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import json
import random
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .asserting import run_asserts, run_doctests
from .lines import open_lines
from .modules import Answer, Finder
from .peers import Caught, GoneError, Peer
from .remotes import SPECIALS
from .verdicts import told, verdict

TESTS = "tests"
"""Module name of what the tests define themselves."""
_CALLED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    functools.partial,
)
_OPENED = (io.StringIO, io.BytesIO)
_TOLD = frozenset({"__name__", "__qualname__", "__doc__"})


class TestGate:
    """Lends the answer functions to call, iterators to advance and objects of the tests' classes.

    Nothing that leads to the tests themselves: no attribute of a function, no name with an
    underscore, no module, no frame.
    """

    __test__ = False
    trusting = False

    def __init__(self) -> None:
        self.own = {TESTS}
        self.failures: list[BaseException] = []
        self._lent: dict[int, Any] = {}

    def lend(self, value: Any) -> None:
        """Refuse what is neither called, advanced nor of the tests' own making."""
        if not self._kind(value):
            kind = type(value).__name__
            raise TypeError(f"the tests cannot hand a {kind!r} object to the answer")
        self._lent[id(value)] = value

    def permit(self, value: Any, operation: str, name: str) -> None:
        """Calls of what is called, steps of what is advanced, public attributes of own objects."""
        if value is None:
            allowed = operation in ("line", "input")
        elif self._lent.get(id(value)) is not value:
            allowed = False
        else:
            attribute = operation in ("get", "set", "delete")
            allowed = {
                "class": operation == "call",
                "called": operation == "call"
                or (operation, name) == ("special", "__call__")
                or (operation == "get" and name in _TOLD),
                "stepped": operation == "special" and name in ("__next__", "__iter__"),
                "own": operation == "call"
                or (operation == "special" and name in SPECIALS)
                or (attribute and not name.startswith("_")),
            }.get(self._kind(value), False)
        if not allowed:
            raise AttributeError(f"the tests do not offer {name or operation!r} of this object")

    def _kind(self, value: Any) -> str:
        module = getattr(value if isinstance(value, type) else type(value), "__module__", "")
        if isinstance(value, type):
            return "class" if module in self.own or module == "builtins" else ""
        if isinstance(value, _CALLED):
            return "called"
        if module in self.own or module == "unittest.mock":
            return "own"
        if isinstance(value, (BaseException, *_OPENED)):
            return "own"
        return "stepped" if hasattr(type(value), "__next__") else ""

    def run(self, action: Callable[[], Any]) -> Any:
        """Do it; a failed assertion counts even if the answer swallows it, and tells it nothing."""
        caught = Caught()
        result = None
        with caught:
            result = action()
        error = caught.error
        if error is None:
            return result
        if isinstance(error, Exception) and not isinstance(error, AssertionError):
            raise error
        self.failures.append(error)
        raise AssertionError

    def said(self) -> str:
        """The tests' prints are not for the answer."""
        return ""

    def hear(self, text: str) -> None:
        """Print here what the answer printed."""
        if text:
            sys.stdout.write(text)

    def also(self, operation: str, target: Any, values: Sequence[Any]) -> Any:
        """``line``: of standard input; ``input``: what the tests answer to a prompt."""
        del target
        return input(*values) if operation == "input" else sys.stdin.readline()


def _bare_input(prompt: object = "", /) -> str:
    """``input`` on what standard input is now."""
    sys.stdout.write(str(prompt))
    line = sys.stdin.readline()
    if not line:
        raise EOFError("the tests give no more input")
    return line.removesuffix("\n")


def judge(order: Mapping[str, Any], peer: Peer, gate: TestGate) -> dict[str, Any]:
    """Load the answer and run the tests of an order.

    Returns:
        The verdict: ``standing``, ``stage``, ``why``, ``step``.
    """
    answer = Answer(peer)
    sys.meta_path.insert(0, Finder(answer, order["modules"]))
    for path, text in order["given"].items():
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        gate.own.add(path.removesuffix(".py").replace("/", "."))
    sys.path.insert(0, str(Path.cwd()))
    random.seed(0)
    caught = Caught()
    try:
        with caught:
            peer.ask("load", None)
    except GoneError as error:
        return verdict("load", f"The answer's process ended while it was loaded: {error}.")
    if caught.error is not None:
        return verdict("load", f"The answer cannot be loaded: {told(caught.error)}.")
    if order["kind"] == "pytest":
        run_pytest = importlib.import_module(".pytesting", __package__).run_pytest
        found: dict[str, Any] = run_pytest(order, gate)
    else:
        run = run_asserts if order["kind"] == "asserts" else run_doctests
        found = run(order, answer)
    if found["standing"] == "passed" and gate.failures:
        return verdict("behaviour", f"A check in a callback failed: {told(gate.failures[0])}.")
    return found


def main(*, pytest: bool = False) -> None:
    """Receive the order, judge, send the verdict."""
    receive, send = open_lines()
    gate = TestGate()
    peer = Peer(receive, send, gate)
    if pytest:
        importlib.import_module("pytest")
    sys.stdout, sys.stdin = io.StringIO(), io.StringIO()
    builtins.input = _bare_input
    send(b'"ready"')
    order = json.loads(receive())
    sys.stdin = io.StringIO(order["stdin"])
    found = judge(order, peer, gate)
    send(json.dumps({"verdict": order["nonce"], **found}).encode())
