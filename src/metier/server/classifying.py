"""The try box of a classifier's page: several texts at once, without scripts.

It reads a form, puts the texts to the batches and hands what came of it to ``Pages``. The page's
script asks ``/v1/classify`` itself, as any client does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import MetierError
from metier.messages import Prediction
from metier.server import native
from metier.server.batching import Batches
from metier.server.facade import Facade, Installed, PageOptions, Pages
from metier.server.limits import Limits
from metier.server.surroundings import around

MOST_TEXTS = 100
TOP = 5


@dataclass(frozen=True, slots=True)
class Trials:
    """Texts that somebody tried together, and what came of them.

    Attributes:
        texts: As they were given.
        predictions: One for each; none if the call failed.
        ms: Milliseconds that the server took for all.
        problem: Why there is no answer, in a sentence.
    """

    texts: tuple[str, ...]
    predictions: tuple[Prediction, ...] = ()
    ms: float = 0.0
    problem: str | None = None


class Classifying:
    """Those pages of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        batches: Batches,
        options: Callable[[Request], PageOptions],
        limits: Limits,
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._batches = batches
        self._options = options
        self._limits = limits

    def routes(self) -> list[Route]:
        """The routes of the form; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/classify", self.classify, methods=["POST"]),
            Route("/specialists/{name:path}/classify", self.back),
        ]

    def page(self, request: Request, item: Installed, tried: Trials | None = None) -> Response:
        """``GET /specialists/{name}`` of a classifier, and of what has no page of its own."""
        return HTMLResponse(
            self._pages.specialist(item, around(self._metier, item), tried, self._options(request))
        )

    def back(self, request: Request) -> Response:
        """The form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def classify(self, request: Request) -> Response:
        """``POST …/classify``: the page with the answer to each line."""
        form = await request.form(max_files=0, max_fields=5)
        item = await run_in_threadpool(self._metier.show, request.path_params["name"])
        lines = str(form.get("text", "")).replace("\r\n", "\n").split("\n")
        texts = tuple(line for line in lines if line.strip())
        tried = await self._tried(item.reference.familiar, texts)
        return await run_in_threadpool(self.page, request, item, tried)

    async def _tried(self, name: str, texts: tuple[str, ...]) -> Trials:
        if not 1 <= len(texts) <= MOST_TEXTS:
            said = f"Write 1 to {MOST_TEXTS} texts, one a line; there are {len(texts):,}."
            return Trials(texts[:MOST_TEXTS], problem=said)
        try:
            for place, text in enumerate(texts, 1):
                native.check_text(text, f"line {place}", self._limits)
            started = time.perf_counter()
            answers = await self._batches.answer(name, texts, TOP)
        except MetierError as error:
            told = " ".join(filter(None, (error.message, error.remedy)))
            return Trials(tuple(text[:10_000] for text in texts), problem=told)
        return Trials(texts, tuple(answers), (time.perf_counter() - started) * 1000)
