"""Crash loops: a model whose workers keep ending is not started for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from metier.errors import UnavailableError

LIMIT = 5
"""Failures in a row, without an answer between them, after which starting pauses."""
WINDOW = 60.0
"""Seconds in which they happen."""
PAUSE = 5.0
"""Seconds until one more start is tried."""


@dataclass
class Faults:
    """What failed lately, by key; the caller holds the scheduler's lock."""

    _failed: dict[Hashable, deque[float]] = field(default_factory=dict)
    _words: dict[Hashable, str] = field(default_factory=dict)

    def count(self, key: Hashable, now: float, words: str) -> None:
        """A worker ended by itself, or did not start."""
        self._failed.setdefault(key, deque(maxlen=LIMIT)).append(now)
        self._words[key] = words

    def clear(self, key: Hashable) -> None:
        """A worker gave an answer: what failed before does not count."""
        self._failed.pop(key, None)
        self._words.pop(key, None)

    def check(self, key: Hashable, now: float) -> None:
        """Raise UnavailableError (code ``engine_failed``) while starting pauses."""
        failed = self._failed.get(key)
        if failed is None:
            return
        if now - failed[-1] > WINDOW:
            self.clear(key)
            return
        left = failed[-1] + PAUSE - now
        if len(failed) == LIMIT and now - failed[0] <= WINDOW and left > 0:
            took = failed[-1] - failed[0]
            raise UnavailableError(
                f"The model failed {LIMIT} times in {took:.0f} s without an answer, so it is not "
                f"started for another {left:.0f} s. Last: {self._words[key]}",
                code="engine_failed",
                remedy="'metier verify' checks its files; 'metier doctor' shows what engines need.",
                retryable=True,
                details={"retry_after": round(left, 1)},
            )
