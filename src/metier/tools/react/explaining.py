"""What a code means: our sentence for people and the section of React's documentation.

It knows codes and addresses; it checks nothing and opens no network.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from metier.coding import Diagnostic

_DOCS = "https://react.dev/"
_TYPESCRIPT = "https://www.typescriptlang.org/docs/handbook/"


def explained(found: Diagnostic) -> Diagnostic:
    """The diagnostic with its explanation and address, where we have them.

    An entry may hold for a code alone or, with ``says``, for messages that match.
    """
    for entry in _table().get(found.code, ()):
        if "says" not in entry or re.search(entry["says"], found.message):
            docs = entry["docs"]
            if not docs.startswith("https:"):
                docs = (_TYPESCRIPT if docs.startswith("2/") else _DOCS) + docs
            return dataclasses.replace(found, explanation=entry["text"], docs=docs)
    return found


@lru_cache(maxsize=1)
def _table() -> dict[str, list[dict[str, str]]]:
    entries = tomllib.loads((files(__package__) / "explanations.toml").read_text("utf-8"))
    table: dict[str, list[dict[str, str]]] = {}
    for entry in entries["explanation"]:
        for code in entry["codes"]:
            table.setdefault(code, []).append(entry)
    return table
