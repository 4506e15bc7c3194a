"""Ollama's routes that change what is here: create, blobs, copy, delete, pull.

It runs the façade's verbs in threads and streams their progress; translation is
``ollama_orders``'s. Sharing (push), accounts and the cloud are answered at once and call nobody.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from metier.errors import NotFoundError, UnavailableError
from metier.generating import Order
from metier.messages import Progress
from metier.reference import Digest
from metier.server import ollama, ollama_orders
from metier.server import ollama_reading as reading
from metier.server.facade import Facade
from metier.server.lines import Cancelled, Lines, Put
from metier.server.ollama_routes import (
    FLAG,
    LIST,
    NAMED,
    OBJECT,
    STRING,
    TAG,
    add,
    asked_for,
    broken,
    json_bytes,
    whole,
)

_WAITING_CHUNKS = 16


def router(metier: Facade) -> APIRouter:
    """The routes under ``/api`` that change what is here, and those that do nothing."""
    routes = APIRouter(tags=[TAG])
    _add_making(routes, metier)
    _add_names(routes, metier)
    _add_blobs(routes, metier)
    _add_pull(routes, metier)
    _add_absent(routes, metier)
    return routes


def _add_making(routes: APIRouter, metier: Facade) -> None:
    async def create(request: Request) -> Response:
        asked = reading.parse_body(await request.body())
        order, stream = await run_in_threadpool(ollama_orders.parse_create, asked, metier.blob_path)

        def work(put: Put, cancelled: Cancelled) -> None:
            del cancelled
            _create(metier, order, put if stream else _unheard)
            put(ollama_orders.SUCCESS)

        return Lines(work, failed=broken) if stream else whole(work)

    fields = {
        **NAMED,
        **dict.fromkeys(("from", "template", "system", "quantize"), STRING),
        **dict.fromkeys(("files", "adapters", "parameters"), OBJECT),
        "license": {},
        "messages": LIST,
        "stream": FLAG,
    }
    add(routes, "POST", "create", create, "Make a model of another one or of blobs", fields)


def _unheard(_said: bytes) -> None:
    """Progress that nobody asked for."""


def _create(metier: Facade, order: Order, put: Put) -> None:
    def report(sentence: str) -> None:
        put(ollama_orders.created(sentence))

    with asked_for(order.base or order.name):
        if order.base is not None:
            metier.models.listing(order.base)
    metier.models.create(order, report=report)


def _add_names(routes: APIRouter, metier: Facade) -> None:
    async def copy(request: Request) -> Response:
        asked = reading.parse_body(await request.body())
        written, source, destination = ollama_orders.parse_copy(asked)
        with asked_for(written):
            await run_in_threadpool(metier.models.copy, source, destination)
        return Response(b"")

    async def delete(request: Request) -> Response:
        name = reading.model_of(reading.parse_body(await request.body()))
        with asked_for(name):
            await run_in_threadpool(metier.models.remove, reading.stored_name(name))
        return Response(b"")

    fields = {"source": STRING, "destination": STRING}
    add(routes, "POST", "copy", copy, "Give a model a second name", fields)
    add(routes, "DELETE", "delete", delete, "Remove a model's name", NAMED)


def _add_blobs(routes: APIRouter, metier: Facade) -> None:
    async def has_blob(digest: str) -> Response:
        wanted = ollama_orders.blob_digest(digest)
        if not await run_in_threadpool(metier.has_blob, wanted):
            raise NotFoundError(f'blob "{wanted}" not found')
        return Response(b"")

    async def put_blob(digest: str, request: Request) -> Response:
        wanted = ollama_orders.blob_digest(digest)
        if await run_in_threadpool(metier.has_blob, wanted):
            return Response(b"")
        body = Body()
        taking = asyncio.ensure_future(run_in_threadpool(_take, metier, wanted, body))
        try:
            await body.fill(request)
            await taking
        except ClientDisconnect:
            # Nobody is there to be told; what came so far is thrown away.
            await asyncio.gather(taking, return_exceptions=True)
            return Response(b"", 499)
        return Response(b"", 201)

    add(routes, "HEAD", "blobs/{digest:path}", has_blob, "Whether the store holds these bytes")
    add(routes, "POST", "blobs/{digest:path}", put_blob, "Take bytes in under their digest")


def _take(metier: Facade, digest: Digest, body: Body) -> None:
    try:
        metier.put_blob(digest, body.chunks())
    finally:
        body.close()


class Body:
    """A request's body that a thread reads, piece by piece, while the loop receives it."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(_WAITING_CHUNKS)
        self._broken = False
        self._closed = threading.Event()

    def chunks(self) -> Iterator[bytes]:
        """The pieces; raises ConnectionResetError if the caller left before the end."""
        while (chunk := self._chunks.get()) is not None:
            yield chunk
        if self._broken:
            raise ConnectionResetError("The caller left before the body was complete.")

    def close(self) -> None:
        """The reader wants no more."""
        self._closed.set()

    async def fill(self, request: Request) -> None:
        """Hand everything over, or tell the reader that the rest never comes.

        Raises ClientDisconnect; ends early when the reader wants no more.
        """
        try:
            async for chunk in request.stream():
                if self._closed.is_set():
                    return
                if chunk:
                    await self._put(chunk)
        except BaseException:
            self._broken = True
            raise
        finally:
            await self._put(None)

    async def _put(self, chunk: bytes | None) -> None:
        while not self._closed.is_set():
            try:
                self._chunks.put_nowait(chunk)
            except queue.Full:
                # The disk is slower than the caller; the caller's socket waits with us.
                await asyncio.sleep(0.002)
            else:
                return


def _add_pull(routes: APIRouter, metier: Facade) -> None:
    async def pull(request: Request) -> Response:
        asked = ollama_orders.parse_pull(reading.parse_body(await request.body()))

        def work(put: Put, cancelled: Cancelled) -> None:
            def report(progress: Progress) -> None:
                if asked.stream:
                    put(ollama_orders.pulled(progress))

            metier.pull(asked.name, report=report, cancelled=cancelled)
            put(ollama_orders.SUCCESS)

        return Lines(work, failed=broken) if asked.stream else whole(work)

    fields = {**NAMED, "insecure": FLAG, "stream": FLAG}
    add(routes, "POST", "pull", pull, "Fetch a model", fields)


def _add_absent(routes: APIRouter, metier: Facade) -> None:
    async def push(request: Request) -> Response:
        name = ollama_orders.parse_pull(reading.parse_body(await request.body())).name
        with asked_for(name):
            await run_in_threadpool(metier.models.listing, reading.stored_name(name))
        raise UnavailableError(
            "Sharing models comes later: this server pushes nothing",
            code="not_offered",
            remedy="To hand a model on, use 'metier export'.",
        )

    async def account() -> Response:
        return json_bytes(ollama.encoded({"error": "unauthorized"}), 401)

    async def sign_out() -> Response:
        return json_bytes(ollama.encoded({"error": "you are not currently signed in"}), 401)

    async def keys(key: str) -> Response:
        del key
        return await sign_out()

    async def cloud() -> Response:
        return json_bytes(
            ollama.encoded({"error": "web search is a cloud service; none is called"}), 404
        )

    async def recommended() -> Response:
        return json_bytes(ollama.encoded({"recommendations": []}))

    fields = {**NAMED, "insecure": FLAG, "stream": FLAG}
    add(routes, "POST", "push", push, "Sharing comes later: 501", fields)
    add(routes, "POST", "me", account, "Accounts do not exist here: 401")
    add(routes, "POST", "signout", sign_out, "Accounts do not exist here: 401")
    add(routes, "DELETE", "user/keys/{key:path}", keys, "Accounts do not exist here: 401")
    add(routes, "POST", "experimental/web_search", cloud, "No cloud is called: 404")
    add(routes, "POST", "experimental/web_fetch", cloud, "No cloud is called: 404")
    add(routes, "GET", "experimental/model-recommendations", recommended, "An empty list")
