"""The clock that residency goes by; tests bring one that they move themselves."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds, and waiting for something to change."""

    def now(self) -> float:
        """Seconds that only go forward."""

    def unix(self) -> float:
        """Seconds since 1970."""

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait until ``condition``, which the caller holds, is notified, or ``seconds`` passed."""


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def unix(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait on the condition."""
        # Python refuses waits of centuries.
        condition.wait(None if seconds is None else min(max(seconds, 0.0), threading.TIMEOUT_MAX))
