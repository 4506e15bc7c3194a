"""Timelines of a stand-in: what a test gives it, and nothing otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from metier.overtaking import Timeline
from metier.watching import Standing


class Timelines:
    """Satisfies ``metier.server.timelines.Timelines``."""

    def __init__(self) -> None:
        self.given: dict[str, Sequence[Timeline]] = {}
        self.seen: dict[str, Sequence[tuple[str, Standing]]] = {}

    def of(self, name: str) -> Sequence[Timeline]:
        return self.given.get(name, ())

    def looks(self, name: str) -> Sequence[tuple[str, Standing]]:
        return self.seen.get(name, ())
