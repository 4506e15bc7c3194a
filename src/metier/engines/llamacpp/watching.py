"""A watch over a grammar: where it keeps the engine from writing anything, the process is ended.

It runs inside the worker. A grammar of a few characters can keep llama.cpp busy for years, and
nothing else is answered meanwhile; the library has no way to stop it. Whoever asked is told that
the process ended, and it is started anew. It knows no grammar.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

PATIENCE: Final = 20.0
"""Seconds without a token, twice, that are too many; the prompt has been read before."""


def end_process() -> None:
    """End the worker, whatever it is busy with."""
    os._exit(70)


class Watch:
    """Calls ``end`` if two spans of ``patience`` seconds pass without a beat.

    Args:
        patience: Seconds.
        end: What to do then.
    """

    def __init__(self, patience: float = PATIENCE, end: Callable[[], None] = end_process) -> None:
        self._patience = patience
        self._end = end
        self._over = threading.Event()
        self._beaten = True  # a whole span must pass first
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def beat(self) -> None:
        """Something was written."""
        self._beaten = True

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._patience):
            if not self._beaten:
                self._end()
                return
            self._beaten = False
