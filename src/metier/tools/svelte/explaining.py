"""What a code means: our sentence for people and the section of the documentation.

It knows codes and addresses; it compiles nothing and opens no network.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from metier.coding import Diagnostic

_DOCS = "https://svelte.dev/docs/svelte/"


def explanation(code: str) -> str:
    """Our sentence for a code of the compiler, or an empty string."""
    return _table().get(code, {}).get("text", "")


def address(code: str, severity: str) -> str:
    """The section of Svelte's documentation that a code of the compiler belongs to."""
    topic = _table().get(code, {}).get("docs")
    if topic:
        return topic if topic.startswith("https:") else _DOCS + topic
    page = "compiler-errors" if severity == "error" else "compiler-warnings"
    return f"{_DOCS}{page}#{code}"


def explained(found: Diagnostic) -> Diagnostic:
    """The diagnostic with its explanation and address."""
    values = {name: getattr(found, name) for name in Diagnostic.__slots__}
    values["explanation"] = found.explanation or explanation(found.code)
    values["docs"] = found.docs or address(found.code, found.severity)
    return Diagnostic(**values)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files(__package__) / "explanations.toml").read_text("utf-8"))
