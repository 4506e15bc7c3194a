"""Long work over HTTP: jobs in lanes, the others wait with a position, progress is kept.

It knows jobs, their progress, who listens, and how one goes on after it was stopped; it does not
know what the work does. With ``JobFiles`` jobs outlive the server: one that ran when the server
ended comes back as *interrupted*, with its files, and can be resumed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from metier.errors import (
    InputError,
    InternalError,
    MetierError,
    NotFoundError,
    UnavailableError,
)
from metier.messages import Progress
from metier.server import native
from metier.server.jobfiles import JobFiles
from metier.server.jobrecords import ENDED, LANES, Event, Job, Order, now, restored
from metier.server.limits import Limits
from metier.server.problems import as_native, problem_of

log = logging.getLogger(__name__)
_FLOWING = frozenset({"pull", "check", "encode", "verify"})
_QUIET = 0.2
"""Seconds between two events of a stage that tells of every step."""


Again = Callable[[str, Path | None, Mapping[str, str], Mapping[str, str]], Order]
"""Kind, folder, fields and files of an order to the order, after the server was restarted."""


def _rungs(stage: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The rungs or rounds that a step tells of: one, or all rungs once one is chosen."""
    found = {"rung": [data], "round": [data], "choose": data.get("ladder", [])}.get(stage, [])
    return [rung for rung in found if isinstance(rung, dict) and "name" in rung]


class Jobs:
    """The queue of one server; every public method may be called from any thread.

    Args:
        limits: How many may wait and how many are kept.
        files: Where jobs outlive the server; ``None`` keeps them in memory.
        again: Makes the order of a job that was restored.
    """

    def __init__(
        self, limits: Limits, files: JobFiles | None = None, again: Again | None = None
    ) -> None:
        self._limits = limits
        self._files = files
        self._again = again
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._listeners: set[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._pools = {
            lane: ThreadPoolExecutor(size, thread_name_prefix=f"metier-{lane}")
            for lane, size in LANES.items()
        }
        self._closing = False
        if files is not None:
            self._restore(files)

    @property
    def uploads(self) -> Path | None:
        """Where uploads for jobs are to lie; ``None`` for the system's temporary folder."""
        return self._files.uploads if self._files else None

    def _restore(self, files: JobFiles) -> None:
        for record in files.records():
            job = None
            if record["id"] not in self._jobs:
                job = restored(record, next(self._numbers))
            if job is None:
                continue
            if job.state not in ENDED:
                if not files.hold(job.id):
                    continue  # another server over this home is at work on it
                job.state, job.ended = "interrupted", job.ended or now()
                files.save(job.record())
                files.release(job.id)
            self._jobs[job.id] = job
        self._forget_old()
        files.sweep({job.order.folder for job in self._jobs.values() if job.order.folder})

    def submit(self, order: Order) -> dict[str, Any]:
        """Queue a job and return its snapshot; raises UnavailableError (``queue_full``).

        What is already being pulled is not pulled twice: the job that does it is returned.
        """
        with self._lock:
            same = self._pulling(order) if order.lane == "pull" else None
            if same is not None:
                return self.snapshot(same.id)
            self._check_room(order.lane)
            job = Job(id=secrets.token_hex(8), order=order, number=next(self._numbers))
            self._jobs[job.id] = job
            self._forget_old()
            self._enqueue(job)
        return self.snapshot(job.id)

    def _pulling(self, order: Order) -> Job | None:
        return next(
            (
                job
                for job in self._jobs.values()
                if job.state not in ENDED
                and (job.order.kind, job.order.name) == (order.kind, order.name)
            ),
            None,
        )

    def _check_room(self, lane: str) -> None:
        waiting = sum(
            job.state == "queued" and job.order.lane == lane for job in self._jobs.values()
        )
        if waiting >= self._limits.waiting_jobs:
            raise UnavailableError(
                f"{waiting} jobs are waiting already.",
                code="queue_full",
                remedy="Wait until one has ended, or stop one.",
                retryable=True,
            )

    def _enqueue(self, job: Job) -> None:
        if self._files is not None:
            self._files.hold(job.id)
        self._save(job)
        job.future = self._pools[job.order.lane].submit(self._run, job)
        job.future.add_done_callback(lambda done: self._finish(job, done))

    def resume(self, identifier: str) -> dict[str, Any]:
        """Put a job that did not get done into its queue again; raises InputError, NotFoundError.

        Its files and fields are those that it was ordered with.
        """
        with self._lock:
            job = self._find(identifier)
            if job.state not in ENDED or job.state == "done":
                raise InputError(
                    f"The job is {job.state}: there is nothing to resume.",
                    code="conflict",
                    remedy="A job that was stopped, was interrupted or failed can go on.",
                )
            self._check_room(job.order.lane)
            order = self._ordered_again(job) if job.restored else job.order
            if self._files is not None and not self._files.hold(job.id):
                raise UnavailableError(
                    "Another 'metier up' over this home is at work on the job.",
                    code="journal_busy",
                    remedy="Look for it there.",
                )
            job.order, job.restored = order, False
            job.state, job.ended, job.error = "queued", None, None
            job.stop, job.runs = threading.Event(), job.runs + 1
            job.number = next(self._numbers)
            self._append(job, {"event": "resumed"})
            self._enqueue(job)
        self._wake(job.id)
        return self.snapshot(identifier)

    def _ordered_again(self, job: Job) -> Order:
        order = job.order
        if self._again is None or (order.files and not (order.folder and order.folder.is_dir())):
            raise InputError(
                "The files of this job are gone.",
                code="no_file",
                remedy="Send them again: start a new job.",
            )
        return self._again(order.kind, order.folder, order.fields, order.files)

    def _forget_old(self) -> None:
        ended = [job for job in self._jobs.values() if job.state in ENDED]
        for job in ended[: max(0, len(ended) - self._limits.kept_jobs)]:
            self._remove(job)

    def _remove(self, job: Job) -> None:
        del self._jobs[job.id]
        if job.order.folder is not None:
            shutil.rmtree(job.order.folder, ignore_errors=True)
        if self._files is not None:
            self._files.forget(job.id)

    def forget(self, identifier: str) -> None:
        """Take a job that has ended off the list, with its files; raises InputError."""
        with self._lock:
            job = self._find(identifier)
            if job.state not in ENDED:
                raise InputError(
                    f"The job is {job.state}.", code="conflict", remedy="Stop it first."
                )
            self._remove(job)

    def _save(self, job: Job) -> None:
        if self._files is None:
            return
        try:
            self._files.save(job.record())
        except MetierError as error:
            log.warning("job %s is not kept: %s", job.id, error.message)

    def _run(self, job: Job) -> Any:
        with self._lock:
            job.state = "running"
            job.started = now()
            self._append(job, {"event": "started"})
            self._save(job)
        self._wake(job.id)
        return job.order.work(lambda step: self._report(job, step), job.stop.is_set)

    def _report(self, job: Job, step: Progress) -> None:
        event = native.progress(step)
        rungs = _rungs(step.stage, event["data"])
        told = (step.stage, event["data"].get("file"), time.monotonic())
        flows = step.stage in _FLOWING and step.fraction != 1.0
        with self._lock:
            if flows and told[:2] == job.told[:2] and told[2] - job.told[2] < _QUIET:
                return
            job.told = told
            for rung in rungs:
                job.rungs[str(rung["name"])] = rung
            if step.stage in ("data", "leaks") and event["data"]:
                job.notes[step.stage] = event["data"]
            job.progress = {"event": "progress", **event}
            self._append(job, job.progress)
            if rungs or step.stage == "leaks":
                self._save(job)
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
        with self._lock:
            stopped = future.cancelled() or (error is not None and job.stop.is_set())
            job.state = "failed" if error is not None else "done"
            if stopped:
                job.state = "interrupted" if self._closing else "stopped"
            job.ended = now()
            job.result = result
            if isinstance(error, MetierError) and not stopped:
                job.error = as_native(problem_of(error))["error"]
            self._append(job, {"event": job.state})
            if job.state == "done" and job.order.folder is not None:
                shutil.rmtree(job.order.folder, ignore_errors=True)
            self._save(job)
            if self._files is not None:
                self._files.release(job.id)
        self._wake(job.id)

    def _wake(self, identifier: str) -> None:
        with self._lock:
            listeners = [entry for entry in self._listeners if entry[0] == identifier]
        for _, loop, event in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _find(self, identifier: str) -> Job:
        job = self._jobs.get(identifier)
        if job is None and self._files is not None:
            # It may have been another server's when this one began.
            self._restore(self._files)
            job = self._jobs.get(identifier)
        if job is None:
            raise NotFoundError(
                f"There is no job {identifier[:80]!r}.",
                remedy="GET /metier/v1/jobs lists them; old ones are forgotten.",
            )
        return job

    def snapshot(self, identifier: str) -> dict[str, Any]:
        """The state of one job; raises NotFoundError.

        ``position`` is 0 while it runs, 1 for the next one, and null once it has ended; ``ahead``
        are the jobs that it waits for.
        """
        with self._lock:
            job = self._find(identifier)
            order = job.order
            ahead = self._ahead(job) if job.state == "queued" else []
            waiting = sum(other.state == "queued" for other in ahead)
            return {
                "id": job.id,
                "kind": order.kind,
                "name": order.name,
                "state": job.state,
                "position": {"running": 0, "queued": waiting + 1}.get(job.state),
                "ahead": [
                    {
                        "id": other.id,
                        "kind": other.order.kind,
                        "name": other.order.name,
                        "state": other.state,
                        "page": f"/jobs/{other.id}",
                    }
                    for other in ahead
                ],
                "command": order.command,
                "next": order.fields.get("next", ""),
                "asked": job.asked,
                "started": job.started,
                "ended": job.ended,
                "runs": job.runs,
                "resumable": job.state in ENDED and job.state != "done",
                "progress": job.progress,
                "rungs": list(job.rungs.values()),
                "notes": dict(job.notes),
                "result": job.result,
                "error": job.error,
                "last_event": job.count,
                "href": f"/metier/v1/jobs/{job.id}",
                "events": f"/metier/v1/jobs/{job.id}/events",
                "page": f"/jobs/{job.id}",
            }

    def _ahead(self, job: Job) -> list[Job]:
        return [
            other
            for other in self._jobs.values()
            if other.state not in ENDED
            and other.order.lane == job.order.lane
            and other.number < job.number
        ]

    def all(self) -> list[dict[str, Any]]:
        """Every known job, the newest first, without results."""
        with self._lock:
            ordered = sorted(self._jobs.values(), key=lambda job: -job.number)
            return [{**self.snapshot(job.id), "result": None} for job in ordered]

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

        Where events between were dropped, or ``after`` is of an earlier server, the first is a
        ``snapshot``, which says everything. ``(0, {})`` comes after every 15 s of silence, so that
        the connection is seen to live.
        """
        wake = asyncio.Event()
        listener = (identifier, asyncio.get_running_loop(), wake)
        with self._lock:
            job = self._find(identifier)
            self._listeners.add(listener)
            first = job.events[0][0] if job.events else job.count + 1
            lost = after > job.count or 0 < after < first - 1
        try:
            if lost:
                after = job.count
                yield after, {"event": "snapshot"}
            while True:
                wake.clear()
                with self._lock:
                    job = self._find(identifier)
                    fresh = [(number, event) for number, event in job.events if number > after]
                    ended = job.state in ENDED
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
        """Ask every job to stop and let listeners go; what ran can be resumed."""
        self._closing = True
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.state not in ENDED]
        for job in jobs:
            job.stop.set()
            self._wake(job.id)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
