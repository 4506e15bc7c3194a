"""Where an interpreter lies and what it reads to start: as places for a sandbox.

It knows this Python, where it finds packages, and single programs; it imports none of them.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from metier.sandbox.values import Place

_SEEN_ANYWAY = (Path("/usr"), Path("/bin"), Path("/sbin"), Path("/lib"), Path("/nix/store"))


def python() -> tuple[str, tuple[Place, ...]]:
    """The path of this Python as a command, and the places it needs.

    It is the interpreter itself, not a virtual environment around it: installed packages are
    not seen unless a place and ``PYTHONPATH`` name them.
    """
    path = Path(sys.executable).resolve()
    prefix = Path(sys.base_prefix).resolve()
    if _seen(path) and _seen(prefix):
        return str(path), ()
    prefixes = (Place(prefix, str(prefix)),)
    return str(path), prefixes if path.is_relative_to(prefix) else (*prefixes, *program(path))


def packages(*names: str) -> tuple[Place, ...]:
    """The folders from which this Python imports packages, as ``/packages/0`` and so on.

    Raises:
        ModuleNotFoundError: One is not installed; its ``name`` says which.
    """
    folders: list[Path] = []
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        folder = Path(found.origin).parent.parent
        if folder not in folders:
            folders.append(folder)
    return tuple(Place(folder, f"/packages/{number}") for number, folder in enumerate(folders))


def program(path: Path) -> tuple[Place, ...]:
    """The places that a single program (Node, for one) needs: its own file, or none below /usr."""
    real = path.resolve()
    return () if _seen(real) else (Place(real, str(path)),)


def _seen(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _SEEN_ANYWAY)
