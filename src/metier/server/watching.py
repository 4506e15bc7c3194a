"""The watch over HTTP: standings and notices, and what people say of answers.

It reads forms and JSON, counts how often somebody speaks, and calls the façade in threads. Nobody
is asked anything when feedback comes in: rivals are asked when the watch next looks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError, UnavailableError
from metier.server import native
from metier.server.answering import json_response
from metier.server.facade import Facade, Failure, PageOptions, Pages

MOST_A_MINUTE = 60
"""Pieces of feedback that one server takes in a minute; each becomes a row that stays."""
MOST_BODY = 96 * 1024
"""Bytes of one piece: text and comment at their longest, with room for their encoding."""
_FIELDS = ("answer", "text", "thumb", "label", "comment")


class Paced:
    """Lets ``most`` through in any ``seconds``; threads may share it."""

    def __init__(
        self, most: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._times: list[float] = []
        self._lock = threading.Lock()

    def take(self) -> None:
        """Count one; raises UnavailableError (``queue_full``) if it is one too many."""
        with self._lock:
            now = self._clock()
            self._times = [moment for moment in self._times if now - moment < self._seconds]
            if len(self._times) >= self._most:
                wait = self._seconds - (now - self._times[0])
                raise UnavailableError(
                    f"More than {self._most} pieces of feedback came in a minute.",
                    code="queue_full",
                    remedy=f"Try again in {wait:.0f} seconds.",
                    retryable=True,
                )
            self._times.append(now)


def router(metier: Facade) -> APIRouter:
    """``/metier/v1``: watch and feedback."""
    routes = APIRouter(prefix="/metier/v1")
    paced = Paced(MOST_A_MINUTE)

    @routes.get("/watch", tags=["watch"], summary="Where every specialist stands")
    def watch() -> Response:
        """State, reason and tracks of each that was looked at, and what people should know."""
        return json_response(watch_of(metier))

    @routes.get("/watch/{name:path}", tags=["watch"], summary="Where one specialist stands")
    def one(name: str) -> Response:
        """Its standing with all tracks, how it came there, and the thumbs on its answers."""
        return json_response(metier.watching.document(name))

    @routes.post(
        "/feedback",
        tags=["watch"],
        status_code=201,
        summary="Say what an answer was worth",
        openapi_extra=_schema(),
    )
    async def feedback(request: Request) -> Response:
        """Thumb, right label or comment on an answer of the specialist `name`.

        Name the answer by `answer` (an id of yours) or by `text` (what was asked). A thumb counts
        for the specialist alone and never moves its state. With `label` and `keep` the text is
        kept, rivals are asked on it at the next look, and that makes a pair. Texts can be erased:
        `DELETE /metier/v1/feedback/{name}`.
        """
        asked = native.parse_json(await _body(request))
        said = _checked(asked)
        paced.take()
        taken = await run_in_threadpool(lambda: metier.watching.feedback(**said))
        return json_response(taken, 201)

    @routes.delete(
        "/feedback/{name:path}", tags=["watch"], summary="Erase the texts that feedback kept"
    )
    def erase(name: str) -> Response:
        """Thumbs and counts stay; texts, comments and the key that tells texts apart go."""
        return json_response({"name": name, "erased": metier.watching.erase_texts(name)})

    return routes


def watch_of(metier: Facade) -> dict[str, Any]:
    """``/metier/v1/watch``."""
    return {
        "standings": [native.plain(one) for one in metier.watching.standings().values()],
        "notices": [asdict(one) for one in metier.watching.notices()],
        "schedule": dict(metier.watching.schedule()),
    }


class Watching:
    """The forms on pages."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options
        self._paced = Paced(MOST_A_MINUTE)

    def routes(self) -> list[Route]:
        """The routes of the forms; they stand before the specialists' own."""
        return [
            Route("/watch.json", self.watch),
            Route("/specialists/{name:path}/feedback", self.feedback, methods=["POST"]),
            Route("/specialists/{name:path}/feedback", self.back),
        ]

    def watch(self, _request: Request) -> Response:
        """``/watch.json``: what ``/metier/v1/watch`` gives."""
        return json_response(watch_of(self._metier))

    def back(self, request: Request) -> Response:
        """The form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def feedback(self, request: Request) -> Response:
        """``POST …/feedback``: a thumb or a right label; then back to the page."""
        form = await request.form(max_files=0, max_fields=10, max_part_size=MOST_BODY)
        name = request.path_params["name"]
        fields: dict[str, Any] = {key: str(form[key]) for key in _FIELDS if form.get(key)}
        # A box that was ticked without a label asks for nothing.
        if fields.get("thumb"):
            fields.pop("label", None)  # it stood in the box below, and another button was pressed
        elif fields.get("label"):
            fields["thumb"] = "up" if fields["label"] == form.get("given") else "down"
        fields["keep"] = form.get("keep") is not None and bool(fields.get("label"))
        try:
            said = _checked({"name": name, **fields})
            self._paced.take()
            await run_in_threadpool(lambda: self._metier.watching.feedback(**said))
        except MetierError as error:
            status = 503 if isinstance(error, UnavailableError) else 422
            back = f"/specialists/{quote(name)}"
            failure = Failure(status, error.message, error.remedy, request.url.path, back=back)
            return HTMLResponse(self._pages.failure(failure, self._options(request)), status)
        told = "kept" if fields["keep"] else "taken"
        return RedirectResponse(f"/specialists/{quote(name)}#{told}", status_code=303)


async def _body(request: Request) -> bytes:
    """The body; raises InputError (``too_large``) before more than ``MOST_BODY`` is read."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BODY:
            raise InputError(
                f"The feedback has more than {MOST_BODY:,} bytes.",
                code="too_large",
                remedy="Send one answer at a time, without what stands around it.",
            )
    return bytes(read)


def _checked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by name; raises InputError naming one that is of another type."""
    unknown = sorted(set(asked) - {"name", "keep", *_FIELDS})
    if unknown:
        raise _wrong(f"There is no field {unknown[0][:80]!r}.", unknown[0][:80])
    name = asked.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _wrong("The field 'name' is missing.", "name")
    said: dict[str, Any] = {"name": name[:400]}
    for field in _FIELDS:
        value = asked.get(field)
        if value is None:
            continue
        if not isinstance(value, str):
            raise _wrong(f"'{field}' is a {type(value).__name__}, not text.", field)
        said[field] = value
    keep = asked.get("keep", False)
    if not isinstance(keep, bool):
        raise _wrong("'keep' is true or false.", "keep")
    return {**said, "keep": keep}


def _wrong(message: str, param: str) -> InputError:
    return InputError(
        message,
        code="bad_feedback",
        remedy='Send {"name": "banking-intents", "text": "…", "thumb": "down"}; see /docs.',
        details={"param": param},
    )


def _schema() -> dict[str, Any]:
    text = {"type": "string"}
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {**text, "description": "The specialist."},
            "answer": {**text, "description": "An id of the answer; each counts once."},
            "text": {**text, "description": "What was asked."},
            "thumb": {**text, "enum": ["up", "down"]},
            "label": {**text, "description": "The right label, one of the specialist's."},
            "comment": {**text, "description": "In your words; kept until it is erased."},
            "keep": {
                "type": "boolean",
                "default": False,
                "description": "Whether the text may be kept, so that rivals can be asked on it.",
            },
        },
        "example": {"name": "banking-intents", "text": "card lost", "thumb": "up"},
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
