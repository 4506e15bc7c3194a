"""Plugins: parts of Metier that other packages bring, found by name through entry points.

It knows four groups and how to load one entry; it does not know what an entry does. Our own
engines, rungs, scorers and tools come through the same door. Nothing is imported until it is
asked for by name.
"""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from metier.errors import InputError, NotFoundError, UnavailableError

Group = Literal["engines", "rungs", "scorers", "tools"]


def names(group: Group) -> list[str]:
    """The names in a group, sorted; nothing is imported."""
    return sorted({entry.name for entry in _entries(group)})


def load(group: Group, name: str) -> Any:
    """The object behind a name.

    Raises:
        NotFoundError: No installed package brings it (code ``no_plugin``).
        InputError: Two packages bring it (code ``two_plugins``).
        UnavailableError: It cannot be imported (code ``broken_plugin``).
    """
    found = {entry.value: entry for entry in _entries(group) if entry.name == name}
    if not found:
        near = difflib.get_close_matches(name, names(group), n=3)
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotFoundError(
            f"No installed package brings {name!r} to {group}.{guess}",
            code="no_plugin",
            remedy=f"Install the package that has the entry point metier.{group}: {name}.",
            details={"near": near},
        )
    if len(found) > 1:
        raise InputError(
            f"Two packages bring {name!r} to {group}: {' and '.join(sorted(found))}.",
            code="two_plugins",
            remedy="Uninstall one of them.",
        )
    (entry,) = found.values()
    return _imported(entry, group)


def _entries(group: Group) -> list[EntryPoint]:
    return list(entry_points(group=f"metier.{group}"))


def _imported(entry: EntryPoint, group: Group) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        package = entry.dist.name if entry.dist is not None else entry.module
        raise UnavailableError(
            f"The plugin {entry.name!r} of metier.{group}, from {package}, cannot be loaded: "
            f"{error}.",
            code="broken_plugin",
            remedy=f"Reinstall {package}, or uninstall it.",
        ) from error
