"""The watch by itself inside ``metier up``: one look at a time, in a process of its own.

It knows when the next look is due (from the ledger, so that a restart forgets nothing) and how to
start and end a process. A process of its own runs at the lowest priority, keeps no request waiting,
and ends at once when the server does; it looks through ``metier watch`` and by nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType

from metier.assembly.watching import Watching, due_at
from metier.errors import MetierError

SHORTEST = 60.0
"""Seconds between two looks, at least."""
SETTLING = 5.0
"""Seconds after the start in which the server has the machine to itself."""
_LONGEST_WAIT = 300.0
"""Seconds after which the ledger is read again: somebody may have looked by hand."""
_PATIENCE = 2.0
_NICE = 19
COMMAND = (sys.executable, "-m", "metier", "watch", "--in-background", "--json")


class Rounds:
    """Looks every ``every`` seconds for the length of a ``with`` block.

    Args:
        watching: Says when somebody last looked.
        every: Seconds between two looks.
        say: Told in a sentence when a look failed.
        command: What looks.
        settling: Seconds before the first look.
    """

    def __init__(
        self,
        watching: Watching,
        every: float,
        say: Callable[[str], None],
        *,
        command: Sequence[str] = COMMAND,
        settling: float = SETTLING,
    ) -> None:
        self._watching, self._every, self._say = watching, every, say
        self._command, self._settling = command, settling
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._tried: datetime | None = None
        self._thread = threading.Thread(target=self._go, name="watch", daemon=True)

    def __enter__(self) -> Rounds:
        self._watching.every = self._every
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._watching.every = None
        self._ends.set()
        with self._lock:
            if self._running is not None:
                self._running.terminate()
        self._thread.join(_PATIENCE)
        with self._lock:
            if self._running is not None:
                self._running.kill()

    def wait(self) -> float:
        """Seconds until the next look is due; a look that failed counts as one."""
        now = datetime.now(UTC)
        looked = self._watching.looked()
        last = max(filter(None, (looked, self._tried)), default=None)
        return max(0.0, (due_at(last, self._every, now) - now).total_seconds())

    def _go(self) -> None:
        self._ends.wait(self._settling)
        while not self._ends.is_set():
            try:
                wait = self.wait()
            except MetierError as error:
                self._say(f"The watch cannot read when it looked last: {error.message}")
                wait = _LONGEST_WAIT
            if wait > 0.0:
                self._ends.wait(min(wait, _LONGEST_WAIT))
                continue
            self._tried = datetime.now(UTC)
            self._look()

    def _look(self) -> None:
        with self._lock:
            if self._ends.is_set():
                return
            try:
                # Only what is lost or failed is told; the rest is on the pages.
                self._running = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                self._say(f"The watch could not start: {error.strerror}.")
                return
            os.setpriority(os.PRIO_PROCESS, self._running.pid, _NICE)
        code = self._running.wait()
        with self._lock:
            self._running = None
        if self._ends.is_set() or code == 0:
            return
        if code == 1:
            self._say("The watch: a specialist has lost its route. See: metier watch")
        else:
            self._say(f"The watch could not ask everybody (exit code {code}). See: metier watch")


def check_every(every: float) -> float:
    """The same; raises InputError (``bad_usage``) below ``SHORTEST``."""
    from metier.errors import InputError

    if every < SHORTEST:
        raise InputError(
            f"--watch looks every {SHORTEST:.0f} seconds at most.",
            code="bad_usage",
            remedy="Write --watch 1d, or 6h.",
        )
    return every
