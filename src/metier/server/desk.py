"""The pages of chat specialists and packs: ask, check, repair, search, without scripts and with.

It reads forms, calls the façade in threads and hands what came of it to ``Pages``. With a script
a question is answered as events: the steps as they go, then the drawn answer.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.card import ChatCard, SearchCard
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Manner, Passage, Reply, Sampling, Step, Turn
from metier.errors import InputError, MetierError, NotFoundError
from metier.server import chat, codework
from metier.server.answering import json_response
from metier.server.conversations import Answering, Written
from metier.server.events import ALIVE, event
from metier.server.facade import Facade, Installed, PageOptions, Pages
from metier.server.surroundings import around

TOP = 8
MOST_KEPT = 64
MOST_TURNS = 40
_FIELDS = 2 * codework.MOST_FILES + 4


@dataclass(frozen=True, slots=True)
class Told:
    """What a person did on the page of a chat specialist or a pack, and what came of it.

    Attributes:
        act: ``ask``, ``check``, ``search``, or "" for a fresh page.
        question: The question that was asked.
        turns: What was said before it, a person's turn and the answer in turn.
        base: The base that was chosen.
        query: What was searched for.
        files: The files that were given.
        reply: The answer to the question.
        found: The passages that were found.
        checked: What the tool found in the files.
        explained: Its diagnostics with the passages about them.
        mended: The files after the known repairs.
        problem: Why there is no answer, in a sentence.
    """

    act: str = ""
    question: str = ""
    base: str = ""
    query: str = ""
    files: tuple[SourceFile, ...] = ()
    reply: Reply | None = None
    found: tuple[Passage, ...] | None = None
    checked: Checked | None = None
    explained: tuple[tuple[Diagnostic, tuple[Passage, ...]], ...] = ()
    mended: Mended | None = None
    problem: str | None = None
    turns: tuple[str, ...] = ()


class Desk:
    """Those pages of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        options: Callable[[Request], PageOptions],
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options
        self._kept: OrderedDict[str, Told] = OrderedDict()

    def routes(self) -> list[Route]:
        """The routes of the forms; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/ask", self.ask, methods=["POST"]),
            Route("/specialists/{name:path}/check", self.check, methods=["POST"]),
            Route("/specialists/{name:path}/answers/{id}", self.answer),
            Route("/specialists/{name:path}/ask", self.back),
            Route("/specialists/{name:path}/check", self.back),
        ]

    def draws(self, item: Installed) -> bool:
        """Whether the page of ``item`` is one of these."""
        return isinstance(item.card, ChatCard | SearchCard)

    def page(self, request: Request, item: Installed) -> Response:
        """``GET /specialists/{name}``; of a pack, with ``?q=`` the passages."""
        if isinstance(item.card, SearchCard):
            told = self._searched(item, request.query_params.get("q", ""))
            return HTMLResponse(
                self._pages.pack(item, around(self._metier, item), told, self._options(request))
            )
        return HTMLResponse(self._draw(request, item, Told()))

    def found(self, request: Request, item: Installed) -> Response:
        """The passages for ``?q=`` as JSON."""
        query = request.query_params.get("q", "")
        passages = self._metier.search(item.reference.familiar, _query(query), top=TOP)
        return json_response({"query": query, "passages": codework.passages(passages)})

    def back(self, request: Request) -> Response:
        """A form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def ask(self, request: Request) -> Response:
        """``POST …/ask``: the page with the answer, or events for a script."""
        form = await request.form(max_files=0, max_fields=MOST_TURNS + 10)
        item = await run_in_threadpool(self._metier.show, request.path_params["name"])
        question = str(form.get("question", ""))
        base = str(form.get("base", ""))[:200]
        before = tuple(str(said).replace("\r\n", "\n") for said in form.getlist("turn"))
        asked = chat.ChatQuestion(
            model=item.reference.familiar,
            base=base or None,
            turns=(*_turns(before), Turn("user", question)),
            sampling=Sampling(),
            manner=Manner(),
            stream=False,
            usage=False,
            trace=True,
        )
        answering = Answering(self._metier, asked)
        if "text/event-stream" in request.headers.get("accept", ""):
            return await self._asked_live(request, answering)
        told = Told(act="ask", question=question, base=base, turns=before)
        try:
            _check_question(question)
            told = replace(told, reply=await answering.whole(request))
        except MetierError as error:
            told = replace(told, problem=_sentence(error))
        return HTMLResponse(await run_in_threadpool(self._draw, request, item, told))

    async def check(self, request: Request) -> Response:
        """``POST …/check``: the page with what was found and the known repairs."""
        form = await request.form(max_files=0, max_fields=_FIELDS)
        item = await run_in_threadpool(self._metier.show, request.path_params["name"])
        paths = [str(value) for value in form.getlist("path")]
        texts = [str(value).replace("\r\n", "\n") for value in form.getlist("text")]
        files = tuple(SourceFile(*pair) for pair in zip(paths, texts, strict=False))
        if form.get("more"):
            told = Told(act="check", files=(*files, SourceFile("", "")))
        else:
            told = await run_in_threadpool(self._checked, item.reference.familiar, files)
        return HTMLResponse(await run_in_threadpool(self._draw, request, item, told))

    async def _asked_live(self, request: Request, answering: Answering) -> Response:
        name = request.path_params["name"]

        def written(item: Written) -> bytes:
            if isinstance(item, str):
                return event({"text": item}, "text")
            if isinstance(item, Step):
                return event({"summary": item.summary, "kind": item.kind}, "step")
            if isinstance(item, Reply):
                return event({"address": self._keep(name, item, answering)}, "answer")
            return event({"problem": _sentence(item)}, "problem")

        try:
            _check_question(answering.asked.turns[-1].text)
            return await answering.streamed(ALIVE, written)
        except MetierError as error:
            # For the script that asked an error is an event like any other.
            return Response(written(error), media_type="text/event-stream")

    def answer(self, request: Request) -> Response:
        """``GET …/answers/{id}``: the page with an answer of the last few that were streamed."""
        told = self._kept.get(request.path_params["id"])
        if told is None:
            raise NotFoundError(
                "This answer is no longer kept.", remedy="Ask the question once more."
            )
        item = self._metier.show(request.path_params["name"])
        return HTMLResponse(self._draw(request, item, told))

    def _keep(self, name: str, reply: Reply, answering: Answering) -> str:
        """File an answer for the script that fetches it as a page; gives its address."""
        identifier = secrets.token_urlsafe(12)
        asked = answering.asked
        *before, last = (turn.text for turn in asked.turns)
        told = Told(
            act="ask", question=last, base=asked.base or "", reply=reply, turns=tuple(before)
        )
        self._kept[identifier] = told
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return f"/specialists/{quote(name)}/answers/{identifier}"

    def _checked(self, name: str, files: tuple[SourceFile, ...]) -> Told:
        asked = {
            "model": name,
            "files": [{"path": file.path, "text": file.text} for file in files],
        }
        try:
            given = codework.parse_files(asked).files
            checked = self._metier.check(name, given)
            explained = () if checked.ok else self._metier.explain(name, given)
            mended = None if checked.ok else self._metier.repair(name, given)
        except MetierError as error:
            return Told(act="check", files=files, problem=_sentence(error))
        pairs = tuple((diagnostic, tuple(about)) for diagnostic, about in explained)
        return Told(act="check", files=given, checked=checked, explained=pairs, mended=mended)

    def _searched(self, item: Installed, query: str) -> Told:
        if not query.strip():
            return Told(query=query)
        try:
            found = self._metier.search(item.reference.familiar, _query(query), top=TOP)
        except MetierError as error:
            return Told(act="search", query=query, problem=_sentence(error))
        return Told(act="search", query=query, found=tuple(found))

    def _draw(self, request: Request, item: Installed, told: Told) -> str:
        name = item.reference.familiar
        choices = (self._metier.lacks(name), self._metier.bases(name))
        options = self._options(request)
        return self._pages.chat(item, around(self._metier, item), choices, told, options)


def _turns(before: Sequence[str]) -> list[Turn]:
    """A conversation, a person's turn and the answer in turn; without a half of a pair."""
    whole = before[: len(before) - len(before) % 2][:MOST_TURNS]
    return [Turn("assistant" if place % 2 else "user", text) for place, text in enumerate(whole)]


def _check_question(question: str) -> None:
    if not question.strip():
        raise InputError(
            "The question is blank.", code="bad_request", remedy="Write what you want to know."
        )


def _query(query: str) -> str:
    if len(query) > codework.MOST_QUERY:
        raise InputError(
            f"The query has {len(query):,} characters; {codework.MOST_QUERY:,} are read.",
            code="bad_request",
            remedy="Ask in fewer words.",
        )
    return query


def _sentence(error: MetierError) -> str:
    return " ".join(filter(None, (error.message, error.remedy)))
