"""``POST /v1/route`` and the page ``/route``: who would answer, and why; nobody is asked.

It reads a question, asks the façade's ``routing`` in a thread and hands the decision to ``Pages``
or writes it as JSON. The names ``auto`` in the chat dialects are ``auto``'s matter.
"""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError
from metier.generating import Message, Question
from metier.routing import Routed, Wanted, Wish, domain_of, is_auto, told
from metier.server import native
from metier.server import openai_fields as fields
from metier.server.answering import accepts_json, json_response
from metier.server.auto import Routes, parted, route_headers
from metier.server.facade import Facade, PageOptions, Pages

MOST_CHARACTERS = 20_000_000
MOST_PICTURES = 16
MOST_PICTURE = 6_000_000
SHOWN = 20
"""Decisions that the page shows."""
_OWN = ("domain", "most_cost", "not", "conversation")
_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "input": {"type": "string", "description": "One text; or `messages`."},
        "messages": {
            "type": "array",
            "items": {"type": "object"},
            "description": "A conversation, as `/v1/chat/completions` takes it.",
        },
        "images": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Pictures beside `input`, in base64.",
        },
        "tools": {"type": "array", "items": {"type": "object"}},
        "task": {
            "type": "string",
            "enum": ["any", "chat"],
            "default": "any",
            "description": "`chat` goes only to what chats; `any` may also name a classifier.",
        },
        "domain": {"type": "string"},
        "most_cost": {
            "type": "string",
            "description": "`this machine`, `8 GB`, `remote`, or `remote 0.5`.",
        },
        "not": {"type": "array", "items": {"type": "string"}},
        "conversation": {"type": "string"},
        "model": {"type": "string", "description": "`auto` or `auto:<domain>`."},
    },
    "example": {"input": "How do I bind a value in Svelte?"},
}


def router(metier: Facade) -> APIRouter:
    """``POST /v1/route``."""
    routes = APIRouter(tags=["answer"])

    @routes.post(
        "/v1/route",
        summary="Decide who would answer; nobody is asked",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _BODY}},
            }
        },
    )
    async def route(request: Request) -> Response:
        """The decision, its reasons, the scores of all domains, and who was refused and why.

        It may name a classifier, which `auto` in a chat never does. `chosen` is empty where nobody
        can take it; `remedy` is then the command that would mend that.
        """
        body = await request.body()

        def work() -> Response:
            given = native.parse_json(body)
            question, wish, wanted = parse_route(given, request.headers)
            routed = metier.routing.decide(question, wish, wanted=wanted, explain=True)
            response = json_response(decision_json(routed))
            response.headers.update(dict(route_headers(routed)))
            return response

        return await run_in_threadpool(work)

    return routes


def parse_route(
    asked: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[Question, Wish, Wanted]:
    """The checked request; raises InputError (``bad_request``) naming the field that is wrong."""
    task = asked.get("task", "any")
    if task not in ("any", "chat"):
        raise fields.wrong(f"'task' is {str(task)[:40]!r}.", "task", "It is any or chat.")
    own = {name: asked[name] for name in _OWN if asked.get(name) is not None}
    within = asked.get("metier")
    if within is not None and not isinstance(within, dict):
        raise fields.wrong("'metier' is no object.", "metier", "Mend or drop it.")
    wish, _ = parted({"metier": {**(within or {}), **own}}, headers)
    name = asked.get("model") or "auto"
    if not is_auto(name):
        wish = replace(wish, model=str(name))
    elif not wish.domain:
        wish = replace(wish, domain=domain_of(str(name)))
    tools = fields.tools(asked)
    if asked.get("messages") is not None:
        question = Question(messages=fields.messages(asked), tools=tools)
    else:
        question = Question(messages=(_message(asked),), tools=tools)
    return question, wish, "chat" if task == "chat" else "any"


def _message(asked: Mapping[str, Any]) -> Message:
    text = asked.get("input")
    pictures = _pictures(asked.get("images"))
    if text is None and pictures:
        text = ""
    if not isinstance(text, str) or not (text.strip() or pictures):
        raise fields.wrong("'input' is missing or empty.", "input", "Give a text, or 'messages'.")
    if len(text) > MOST_CHARACTERS:
        raise fields.wrong(f"'input' has {len(text):,} characters.", "input", "Cut it.")
    return Message("user", fields.check_text(text, "input"), pictures=pictures)


def _pictures(given: object) -> tuple[bytes, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_PICTURES:
        raise fields.wrong("'images' is no list of pictures.", "images", "Mend or drop it.")
    found = []
    for place, one in enumerate(given):
        body = one.partition(",")[2] if isinstance(one, str) and one.startswith("data:") else one
        try:
            found.append(base64.b64decode(body, validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            where = f"images[{place}]"
            raise fields.wrong(f"{where} is not base64.", where, "Mend or drop it.") from error
    return tuple(found)


def decision_json(routed: Routed) -> dict[str, Any]:
    """A decision as JSON: reasons, scores, the facts it rests on. The text is not repeated."""
    facts = asdict(routed.request)
    facts["characters"] = len(facts.pop("text"))
    facts.pop("conversation")
    return {"object": "route", **told(routed), "request": facts}


class RoutePage:
    """The page ``/route`` of one server."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            Route("/route", self.page),
            Route("/route", self.decide, methods=["POST"]),
            Route("/route.json", self.as_json),
        ]

    def as_json(self, request: Request) -> Response:
        """``GET /route.json``: who there is, the latest decisions, and with ``q`` a new one."""
        return json_response(self._document(_asked(request.query_params)))

    def page(self, request: Request) -> Response:
        """``GET /route``."""
        document = self._document(_asked(request.query_params))
        if accepts_json(request):
            return json_response(document)
        return HTMLResponse(self._pages.route(document, self._options(request)))

    async def decide(self, request: Request) -> Response:
        """``POST /route``: the form, with a picture if one was added."""
        async with request.form(max_files=1, max_fields=10, max_part_size=1_000_000) as form:
            asked = _asked(form)
            picture = await _sent(form)
        document = await run_in_threadpool(self._document, asked, picture)
        if accepts_json(request):
            return json_response(document)
        page = self._pages.route(document, self._options(request))
        return HTMLResponse(page, status_code=422 if document["problem"] else 200)

    def _document(self, asked: Mapping[str, str], picture: bytes = b"") -> dict[str, Any]:
        routing = self._metier.routing
        found: dict[str, Any] = {
            "asked": dict(asked),
            "pictures": 1 if picture else 0,
            "decision": None,
            "problem": "",
            "command": _command(asked, bool(picture)),
        }
        if asked["q"].strip() or picture:
            try:
                found["decision"] = self._decided(asked, picture)
            except MetierError as error:
                found["problem"] = " ".join(filter(None, (error.message, error.remedy)))
        return {**found, **_here(routing)}

    def _decided(self, asked: Mapping[str, str], picture: bytes) -> dict[str, Any]:
        if len(picture) > MOST_PICTURE:
            raise InputError(
                f"The picture has {len(picture):,} bytes.",
                code="too_large",
                remedy=f"Send {MOST_PICTURE:,} at most.",
            )
        message = Message("user", asked["q"], pictures=(picture,) if picture else ())
        wish = Wish(domain=asked["domain"], most_cost=asked["most_cost"])
        wanted: Wanted = "chat" if asked["task"] == "chat" else "any"
        question = Question(messages=(message,))
        routed = self._metier.routing.decide(question, wish, wanted=wanted, explain=True, wait=True)
        return decision_json(routed)


def _asked(given: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form, each a text."""
    told = {name: given.get(name) for name in ("q", "task", "domain", "most_cost")}
    return {name: value if isinstance(value, str) else "" for name, value in told.items()}


async def _sent(form: FormData) -> bytes:
    picture = form.get("picture")
    return await picture.read(MOST_PICTURE + 1) if isinstance(picture, UploadFile) else b""


def _here(routing: Routes) -> dict[str, Any]:
    """Who there is, and the latest decisions."""
    field = routing.field()
    return {
        "names": list(routing.names()),
        "general": {
            "name": field.general.name,
            "why": field.general.why,
            "remedy": field.general.remedy,
        },
        "domains": sorted({one.domain for one in field.candidates if one.domain}),
        "latest": [_logged(row) for row in routing.latest(SHOWN)],
    }


def _logged(row: Mapping[str, Any]) -> dict[str, Any]:
    """One decision of the log, as the page and its JSON tell it."""
    decision: Mapping[str, Any] = row.get("decision") or {}
    answered: Mapping[str, Any] = row.get("answered") or {}
    tried: Sequence[Mapping[str, Any]] = answered.get("tried") or ()
    return {
        "id": row.get("id"),
        "at": row.get("at"),
        "chosen": decision.get("chosen", ""),
        "ground": decision.get("ground", ""),
        "why": decision.get("why", ""),
        "domain": decision.get("domain", ""),
        "score": decision.get("score"),
        "characters": row.get("characters"),
        "answered_by": answered.get("model", ""),
        "tried": [one.get("name", "") for one in tried],
        "seconds": answered.get("seconds"),
    }


def _command(asked: Mapping[str, str], picture: bool) -> str:
    words = ["metier", "route", asked["q"][:200] or "TEXT"]
    words += ["--image", "FILE"] if picture else []
    words += ["--task", "chat"] if asked["task"] == "chat" else []
    words += ["--domain", asked["domain"]] if asked["domain"] else []
    words += ["--most-cost", asked["most_cost"]] if asked["most_cost"] else []
    return f"{shlex.join(words)} --explain"
