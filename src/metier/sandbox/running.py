"""A process that answers lines with lines, and nothing it prints gets between them.

It knows the protocol: one line each way on two pipes of its own, whose descriptors the process
finds in ``METIER_REQUESTS`` and ``METIER_REPLIES``. It knows neither what the lines mean nor what
confines the process.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from types import TracebackType

from metier.errors import InputError, MetierError, UnavailableError
from metier.sandbox.keeping import Keeper
from metier.sandbox.launching import Channel
from metier.sandbox.values import Finished, Limits

_CHUNK = 1 << 16
_MOST_REPLIES = 64  # times the longest reply: what all replies together may be


class Running:
    """One started process. Not to be shared by threads, except that any may :meth:`close` it.

    Args:
        keeper: Of the started process.
        channel: Its pipes; the child's ends are closed already.
        limits: What it may use.
        renewing: Whether the wall clock starts anew at each :meth:`send` and rests after each
            reply (a warm worker), or runs once from the start or :meth:`begin` (a single use).
    """

    def __init__(
        self, keeper: Keeper, channel: Channel, limits: Limits, *, renewing: bool = False
    ) -> None:
        self._keeper = keeper
        self._channel = channel
        self._limits = limits
        self._renewing = renewing
        self._lock = threading.RLock()
        self._open = True
        self._unread = bytearray()
        self._received = 0

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._keeper.alive

    @property
    def finished(self) -> Finished | None:
        """How it ended, or ``None`` while it runs."""
        return self._keeper.finished

    def begin(self) -> None:
        """Start the wall clock now, as a pool does when it hands one out."""
        self._keeper.arm()

    def send(self, line: bytes) -> None:
        """Send one line, without its newline.

        Raises:
            InputError: ``bad_sandbox_line``: the line contains a newline.
            UnavailableError: ``sandbox_ended`` or ``sandbox_timeout``: nobody reads it any more.
        """
        if b"\n" in line:
            raise InputError("A line to a process contains a newline.", code="bad_sandbox_line")
        if self._renewing:
            self._keeper.arm()
        with self._lock:
            left = memoryview(line + b"\n")
            while left:
                if not self._open:
                    raise self._ended()
                try:
                    left = left[os.write(self._channel.send, left) :]
                except BrokenPipeError:
                    raise self._ended() from None

    def receive(self, *, seconds: float) -> bytes:
        """The next line of the process, without its newline.

        Args:
            seconds: How long to wait for it.

        Raises:
            UnavailableError: ``sandbox_timeout``: no line within ``seconds`` or within the limits;
                ``sandbox_ended``: the process ended, ``details`` say how; ``sandbox_reply``: the
                line, or all lines together, are longer than the limits allow. The process is
                killed in every case.
        """
        until = time.monotonic() + seconds
        with self._lock:
            while (end := self._unread.find(b"\n")) < 0:
                self._read_more(until, seconds)
            line = bytes(self._unread[:end])
            del self._unread[: end + 1]
        if len(line) > self._limits.output_bytes:
            raise self._too_much()
        if self._renewing:
            self._keeper.disarm()
        return line

    def close(self) -> Finished:
        """Kill the process and everything it started, wait until it is gone, say how it ended."""
        self._keeper.end()
        finished = self._keeper.wait()
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._channel.send)
                os.close(self._channel.receive)
        return finished

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # A Running that nobody closed must not keep its process or its descriptors.
        with contextlib.suppress(AttributeError, OSError):
            if self._open:
                self.close()

    def _read_more(self, until: float, seconds: float) -> None:
        if not self._open:
            raise self._ended()
        poll = select.poll()
        poll.register(self._channel.receive, select.POLLIN)
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            self._keeper.end("time")
            raise self._late(seconds)
        data = os.read(self._channel.receive, _CHUNK)
        if not data:
            raise self._ended()
        self._unread += data
        self._received += len(data)
        most = self._limits.output_bytes
        if len(self._unread) > most + _CHUNK or self._received > _MOST_REPLIES * most:
            raise self._too_much()

    def _ended(self) -> MetierError:
        """The error for a process that no longer answers; it is killed if it only closed pipes."""
        self._keeper.end()
        finished = self._keeper.wait()
        if finished.stopped == "time":
            return self._late(self._limits.seconds)
        why = f"over its limit of {finished.stopped}" if finished.stopped else "without an answer"
        return UnavailableError(
            f"The process ended {why} (status {finished.status}).",
            code="sandbox_ended",
            details={
                "status": finished.status,
                "stopped": finished.stopped,
                "stderr": finished.stderr[-2000:].decode("utf-8", "replace"),
            },
        )

    def _late(self, seconds: float) -> MetierError:
        return UnavailableError(
            f"The process did not answer within {seconds:g} s and was ended.",
            code="sandbox_timeout",
            details={"seconds": seconds},
        )

    def _too_much(self) -> MetierError:
        self._keeper.end("output")
        return UnavailableError(
            f"The process answered more than {self._limits.output_bytes} bytes and was ended.",
            code="sandbox_reply",
            details={"output_bytes": self._limits.output_bytes},
        )
