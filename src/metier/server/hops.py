"""What the server asks of hopping, as a protocol.

It knows the shape only; ``assembly.hopping.Hopping`` satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from metier.messages import Report


class Hops(Protocol):
    """Hops, rollbacks and their history; thread-safe."""

    def hop(
        self,
        name: str,
        *,
        bases: Sequence[str] = (),
        every_new: bool = False,
        fresh: Path | None = None,
        budget: float | None = None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Any:
        """Make a specialist again on bases that are here, and promote the best only on proof.

        Raises:
            InputError: What is asked for is not possible.
            UnavailableError: A base or the rows are not here; ``hopping``: somebody hops it.
        """

    def rollback(self, name: str, *, to: str | None = None) -> Any:
        """Put the champion before this one back, or what was put aside; raises NotFoundError."""

    def document(self, name: str) -> Mapping[str, Any]:
        """Base, previous champion, history and bases at hand, as JSON; raises NotFoundError."""
