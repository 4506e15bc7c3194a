"""``POST /v1/chat/completions`` and ``/metier/v1/{answer,search,check,explain,repair,migrate}``.

It runs the façade's verbs in threads, streams what they write as they write it, and stops them
when the caller leaves. Translation is ``chat``'s and ``codework``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from metier.card import ChatCard
from metier.conversing import Reply, Step
from metier.errors import InternalError, MetierError
from metier.generating import Taken
from metier.reference import parted
from metier.routing import is_auto
from metier.server import chat, codework, completing, native, openai_schemas
from metier.server.answering import json_response
from metier.server.auto import Auto, auto_of, without_wishes
from metier.server.events import ALIVE, DONE, event
from metier.server.facade import Facade
from metier.server.observing import seen
from metier.server.problems import as_native, as_openai, problem_of

QUIET_SECONDS = 10.0
"""After so long without a word a comment is sent, so that nobody on the way hangs up."""


def router(metier: Facade) -> APIRouter:
    """The routes of chat specialists and packs."""
    routes = APIRouter()
    _add_chat(routes, metier)
    _add_answer(routes, metier)
    _add_code(routes, metier)
    return routes


def _add_chat(routes: APIRouter, metier: Facade) -> None:
    @routes.post(
        "/v1/chat/completions",
        tags=["answer"],
        summary="Ask a model or a chat specialist in OpenAI's shape",
        openapi_extra=openai_schemas.described(openai_schemas.CHAT),
    )
    async def chat_completions(request: Request) -> Response:
        """A model answers by itself; a chat specialist by documents, drafts, checks and repairs.

        `model` is any model, a specialist (`sveltekit`) or one over a base
        (`sveltekit@remote:NAME`). In an agent's tool loop (with `tools`) a specialist passes the
        call through with the documents once.
        """
        given = native.parse_json(await request.body())
        if not _is_specialist(metier, given.get("model")):
            return completing.chat(metier, given, request)
        asked = chat.parse_chat(given)
        id = f"chatcmpl-{secrets.token_hex(12)}"  # noqa: A001
        created = int(time.time())
        model = asked.model if asked.base is None else f"{asked.model}@{asked.base}"
        answering = Answering(metier, asked)
        told = seen(request.scope)
        if not asked.stream:
            reply = await answering.whole(request)
            told.answered(asked.model, taken(reply))
            return json_response(chat.completion(reply, id=id, created=created, model=model))
        chunks = chat.Chunks(id, created, model)

        def written(item: Written) -> bytes:
            if isinstance(item, str):
                told.spoke()
                return chunks.text(item)
            if isinstance(item, Step):
                return chunks.step(item) if asked.trace else ALIVE
            if isinstance(item, Reply):
                told.answered(asked.model, taken(item))
                return chunks.closing(item, with_usage=asked.usage)
            return event(as_openai(problem_of(item, request.url.path))) + DONE

        return await answering.streamed(chunks.opening(), written)


def taken(reply: Reply) -> Taken:
    """What a specialist's reply took, as the numbers of the process count it."""
    return Taken(total=reply.seconds, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)


def _is_specialist(metier: Facade, model: object) -> bool:
    """Whether the answer policy answers: for chat specialists, and whatever names a base."""
    if not isinstance(model, str):
        return False
    if is_auto(model):
        return False
    model, base = parted(model)
    if base:
        return True
    try:
        return isinstance(metier.show(model).card, ChatCard)
    except MetierError:
        return False


def _add_answer(routes: APIRouter, metier: Facade) -> None:
    @routes.post(
        "/metier/v1/answer",
        tags=["answer"],
        summary="Ask a chat specialist, with the trace",
        openapi_extra=codework.body(codework.CHAT),
    )
    async def answer(request: Request) -> Response:
        """Like `/v1/chat/completions`, answered with text, files, findings, passages and trace.

        With `stream` the events are `text`, `step`, `error` and at the end `reply`.
        """
        given = native.parse_json(await request.body())
        auto = auto_of(metier.routing, given, request.headers)
        asked = chat.parse_chat(given if auto is None else without_wishes(given))
        answering = Answering(metier, asked, auto=auto)

        def shown(reply: Reply) -> dict[str, Any]:
            told = {"metier": auto.told()} if auto is not None else {}
            return {**codework.reply(reply), **told}

        if not asked.stream:
            response = json_response(shown(await answering.whole(request)))
            response.headers.update(answering.headers())
            return response

        def written(item: Written) -> bytes:
            if isinstance(item, str):
                return event({"text": item}, "text")
            if isinstance(item, Step):
                return event(chat.step_of(item), "step")
            if isinstance(item, Reply):
                return event(shown(item), "reply")
            return event(as_native(problem_of(item)), "error")

        return await answering.streamed(ALIVE, written)


def _add_code(routes: APIRouter, metier: Facade) -> None:
    def add(
        verb: str, summary: str, text: str, call: Callable[[codework.FilesQuestion], Any]
    ) -> None:
        async def endpoint(request: Request) -> Response:
            asked = codework.parse_files(native.parse_json(await request.body()))
            return json_response(await run_in_threadpool(call, asked))

        endpoint.__name__ = verb
        routes.add_api_route(
            f"/metier/v1/{verb}",
            endpoint,
            methods=["POST"],
            tags=["answer"],
            summary=summary,
            description=text,
            openapi_extra=codework.body(codework.FILES),
        )

    add(
        "check",
        "Compile and type-check files, running nothing",
        "`ok`, and each diagnostic with its place, an explanation and a link.",
        lambda asked: codework.checked(metier.check(asked.model, asked.files)),
    )
    add(
        "explain",
        "Check files, with the documentation of each finding",
        "Like `check`; each diagnostic has the passages about it.",
        lambda asked: codework.explained(metier.explain(asked.model, asked.files)),
    )
    add(
        "repair",
        "Apply the known repairs to files",
        "What was applied, the files after it, and what is still wrong. Nothing is written.",
        lambda asked: codework.mended(
            asked.files, metier.repair(asked.model, asked.files), metier.check, asked.model
        ),
    )
    add(
        "migrate",
        "Bring files to the newer version",
        "Svelte 4 to 5: what was applied, the files after it, what is left. Nothing is written.",
        lambda asked: codework.mended(
            asked.files, metier.migrate(asked.model, asked.files), metier.check, asked.model
        ),
    )

    @routes.post(
        "/metier/v1/search",
        tags=["answer"],
        summary="Search a pack, or a specialist's packs",
        openapi_extra=codework.body(codework.SEARCH),
    )
    async def search(request: Request) -> Response:
        """Passages with their source, best first."""
        asked = codework.parse_search(native.parse_json(await request.body()))
        passages = await run_in_threadpool(metier.search, asked.model, asked.query, top=asked.top)
        return json_response({"model": asked.model, "passages": codework.passages(passages)})


Written = str | Step | Reply | MetierError
"""What an answer in the making hands over: text, a step, the end, or why there is none."""


@dataclass
class Answering:
    """One answer in the making, in a thread of its own."""

    metier: Facade
    asked: chat.ChatQuestion
    stop: threading.Event = field(default_factory=threading.Event)
    auto: Auto | None = None

    def headers(self) -> dict[str, str]:
        """Who was routed to, where a router chose."""
        return dict(self.auto.headers()) if self.auto is not None else {}

    def run(
        self,
        on_text: Callable[[str], None] | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> Reply:
        """The reply; blocks."""
        if self.auto is not None:
            return self.auto.reply(
                self.asked.turns,
                self.asked.sampling,
                on_text=on_text,
                on_step=on_step,
                cancelled=self.stop.is_set,
            )
        return self.metier.answer(
            self.asked.model,
            self.asked.turns,
            base=self.asked.base,
            sampling=self.asked.sampling,
            manner=self.asked.manner,
            on_text=on_text,
            on_step=on_step,
            cancelled=self.stop.is_set,
        )

    async def whole(self, request: Request) -> Reply:
        """The reply; the work is stopped if the caller leaves."""
        work = asyncio.ensure_future(run_in_threadpool(self.run))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=0.5)
                if not work.done() and await request.is_disconnected():
                    self.stop.set()
            return work.result()
        finally:
            self.stop.set()

    async def streamed(self, opening: bytes, written: Callable[[Written], bytes]) -> Response:
        """The events of the answer; a caller who leaves ends it.

        An error before the first word is an ordinary error, with its status.
        """
        queue: asyncio.Queue[Written] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(item: Written) -> None:
            # The loop is gone when the server stops; the answer then has no reader.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, item)

        def work() -> None:
            try:
                put(self.run(put, put))
            except MetierError as error:
                put(error)
            except Exception:
                put(InternalError("The answer broke off: a defect of Metier.", code="internal"))
                raise

        threading.Thread(target=work, name="metier-answer", daemon=True).start()
        first = await queue.get()
        if isinstance(first, MetierError):
            raise first

        async def events() -> AsyncIterator[bytes]:
            item: Written | None = first
            try:
                yield opening
                while True:
                    yield ALIVE if item is None else written(item)
                    if isinstance(item, Reply | MetierError):
                        return
                    item = await _next(queue)
            finally:
                self.stop.set()

        return StreamingResponse(
            events(),
            media_type="text/event-stream",
            headers={
                "cache-control": "no-cache",
                "x-accel-buffering": "no",
                **self.headers(),
            },
        )


async def _next(queue: asyncio.Queue[Written]) -> Written | None:
    try:
        return await asyncio.wait_for(queue.get(), QUIET_SECONDS)
    except TimeoutError:
        return None
