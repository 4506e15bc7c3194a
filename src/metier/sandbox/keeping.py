"""One thread for each process: starts it, drains it, watches its limits, ends and reaps it.

It knows time, memory, output and endings; it knows no kind of sandbox and no protocol. The thread
that starts a process must outlive it: the kernel kills a ``--die-with-parent`` process when the
*thread* that started it ends, so that thread is the one that watches.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import time
import weakref
from collections import defaultdict
from typing import IO

from metier.errors import UnavailableError
from metier.sandbox.launching import Launch, Process
from metier.sandbox.processes import use
from metier.sandbox.values import Finished, Limits, Stopped

_TICK = 0.02  # seconds between two looks at memory and processes
_NAP = 0.0002  # seconds between the end of the outputs and the first look at whether it ended
_IDLE_TICK = 0.1  # the same while the clock does not run
_PATIENCE = 1.0  # seconds after which a kill is tried in another way too
_SPARE_TASKS = 8  # the sandbox's own processes, and what is counted while it ends
_CHUNK = 1 << 16


class Keeper:
    """Starts one process and answers for its end.

    Args:
        launch: What to start and how to end it.
        limits: What it may use.
        clock: Whether the wall clock runs from the start; else from :meth:`arm`.
        tail: Whether the end of its output is kept, however much it writes; else too much ends it.
    """

    def __init__(self, launch: Launch, limits: Limits, *, clock: bool, tail: bool = False) -> None:
        self._launch = launch
        self._limits = limits
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._ended = threading.Event()
        self._failure: OSError | None = None
        self._process: Process | None = None
        self._stopped: Stopped | None = None
        self._ending_since: float | None = None
        self._began = time.monotonic()
        self._deadline = self._began + limits.seconds if clock else None
        self._finished: Finished | None = None
        self._output: defaultdict[int, bytearray] = defaultdict(bytearray)
        self._most = limits.output_bytes
        self._tail = tail
        self._next_look = 0.0

    def start(self) -> None:
        """Start the process.

        Raises:
            UnavailableError: ``sandbox_start``: the system did not start it.
        """
        threading.Thread(target=self._keep, name="metier-sandbox", daemon=True).start()
        self._started.wait()
        if self._failure is not None:
            raise UnavailableError(
                f"{self._launch.command[0]} could not be started: {self._failure.strerror}.",
                code="sandbox_start",
                retryable=True,
            ) from self._failure
        _KEEPERS.add(self)

    @property
    def alive(self) -> bool:
        """Whether the process still runs and is not being ended."""
        return not self._ended.is_set() and self._ending_since is None

    @property
    def finished(self) -> Finished | None:
        """How it ended, or ``None`` while it runs."""
        return self._finished

    @property
    def members(self) -> list[int]:
        """The numbers of the sandboxed processes; none once it has ended."""
        process = self._process
        return [] if process is None or not self.alive else self._launch.members(process)

    @property
    def said(self) -> bytes:
        """What it has written to stderr so far, up to the limit."""
        process = self._process
        if self._finished is not None or process is None:
            return b"" if self._finished is None else self._finished.stderr
        stream = _streams(process)[1]
        return b"" if stream.closed else bytes(self._output[stream.fileno()])

    def arm(self) -> None:
        """Let the wall clock run from now on."""
        self._began = time.monotonic()
        self._deadline = self._began + self._limits.seconds

    def disarm(self) -> None:
        """Let the wall clock rest."""
        self._deadline = None

    def end(self, why: Stopped | None = None) -> None:
        """Kill everything; returns at once."""
        with self._lock:
            if self._finished is not None or self._process is None:
                return
            if self._ending_since is None:
                self._ending_since = time.monotonic()
                self._stopped = why
            if self._process.returncode is None:
                self._launch.end(self._process)

    def wait(self) -> Finished:
        """Wait until everything is dead and reaped."""
        self._ended.wait()
        assert self._finished is not None
        return self._finished

    def _keep(self) -> None:
        process = self._begin()
        if process is None:
            self._started.set()
            return
        try:
            self._launch.attach(process)
            self._started.set()
            self._attend(process)
        finally:  # whatever happened here, nobody waits for ever and nothing is left running
            self._started.set()
            self._finish(process)

    def _begin(self) -> Process | None:
        """Start the process; ``None`` if the system refused."""
        try:
            self._process = self._launch.start()
        except OSError as failure:
            self._failure = failure
        self._launch.close()
        if self._process is None:
            self._launch.tidy()
        return self._process

    def _attend(self, process: Process) -> None:
        """Drain and watch until the process has ended."""
        poll = select.poll()
        for stream in _streams(process):
            poll.register(stream.fileno(), select.POLLIN)
        open_streams = 2
        nap = _NAP
        while not self._gone(process):
            wait = self._time_to_next_look()
            if not open_streams:  # as a rule the process is about to be gone
                wait = nap = min(2 * nap, _TICK)
            for descriptor, _ in poll.poll(wait * 1000):
                if self._drain(descriptor):
                    poll.unregister(descriptor)
                    open_streams -= 1
            self._watch(process)
        for stream in _streams(process):
            self._drain_rest(stream.fileno())

    def _gone(self, process: Process) -> bool:
        with self._lock:  # so that nobody signals a number that has been given back
            return process.poll() is not None

    def _drain(self, descriptor: int) -> bool:
        """Read once from a stream that has something to say; whether it has ended."""
        data = os.read(descriptor, _CHUNK)
        if self._tail:
            kept = self._output[descriptor]
            kept += data
            del kept[: max(len(kept) - self._most, 0)]
            return not data
        room = self._most - sum(len(found) for found in self._output.values())
        self._output[descriptor] += data[: max(room, 0)]
        if len(data) > room:
            self.end("output")
        return not data

    def _time_to_next_look(self) -> float:
        now = time.monotonic()
        if self._ending_since is not None:
            return _TICK
        if self._deadline is None:
            return _IDLE_TICK
        return max(0.0, min(self._next_look, self._deadline) - now)

    def _watch(self, process: Process) -> None:
        now = time.monotonic()
        if self._ending_since is not None:
            self._end_again(process, now)
        elif self._deadline is not None and now >= self._deadline:
            self.end("time")
        elif self._deadline is not None and now >= self._next_look:
            self._look(process)
            # A large tree takes long to look at: never more than a tenth of a processor.
            spent = time.monotonic() - now
            self._next_look = now + max(_TICK, 10 * spent)

    def _end_again(self, process: Process, now: float) -> None:
        assert self._ending_since is not None
        if now - self._ending_since > _PATIENCE:
            self._launch.end(process)
            process.kill()
            self._ending_since = now

    def _look(self, process: Process) -> None:
        found = use(self._launch.members(process))
        if found.memory > self._limits.memory_mb << 20:
            self.end("memory")
        elif found.tasks > self._limits.processes + _SPARE_TASKS:
            self.end("processes")
        elif self._launch.written and self._launch.written() > self._limits.disk_mb << 20:
            self.end("disk")

    def _finish(self, process: Process) -> None:
        if process.poll() is None:
            process.kill()
        code = process.wait()
        output = [bytes(self._output[stream.fileno()]) for stream in _streams(process)]
        for stream in _streams(process):
            stream.close()
        status = code if code >= 0 else 128 - code
        stopped = self._stopped
        if stopped is None and self._ending_since is None and status == 128 + signal.SIGXCPU:
            stopped = "time"
        seconds = time.monotonic() - self._began
        self._launch.tidy()
        with self._lock:
            self._finished = Finished(status, output[0], output[1], seconds, stopped)
        _KEEPERS.discard(self)
        self._ended.set()

    def _drain_rest(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while poll.poll(0):
            if self._drain(descriptor):
                return


def _streams(process: Process) -> tuple[IO[bytes], IO[bytes]]:
    """The ends of stdout and stderr that we read."""
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout, process.stderr


_KEEPERS: weakref.WeakSet[Keeper] = weakref.WeakSet()


def end_all() -> None:
    """Kill what still runs; called when the interpreter ends."""
    for keeper in list(_KEEPERS):
        keeper.end()
    for keeper in list(_KEEPERS):
        keeper.wait()


atexit.register(end_all)
# A forked child must not end its parent's processes when it exits.
os.register_at_fork(after_in_child=_KEEPERS.clear)
