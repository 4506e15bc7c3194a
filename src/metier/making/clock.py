"""Time: what has been spent, what is left of a budget, and whether the person said stop.

It knows wall and processor seconds and nothing of the work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from metier.errors import InputError


def never() -> bool:
    """For callers that cannot be cancelled."""
    return False


@dataclass(frozen=True)
class Clock:
    """Started once per make.

    Attributes:
        budget: Wall seconds for everything, or ``None`` for no limit.
        cancelled: Becomes true when the person stops the work.
    """

    budget: float | None = None
    cancelled: Callable[[], bool] = never
    _wall: float = field(default_factory=time.monotonic)
    _processor: float = field(default_factory=time.process_time)

    @property
    def seconds(self) -> float:
        """Wall seconds since the start."""
        return time.monotonic() - self._wall

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds since the start, all threads together."""
        return time.process_time() - self._processor

    @property
    def left(self) -> float:
        """Wall seconds left of the budget; infinite without one."""
        return float("inf") if self.budget is None else self.budget - self.seconds

    def check(self) -> None:
        """Raise InputError (code ``cancelled``) if the person said stop."""
        if self.cancelled():
            raise InputError(
                "Stopped before the end; nothing was installed.",
                code="cancelled",
                remedy="Run the same command again: answers that were paid for are kept.",
            )
