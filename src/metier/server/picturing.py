"""Pictures over HTTP: ``POST /metier/v1/classify-image``, data URLs in ``/v1/classify``, the page.

It reads multipart forms and base64, and hands bytes to the façade in threads. Pictures come by
upload only: no path of this machine and no address is ever opened. Nothing that is sent is kept.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError, UnavailableError
from metier.generating import Taken
from metier.messages import Prediction
from metier.picturing import MOST_BYTES, Picture
from metier.server import native
from metier.server.classifying import TOP, Trials
from metier.server.facade import Facade, Installed
from metier.server.limits import LIMITS
from metier.server.observing import seen

PATH = "/metier/v1/classify-image"
PICTURES = "classify-image"
MOST_AT_ONCE = 64
"""Pictures of one call."""
MOST_WAITING = 16
"""Calls whose pictures are decoded or wait for it; more are told to come back."""
_FILES = ("image", "images", "picture", "file")
_DATA = "data:image/"
_REMEDY = (
    f"Send multipart/form-data with 'model' and files in 'image', as 'curl -F model=NAME -F "
    f"image=@photo.jpg {PATH}' does, or JSON with 'model' and base64 in 'images'."
)


class Depicts(Protocol):
    """Decodes and classifies pictures; thread-safe."""

    def decoded(self, files: Sequence[bytes], *, where: str = "picture") -> list[Picture]:
        """The pictures in some files; raises InputError naming the one that is wrong."""

    def classify_decoded(
        self, name: str, pictures: Sequence[Picture], *, top: int = 5
    ) -> list[Prediction]:
        """One prediction per picture."""


class Desk:
    """Questions about pictures of one server: how many are under way, and their answers."""

    def __init__(self, metier: Facade) -> None:
        self._metier = metier
        self._lock = threading.Lock()
        self._waiting = 0

    def ask(
        self, name: str, files: Sequence[bytes], top: int, *, where: str = "image"
    ) -> tuple[list[Picture], list[Prediction], float]:
        """Pictures, predictions and milliseconds; blocks.

        Raises:
            UnavailableError: Too many calls wait already (``overloaded``).
            InputError: A file is no picture; NotFoundError: there is no such specialist.
        """
        depicts: Depicts = self._metier.picturing
        with self._turn():
            started = time.perf_counter()
            self._refuse_others(name)
            pictures = depicts.decoded(files, where=where)
            predictions = depicts.classify_decoded(name, pictures, top=top)
            return pictures, predictions, (time.perf_counter() - started) * 1000

    def _refuse_others(self, name: str) -> None:
        """Before anything is decoded: a name that classifies no pictures."""
        card = self._metier.show(name).card
        if card is None or card.task != PICTURES:
            raise InputError(
                f"{name!r} classifies no pictures.",
                code="wants_texts",
                remedy="GET /metier/v1/specialists shows the task of each.",
                details={"param": "model"},
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise UnavailableError(
                    f"{MOST_WAITING} calls with pictures are being answered already.",
                    code="overloaded",
                    remedy="Ask again in a moment.",
                    retryable=True,
                )
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1


def router(metier: Facade) -> APIRouter:
    """The route of programs."""
    routes = APIRouter(tags=["answer"])
    desk = Desk(metier)

    @routes.post(PATH, summary="Classify one picture or several")
    async def classify_image(request: Request) -> Response:
        """PNG, JPEG or WebP by multipart (`model`, `top`, files in `image`) or as base64 in JSON.

        JSON: `{"model": NAME, "images": [BASE64 or data URL, …], "top": 5}`. One calibrated answer
        per picture, in order; `label` is null where it is not sure enough. 20 MB and 50 million
        pixels a file, 64 files a call.
        """
        name, top, files, single = await _asked(request)
        return await _answered(request, desk, (name, top, files, single))

    return routes


async def _answered(
    request: Request, desk: Desk, asked: tuple[str, int, list[bytes], bool]
) -> Response:
    name, top, files, single = asked
    pictures, predictions, spent = await run_in_threadpool(desk.ask, name, files, top)
    seen(request.scope).answered(name, Taken(total=spent / 1000))
    body = reply(name, pictures, predictions, spent, single=single)
    return Response(body, media_type="application/json")


def reply(
    name: str,
    pictures: Sequence[Picture],
    predictions: Sequence[Prediction],
    milliseconds: float,
    *,
    single: bool,
) -> bytes:
    """The answers in the shape of ``/v1/classify``, with the size of each picture as it was seen.

    For one picture, ``label`` and ``probability`` stand at the top as well.
    """
    answer: dict[str, Any] = {
        "object": "image-classification",
        "model": name,
        "results": [
            {
                **native.result(prediction),
                "picture": {
                    "width": picture.width,
                    "height": picture.height,
                    "notes": list(picture.notes),
                },
            }
            for picture, prediction in zip(pictures, predictions, strict=True)
        ],
        "usage": {"pictures": len(predictions), "milliseconds": round(milliseconds, 3)},
    }
    if single:
        answer["label"] = predictions[0].label
        answer["probability"] = predictions[0].probability
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def _asked(request: Request) -> tuple[str, int, list[bytes], bool]:
    """Model, top, files, and whether one picture was given as one."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        fields, files = await read_form(request)
        return _model(fields.get("model")), _top(fields.get("top")), files, len(files) == 1
    asked = native.parse_json(await request.body())
    given = asked.get("images", asked.get("image", asked.get("input")))
    single = isinstance(given, str)
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise _wrong("The field 'images' is missing or no list.", "images", _REMEDY)
    if len(texts) > MOST_AT_ONCE:
        raise _too_many(len(texts))
    model, top = _model(asked.get("model")), _top(asked.get("top"))
    return model, top, [of_text(text, place) for place, text in enumerate(texts, 1)], single


async def read_form(request: Request) -> tuple[dict[str, str], list[bytes]]:
    """The fields of a multipart form, and the bytes of its files; an empty file input is none.

    Raises:
        InputError: Too many files (``too_many_pictures``), or one too large (``too_large``).
    """
    form = await request.form(max_files=MOST_AT_ONCE + 1, max_fields=20, max_part_size=64 * 1024)
    try:
        fields: dict[str, str] = {}
        files: list[bytes] = []
        for field, value in form.multi_items():
            if isinstance(value, str):
                fields[field] = value
            elif field in _FILES and (value.filename or value.size):
                files.append(await _bytes_of(value, len(files) + 1))
        if len(files) > MOST_AT_ONCE:
            raise _too_many(len(files))
        return fields, files
    finally:
        await form.close()


async def _bytes_of(file: UploadFile, place: int) -> bytes:
    data = await file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise InputError(
            f"image {place} has more than {MOST_BYTES >> 20} MB.",
            code="too_large",
            remedy="Make it smaller; a few hundred pixels a side are looked at.",
            details={"param": f"image[{place - 1}]"},
        )
    return data


def of_text(text: object, place: int) -> bytes:
    """The bytes in base64 or in a ``data:`` URL.

    Raises:
        InputError: It is an address (``no_address``), or no base64 (``bad_request``).
    """
    where = f"images[{place - 1}]"
    if not isinstance(text, str):
        raise _wrong(f"'{where}' is a {type(text).__name__}.", where, _REMEDY)
    if text[:12].lower().startswith(("http:", "https:", "file:", "ftp:")):
        raise InputError(
            f"'{where}' is an address, and nothing is fetched from addresses.",
            code="no_address",
            remedy="Send the picture itself: multipart/form-data, base64, or a data: URL.",
            details={"param": where},
        )
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise _wrong(f"'{where}' is no data URL in base64.", where, _REMEDY)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(f"'{where}' is not base64: {error}.", where, _REMEDY) from error


class DataUrls:
    """Pictures among the texts of ``/v1/classify``: its inputs are ``data:image/…`` URLs."""

    def __init__(self, metier: Facade) -> None:
        self._metier = metier
        self._desk = Desk(metier)

    async def answer(self, body: bytes) -> bytes | None:
        """The reply, or ``None`` if this is a question about texts."""
        if _DATA.encode() not in body:
            return None
        asked = native.parse_json(body)
        given = asked.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts:
            return None
        if not all(isinstance(text, str) and text.startswith(_DATA) for text in texts):
            return None
        name = _model(asked.get("model"))
        card = (await run_in_threadpool(self._metier.show, name)).card
        if card is None or card.task != PICTURES:
            return None
        if len(texts) > MOST_AT_ONCE:
            raise _too_many(len(texts))
        files = [of_text(text, place) for place, text in enumerate(texts, 1)]
        top = _top(asked.get("top"))
        pictures, found, spent = await run_in_threadpool(self._desk.ask, name, files, top)
        return reply(name, pictures, found, spent, single=isinstance(given, str))


class Picturing:
    """The form on the page of a classifier of pictures, for people without scripts and with."""

    def __init__(
        self, metier: Facade, page: Callable[[Request, Installed, Trials | None], Response]
    ) -> None:
        self._metier = metier
        self._page = page
        self._desk = Desk(metier)

    def routes(self) -> list[Route]:
        """The routes of the form; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/pictures", self.classify, methods=["POST"]),
            Route("/specialists/{name:path}/pictures", self.back),
        ]

    def back(self, request: Request) -> Response:
        """The form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(f"/specialists/{request.path_params['name']}", status_code=303)

    async def classify(self, request: Request) -> Response:
        """``POST …/pictures``: the page with the answer to each picture."""
        item = await run_in_threadpool(self._metier.show, request.path_params["name"])
        names: tuple[str, ...] = ()
        try:
            names, files = await self._sent(request)
            name = item.reference.familiar
            _, found, spent = await run_in_threadpool(
                lambda: self._desk.ask(name, files, TOP, where="picture")
            )
            tried = Trials(names, tuple(found), spent)
        except MetierError as error:
            told = " ".join(filter(None, (error.message, error.remedy)))
            tried = Trials(names, problem=told)
        page = await run_in_threadpool(self._page, request, item, tried)
        assert isinstance(page, HTMLResponse)
        return page

    async def _sent(self, request: Request) -> tuple[tuple[str, ...], list[bytes]]:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise InputError("No picture was sent.", code="no_picture", remedy="Choose a file.")
        form = await request.form(max_files=MOST_AT_ONCE + 1, max_fields=5)
        names = [
            (value.filename or "picture")[:200]
            for field, value in form.multi_items()
            if isinstance(value, UploadFile) and field in _FILES and (value.filename or value.size)
        ]
        _, files = await read_form(request)
        if not files:
            raise InputError("No picture was sent.", code="no_picture", remedy="Choose a file.")
        return tuple(names), files


def _model(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(
            "The field 'model' is missing or not text.",
            "model",
            "Give the name of a specialist; GET /v1/models lists them.",
        )
    return value


def _top(value: object) -> int:
    if value is None or value == "":
        return TOP
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= LIMITS.top:
        raise _wrong(
            f"'top' is {str(value)[:40]!r}.", "top", f"Give a whole number from 1 to {LIMITS.top}."
        )
    return number


def _wrong(message: str, param: str, remedy: str) -> InputError:
    details: Mapping[str, Any] = {"param": param}
    return InputError(message, code="bad_request", remedy=remedy, details=dict(details))


def _too_many(number: int) -> InputError:
    return InputError(
        f"{number} pictures were sent; one call takes {MOST_AT_ONCE}.",
        code="too_many_pictures",
        remedy="Send them in several calls.",
    )
