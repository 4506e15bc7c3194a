"""What a search by eval is asked for over HTTP, as a protocol.

It knows the shape only; ``assembly.trying.Trying`` satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from metier.messages import Report


class Tries(Protocol):
    """Candidates on a file of examples; thread-safe."""

    def field(self, source: Path) -> Any:
        """What a file of examples is and who here can answer it: a ``trying.Field``."""

    def find_by_eval(  # noqa: PLR0913  one argument per flag of 'metier find --eval'
        self,
        source: Path,
        *,
        candidates: Sequence[str] = ...,
        questions: int | None = ...,
        seconds: float | None = ...,
        seed: int = ...,
        against: str | None = ...,
        name: str | None = ...,
        report: Report = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> Any:
        """Candidates tried on a file of examples: a ``Tried``; see ``Trying.find_by_eval``."""
