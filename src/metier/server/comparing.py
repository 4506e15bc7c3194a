"""The page Compare: two or more on one eval, where they disagree, and side by side on a prompt.

It reads queries and forms, asks the façade in threads, and hands what came of it to ``Pages`` as
one JSON document, which is also what ``/compare.json`` gives. What is missing is measured as a job.
"""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from metier.errors import InputError, MetierError, NotFoundError
from metier.messages import Report
from metier.server.answering import accepts_json, json_response
from metier.server.duels import Duel, Duels, Slot
from metier.server.events import ALIVE, event
from metier.server.facade import Facade, PageOptions, Pages
from metier.server.jobrecords import Order
from metier.server.jobs import Jobs

KIND = "comparison"
"""Of the jobs."""
MOST_NAMES = 8
PAGE = 20
"""Disagreements on one page."""
QUIET = 10.0
"""Seconds without a word after which a stream says that it lives."""
Which = Literal["all", "first", "second", "others"]
_WHICH: dict[str, Which] = {
    "all": "all", "first": "first", "second": "second", "others": "others",
}  # fmt: skip


def contrast_order(metier: Facade, names: Sequence[str], on: str) -> Order:
    """The order that measures what is missing of a comparison; also when it is resumed."""
    asked = _Asked(names, on)

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        metier.comparing.measure(asked.names, on=on, report=report, cancelled=cancelled)
        return {"page": f"/compare?{asked.query()}", "names": list(asked.names), "on": on}

    fields = {"names": "\n".join(asked.names), "on": on}
    return Order(KIND, " and ".join(asked.names), asked.command, work, fields=fields)


class Comparing:
    """Those pages of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        jobs: Jobs,
        options: Callable[[Request], PageOptions],
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._jobs = jobs
        self._options = options
        self._duels = Duels(metier)

    def routes(self) -> list[Route]:
        """The page, what it sends, and the answers side by side."""
        return [
            Route("/compare", self.page),
            Route("/compare.json", self.page),
            Route("/compare", self.measure, methods=["POST"]),
            Route("/compare/ask", self.ask, methods=["POST"]),
            Route("/compare/ask", self.back),
            Route("/compare/asked/{token}", self.asked),
            Route("/compare/asked/{token}/vote", self.vote, methods=["POST"]),
            Route("/compare/asked/{token}/{sign}", self.stream),
        ]

    def job(self, request: Request, job: dict[str, Any]) -> Response:
        """``/jobs/{id}``: the progress; once it is done, the comparison itself."""
        if job["state"] == "done" and job["result"]:
            return RedirectResponse(str(job["result"]["page"]), status_code=303)
        return HTMLResponse(self._pages.job(job, self._options(request)))

    def page(self, request: Request) -> Response:
        """``/compare``: what is known of the chosen ones; as JSON the same."""
        as_json = request.url.path.endswith(".json") or accepts_json(request)
        try:
            found = self._document(_asked(request.query_params.multi_items()))
        except MetierError as error:
            if as_json:
                raise
            found = {**self._document(_Asked()), "problem": _sentence(error)}
        if as_json:
            return json_response(found)
        status = 422 if found["problem"] else 200
        return HTMLResponse(self._pages.compare(found, self._options(request)), status)

    async def measure(self, request: Request) -> Response:
        """``POST /compare``: a job that measures what is missing."""
        form = await request.form(max_files=0, max_fields=MOST_NAMES + 10)
        asked = _asked([(key, str(value)) for key, value in form.multi_items()])
        await run_in_threadpool(self._gather, asked)
        snapshot = self._jobs.submit(contrast_order(self._metier, asked.names, asked.on))
        if accepts_json(request):
            return json_response(snapshot, 202)
        return RedirectResponse(snapshot["page"], status_code=303)

    def back(self, _request: Request) -> Response:
        """A form's address that was opened or reloaded."""
        return RedirectResponse("/compare", status_code=303)

    async def ask(self, request: Request) -> Response:
        """``POST /compare/ask``: take a prompt; a script streams the answers itself."""
        form = await request.form(max_files=0, max_fields=MOST_NAMES + 10)
        names = [str(value) for value in form.getlist("name")]
        try:
            duel = await run_in_threadpool(
                lambda: self._duels.start(
                    str(form.get("prompt", "")), names, blind=form.get("blind") is not None
                )
            )
        except MetierError as error:
            if accepts_json(request):
                raise
            found = await run_in_threadpool(self._document, _Asked())
            found |= {"problem": _sentence(error), "prompt": str(form.get("prompt", ""))[:20_000]}
            return HTMLResponse(self._pages.compare(found, self._options(request)), 422)
        if form.get("live") is None:
            for slot in duel.slots:
                await run_in_threadpool(self._duels.ask, duel, slot)
        if accepts_json(request):
            return json_response(duel.to_dict())
        return RedirectResponse(f"/compare/asked/{duel.token}", status_code=303)

    def asked(self, request: Request) -> Response:
        """``/compare/asked/{token}``: the answers; those that wait are written by a script."""
        token = request.path_params["token"]
        duel = self._duels.of(token.removesuffix(".json"))
        if token.endswith(".json") or accepts_json(request):
            return json_response(duel.to_dict())
        return HTMLResponse(self._pages.asked(duel.to_dict(), self._options(request)))

    async def vote(self, request: Request) -> Response:
        """``POST …/vote``: show the names."""
        form = await request.form(max_files=0, max_fields=3)
        duel = self._duels.vote(request.path_params["token"], str(form.get("vote", "")))
        if accepts_json(request):
            return json_response(duel.to_dict())
        return RedirectResponse(f"/compare/asked/{duel.token}", status_code=303)

    def stream(self, request: Request) -> Response:
        """``…/{sign}``: one answer as events while it is written."""
        duel = self._duels.of(request.path_params["token"])
        sign = request.path_params["sign"]
        slot = next((slot for slot in duel.slots if slot.sign == sign), None)
        if slot is None:
            raise InputError(f"There is no answer {sign[:10]!r}.", code="bad_request")
        return StreamingResponse(
            self._written(duel, slot),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _written(self, duel: Duel, slot: Slot) -> AsyncIterator[bytes]:
        """What a slot holds already, then every piece, then how it ended."""
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()
        gone = threading.Event()

        def say(text: str | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, text)

        def work() -> None:
            try:
                self._duels.ask(duel, slot, on_text=say, cancelled=gone.is_set)
            finally:
                say(None)

        if slot.text:
            yield event({"text": slot.text}, "piece")
        done = loop.run_in_executor(None, work)
        try:
            while True:
                try:
                    text = await asyncio.wait_for(pieces.get(), QUIET)
                except TimeoutError:
                    yield ALIVE
                    continue
                if text is None:
                    break
                yield event({"text": text}, "piece")
            await done
            told = next(one for one in duel.to_dict()["answers"] if one["sign"] == slot.sign)
            yield event({**told, "over": duel.over}, "done")
        finally:
            gone.set()

    def _document(self, asked: _Asked) -> dict[str, Any]:
        """Everything that the page shows, as JSON."""
        found: dict[str, Any] = {
            "evals": [asdict(one) for one in self._metier.comparing.evals()],
            "able": self._duels.able(),
            "names": list(asked.names),
            "on": asked.on,
            "which": asked.which,
            "at": asked.at,
            "page_size": PAGE,
            "missing": [],
            "contrast": None,
            "disagreements": None,
            "command": asked.command,
            "problem": None,
            "prompt": "",
        }
        if not asked.names or not asked.on:
            return found
        if len(asked.names) < 2:
            raise InputError(
                "One system cannot be compared.",
                code="bad_comparison",
                remedy="Choose two or more.",
            )
        return found | self._compared(asked)

    def _gather(self, asked: _Asked) -> Any:
        """What is here; the eval is one of those that are listed, never a file of this machine."""
        known = [name for one in self._metier.comparing.evals() for name in one.owners]
        if asked.on not in known:
            raise NotFoundError(
                f"There is no eval of {asked.on[:100]!r} here.",
                code="no_eval",
                remedy=f"Choose one of: {', '.join(known[:20])}." if known else "Make one first.",
            )
        return self._metier.comparing.gather(asked.names, on=asked.on)

    def _compared(self, asked: _Asked) -> dict[str, Any]:
        from metier.evals.contrast import contrast_dict, disputed, disputed_dict

        gathered = self._gather(asked)
        whole = gathered.contrast
        if whole is None:
            return {"missing": list(gathered.missing)}
        rows = disputed(
            gathered.sides, sealed=gathered.sealed, labels=gathered.labels, which=asked.which
        )
        return {
            "missing": list(gathered.missing),
            "contrast": contrast_dict(whole),
            "disagreements": {
                "total": len(rows),
                "first": gathered.sides[0].name,
                "second": gathered.sides[1].name,
                "rows": [disputed_dict(one) for one in rows[asked.at : asked.at + PAGE]],
            },
        }


class _Asked:
    """What a query or a form chose."""

    def __init__(
        self, names: Sequence[str] = (), on: str = "", which: Which = "all", at: int = 0
    ) -> None:
        self.names = tuple(names)
        self.on = on
        self.which = which
        self.at = at

    @property
    def command(self) -> str:
        """What does the same on a terminal."""
        names = self.names or ("FIRST", "SECOND")
        words = ["metier", "compare", *names, "--on", self.on or "EVAL", "--items"]
        if self.which != "all":
            words += ["--which", self.which]
        return shlex.join(words)

    def query(self) -> str:
        """The address's query for the same."""
        return urlencode([*(("name", name) for name in self.names), ("on", self.on)])


def _asked(items: Sequence[tuple[str, str]]) -> _Asked:
    """Names, eval, filter and place; raises InputError (``bad_comparison``) for too many names."""
    names = list(dict.fromkeys(value[:400] for key, value in items if key == "name" and value))
    plain = dict(items)
    if len(names) > MOST_NAMES:
        raise InputError(
            f"{len(names)} systems are too many to compare.",
            code="bad_comparison",
            remedy=f"Choose {MOST_NAMES} or fewer.",
        )
    at = plain.get("at", "")
    return _Asked(
        names,
        plain.get("on", "")[:400],
        _WHICH.get(plain.get("which", ""), "all"),
        int(at) if at.isascii() and at.isdigit() and len(at) < 9 else 0,
    )


def _sentence(error: MetierError) -> str:
    return " ".join(filter(None, (error.message, error.remedy)))
