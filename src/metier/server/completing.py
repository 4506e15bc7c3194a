"""``/v1/chat/completions`` of models that write, ``/v1/completions``, embeddings and rerank.

It asks the models in threads and streams what they write; a caller who leaves ends it. Translation
is ``openai_chat``'s, ``openai_text``'s and ``openai_vectors``'s.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from metier.errors import MetierError
from metier.generating import Models, OnPiece, Piece, Question, Taken, Written
from metier.reference import parted
from metier.server import native, openai_chat, openai_schemas, openai_text, openai_vectors
from metier.server.auto import Auto, auto_of
from metier.server.events import DONE, event
from metier.server.facade import Facade
from metier.server.lines import Cancelled, Lines, Put
from metier.server.observing import Seen, seen
from metier.server.problems import as_openai, problem_of

PATH = "/v1/completions"
OnChoice = Callable[[int, Piece], None]


def router(metier: Facade) -> APIRouter:
    """The routes of OpenAI's dialect that only models answer."""
    routes = APIRouter(tags=["answer"])
    _add_text(routes, metier)
    _add_vectors(routes, metier)
    return routes


def chat(metier: Facade, asked: Mapping[str, Any], request: Request) -> Response:
    """Answer a request of ``/v1/chat/completions`` by a model that writes, or by who is routed."""
    parsed = openai_chat.parse(asked)
    told = seen(request.scope)
    id, created = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())  # noqa: A001
    auto = auto_of(metier.routing, asked, request.headers, unsaid=_unsaid(asked))
    # What the caller left to the model is left by the router: it knows who answers.
    unsaid = _unsaid(asked) if auto is None else []
    ask = _Ask(metier.models, parsed.model, parsed.questions, told, unsaid, auto)

    def whole(put: Put, cancelled: Cancelled) -> None:
        answers = ask(cancelled)
        body = openai_chat.completion(
            answers, id=id, created=created, model=ask.name, one_call=parsed.one_call
        )
        put(_json(body if auto is None else {**body, "metier": auto.told()}))

    chunks = openai_chat.Chunks(
        id, created, parsed.model, len(parsed.questions), one_call=parsed.one_call
    )
    return _streamed(ask, chunks, with_usage=parsed.usage) if parsed.stream else _whole(whole, auto)


def _unsaid(asked: Mapping[str, Any]) -> list[str]:
    """Options with a default of OpenAI's that the caller does not give."""
    return [name for name in ("temperature", "top_p") if asked.get(name) is None]


class _Ask:
    """The questions of one request, asked of one model: the first in this thread.

    Where the caller said nothing (``unsaid``), the dialect has a default; what the model's maker
    said stands above it.
    """

    def __init__(
        self,
        models: Models,
        model: str,
        questions: Sequence[Question],
        told: Seen,
        unsaid: Sequence[str],
        auto: Auto | None = None,
    ) -> None:
        self._models = models if auto is None else auto
        self._model = model
        self._questions = questions
        self._unsaid = unsaid
        self.told = told
        self.auto = auto

    @property
    def name(self) -> str:
        """Who answers."""
        return self._model if self.auto is None else self.auto.name

    def __call__(self, cancelled: Cancelled, on_choice: OnChoice | None = None) -> list[Written]:
        """One answer for each; raises the first error, and then the others are given up."""
        self._leave_to_the_model()
        found: dict[int, Written | BaseException] = {}
        broken = threading.Event()

        def one(place: int) -> None:
            try:
                found[place] = self._one(place, on_choice, lambda: broken.is_set() or cancelled())
            except BaseException as error:  # noqa: BLE001  raised below, in the asking thread
                found[place] = error
                broken.set()

        others = [
            threading.Thread(target=one, args=(place,), name="metier-choice", daemon=True)
            for place in range(1, len(self._questions))
        ]
        for other in others:
            other.start()
        one(0)
        for other in others:
            other.join()
        ordered = [found[place] for place in range(len(self._questions))]
        errors = [item for item in ordered if isinstance(item, BaseException)]
        given_up = [item for item in errors if getattr(item, "code", "") == "cancelled"]
        for error in [*(item for item in errors if item not in given_up), *given_up]:
            raise error
        return [item for item in ordered if isinstance(item, Written)]

    def _leave_to_the_model(self) -> None:
        if not self._unsaid:
            return
        own = self._models.listing(parted(self._model)[0]).settings
        left = {name: None for name in self._unsaid if name in own}
        if left:
            self._questions = [
                replace(question, options=replace(question.options, **left))
                for question in self._questions
            ]

    def _one(self, place: int, on_choice: OnChoice | None, cancelled: Cancelled) -> Written:
        question = self._questions[place]

        def say(piece: Piece) -> None:
            self.told.spoke()
            if on_choice is not None:
                on_choice(place, piece)

        joined = _WithChances(say) if question.logprobs else None
        on_piece = say if joined is None else joined.piece
        written = self._models.ask(
            self._model,
            question,
            on_piece=on_piece if on_choice is not None else None,
            cancelled=cancelled,
        )
        if joined is not None:
            joined.flush()
        self.told.answered(self.name, written.taken)
        return written


class _WithChances:
    """Puts the chances of tokens into one piece with their text, which comes just before them."""

    def __init__(self, say: OnPiece) -> None:
        self._say = say
        self._held: Piece | None = None

    def piece(self, piece: Piece) -> None:
        """Hear one piece; text waits for its chances."""
        bare = not (piece.text or piece.thinking or piece.tool_calls)
        if bare and self._held is not None:
            piece = replace(self._held, chances=self._held.chances + piece.chances)
            self._held = None
        self.flush()
        if piece.chances:
            self._say(piece)
        else:
            self._held = piece

    def flush(self) -> None:
        """Say what waits."""
        if self._held is not None:
            self._say(self._held)
        self._held = None


def _streamed(
    ask: _Ask, chunks: openai_chat.Chunks | openai_text.Chunks, *, with_usage: bool
) -> Response:
    def work(put: Put, cancelled: Cancelled) -> None:
        lock = threading.Lock()
        opened = False

        def open_once() -> None:
            nonlocal opened
            if not opened:
                opened = True
                if ask.auto is not None and isinstance(chunks, openai_chat.Chunks):
                    chunks.model = ask.name
                put(chunks.opening())

        def on_choice(place: int, piece: Piece) -> None:
            with lock:
                open_once()
                said = chunks.piece(place, piece)
                if said:
                    put(said)

        answers = ask(cancelled, on_choice)
        open_once()
        more = {"metier": ask.auto.told()} if ask.auto is not None else None
        for place, written in enumerate(answers):
            put(chunks.finish(place, written, more))
        if with_usage:
            put(chunks.usage([written.taken for written in answers]))
        put(DONE)

    def broken(error: MetierError) -> bytes:
        problem = problem_of(error, PATH)
        ask.told.code = problem.code
        return event(as_openai(problem)) + DONE

    late = ask.auto.headers if ask.auto is not None else None
    return Lines(work, failed=broken, media_type="text/event-stream", late=late)


def _whole(work: Callable[[Put, Cancelled], None], auto: Auto | None = None) -> Response:
    late = auto.headers if auto is not None else None
    return Lines(work, failed=_nothing, media_type="application/json", whole=True, late=late)


def _nothing(error: MetierError) -> bytes:
    """Whole answers are said last, so no error follows them."""
    raise error


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _add_text(routes: APIRouter, metier: Facade) -> None:
    @routes.post(
        "/v1/completions",
        summary="Continue text, or fill a gap in it, in OpenAI's shape",
        openapi_extra=openai_schemas.described(openai_schemas.TEXT),
    )
    async def completions(request: Request) -> Response:
        """The prompt is continued without a template.

        With `suffix` the gap is filled by the model's own tokens.
        """
        given = native.parse_json(await request.body())
        asked = openai_text.parse(given)
        id, created = f"cmpl-{secrets.token_hex(12)}", int(time.time())  # noqa: A001
        told = seen(request.scope)
        ask = _Ask(metier.models, asked.model, asked.questions, told, _unsaid(given))

        def whole(put: Put, cancelled: Cancelled) -> None:
            answers = ask(cancelled)
            put(_json(openai_text.completion(asked, answers, id=id, created=created)))

        if asked.stream:
            return _streamed(ask, openai_text.Chunks(asked, id, created), with_usage=asked.usage)
        return _whole(whole)


def _add_vectors(routes: APIRouter, metier: Facade) -> None:
    @routes.post(
        "/v1/embeddings",
        summary="Vectors of texts in OpenAI's shape",
        openapi_extra=openai_schemas.described(openai_schemas.EMBEDDINGS),
    )
    async def embeddings(request: Request) -> Response:
        """Vectors of unit length, as numbers or as base64 of little-endian float32."""
        asked = openai_vectors.parse_embeddings(native.parse_json(await request.body()))
        told = seen(request.scope)

        def work(put: Put, cancelled: Cancelled) -> None:
            found = metier.models.embed(
                asked.model, asked.inputs, truncate=False, cancelled=cancelled
            )
            told.answered(asked.model, _counted(found.taken, found.tokens))
            put(_json(openai_vectors.embeddings(asked, found)))

        return _whole(work)

    @routes.post(
        "/v1/rerank",
        summary="Documents by relevance to a query, in Jina's and Cohere's shape",
        openapi_extra=openai_schemas.described(openai_schemas.RERANK),
    )
    async def rerank(request: Request) -> Response:
        """Best first: by a reranker, or by the cosine of an embedding model."""
        asked = openai_vectors.parse_rerank(native.parse_json(await request.body()))
        told = seen(request.scope)

        def work(put: Put, cancelled: Cancelled) -> None:
            del cancelled
            found = metier.models.rank(asked.model, asked.query, asked.documents)
            told.answered(asked.model, _counted(Taken(), found.tokens))
            put(_json(openai_vectors.ranking(asked, found)))

        return _whole(work)


def _counted(taken: Taken, tokens: int) -> Taken:
    return Taken(total=taken.total, load=taken.load, prompt=taken.prompt, tokens_in=tokens)
