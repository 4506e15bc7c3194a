"""What a job is, and how it is written down: orders, jobs, records.

It knows the shape of a job and of its record, and nothing of queues and threads that run them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.errors import InternalError
from metier.messages import Report

Work = Callable[[Report, Callable[[], bool]], Any]
Event = tuple[int, dict[str, Any]]
"""The number of an event, from 1, and the event."""
ENDED = frozenset({"done", "failed", "stopped", "interrupted"})
LANES = {"work": 1, "pull": 3}
"""Jobs at once: makes and evals take the whole machine, downloads mostly wait for the network."""


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Order:
    """What a job is to do.

    Attributes:
        kind: ``make``, ``evaluate``, ``compare``, ``verify`` or ``pull``.
        name: The specialist or model it is about, or "".
        command: The command line that does the same.
        work: Called in the job's thread with a report and a test for "please stop".
        folder: Files of the job, kept until it is done or forgotten.
        fields: The fields it was ordered with, by which it can be ordered again.
        files: Field to file name in ``folder``.
        lane: Which jobs it waits for; see ``LANES``.
    """

    kind: str
    name: str
    command: str
    work: Work
    folder: Path | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    lane: str = "work"


@dataclass(slots=True, eq=False)
class Job:
    """One job; ``snapshot`` is what the outside sees."""

    id: str
    order: Order
    number: int
    state: str = "queued"
    asked: str = field(default_factory=now)
    started: str | None = None
    ended: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    events: deque[Event] = field(default_factory=deque)
    rungs: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    progress: dict[str, Any] | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    future: Future[Any] | None = None
    count: int = 0
    runs: int = 1
    told: tuple[str, object, float] = ("", "", 0.0)
    restored: bool = False

    def record(self) -> dict[str, Any]:
        """What is kept on disk."""
        order = self.order
        return {
            "id": self.id,
            "kind": order.kind,
            "name": order.name,
            "command": order.command,
            "folder": str(order.folder) if order.folder else None,
            "fields": dict(order.fields),
            "files": dict(order.files),
            "lane": order.lane,
            "state": self.state,
            "asked": self.asked,
            "started": self.started,
            "ended": self.ended,
            "rungs": list(self.rungs.values()),
            "notes": self.notes,
            "progress": self.progress,
            "result": self.result,
            "error": self.error,
            "count": self.count,
            "runs": self.runs,
        }


def restored(record: Mapping[str, Any], number: int) -> Job | None:
    """A job from its record; ``None`` if the record is not one of ours."""
    try:
        folder = record["folder"]
        order = Order(
            kind=str(record["kind"]),
            name=str(record["name"]),
            command=str(record["command"]),
            work=_gone,
            folder=Path(folder) if folder else None,
            fields={str(key): str(value) for key, value in record["fields"].items()},
            files={str(key): str(value) for key, value in record["files"].items()},
            lane=record["lane"] if record["lane"] in LANES else "work",
        )
        return Job(
            id=str(record["id"]),
            order=order,
            number=number,
            state=str(record["state"]),
            asked=str(record["asked"]),
            started=record["started"],
            ended=record["ended"],
            rungs={str(rung["name"]): rung for rung in record["rungs"]},
            notes=dict(record["notes"]),
            progress=record["progress"],
            result=record["result"],
            error=record["error"],
            count=int(record["count"]) + 1_000_000,
            runs=int(record["runs"]),
            restored=True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _gone(_report: Report, _cancelled: Callable[[], bool]) -> Any:
    raise InternalError("A restored job was run without being ordered again.")
