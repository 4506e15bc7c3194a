"""The façade's protocol: the tests' small one and the real one answer the calls that it names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from typing import Any

import pytest

from metier.cli.facade import Facade

VERBS = sorted(name for name in vars(Facade) if not name.startswith("_") and name != "settings")


def missing(kind: Any, verb: str) -> set[str]:
    """Parameters that the protocol names and the method of ``kind`` does not take."""
    asked = inspect.signature(getattr(Facade, verb)).parameters
    given = inspect.signature(getattr(kind, verb)).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in given.values()):
        return set()
    named = {name for name, p in asked.items() if p.kind is not p.VAR_KEYWORD}
    return named - set(given)


def test_the_protocol_names_the_verbs() -> None:
    assert len(VERBS) == 15


@pytest.mark.parametrize("verb", VERBS)
def test_the_small_facade_takes_every_call(facade: Any, verb: str) -> None:
    assert missing(type(facade), verb) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_the_real_facade_takes_every_call(verb: str) -> None:
    if importlib.util.find_spec("metier.assembly") is None:
        pytest.skip("the assembly is not part of this tree")
    assert missing(importlib.import_module("metier.assembly").Metier, verb) == set()
