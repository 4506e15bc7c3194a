"""What the server asks of the watch, as a protocol.

It knows the shape only; ``assembly.watching.Watching`` satisfies it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from metier.watching import Notice, Standing


class Watches(Protocol):
    """Standings, notices and feedback; thread-safe."""

    def standing(self, name: str) -> Standing | None:
        """Where a specialist stands, ``None`` if nobody looked; raises NotFoundError."""

    def standings(self) -> Mapping[str, Standing]:
        """The same of all, by name."""

    def notices(self) -> Sequence[Notice]:
        """What people should know, the latest first."""

    def document(self, name: str) -> Mapping[str, Any]:
        """Everything about one specialist, as JSON; raises NotFoundError."""

    def schedule(self) -> Mapping[str, Any]:
        """Whether somebody looks by themselves: ``every`` seconds, when next, who is asked."""

    def feedback(
        self,
        name: str,
        *,
        answer: str = "",
        text: str = "",
        thumb: str = "",
        label: str = "",
        comment: str = "",
        keep: bool = False,
    ) -> Mapping[str, Any]:
        """Take what a person says of an answer; raises InputError (``bad_feedback``)."""

    def erase_texts(self, name: str) -> int:
        """Erase the texts that were kept with feedback; how many."""
