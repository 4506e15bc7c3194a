"""The answer's modules as the tests import them: names that are asked for one by one.

It knows Python's import machinery; what a name stands for is for the channel to say.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import types
from collections.abc import Sequence
from typing import Any

from .peers import Peer


class Answer:
    """What the tests can ask for by name."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def names(self, module: str, names: Sequence[str] | None) -> dict[str, Any]:
        """Those of the names that a module of the answer defines."""
        listed = None if names is None else list(names)
        found = self.peer.ask("globals", None, "", module, listed)
        return {
            name: importlib.import_module(value) if kind == "library" else value
            for name, (kind, value) in found.items()
        }

    def set(self, module: str, name: str, value: Any) -> None:
        """Give a name of the answer's module another value."""
        self.peer.ask("rename", None, "", module, name, value)


class _AnswerModule(types.ModuleType):
    """A module of the answer, as the tests import it."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return list(self.__dict__["_answer_names"](None))
        if name.startswith("__"):
            raise AttributeError(name)
        found = self.__dict__["_answer_names"]([name])
        if name not in found:
            raise AttributeError(f"the answer's {self.__name__!r} defines no {name!r}")
        return found[name]

    def __delattr__(self, name: str) -> None:
        """Give a name that was set its first value again (what ``monkeypatch`` ends with)."""
        first = self.__dict__.get("_answer_first", {})
        if name not in first:
            raise AttributeError(name)
        self.__dict__["_answer_set"](name, first.pop(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or isinstance(value, types.ModuleType):
            super().__setattr__(name, value)
        else:
            first = self.__dict__.setdefault("_answer_first", {})
            if name not in first:
                first.update(self.__dict__["_answer_names"]([name]))
            self.__dict__["_answer_set"](name, value)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the answer's modules before any other."""

    def __init__(self, answer: Answer, modules: Sequence[str]) -> None:
        self._answer, self._modules = answer, frozenset(modules)

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """A specification for a module of the answer."""
        del path, target
        if name in self._modules:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """A stand-in that asks for each name."""
        module = _AnswerModule(spec.name)
        module._answer_names = lambda names: self._answer.names(spec.name, names)
        module._answer_set = lambda name, value: self._answer.set(spec.name, name, value)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """It has been run in its own process."""
        del module
