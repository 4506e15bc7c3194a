"""What a command is handed: how to open the façade, and whether to show tracebacks.

The façade is opened when a command first asks for it, here and nowhere else. It knows nothing of
what the façade does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from metier.cli.facade import Facade


def open_metier() -> Facade:
    """Open the composition root, ``metier.assembly.Metier``; its import is the slow part."""
    assembly = importlib.import_module("metier.assembly")
    return cast("Facade", assembly.Metier.open())


def open_pages() -> Any:
    """The website that ``metier up`` serves, ``metier.site.Site``."""
    return importlib.import_module("metier.site").Site()


@dataclass
class Session:
    """One run of the command line: how it gets the façade and the website, and ``--debug``."""

    opener: Callable[[], Facade]
    pages: Callable[[], Any] = open_pages
    debug: bool = False
    _opened: Facade | None = field(default=None, repr=False)

    @property
    def metier(self) -> Facade:
        """The façade, opened at the first call."""
        if self._opened is None:
            self._opened = self.opener()
        return self._opened
