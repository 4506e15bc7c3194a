"""The pages of models that write, embed or rank: what they are, and a box to talk to them.

It reads a form, asks the models in a thread and hands what came of it to ``Pages``. The page's
script talks to ``/v1/chat/completions`` itself, as any client does; without scripts the form
answers one question with the page.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError
from metier.generating import Message, ModelSheet, Question
from metier.server.facade import Facade, Installed, PageOptions, Pages, Spoken
from metier.server.surroundings import around

MOST_CHARACTERS = 100_000
_DRAWN = frozenset({"generate", "embed", "rerank"})


class Talk:
    """Those pages of one server."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """The routes of the form; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/talk", self.talk, methods=["POST"]),
            Route("/specialists/{name:path}/talk", self.back),
        ]

    def sheet(self, item: Installed) -> ModelSheet | None:
        """What there is to draw of an entry, or ``None`` if its page is another one."""
        if item.card is not None:
            return None
        sheet = self._metier.models.sheet(item.reference.familiar)
        return sheet if sheet.listing.task in _DRAWN else None

    def page(
        self,
        request: Request,
        item: Installed,
        sheet: ModelSheet,
        spoken: Spoken | None = None,
    ) -> Response:
        """``GET /specialists/{name}`` of a model."""
        name = sheet.listing.name
        running = [model for model in self._metier.models.running() if model.listing.name == name]
        return HTMLResponse(
            self._pages.model(
                sheet, around(self._metier, item), running[0] if running else None, spoken, self._options(request)
            )
        )

    def back(self, request: Request) -> Response:
        """The form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def talk(self, request: Request) -> Response:
        """``POST …/talk``: the page with the answer to one question."""
        form = await request.form(max_files=0, max_fields=5)
        name = request.path_params["name"]
        item = await run_in_threadpool(self._metier.show, name)
        sheet = await run_in_threadpool(self._metier.models.sheet, name)
        text = str(form.get("question", "")).replace("\r\n", "\n")
        try:
            if not text.strip() or len(text) > MOST_CHARACTERS:
                raise InputError(
                    f"The question is blank or longer than {MOST_CHARACTERS:,} characters.",
                    code="bad_request",
                    remedy="Write what you want to know.",
                )
            question = Question(messages=(Message("user", text),))
            written = await run_in_threadpool(self._metier.models.ask, name, question)
            spoken = Spoken(text, written)
        except MetierError as error:
            told = " ".join(filter(None, (error.message, error.remedy)))
            spoken = Spoken(text, problem=told)
        return await run_in_threadpool(self.page, request, item, sheet, spoken)
