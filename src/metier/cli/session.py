"""What a command is handed: how to open the façade, and whether to show tracebacks.

The façade is opened when a command first asks for it, here and nowhere else. It knows nothing of
what the façade does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metier.assembly import Metier
    from metier.server.facade import Pages


def open_metier() -> Metier:
    """Open the composition root; importing it here keeps it off the way to ``--help``."""
    from metier.assembly import Metier

    return Metier.open()


def open_pages() -> Pages:
    """The website that ``metier up`` serves."""
    from metier.site import Site

    return Site()


@dataclass
class Session:
    """One run of the command line: how it gets the façade and the website, and ``--debug``."""

    opener: Callable[[], Metier]
    pages: Callable[[], Pages] = open_pages
    debug: bool = False
    _opened: Metier | None = field(default=None, repr=False)

    @property
    def metier(self) -> Metier:
        """The façade, opened at the first call."""
        if self._opened is None:
            self._opened = self.opener()
        return self._opened
