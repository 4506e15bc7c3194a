"""What the server needs of the bitter-lesson plot, and its numbers as JSON.

It asks the façade for timelines; it draws nothing and computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from metier.errors import MetierError
from metier.history.telling import caption, cautions, sentence
from metier.overtaking import Timeline
from metier.watching import Standing

Look = tuple[str, Standing]
"""When somebody looked (ISO moment), and what it came to."""


class Timelines(Protocol):
    """General models by date against a specialist."""

    def of(self, name: str) -> Sequence[Timeline]:
        """One for each eval, the richest first; raises NotFoundError."""

    def looks(self, name: str) -> Sequence[Look]:
        """Every look of the watch at what is installed; raises NotFoundError."""


def looked(timelines: Timelines, name: str) -> Sequence[Look]:
    """The looks that a page shows, as for ``shown``."""
    try:
        return timelines.looks(name)
    except MetierError:
        return ()


def shown(timelines: Timelines, name: str) -> Sequence[Timeline]:
    """What a page shows; nothing where the ledger cannot be read: the page stands without it."""
    try:
        return timelines.of(name)
    except MetierError:
        return ()


def as_json(timelines: Sequence[Timeline]) -> list[dict[str, Any]]:
    """Every number of the plots, with what they say in a sentence."""
    return [
        {
            **asdict(one),
            "sentence": sentence(one),
            "caption": caption(one),
            "cautions": cautions(one),
        }
        for one in timelines
    ]
