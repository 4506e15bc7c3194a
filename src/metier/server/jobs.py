"""Long work over HTTP: one job at a time, the others wait with a position, progress is kept.

It knows jobs, their progress and who listens; it does not know what the work does. Jobs live in
memory: what a finished job made is in the store, and a restart forgets the list.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import shutil
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.errors import InternalError, MetierError, NotFoundError, UnavailableError
from metier.messages import Progress, Report
from metier.server import native
from metier.server.limits import Limits
from metier.server.problems import as_native, problem_of

Work = Callable[[Report, Callable[[], bool]], Any]
log = logging.getLogger(__name__)
Event = tuple[int, dict[str, Any]]
"""The number of an event, from 1, and the event."""
_ENDED = frozenset({"done", "failed", "stopped"})


@dataclass(frozen=True, slots=True)
class Order:
    """What a job is to do.

    Attributes:
        kind: ``make``, ``evaluate``, ``compare`` or ``verify``.
        name: The specialist it is about, or "".
        command: The command line that does the same.
        work: Called in the job's thread with a report and a test for "please stop".
        folder: Files of the job, removed when it has ended.
    """

    kind: str
    name: str
    command: str
    work: Work
    folder: Path | None = None


def _rungs(stage: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The rungs that a step tells of: one that is tried, or all of them once one is chosen."""
    found = {"rung": [data], "choose": data.get("ladder", [])}.get(stage, [])
    return [rung for rung in found if isinstance(rung, dict) and "name" in rung]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(slots=True, eq=False)
class Job:
    """One job; ``snapshot`` is what the outside sees."""

    id: str
    order: Order
    number: int
    state: str = "queued"
    asked: str = field(default_factory=_now)
    started: str | None = None
    ended: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    events: deque[Event] = field(default_factory=deque)
    rungs: dict[str, dict[str, Any]] = field(default_factory=dict)
    result: Any = None
    error: dict[str, Any] | None = None
    future: Future[Any] | None = None
    count: int = 0


class Jobs:
    """The queue of one server; every public method may be called from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._listeners: set[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="metier-job")
        self._closing = False

    def submit(self, order: Order) -> dict[str, Any]:
        """Queue a job and return its snapshot; raises UnavailableError (``queue_full``)."""
        with self._lock:
            waiting = sum(job.state == "queued" for job in self._jobs.values())
            if waiting >= self._limits.waiting_jobs:
                raise UnavailableError(
                    f"{waiting} jobs are waiting already.",
                    code="queue_full",
                    remedy="Wait until one has ended, or stop one.",
                    retryable=True,
                )
            job = Job(id=secrets.token_hex(8), order=order, number=next(self._numbers))
            self._jobs[job.id] = job
            self._forget_old()
        future = self._pool.submit(self._run, job)
        job.future = future
        future.add_done_callback(lambda done: self._finish(job, done))
        return self.snapshot(job.id)

    def _forget_old(self) -> None:
        ended = [job for job in self._jobs.values() if job.state in _ENDED]
        for job in ended[: max(0, len(ended) - self._limits.kept_jobs)]:
            del self._jobs[job.id]

    def _run(self, job: Job) -> Any:
        with self._lock:
            job.state = "running"
            job.started = _now()
        self._wake(job.id)
        return job.order.work(lambda step: self._report(job, step), job.stop.is_set)

    def _report(self, job: Job, step: Progress) -> None:
        event = native.progress(step)
        with self._lock:
            for rung in _rungs(step.stage, event["data"]):
                job.rungs[str(rung["name"])] = rung
            self._append(job, {"event": "progress", **event})
        self._wake(job.id)

    def _append(self, job: Job, event: dict[str, Any]) -> None:
        job.count += 1
        job.events.append((job.count, event))
        if len(job.events) > self._limits.kept_events:
            job.events.popleft()

    def _finish(self, job: Job, future: Future[Any]) -> None:
        error: BaseException | None = None
        result: Any = None
        if not future.cancelled():
            error = future.exception()
            result = None if error is not None else native.plain(future.result())
        if error is not None and not isinstance(error, MetierError):
            log.error("job %s failed", job.id, exc_info=error)
            error = InternalError(
                f"The {job.order.kind} ended with a defect of Metier: {type(error).__name__}.",
                remedy="Please report it with the log of 'metier up'.",
            )
        if job.order.folder is not None:
            shutil.rmtree(job.order.folder, ignore_errors=True)
        with self._lock:
            stopped = future.cancelled() or (error is not None and job.stop.is_set())
            job.state = "stopped" if stopped else "failed" if error is not None else "done"
            job.ended = _now()
            job.result = result
            if isinstance(error, MetierError) and not stopped:
                job.error = as_native(problem_of(error))["error"]
            self._append(job, {"event": job.state})
        self._wake(job.id)

    def _wake(self, identifier: str) -> None:
        with self._lock:
            listeners = [entry for entry in self._listeners if entry[0] == identifier]
        for _, loop, event in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _find(self, identifier: str) -> Job:
        job = self._jobs.get(identifier)
        if job is None:
            raise NotFoundError(
                f"There is no job {identifier[:80]!r}.",
                remedy="GET /metier/v1/jobs lists them; a restart of the server forgets them.",
            )
        return job

    def snapshot(self, identifier: str) -> dict[str, Any]:
        """The state of one job; raises NotFoundError.

        ``position`` is 0 while it runs, 1 for the next one, and null once it has ended.
        """
        with self._lock:
            job = self._find(identifier)
            ahead = [
                other
                for other in self._jobs.values()
                if other.state in ("queued", "running") and other.number < job.number
            ]
            last = job.events[-1][1] if job.events else None
            return {
                "id": job.id,
                "kind": job.order.kind,
                "name": job.order.name,
                "state": job.state,
                "position": {"running": 0, "queued": max(1, len(ahead))}.get(job.state),
                "command": job.order.command,
                "asked": job.asked,
                "started": job.started,
                "ended": job.ended,
                "progress": last if last and last["event"] == "progress" else None,
                "rungs": list(job.rungs.values()),
                "result": job.result,
                "error": job.error,
                "last_event": job.count,
                "href": f"/metier/v1/jobs/{job.id}",
                "events": f"/metier/v1/jobs/{job.id}/events",
                "page": f"/jobs/{job.id}",
            }

    def all(self) -> list[dict[str, Any]]:
        """Every known job, the newest first, without results."""
        with self._lock:
            identifiers = list(self._jobs)
        rows = [self.snapshot(identifier) for identifier in reversed(identifiers)]
        return [{**row, "result": None} for row in rows]

    def ask_to_stop(self, identifier: str) -> dict[str, Any]:
        """Take a queued job off the queue, ask a running one to end; raises NotFoundError."""
        with self._lock:
            job = self._find(identifier)
            job.stop.set()
            future = job.future
        if future is not None:
            future.cancel()
        return self.snapshot(identifier)

    async def events(self, identifier: str, after: int) -> AsyncIterator[Event]:
        """Events after number ``after``, live until the job has ended.

        ``(0, {})`` comes after every 15 s of silence, so that the connection is seen to live.
        """
        wake = asyncio.Event()
        listener = (identifier, asyncio.get_running_loop(), wake)
        with self._lock:
            self._find(identifier)
            self._listeners.add(listener)
        try:
            while True:
                wake.clear()
                with self._lock:
                    job = self._find(identifier)
                    fresh = [(number, event) for number, event in job.events if number > after]
                    ended = job.state in _ENDED
                for number, event in fresh:
                    after = number
                    yield number, event
                if ended or self._closing:
                    return
                try:
                    await asyncio.wait_for(wake.wait(), timeout=15)
                except TimeoutError:
                    yield 0, {}
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def close(self) -> None:
        """Ask every job to stop and let listeners go."""
        self._closing = True
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.stop.set()
            self._wake(job.id)
        self._pool.shutdown(wait=False, cancel_futures=True)
