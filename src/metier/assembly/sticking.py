"""Who answered a conversation last, so that the router need not switch; kept in memory only.

It knows keys, names and counts of tokens, never a text. It holds so many conversations and no
more; the oldest is forgotten first.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

MOST_KEPT = 4096
FORGOTTEN_AFTER = 6 * 3600.0
"""Seconds without a word: no prompt cache is that old."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who answered last, and the tokens of prompt and answer that it may hold in its cache."""

    name: str
    tokens: int
    at: float


class Memory:
    """The conversations of one process; threads may share it."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()

    def hidden(self, key: str) -> str:
        """A key as it may be logged: nobody can guess the first words of a person from it.

        It is another one in every process, and "" stays "".
        """
        if not key:
            return ""
        told = key.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(told, key=self._salt, digest_size=16).hexdigest()

    def who(self, key: str) -> Held | None:
        """Who answered this conversation last, if that is known."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and time.monotonic() - held.at > FORGOTTEN_AFTER:
                del self._held[key]
                return None
            return held

    def keep(self, key: str, name: str, tokens: int) -> None:
        """Remember who answered; nothing without a key."""
        if not key:
            return
        with self._lock:
            self._held[key] = Held(name, tokens, time.monotonic())
            self._held.move_to_end(key)
            while len(self._held) > MOST_KEPT:
                self._held.popitem(last=False)

    def __len__(self) -> int:
        return len(self._held)
