"""Ollama's routes that ask a model: generate, chat, embed; and those about the server itself.

It runs the models' calls in threads and streams what they say; translation is ``ollama``'s and
``ollama_reading``'s. The routes that change what is here are ``ollama_keeping``'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from metier.errors import MetierError, NotFoundError
from metier.generating import Embedded, Models
from metier.reference import parted
from metier.routing import is_auto
from metier.server import ollama, ollama_listing
from metier.server import ollama_reading as reading
from metier.server.auto import Auto, auto_of
from metier.server.facade import Facade
from metier.server.lines import Cancelled, LateHeaders, Lines, Put
from metier.server.observing import Seen, seen
from metier.server.ollama import Answer, check_abilities
from metier.server.problems import problem_of
from metier.version import __version__

TAG = "ollama"
PATH = "/api/"
T = TypeVar("T")
_SMALL = 1 << 18
HEADERS = {"x-metier-version": __version__}


def json_bytes(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON that is encoded already."""
    return Response(body, status, headers=headers, media_type="application/json")


def broken(error: MetierError) -> bytes:
    """The last line of a stream that broke."""
    return ollama.failed(problem_of(error, PATH))


async def read(request: Request, parse: Callable[[Mapping[str, Any]], T]) -> T:
    """The checked body; a large one (pictures) is read in a thread, for the others' sake."""
    body = await request.body()
    if len(body) <= _SMALL:
        return parse(reading.parse_body(body))
    return await run_in_threadpool(lambda: parse(reading.parse_body(body)))


@contextmanager
def asked_for(name: str) -> Iterator[None]:
    """A model that is not here is said in Ollama's words."""
    try:
        yield
    except NotFoundError as error:
        raise ollama.unknown(name) from error


def router(metier: Facade) -> APIRouter:
    """The routes under ``/api`` that ask."""
    routes = APIRouter(tags=[TAG])
    _add_server(routes)
    _add_lists(routes, metier)
    _add_asking(routes, metier)
    _add_vectors(routes, metier)
    return routes


def add(
    routes: APIRouter,
    methods: str,
    path: str,
    endpoint: Callable[..., Any],
    summary: str,
    fields: Mapping[str, Any] | None = None,
) -> None:
    """One route; ``fields`` are the properties of its JSON body, for the OpenAPI document."""
    for method in methods.split():
        routes.add_api_route(
            f"/api/{path}",
            endpoint,
            methods=[method],
            summary=summary,
            description=f"{summary}. See docs/reference/ollama.md.",
            operation_id=f"ollama_{method}_{path}".lower().replace("/", "_").strip("{}"),
            include_in_schema=method != "HEAD",
            openapi_extra=_body(fields) if fields else None,
        )


def _body(fields: Mapping[str, Any]) -> dict[str, Any]:
    needed = [name for name in ("model", "source", "destination") if name in fields]
    schema = {"type": "object", "properties": dict(fields), "required": needed}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


STRING: Mapping[str, Any] = {"type": "string"}
FLAG: Mapping[str, Any] = {"type": "boolean"}
OBJECT: Mapping[str, Any] = {"type": "object"}
LIST: Mapping[str, Any] = {"type": "array", "items": {}}
WHOLE: Mapping[str, Any] = {"type": "integer"}
NAMED = {"model": STRING}
_LOADED = {**NAMED, "options": OBJECT, "keep_alive": {}}
_ASKED = {
    **_LOADED,
    "stream": FLAG,
    "format": {},
    "think": {},
    "truncate": FLAG,
    "shift": FLAG,
    "logprobs": FLAG,
    "top_logprobs": WHOLE,
}
_GENERATE = {
    **_ASKED,
    **dict.fromkeys(("prompt", "suffix", "system", "template"), STRING),
    "context": LIST,
    "raw": FLAG,
    "images": LIST,
}
_CHAT = {**_ASKED, "messages": LIST, "tools": LIST}


def _add_server(routes: APIRouter) -> None:
    async def version() -> Response:
        return json_bytes(ollama.version(), headers=HEADERS)

    async def status() -> Response:
        return json_bytes(ollama.status())

    add(routes, "GET HEAD", "version", version, "The version of Ollama whose API this is")
    add(routes, "GET", "status", status, "Whether a cloud stands behind this server: none does")


def _add_lists(routes: APIRouter, metier: Facade) -> None:
    told: tuple[object, bytes] = ((), ollama_listing.tags(()))

    def tags() -> Response:
        nonlocal told
        listings = metier.routing.listed(metier.models.listings())
        # A list that has not changed is the same tuple, and its JSON the same bytes.
        if listings is not told[0] or not isinstance(listings, tuple):
            told = (listings, ollama_listing.tags(listings))
        return json_bytes(told[1])

    def processes() -> Response:
        return json_bytes(ollama_listing.processes(metier.models.running()))

    async def show(request: Request) -> Response:
        asked = reading.parse_body(await request.body())
        name, verbose = reading.model_of(asked), reading.flag(asked, "verbose", otherwise=False)
        model, system = reading.stored_name(name), reading.text(asked, "system")
        agent = request.headers.get("user-agent", "")

        def sheet() -> bytes:
            with asked_for(name):
                if is_auto(model):
                    found = metier.routing.sheet(model)
                else:
                    found = metier.models.sheet(model, verbose=verbose)
            return ollama_listing.sheet(found, name=name, system=system, agent=agent)

        return json_bytes(await run_in_threadpool(sheet))

    add(routes, "GET HEAD", "tags", tags, "Every model that is here")
    add(routes, "GET", "ps", processes, "Every model that is in memory")
    fields = {**NAMED, "verbose": FLAG, "system": STRING}
    add(routes, "POST", "show", show, "Everything about one model", fields)


def _add_asking(routes: APIRouter, metier: Facade) -> None:
    async def generate(request: Request) -> Response:
        started = time.perf_counter()
        asked, auto = await read(request, routed(metier, request, reading.parse_generate))
        answer = Answer(asked, "generate", started)
        return _answer(metier.models, answer, seen(request.scope), auto)

    async def chat(request: Request) -> Response:
        started = time.perf_counter()
        asked, auto = await read(request, routed(metier, request, reading.parse_chat))
        answer = Answer(asked, "chat", started)
        return _answer(metier.models, answer, seen(request.scope), auto)

    add(routes, "POST", "generate", generate, "Continue a prompt", _GENERATE)
    add(routes, "POST", "chat", chat, "Answer a conversation", _CHAT)


def routed(
    metier: Facade,
    request: Request,
    parse: Callable[[Mapping[str, Any]], reading.Asked],
) -> Callable[[Mapping[str, Any]], tuple[reading.Asked, Auto | None]]:
    """Reads a request and, if it asks ``auto``, what it asks of the router."""

    def both(given: Mapping[str, Any]) -> tuple[reading.Asked, Auto | None]:
        asked = parse(given)
        return asked, auto_of(metier.routing, {**given, "model": asked.model}, request.headers)

    return both


def _answer(local: Models, answer: Answer, told: Seen, auto: Auto | None) -> Response:
    asked, kind = answer.asked, answer.kind
    models = local if auto is None else auto

    def load(put: Put, cancelled: Cancelled) -> None:
        del cancelled
        with asked_for(asked.name):
            check_abilities(asked, models.listing(parted(asked.model)[0]), kind)
            if asked.keep_alive == 0:
                models.unload(asked.model)
                put(answer.only("unload"))
                return
            spent = models.load(asked.model, keep_alive=asked.keep_alive, loading=asked.loading)
        put(answer.only("load", spent))

    def ask(put: Put, cancelled: Cancelled) -> None:
        def on_piece(piece: Any) -> None:
            told.spoke()
            said = answer.piece(piece)
            if said is not None:
                put(said)

        with asked_for(asked.name):
            check_abilities(asked, models.listing(parted(asked.model)[0]), kind)
            written = models.ask(
                asked.model,
                asked.question,
                loading=asked.loading,
                keep_alive=asked.keep_alive,
                on_piece=on_piece if asked.stream else None,
                cancelled=cancelled,
            )
        told.answered(asked.model if auto is None else auto.name, written.taken)
        beside = {"metier": auto.told()} if auto is not None else None
        put(answer.end(written, beside) if asked.stream else answer.whole(written, beside))

    if asked.empty:
        return whole(load)
    late = auto.headers if auto is not None else None
    return Lines(ask, failed=broken, late=late) if asked.stream else whole(ask, late)


def whole(work: Callable[[Put, Cancelled], None], late: LateHeaders | None = None) -> Response:
    """The one object that some work says."""
    return Lines(work, failed=broken, media_type="application/json", whole=True, late=late)


def _add_vectors(routes: APIRouter, metier: Facade) -> None:
    async def embed(request: Request) -> Response:
        started = time.perf_counter()
        asked = await read(request, reading.parse_embed)
        told = seen(request.scope)

        def work(put: Put, cancelled: Cancelled) -> None:
            given = _vectors(metier.models, asked, cancelled) or Embedded((), 0)
            spent = time.perf_counter() - started
            told.answered(asked.model, replace(given.taken, tokens_in=given.tokens))
            put(ollama.embedded(asked.name, given, dimensions=asked.dimensions, total=spent))

        return whole(work)

    async def embeddings(request: Request) -> Response:
        asked = await read(request, reading.parse_embeddings)

        def work(put: Put, cancelled: Cancelled) -> None:
            put(ollama.embedding(_vectors(metier.models, asked, cancelled)))

        return whole(work)

    fields = {**_LOADED, "input": {}, "truncate": FLAG, "dimensions": WHOLE}
    add(routes, "POST", "embed", embed, "Vectors of texts, at unit length", fields)
    older = {**_LOADED, "prompt": STRING}
    add(routes, "POST", "embeddings", embeddings, "The vector of one text (older)", older)


def _vectors(models: Models, asked: reading.AskedVectors, cancelled: Cancelled) -> Embedded | None:
    """The vectors, or ``None`` if no text was given: then the model is loaded."""
    with asked_for(asked.name):
        try:
            if asked.texts:
                return models.embed(
                    asked.model,
                    asked.texts,
                    truncate=asked.truncate,
                    loading=asked.loading,
                    keep_alive=asked.keep_alive,
                    cancelled=cancelled,
                )
            models.load(asked.model, keep_alive=asked.keep_alive, loading=asked.loading)
        except MetierError as error:
            if error.code == "no_capability":
                raise ollama.lacking(asked.name, "embeddings") from error
            raise
    return None
