"""Room in the cache that all answers of one base share: who may start, who may go on.

Every answer is promised what it needs for sure and takes more as it grows. Nobody starts without
room, so the engine never runs out of it (it would fail every answer under way); an answer that
finds no room to grow gives its own back and goes on when there is some. First come, first served.
It knows tokens; it knows no request.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

_LOOK = 0.05  # seconds between two looks at whether a waiting one has given up


class Room:
    """Tokens that answers share; threads share it.

    Args:
        total: Tokens that there are.
    """

    def __init__(self, total: int) -> None:
        self._free = total
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def take(self, tokens: int, stopping: Callable[[], bool]) -> bool:
        """Wait for so many tokens, at most all; ``False`` if it was given up before."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._free < tokens:
                    if stopping():
                        return False
                    self._changed.wait(_LOOK)
                self._free -= tokens
                return True
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def grow(self, tokens: int) -> bool:
        """Take so many more, if they are free and nobody waits for them."""
        with self._changed:
            if self._free < tokens or self._waiting:
                return False
            self._free -= tokens
            return True

    def give(self, tokens: int) -> None:
        """Give so many back."""
        with self._changed:
            self._free += tokens
            self._changed.notify_all()
