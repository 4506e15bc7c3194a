"""The process that runs the answer: it loads the files and does what the tests ask of them.

It knows the answer and the arguments of calls. It is never told what the tests expect, nor how they
stand: whatever the answer does to this process, it can only send values.
"""

from __future__ import annotations

import asyncio
import builtins
import importlib
import io
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .lines import open_lines
from .peers import OWN_FILES, Peer

MAX_SAID = 200_000
"""Characters of what is printed during one call that travel."""
RECURSION = 1_100
"""A thousand calls deep as everywhere, and those of this process itself."""


class AnswerGate:
    """Everything here may be asked for; the tests' objects are trusted to speak for themselves."""

    trusting = True

    def __init__(self) -> None:
        self._printed = io.StringIO()

    def lend(self, value: Any) -> None:
        """Anything."""
        del value

    def permit(self, value: Any, operation: str, name: str) -> None:
        """Anything."""
        del value, operation, name

    def run(self, action: Callable[[], Any]) -> Any:
        """Do it, with prints kept for the reply."""
        sys.stdout = self._printed
        return action()

    def said(self) -> str:
        """What was printed since the last reply."""
        text = self._printed.getvalue()[:MAX_SAID]
        self._printed = io.StringIO()
        sys.stdout = self._printed
        return text

    def hear(self, text: str) -> None:
        """The tests print nothing that the answer should see."""
        del text

    def also(self, operation: str, target: Any, values: Sequence[Any]) -> Any:
        """``load`` the files, ``globals`` of a module by name, ``await`` a coroutine."""
        if operation == "load":
            return _load(values[0])
        if operation == "globals":
            return _globals(importlib.import_module(values[0]), values[1])
        if operation == "await":
            return asyncio.run(target)
        if operation == "rename":
            return setattr(importlib.import_module(values[0]), values[1], values[2])
        raise TypeError(operation)


def _globals(module: types.ModuleType, names: Sequence[str] | None) -> dict[str, Any]:
    """Those of the names that a module has (``None``: all public ones), each with its kind.

    A module of the standard library travels as its name: the tests use their own.
    """
    if names is None:
        names = getattr(module, "__all__", None) or [
            name for name in vars(module) if not name.startswith("_")
        ]
    found = {}
    for name in names:
        if not hasattr(module, name):
            continue
        value = getattr(module, name)
        library = isinstance(value, types.ModuleType) and value.__name__ in sys.stdlib_module_names
        found[name] = ("library", value.__name__) if library else ("value", value)
    return found


class _Asked(io.TextIOBase):
    """Standard input that the tests provide, a line at a time."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        """The next line of the tests' standard input."""
        del size
        return str(self._ask("line", None))

    def read(self, size: int | None = -1, /) -> str:
        """Everything that is left."""
        del size
        return "".join(iter(self.readline, ""))


def _load(order: Mapping[str, Any]) -> None:
    """Write the answer's files, and run its prelude and its module.

    The prelude (what a prompt gives) runs first, in the module's own names.
    """
    for path, text in order["files"].items():
        place = Path(OWN_FILES, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    sys.path.insert(0, str(Path(OWN_FILES).absolute()))
    name = order["module"]
    module = types.ModuleType(name)
    module.__file__ = str(Path(OWN_FILES, order["entry"]).absolute())
    sys.modules[name] = module
    if order["prelude"]:
        exec(compile(order["prelude"], "prompt", "exec"), vars(module))  # noqa: S102
    source = compile(order["files"][order["entry"]], OWN_FILES + order["entry"], "exec")
    exec(source, vars(module))  # noqa: S102


def main() -> None:
    """Serve what the tests ask for until the channel closes."""
    receive, send = open_lines()
    peer = Peer(receive, send, AnswerGate())
    sys.setrecursionlimit(RECURSION)
    sys.stdin = _Asked(peer.ask)
    builtins.input = lambda prompt="": str(peer.ask("input", None, "", str(prompt)))
    send(b'"ready"')
    peer.serve()
