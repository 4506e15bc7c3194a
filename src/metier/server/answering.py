"""``/v1/classify``, ``/v1/models``, ``/health``, ``/metrics``: the calls that programs make.

Classifying is the hot path: it reads and writes ASGI messages itself, without request objects,
validation layers or background tasks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from metier.errors import InputError, MetierError
from metier.generating import Taken
from metier.routing import is_auto
from metier.server import native, openai
from metier.server.batching import Batches
from metier.server.facade import Facade
from metier.server.guard import Receive, Scope, Send
from metier.server.limits import Limits
from metier.server.metrics import MEDIA_TYPE, Metrics
from metier.server.observing import seen

Pictures = Callable[[bytes], Awaitable[bytes | None]]
"""The reply to a body that holds pictures, or ``None``; see ``picturing.DataUrls``."""


class Classify:
    """The endpoint of ``POST /v1/classify``, a plain ASGI application."""

    def __init__(self, batches: Batches, limits: Limits, pictures: Pictures) -> None:
        self._batches = batches
        self._pictures = pictures
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; errors of the tree leave as exceptions."""
        asked = await read_body(receive)
        body = await self._pictures(asked)
        if body is None:
            body = await self._texts(asked, scope)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", b"%d" % len(body)),
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _texts(self, asked: bytes, scope: Scope) -> bytes:
        question = native.parse_question(asked, self._limits)
        started = time.perf_counter()
        predictions = await self._batches.answer(question.model, question.texts, question.top)
        spent = (time.perf_counter() - started) * 1000
        body = native.reply(question, predictions, spent)
        seen(scope).answered(question.model, Taken(total=spent / 1000))
        return body


async def read_body(receive: Receive) -> bytes:
    """The whole body; its size was checked by the guard."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    chunks = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InputError("The caller left before the body was complete.", code="not_json")
        chunks.append(message.get("body", b""))
    return b"".join(chunks)


def accepts_json(request: Request) -> bool:
    """Whether a page's address is asked for as JSON: by a program, not by a browser."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def json_response(value: object, status: int = 200) -> Response:
    """``value`` as JSON, UTF-8."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body, status_code=status, media_type="application/json")


class Listing:
    """``GET /v1/models``, ``GET /health`` and ``GET /metrics``."""

    def __init__(self, metier: Facade, metrics: Metrics, version: str) -> None:
        self._metier = metier
        self._metrics = metrics
        self._version = version

    def models(self) -> Response:
        """Every model, specialist and encoder, in OpenAI's shape."""
        listings = self._metier.routing.listed(self._metier.models.listings())
        return json_response(openai.models(listings))

    def model(self, name: str) -> Response:
        """One of them, in OpenAI's shape."""
        source = self._metier.routing if is_auto(name) else self._metier.models
        return json_response(openai.model(source.listing(name)))

    def health(self) -> Response:
        """That the process answers, and how many models are in memory; it names none."""
        try:
            resident = len(self._metier.models.running())
        except MetierError:
            # The process answers, whatever became of a model in memory; /api/ps says what.
            resident = 0
        return json_response({"status": "ok", "version": self._version, "resident": resident})

    def metrics(self) -> Response:
        """Counts and times in Prometheus' text format."""
        return Response(self._metrics.text(), headers={"content-type": MEDIA_TYPE})
