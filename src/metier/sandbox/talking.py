"""A process that lives long and is talked to in both directions at once.

It knows bytes on two pipes and the process's end; it knows neither what the bytes mean nor what
confines the process. Who asks and who reads are different threads: a reply need not follow its
request, and many may be under way.
"""

from __future__ import annotations

import contextlib
import os
import threading

from metier.errors import UnavailableError
from metier.sandbox.keeping import Keeper
from metier.sandbox.launching import Channel
from metier.sandbox.processes import proportional
from metier.sandbox.values import Finished

_CHUNK = 1 << 18


class Talking:
    """One started process; any thread may send and close, one thread receives.

    Args:
        keeper: Of the started process.
        channel: Its pipes; the child's ends are closed already.
    """

    def __init__(self, keeper: Keeper, channel: Channel) -> None:
        self._keeper = keeper
        self._channel = channel
        self._sending = threading.Lock()
        self._receiving = threading.Lock()
        self._can_send = self._can_receive = True

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._keeper.alive

    @property
    def finished(self) -> Finished | None:
        """How it ended, or ``None`` while it runs."""
        return self._keeper.finished

    @property
    def said(self) -> bytes:
        """The end of what it wrote to stderr."""
        return self._keeper.said

    @property
    def memory_bytes(self) -> int:
        """Resident memory of everything inside; what others map too counts in proportion."""
        return proportional(self._keeper.members)

    def send(self, data: bytes) -> None:
        """Write all of it; blocks while the process does not read.

        Raises:
            UnavailableError: ``sandbox_ended``: nobody reads it any more.
        """
        with self._sending:
            left = memoryview(data)
            while left:
                if not self._can_send:
                    raise _ended()
                try:
                    left = left[os.write(self._channel.send, left) :]
                except BrokenPipeError:
                    raise _ended() from None

    def receive(self) -> bytes:
        """The next bytes, as soon as there are any; empty once the process has ended."""
        with self._receiving:
            data = os.read(self._channel.receive, _CHUNK) if self._can_receive else b""
            if not data and self._can_receive:
                self._can_receive = False
                os.close(self._channel.receive)
            return data

    def end(self) -> None:
        """Kill the process and everything it started; returns at once."""
        self._keeper.end()

    def close(self) -> Finished:
        """Kill the process and everything it started, wait until it is gone, say how it ended."""
        self._keeper.end()
        finished = self._keeper.wait()
        with self._sending:
            if self._can_send:
                self._can_send = False
                os.close(self._channel.send)
        while self.receive():
            continue  # what was under way; then the end, which a reader may have seen already
        return finished

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            if self._can_send:
                self.close()


def _ended() -> UnavailableError:
    return UnavailableError("The process has ended.", code="sandbox_ended", retryable=True)
