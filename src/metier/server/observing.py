"""What is seen of every request: a line of the access log, and the numbers behind ``/metrics``.

The outermost ASGI layer. It knows routes, statuses, times and counts of tokens; it never sees a
text, a header's value or a key, and a path only as the route that it matched.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from metier.errors import InputError
from metier.generating import Taken
from metier.reference import Reference, parted
from metier.server.guard import App, Message, Receive, Scope, Send
from metier.server.metrics import Metrics

access_log = logging.getLogger("metier.access")
_KEY = "metier.seen"


@dataclass(slots=True)
class Seen:
    """What a request's handler tells of it; threads of one request may tell at once.

    Attributes:
        started: ``time.perf_counter()`` at its beginning.
        model: The model that answered, once one did.
        taken: Tokens and seconds of each answer.
        first: Seconds from the beginning to the first piece of an answer, if it came in pieces.
        code: Of the error it failed with, or "".
    """

    started: float
    model: str = ""
    taken: list[Taken] = field(default_factory=list)
    first: float | None = None
    code: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spoke(self) -> None:
        """A piece of an answer is there."""
        if self.first is None:
            self.first = time.perf_counter() - self.started

    def answered(self, model: str, taken: Taken) -> None:
        """A model answered; however its name was written, it is counted under one."""
        with self._lock:
            self.model = _one_name(model)
            self.taken.append(taken)

    @property
    def tokens_in(self) -> int:
        """Of all prompts, those of the cache included."""
        return sum(taken.tokens_in for taken in self.taken)

    @property
    def tokens_out(self) -> int:
        """Of all answers."""
        return sum(taken.tokens_out for taken in self.taken)


def seen(scope: MutableMapping[str, Any]) -> Seen:
    """What is told of the request with this scope."""
    found = scope.get(_KEY)
    if isinstance(found, Seen):
        return found
    fresh = scope[_KEY] = Seen(time.perf_counter())
    return fresh


class Observing:
    """The ASGI layer; ``log_requests`` says whether lines are written."""

    def __init__(self, app: App, *, metrics: Metrics, log_requests: bool = False) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and write down what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = scope[_KEY] = Seen(time.perf_counter())
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_flight():
            try:
                await self._app(scope, receive, watched)
            finally:
                self._write(scope, told, status)

    def _write(self, scope: Scope, told: Seen, status: int) -> None:
        seconds = time.perf_counter() - told.started
        route = _route(scope, status)
        self._metrics.request(route, scope["method"], status, seconds)
        self._metrics.answers(told.model, told.taken, told.first)
        if told.code:
            self._metrics.failed(told.code)
        if not self._log:
            return
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": scope.get("metier.request_id"),
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 3),
        }
        if told.model:
            line |= {
                "model": told.model,
                "tokens_in": told.tokens_in,
                "tokens_out": told.tokens_out,
            }
        if told.first is not None:
            line["first_ms"] = round(told.first * 1000, 3)
        if told.code:
            line["error"] = told.code
        access_log.info(json.dumps(line, ensure_ascii=True))


def _one_name(model: str) -> str:
    name, _ = parted(model)
    try:
        return Reference.parse(name).familiar
    except InputError:
        return "other"


def _route(scope: Scope, status: int) -> str:
    """The route as it was declared; what matched none is one route, whatever was asked for."""
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str):
        return path
    # Routes that are not FastAPI's leave only their endpoint.
    endpoint = scope.get("endpoint")
    if endpoint is not None:
        routes = scope["app"].routes
        paths = [one.path for one in routes if getattr(one, "endpoint", None) is endpoint]
        if paths:
            return str(scope["path"] if scope["path"] in paths else paths[0])
    return "none" if status == 404 else "other"
