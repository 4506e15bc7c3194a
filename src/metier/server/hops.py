"""What the server asks of hopping, as protocols: classifiers, packs, chat specialists.

It knows the shapes only; what ``assembly`` has in ``hopping``, ``movingdocs`` and ``rebasing``
satisfies them.
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


class Moves(Protocol):
    """Document packs made again on other documents; thread-safe."""

    def versions(self) -> Mapping[str, Any]:
        """Versions of documents by name, like ``kit@3``."""

    def offers(self, name: str) -> Sequence[Any]:
        """Versions that a pack could hold, with ``to_dict``; none of anything else."""

    def hop(self, name: str, docs: str, *, report: Report, cancelled: Callable[[], bool]) -> Any:
        """Make a pack on other documents, and promote it if it finds what changed.

        Raises:
            InputError: It is no pack, or holds no such documents, or these already.
            UnavailableError: The documents cannot be had; ``hopping``: somebody hops it.
        """


class Rebases(Protocol):
    """Chat specialists hopped from base to base; thread-safe."""

    def base(self, name: str) -> str | None:
        """The base that a chat specialist has, or ``None``."""

    def evals(self, name: str) -> Sequence[str]:
        """Executed evals by name, its own first; none of anything else."""

    def hop(
        self,
        name: str,
        bases: Sequence[str],
        *,
        on: str | None = None,
        budget: float | None = None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Any:
        """Run its eval on its base and on others; the best that wins becomes its base.

        Raises:
            InputError: What is asked for is not possible.
            UnavailableError: ``budget_spent``, ``no_sandbox``, ``hopping``.
        """
