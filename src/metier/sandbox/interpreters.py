"""Where an interpreter lies and what it reads to start: as places for a sandbox.

It knows this Python and single programs; it knows no package of either.
"""

from __future__ import annotations

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


def program(path: Path) -> tuple[Place, ...]:
    """The places that a single program (Node, for one) needs: its own file, or none below /usr."""
    real = path.resolve()
    return () if _seen(real) else (Place(real, str(path)),)


def _seen(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _SEEN_ANYWAY)
