"""Processes that are started before anybody needs them, and used once each.

It knows how many wait, which of them are still alive and how the next is made; it knows neither
what they are for nor what confines them.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from metier.errors import MetierError, UnavailableError
from metier.sandbox.confining import Sandbox
from metier.sandbox.running import Running
from metier.sandbox.values import Limits, Place

_LOOK_AFTER = 1.0  # seconds between two looks at whether the waiting ones live
_PATIENCE = 30.0  # seconds that a process may take to say that it is ready


class Pool:
    """Keeps up to ``size`` started processes at hand; each is handed out once.

    Args:
        sandbox: What confines them.
        command: Program and arguments.
        size: How many wait at most.
        places: As for :meth:`Sandbox.start`.
        environment: As for :meth:`Sandbox.start`.
        limits: As for :meth:`Sandbox.start`; the wall clock starts when a process is taken.
        ready: The line that a process sends once it is ready, or ``None`` if it sends none.
        files: As for :meth:`Sandbox.start`.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        command: Sequence[str],
        *,
        size: int,
        places: Sequence[Place] = (),
        environment: Mapping[str, str] = {},
        limits: Limits = Limits(),  # noqa: B008
        ready: bytes | None = None,
        files: Mapping[str, str | bytes] = {},
    ) -> None:
        def start() -> Running:
            running = sandbox.start(
                command,
                files=files,
                places=places,
                environment=environment,
                limits=limits,
                clock=False,
            )
            return _wait_until_ready(running, ready)

        self._start: Callable[[], Running] = start
        self._shelf = _Shelf(size)
        threading.Thread(
            target=_refill, args=(self._shelf, start), name="metier-pool", daemon=True
        ).start()
        self._finalizer = weakref.finalize(self, self._shelf.close)

    def take(self) -> Running:
        """A process that nobody has used, its clock started; a new one if none waits.

        Raises:
            UnavailableError: ``sandbox_closed``: the pool is closed; ``sandbox_start``,
                ``sandbox_ended``, ``sandbox_reply`` or ``sandbox_timeout``: none could be started.
        """
        running = self._shelf.take()
        if running is None:
            running = self._start()
        running.begin()
        return running

    def close(self) -> None:
        """End every waiting process; those that were taken belong to their takers."""
        self._finalizer()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Shelf:
    """The waiting processes, shared by the pool and the thread that refills it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: deque[Running] = deque()
        self._change = threading.Condition()
        self._closed = False

    def take(self) -> Running | None:
        with self._change:
            if self._closed:
                raise UnavailableError("The pool of processes is closed.", code="sandbox_closed")
            self._change.notify_all()
            while self._waiting:
                running = self._waiting.popleft()
                if running.alive:
                    return running
                running.close()
            return None

    def wait_for_room(self) -> bool:
        """Wait until one is missing; false once the shelf is closed."""
        with self._change:
            while not self._closed:
                for running in [found for found in self._waiting if not found.alive]:
                    self._waiting.remove(running)
                    running.close()
                if len(self._waiting) < self._size:
                    return True
                self._change.wait(_LOOK_AFTER)
            return False

    def rest(self) -> None:
        """Wait a little, or until something changes."""
        with self._change:
            if not self._closed:
                self._change.wait(_LOOK_AFTER)

    def put(self, running: Running) -> None:
        with self._change:
            if not self._closed:
                self._waiting.append(running)
                return
        running.close()

    def close(self) -> None:
        with self._change:
            self._closed = True
            left = list(self._waiting)
            self._waiting.clear()
            self._change.notify_all()
        for running in left:
            running.close()


def _refill(shelf: _Shelf, start: Callable[[], Running]) -> None:
    """Keep the shelf full; a process that does not start is tried again after a rest."""
    while shelf.wait_for_room():
        try:
            shelf.put(start())
        except MetierError:
            shelf.rest()  # who takes one meets the reason


def _wait_until_ready(running: Running, ready: bytes | None) -> Running:
    if ready is None:
        return running
    said = running.receive(seconds=_PATIENCE)
    if said != ready:
        running.close()
        raise UnavailableError(
            f"A process said {said[:80]!r} instead of {ready!r} when it started.",
            code="sandbox_reply",
        )
    return running
