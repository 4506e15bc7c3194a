"""Metier: small specialist models, made from examples or documents and proved.

    import metier

    card = metier.make("tickets.csv", name="tickets")
    metier.classify("tickets", ["my parcel never came"])

Everything else is a method of ``metier.Metier``; importing this package loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from metier.version import __version__

if TYPE_CHECKING:
    from metier.assembly import Metier
    from metier.card import Card, Evidence, Verdict
    from metier.conversing import Reply
    from metier.errors import MetierError
    from metier.messages import Prediction, Progress
    from metier.recipe import Recipe
    from metier.settings import Settings
    from metier.verbs import answer, check, classify, compare, evaluate, installed, make, search

__all__ = [
    "Card",
    "Evidence",
    "Metier",
    "MetierError",
    "Prediction",
    "Progress",
    "Recipe",
    "Reply",
    "Settings",
    "Verdict",
    "__version__",
    "answer",
    "check",
    "classify",
    "compare",
    "evaluate",
    "installed",
    "make",
    "search",
]

_HOMES = {
    "Card": "card",
    "Evidence": "card",
    "Metier": "assembly",
    "MetierError": "errors",
    "Prediction": "messages",
    "Progress": "messages",
    "Recipe": "recipe",
    "Reply": "conversing",
    "Settings": "settings",
    "Verdict": "card",
    "answer": "verbs",
    "check": "verbs",
    "classify": "verbs",
    "compare": "verbs",
    "evaluate": "verbs",
    "installed": "verbs",
    "make": "verbs",
    "search": "verbs",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'metier' has no attribute {name!r}")
    return getattr(importlib.import_module(f"metier.{home}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
