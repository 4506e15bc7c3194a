"""Hops over HTTP and from pages: a job that makes a specialist again, and the way back.

It reads JSON and forms and submits orders (``hoporders``); fresh items come by upload. What is
promoted and why is below.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import MetierError, UnavailableError
from metier.server import native, uploads
from metier.server.answering import json_response
from metier.server.facade import Facade, Failure, PageOptions, Pages
from metier.server.hoporders import document, hop_order, page_of, wrong
from metier.server.jobs import Jobs
from metier.server.uploads import Upload

_FORM = "multipart/form-data"
_NOWHERE = Path()
"""The folder of an order that came without any; nothing is ever removed there."""


def router(metier: Facade, jobs: Jobs) -> APIRouter:
    """``/metier/v1/specialists/{name}``: hop, rollback, hops."""
    routes = APIRouter(prefix="/metier/v1")

    @routes.get(
        "/specialists/{name:path}/hops", tags=["hop"], summary="What hops did to a specialist"
    )
    def hops(name: str) -> Response:
        """Every challenger with its evidence and why it was promoted or not.

        Beside it what could be hopped to: `bases`, of a pack `versions`, of a chat specialist
        `evals` too.
        """
        return json_response(document(metier, name))

    @routes.post(
        "/specialists/{name:path}/hop",
        tags=["hop"],
        status_code=202,
        summary="Make a specialist again on other bases or documents",
        openapi_extra=_hop_schema(),
    )
    async def hop(name: str, request: Request) -> Response:
        """Queue a hop, and follow the job.

        A classifier's recipe is made again on each of `bases` (`REF`, `REF@static`,
        `REF@encoder`) and asked the champion's own sealed questions; a chat specialist's executed
        eval `on` is run on each of `bases` (`remote:NAME`, `local:NAME`); a pack is made of the
        version `docs` and asked what changed and what did not. It is promoted on WIN, or when not
        worse and cheaper. The result's `promoted` is null if the champion stays. `NAME@previous`
        keeps answering.
        """
        upload = await _received(request, jobs, name)
        snapshot = await run_in_threadpool(_submit, metier, jobs, upload)
        response = json_response(snapshot, 202)
        response.headers["location"] = snapshot["href"]
        return response

    @routes.post(
        "/specialists/{name:path}/rollback",
        tags=["hop"],
        summary="Put the champion before a hop back",
        openapi_extra=_json_schema(
            {"to": {"type": "string", "description": "What was put aside, else the previous one."}}
        ),
    )
    async def rollback(name: str, request: Request) -> Response:
        """Swap it with `NAME@previous`; once more brings the newer one forth again."""
        body = await request.body()
        asked = native.parse_json(body) if body.strip() else {}
        to = asked.get("to")
        if to is not None and not isinstance(to, str):
            raise wrong("'to' is not text.", "to")
        done = await run_in_threadpool(lambda: metier.hopping.rollback(name, to=to))
        return json_response({**done.to_dict(), "name": metier.show(name).reference.familiar})

    return routes


class Hopping:
    """The forms on a specialist's page."""

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

    def routes(self) -> list[Route]:
        """The routes of the forms; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/hop", self.hop, methods=["POST"]),
            Route("/specialists/{name:path}/rollback", self.rollback, methods=["POST"]),
            Route("/specialists/{name:path}/hop", self.back),
            Route("/specialists/{name:path}/rollback", self.back),
            Route("/specialists/{name:path}/hops.json", self.hops),
        ]

    def hops(self, request: Request) -> Response:
        """What ``/metier/v1/specialists/{name}/hops`` gives."""
        return json_response(document(self._metier, request.path_params["name"]))

    def back(self, request: Request) -> Response:
        """A form's address that was opened or reloaded: to the page it belongs to."""
        return RedirectResponse(page_of(request.path_params["name"]), status_code=303)

    async def hop(self, request: Request) -> Response:
        """``POST …/hop``: a job, whose page shows how far it is."""
        try:
            upload = await _received(request, self._jobs, request.path_params["name"])
            snapshot = await run_in_threadpool(_submit, self._metier, self._jobs, upload)
        except MetierError as error:
            return self._failed(request, error)
        return RedirectResponse(snapshot["page"], status_code=303)

    async def rollback(self, request: Request) -> Response:
        """``POST …/rollback``: the names change places; back to the page."""
        name = request.path_params["name"]
        form = await request.form(max_files=0, max_fields=5)
        to = str(form.get("to", "")) or None
        try:
            await run_in_threadpool(lambda: self._metier.hopping.rollback(name, to=to))
        except MetierError as error:
            return self._failed(request, error)
        return RedirectResponse(page_of(name), status_code=303)

    def _failed(self, request: Request, error: MetierError) -> Response:
        status = 503 if isinstance(error, UnavailableError) else 422
        back = page_of(request.path_params["name"])
        failure = Failure(status, error.message, error.remedy, request.url.path, back=back)
        return HTMLResponse(self._pages.failure(failure, self._options(request)), status)


def _submit(metier: Facade, jobs: Jobs, upload: Upload) -> dict[str, Any]:
    try:
        order = hop_order(metier, upload)
        snapshot = jobs.submit(order)
    except BaseException:
        _forget(upload)
        raise
    if order.folder is None:
        _forget(upload)
    return snapshot


def _forget(upload: Upload) -> None:
    if upload.folder != _NOWHERE:
        shutil.rmtree(upload.folder, ignore_errors=True)


async def _received(request: Request, jobs: Jobs, name: str) -> Upload:
    """Fields and file of JSON or of a form; what names the specialist is the address."""
    if request.headers.get("content-type", "").startswith(_FORM):
        upload = await uploads.receive(request, files=("fresh",), place=jobs.uploads)
        bases = [upload.fields.get("bases", ""), upload.fields.get("base", "")]
        fields = {**upload.fields, "bases": "\n".join(bases), "name": name}
        return replace(upload, fields=fields)
    body = await request.body()
    asked = native.parse_json(body) if body.strip() else {}
    return Upload(_NOWHERE, {**_checked(asked), "name": name}, {})


def _checked(asked: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a JSON body as a form has them; raises InputError naming a wrong one."""
    unknown = sorted(set(asked) - {"bases", "every_new_base", "budget", "docs", "on"})
    if unknown:
        raise wrong(f"There is no field {unknown[0][:80]!r}.", unknown[0][:80])
    bases = asked.get("bases", [])
    if not isinstance(bases, list) or not all(isinstance(one, str) for one in bases):
        raise wrong("'bases' is not a list of names.", "bases")
    every, budget = asked.get("every_new_base", False), asked.get("budget", "")
    if not isinstance(every, bool):
        raise wrong("'every_new_base' is true or false.", "every_new_base")
    if isinstance(budget, bool) or not isinstance(budget, str | int | float):
        raise wrong("'budget' is seconds, or a duration like '2m'.", "budget")
    for field in ("docs", "on"):
        if not isinstance(asked.get(field, ""), str):
            raise wrong(f"{field!r} is not text.", field)
    fields = {field: asked.get(field, "") for field in ("docs", "on")}
    fields |= {"bases": "\n".join(bases), "budget": str(budget)}
    return {**fields, "every_new_base": "true"} if every else fields


def _json_schema(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _hop_schema() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "bases": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Bases that are here: REF, REF@static or REF@encoder; of a chat "
            "specialist remote:NAME or local:NAME.",
        },
        "every_new_base": {"type": "boolean", "default": False},
        "budget": {"type": "string", "description": "For everything: 90s, 2m, 1h."},
        "docs": {
            "type": "string",
            "description": "Of a document pack: a version of `versions`, like kit@3.",
        },
        "on": {"type": "string", "description": "Of a chat specialist: an eval of `evals`."},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "example": {"bases": ["all-minilm-l6-v2"]},
    }
    form = {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in properties},
            "fresh": {"type": "string", "format": "binary"},
        },
    }
    content = {"application/json": {"schema": schema}, _FORM: {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}
