"""The scheduler: a worker for whoever asks, loaded if it is not there, never taken from anybody.

It decides what is in memory; workers, sizes and the clock are handed to it. All state is behind
one lock; opening and closing workers happens outside it, in the thread that asked. The one thread
of its own sleeps until the next keep-alive ends and is gone when nothing is resident.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Literal

from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import Cancelled, OpenWorker, Residence, Resident
from metier.scheduler.adapters import with_adapters
from metier.scheduler.clock import Clock, SystemClock
from metier.scheduler.faults import Faults
from metier.scheduler.holding import Held, key_of
from metier.scheduler.room import claim, victims_for
from metier.scheduler.sizing import Sized, sized
from metier.scheduler.values import AtHand, Leased, Limits, Measure, Measured

LOOK = 0.05
"""Seconds between two looks at whether somebody who waits has gone away."""

CLOSING = 5.0
"""Seconds that closing waits for loads that are under way."""

_Act = Literal["take", "load", "measure", "again"]


class LocalScheduler:
    """``generating.Scheduler`` over workers on this machine; threads share it.

    Args:
        open_worker: Starts a worker; may take long.
        measure: What to open for what is asked, and how large it is.
        at_hand: The memory for models; see ``AtHand``.
        limits: What to keep to.
        clock: The clock.
    """

    def __init__(
        self,
        open_worker: OpenWorker,
        *,
        measure: Measure,
        at_hand: AtHand,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._open_worker = open_worker
        self._measure = measure
        self._at_hand = at_hand
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._watch = threading.Condition(self._lock)
        self._watcher: threading.Thread | None = None
        self._wakes = math.inf
        self._held: list[Held] = []
        self._leavers: list[Held] = []
        self._line: list[object] = []
        self._waiting = 0
        self._faults = Faults()
        self._closed = False

    # --- what doors ask ---------------------------------------------------------------------------

    @contextmanager
    def use(
        self,
        residence: Residence,
        *,
        name: str,
        keep_alive: float | None = None,
        cancelled: Cancelled | None = None,
    ) -> Iterator[Leased]:
        """A worker for ``residence``, loaded if it is not; it stays while the block runs.

        Args:
            residence: What is wanted, with the adapters that this request uses.
            name: The model that asks, for ``residents``.
            keep_alive: Seconds that the name stays after its last use; negative for ever, 0 not
                at all; ``None`` keeps what was said last, at first the default.
            cancelled: Gives up waiting.

        Raises:
            UnavailableError: ``queue_full``, ``no_memory``, ``engine_failed`` (also for a model
                that keeps failing), or what opening raised.
            InputError: ``cancelled``.
        """
        held, seconds = self._acquire(residence, name, keep_alive, cancelled)
        answered = False
        try:
            assert held.worker is not None
            yield Leased(held.worker, seconds)
            answered = True
        finally:
            self._release(held, name, answered=answered)

    def residents(self) -> Sequence[Resident]:
        """Everything in memory, the longest-lived first."""
        with self._lock:
            now, unix = self._clock.now(), self._clock.unix()
            ready = [held for held in self._held if held.stage == "ready" and held.names]
            found = [(held.worker, _resident(held, now, unix)) for held in ready]
        found.sort(key=lambda pair: -(pair[1].expires or math.inf))
        return [
            replace(resident, memory_bytes=worker.memory_bytes, context=worker.context)
            for worker, resident in found
            if worker is not None and worker.alive
        ]

    def size(self, residence: Residence) -> Sized:
        """The context and memory that a residence would get, were it loaded alone now.

        Raises UnavailableError (``no_memory``).
        """
        measured = self._measure(residence)
        with self._lock:
            room = self._at_hand(sum(held.needs.private for held in self._held))
        wanted, shape = with_adapters(residence, measured, (), room)
        return sized(shape, wanted.loading, room)

    def unload(self, name: str) -> bool:
        """Let the model of this name go once it answers nobody; whether it was there.

        What other names are resident on stays: an adapter goes, its base remains for the others.
        """
        found = False
        with self._lock:
            for held in self._held:
                stay = held.names.get(name)
                if stay is None or held.stage != "ready":
                    continue
                found = True
                stay.keep, stay.expires = 0.0, self._clock.now()
            self._settle()
        self._see_off()
        return found

    def close(self) -> None:
        """End every worker, also those in use; it may be used again afterwards.

        Who asks or waits meanwhile is refused.
        """
        with self._lock:
            self._closed = True
            for held in self._held:
                held.retiring = True  # one that is loading leaves when it has loaded
                if held.stage == "ready":
                    self._leave(held)
            self._changed.notify_all()
            self._watch.notify_all()
        self._see_off()
        with self._lock:
            self._changed.wait_for(lambda: not self._held, CLOSING)
            self._closed = False

    # --- getting a worker -------------------------------------------------------------------------

    def _acquire(
        self, residence: Residence, name: str, keep: float | None, cancelled: Cancelled | None
    ) -> tuple[Held, float]:
        """A ready resident with one more user, and the seconds that it took to load."""
        began = self._clock.now()
        waiter = _Waiter(residence, cancelled)
        adapters = tuple(adapter.digest for adapter in residence.adapters)
        measured: Measured | None = None
        try:
            while True:
                with self._lock:
                    held, act = self._step(waiter, measured)
                    if held is not None and act == "take":
                        self._take(held, name, adapters, keep)
                        return held, (self._clock.now() - began if waiter.waited else 0.0)
                self._see_off()
                if act == "measure":
                    measured = self._measure(residence)
                elif held is not None and act == "load":
                    waiter.waited = True
                    self._open(held, name, adapters, keep)
                    return held, self._clock.now() - began
        finally:
            self._leave_line(waiter)

    def _step(self, waiter: _Waiter, measured: Measured | None) -> tuple[Held | None, _Act]:
        """One look, under the lock: what to do next, and with which resident."""
        if self._closed:
            raise UnavailableError("The models are being let go.", code="engine_ended")
        if waiter.cancelled is not None and waiter.cancelled():
            raise InputError("The request was given up.", code="cancelled")
        self._bury()
        if self._leavers:
            return None, "again"
        held = self._serving(waiter.residence)
        if held is None:
            if measured is None:
                return None, "measure"
            begun, patience = self._begin(waiter, measured)
            if begun is not None:
                return begun, "load"
            self._wait(waiter, patience)
        elif held.stage == "ready":
            self._admit(held)
            return held, "take"
        else:
            self._wait(waiter, None, held)
        return None, "again"

    def _serving(self, residence: Residence) -> Held | None:
        """The resident that serves a request, the newest one first."""
        return next((held for held in reversed(self._held) if held.serves(residence)), None)

    def _admit(self, held: Held) -> None:
        """Refuse a request that would only wait behind too many others."""
        if held.users >= held.slots and self._queued() >= self._limits.queue:
            raise self._full()

    def _queued(self) -> int:
        return self._waiting + sum(held.waiting for held in self._held)

    def _full(self) -> UnavailableError:
        return UnavailableError(
            f"{self._limits.queue} requests are waiting, which is as many as may.",
            code="queue_full",
            remedy="Try again later, or set METIER_QUEUE higher.",
            retryable=True,
        )

    def _wait(self, waiter: _Waiter, seconds: float | None, loading: Held | None = None) -> None:
        """Wait for a change; with ``loading``, raise what its load raised."""
        if not waiter.waited and self._queued() >= self._limits.queue:
            raise self._full()
        waiter.waited = True
        self._waiting += 1
        try:
            while True:
                if waiter.cancelled is not None:
                    seconds = LOOK if seconds is None else min(seconds, LOOK)
                self._clock.wait(self._changed, seconds)
                if loading is None or loading.stage != "loading" or seconds is not None:
                    break
                if self._closed:
                    break
        finally:
            self._waiting -= 1
        if loading is not None and loading.failure is not None:
            raise copy.copy(loading.failure)

    def _leave_line(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._line:
                self._line.remove(waiter)
                self._changed.notify_all()

    def _take(self, held: Held, name: str, adapters: tuple[str, ...], keep: float | None) -> None:
        kept = None if keep is None else _seconds(keep)
        held.take(name, adapters, kept, _seconds(self._limits.keep_alive))
        held.used = self._clock.now()

    # --- loading ----------------------------------------------------------------------------------

    def _begin(self, waiter: _Waiter, measured: Measured) -> tuple[Held | None, float | None]:
        """Set memory aside for a load, or say how long to wait before looking again."""
        wanted = measured.residence
        key, now = key_of(wanted), self._clock.now()
        same = [held for held in self._held if held.key == key and held.stage != "leaving"]
        if any(held.stage == "loading" for held in same):
            return None, None
        if self._line and self._line[0] is not waiter:
            self._queue_up(waiter)
            return None, None
        self._faults.check(key, now)
        asked = max([wanted.loading.num_ctx or 0, *(held.asked for held in same)])
        room = self._at_hand(sum(held.needs.private for held in self._held))
        wanted, shape = with_adapters(waiter.residence, measured, same, room)
        fitted = sized(shape, replace(wanted.loading, num_ctx=asked or None), room)
        for held in same:
            held.retiring = True
        held = Held(
            residence=replace(wanted, loading=fitted.loading),
            needs=fitted.needs,
            asked=asked,
            slots=fitted.loading.slots or 1,
        )
        victims = victims_for(held, self._held, room, self._limits.models)
        if victims is None:
            self._queue_up(waiter)
            return None, claim(self._held, now, self._limits.patience)
        for victim in victims:
            self._leave(victim)
        self._held.append(held)
        return held, None

    def _queue_up(self, waiter: _Waiter) -> None:
        if waiter not in self._line:
            self._line.append(waiter)

    def _open(self, held: Held, name: str, adapters: tuple[str, ...], keep: float | None) -> None:
        """Start the worker of a resident that is ``loading``; its first user is the caller."""
        try:
            worker = self._open_worker(held.residence)
        except BaseException as error:
            with self._lock:
                self._held.remove(held)
                held.stage = "leaving"
                if isinstance(error, MetierError):
                    held.failure = error
                    if not isinstance(error, InputError):
                        self._faults.count(held.key, self._clock.now(), error.message)
                self._changed.notify_all()
            raise
        with self._lock:
            held.worker, held.stage = worker, "ready"
            held.ready, held.loaded = self._clock.now(), self._clock.unix()
            self._take(held, name, adapters, keep)
            if held.retiring:
                self._leave(held)
            self._settle()
        self._see_off()

    # --- letting go -------------------------------------------------------------------------------

    def _release(self, held: Held, name: str, *, answered: bool) -> None:
        with self._lock:
            held.release(name, self._clock.now())
            if answered:
                self._faults.clear(held.key)
            self._settle()
        self._see_off()

    def _settle(self) -> None:
        """After any change: who is dead, over or retired leaves; who waits looks again."""
        self._bury()
        now = self._clock.now()
        for held in list(self._held):
            if held.stage == "ready":
                held.forget_expired(now)
                if held.users == 0 and (held.retiring or not held.names):
                    self._leave(held)
        self._changed.notify_all()
        self._keep_watch()

    def _bury(self) -> None:
        """Residents whose process has ended leave; their requests have failed or soon will."""
        for held in list(self._held):
            if held.stage == "ready" and held.worker is not None and not held.worker.alive:
                self._faults.count(held.key, self._clock.now(), "its process ended by itself.")
                self._leave(held)

    def _leave(self, held: Held) -> None:
        held.stage = "leaving"
        self._leavers.append(held)

    def _see_off(self) -> None:
        """End the processes of those that leave; outside the lock, since it takes a while."""
        while True:
            with self._lock:
                if not self._leavers:
                    return
                held = self._leavers.pop()
            try:
                if held.worker is not None:
                    # Whoever happens to see it off has nothing to do with its last words.
                    with suppress(MetierError, OSError):
                        held.worker.close()
            finally:
                with self._lock:
                    self._held.remove(held)
                    self._changed.notify_all()
                    self._keep_watch()

    # --- the watch --------------------------------------------------------------------------------

    def _keep_watch(self) -> None:
        """See that somebody wakes when the next name's time is over."""
        due = self._next_expiry()
        if self._watcher is not None:
            if due < self._wakes or not self._held:
                self._watch.notify_all()
        elif due < math.inf and not self._closed:
            self._watcher = threading.Thread(
                target=self._watching, name="metier-keep-alive", daemon=True
            )
            self._watcher.start()

    def _next_expiry(self) -> float:
        return min(
            (held.next_expiry for held in self._held if held.stage == "ready"), default=math.inf
        )

    def _watching(self) -> None:
        while True:
            with self._lock:
                self._settle_expired()
                if not self._leavers:
                    due = self._next_expiry()
                    if due == math.inf or self._closed:
                        self._watcher, self._wakes = None, math.inf
                        return
                    self._wakes = due
                    self._clock.wait(self._watch, due - self._clock.now())
                    continue
            self._see_off()

    def _settle_expired(self) -> None:
        if self._next_expiry() <= self._clock.now():
            self._settle()


@dataclass(eq=False, slots=True)
class _Waiter:
    """One request that has no worker yet; ``waited`` once it had to wait or load."""

    residence: Residence
    cancelled: Cancelled | None
    waited: bool = False


def _seconds(keep_alive: float) -> float:
    return math.inf if keep_alive < 0 else keep_alive


def _resident(held: Held, now: float, unix: float) -> Resident:
    """What is told of a resident, in Unix seconds."""
    ends = {
        name: (now + stay.keep if stay.users else stay.expires) - now + unix
        for name, stay in reversed(held.names.items())
    }
    stays = {name: None if end == math.inf else end for name, end in ends.items()}
    last = max(ends.values())
    return Resident(
        residence=held.residence,
        memory_bytes=0,
        context=0,
        names=tuple(ends),
        users=held.users,
        expires=None if last == math.inf else last,
        loaded=held.loaded,
        voice_of={name: stay.adapters for name, stay in held.names.items()},
        stays=stays,
    )
