"""The pages of models that write, embed or rank: what they are, and a box to try them.

It reads a form, asks the models in a thread and hands what came of it to ``Pages``. The page's
script talks to ``/api/chat`` itself, as any client does; without scripts the form takes one turn a
page and carries the conversation in hidden fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError
from metier.generating import Loading, Message, ModelSheet, Options, Question, Written
from metier.server.facade import Facade, Installed, PageOptions, Pages
from metier.server.surroundings import around

MOST_CHARACTERS = 100_000
MOST_SAID = 1_000_000
MOST_TURNS = 200
MOST_PICTURES = 4
MOST_PICTURE = 6_000_000
MOST_TEXTS = 50
SETTINGS = ("system", "temperature", "num_predict", "num_ctx", "seed", "think")
_DRAWN = frozenset({"generate", "embed", "rerank"})


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person said to a model on its page without scripts, and what came of it.

    Attributes:
        turns: The conversation before, a person's turn and the model's in turn.
        question: What was said now; "" for a fresh page.
        settings: What the settings were, by name.
        pictures: How many pictures came with the question.
        written: The answer; ``None`` when the call failed.
        problem: Why there is no answer, in a sentence.
        texts: What was to be compared or ordered.
        order: Their places and scores, the nearest first.
    """

    turns: tuple[str, ...] = ()
    question: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    pictures: int = 0
    written: Written | None = None
    problem: str | None = None
    texts: tuple[str, ...] = ()
    order: tuple[tuple[int, float], ...] = ()


class Talk:
    """Those pages of one server."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """The routes of the forms; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/talk", self.talk, methods=["POST"]),
            Route("/specialists/{name:path}/rank", self.rank, methods=["POST"]),
            Route("/specialists/{name:path}/talk", self.back),
            Route("/specialists/{name:path}/rank", self.back),
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
                sheet,
                around(self._metier, item),
                running[0] if running else None,
                spoken,
                self._options(request),
            )
        )

    def back(self, request: Request) -> Response:
        """A form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def talk(self, request: Request) -> Response:
        """``POST …/talk``: the page with the answer to one more turn."""
        name = request.path_params["name"]
        async with request.form(
            max_files=MOST_PICTURES, max_fields=MOST_TURNS + 20, max_part_size=2 * MOST_SAID
        ) as form:
            spoken = Spoken(
                turns=tuple(_lines(value) for value in form.getlist("turn")),
                question=_lines(form.get("question")),
                settings=tuple((key, str(form.get(key, ""))[:20_000]) for key in SETTINGS),
            )
            sent = [await _picture(value) for value in form.getlist("picture")]
        try:
            pictures = _pictures(sent)
            question, loading = _question(spoken, pictures)
            written = await run_in_threadpool(
                self._metier.models.ask, name, question, loading=loading
            )
        except MetierError as error:
            told = " ".join(filter(None, (error.message, error.remedy)))
            spoken = replace(spoken, problem=told)
        else:
            spoken = replace(spoken, written=written, pictures=len(pictures))
        return await self._drawn(request, name, spoken)

    async def rank(self, request: Request) -> Response:
        """``POST …/rank``: the page with a few texts ordered by how near they are to one."""
        form = await request.form(max_files=0, max_fields=5)
        name = request.path_params["name"]
        question = _lines(form.get("question"))
        texts = tuple(line for line in _lines(form.get("texts")).split("\n") if line.strip())
        spoken = Spoken(question=question, texts=texts[:MOST_TEXTS])
        try:
            if not question.strip() or not 1 <= len(texts) <= MOST_TEXTS:
                raise InputError(
                    f"It takes one text and 1 to {MOST_TEXTS} others; there are {len(texts):,}.",
                    code="bad_request",
                    remedy="Write one a line.",
                )
            ranked = await run_in_threadpool(self._metier.models.rank, name, question, texts)
        except MetierError as error:
            told = " ".join(filter(None, (error.message, error.remedy)))
            spoken = replace(spoken, problem=told)
        else:
            spoken = replace(spoken, order=ranked.order)
        return await self._drawn(request, name, spoken)

    async def _drawn(self, request: Request, name: str, spoken: Spoken) -> Response:
        item = await run_in_threadpool(self._metier.show, name)
        sheet = await run_in_threadpool(self._metier.models.sheet, name)
        return await run_in_threadpool(self.page, request, item, sheet, spoken)


def _lines(value: object) -> str:
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


async def _picture(value: object) -> bytes:
    """The bytes of an uploaded file, one more than may be at most; empty for an empty field."""
    if not isinstance(value, UploadFile) or not value.filename:
        return b""
    return await value.read(MOST_PICTURE + 1)


def _pictures(sent: Sequence[bytes]) -> tuple[bytes, ...]:
    if any(len(data) > MOST_PICTURE for data in sent):
        raise InputError(
            f"A picture has more than {MOST_PICTURE:,} bytes.",
            code="too_large",
            remedy="Send a smaller one, or use the API.",
        )
    return tuple(data for data in sent if data)


def _question(spoken: Spoken, pictures: tuple[bytes, ...]) -> tuple[Question, Loading]:
    """The whole conversation as a question; raises InputError naming what is wrong."""
    text = spoken.question
    if not text.strip() or len(text) > MOST_CHARACTERS:
        raise InputError(
            f"The question is blank or longer than {MOST_CHARACTERS:,} characters.",
            code="bad_request",
            remedy="Write what you want to know.",
        )
    if sum(map(len, spoken.turns)) > MOST_SAID or len(spoken.turns) > MOST_TURNS:
        raise InputError(
            "The conversation is too long for a page without scripts.",
            code="bad_request",
            remedy="Start anew.",
        )
    settings = dict(spoken.settings)
    messages = [Message("system", settings["system"])] if settings.get("system") else []
    for place, said in enumerate(spoken.turns):
        messages.append(Message("assistant" if place % 2 else "user", said))
    messages.append(Message("user", text, pictures=pictures))
    options = Options(
        temperature=_number(settings, "temperature", 0.0, 5.0),
        num_predict=_whole(settings, "num_predict", 1, 1_000_000),
        seed=_whole(settings, "seed", 0, 2**32 - 1),
    )
    think = {"yes": True, "no": False}.get(settings.get("think", ""))
    question = Question(messages=tuple(messages), options=options, think=think)
    return question, Loading(num_ctx=_whole(settings, "num_ctx", 64, 10_000_000))


def _number(settings: dict[str, str], name: str, least: float, most: float) -> float | None:
    given = settings.get(name, "").strip()
    if not given:
        return None
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InputError(
            f"{name!r} cannot be {given[:40]!r}.",
            code="bad_request",
            remedy=f"Give a number from {least:g} to {most:g}, or nothing.",
        )
    return value


def _whole(settings: dict[str, str], name: str, least: int, most: int) -> int | None:
    value = _number(settings, name, least, most)
    if value is not None and value != int(value):
        raise InputError(f"{name!r} is a whole number.", code="bad_request")
    return None if value is None else int(value)
