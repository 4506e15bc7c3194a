"""The pages of *Make*: send rows, look at what was recognised, start; and the pages of jobs.

It reads forms, keeps uploads, asks the façade in threads and hands what came of it to ``Pages``.
Every form works without scripts; a script only sends the same forms.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError, NotFoundError
from metier.server import orders, uploads
from metier.server.answering import accepts_json, json_response
from metier.server.facade import Facade, PageOptions, Pages
from metier.server.jobs import Jobs
from metier.server.recognising import FIELDS, Look, Looks, as_json
from metier.server.uploads import Upload

MOST_CACHED = 32
_CLEAN = "clean-"


Draw = Callable[[Request, dict[str, Any]], Response]
"""Answers with the page of a job whose kind has one of its own."""


class Making:
    """Those pages of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        jobs: Jobs,
        options: Callable[..., PageOptions],
        *,
        drawn: Mapping[str, Draw],
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._jobs = jobs
        self._others = drawn
        self._options = options
        self._place = jobs.uploads or Path(tempfile.gettempdir())
        self._looks = Looks(self._place)
        self._found: dict[str, Mapping[str, Any]] = {}

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/make", self.form),
            Route("/make.json", self.form),
            Route("/make", self.start, methods=["POST"]),
            Route("/make/look", self.send, methods=["POST"]),
            Route("/make/look", self.back),
            Route("/make/look/{token}", self.look),
            Route("/make/look/{token}", self.act, methods=["POST"]),
            Route("/jobs", self.back),
            Route("/jobs/{job}", self.job),
            Route("/jobs/{job}/stop", self.stop, methods=["POST"]),
            Route("/jobs/{job}/resume", self.resume, methods=["POST"]),
            Route("/jobs/{job}/forget", self.forget, methods=["POST"]),
            Route("/jobs/{job}/{act}", self.back_to_job),
        ]

    # --- make -----------------------------------------------------------------------------------

    def form(self, request: Request) -> Response:
        """``/make``: the form, and the jobs so far."""
        jobs = self._jobs.all()
        if _wants_json(request):
            return json_response({"jobs": jobs})
        return HTMLResponse(self._pages.make(jobs, self._options(request)))

    def back(self, _request: Request) -> Response:
        """A form's address that was opened or reloaded."""
        return RedirectResponse("/make", status_code=303)

    async def start(self, request: Request) -> Response:
        """``POST /make``: queue a make at once, without looking, and go to its page."""
        upload = await uploads.receive(request, files=("data", "eval"), place=self._place)
        try:
            order = await run_in_threadpool(orders.make_order, self._metier, upload)
            snapshot = self._jobs.submit(order)
        except BaseException:
            shutil.rmtree(upload.folder, ignore_errors=True)
            raise
        return RedirectResponse(snapshot["page"], status_code=303)

    async def send(self, request: Request) -> Response:
        """``POST /make/look``: keep what was sent and go to the page that says what it is."""
        fields: Mapping[str, str] = {}
        try:
            upload = await uploads.receive(
                request, files=("data", "eval"), place=self._place, pasted="pasted"
            )
            fields = upload.fields
            look = await run_in_threadpool(self._kept, upload, request)
        except MetierError as error:
            return self._form_again(request, error, fields)
        response = RedirectResponse(f"/make/look/{look.token}", status_code=303)
        self._looks.remember(request, response)
        return response

    def _kept(self, upload: Upload, request: Request) -> Look:
        try:
            if "data" not in upload.files:
                raise InputError(
                    "No rows were sent.",
                    code="no_file",
                    remedy="Choose a file, or paste rows into the box.",
                )
            if not upload.text("name"):
                named = {**upload.fields, "name": _name_of(upload.files["data"].name)}
                upload = replace(upload, fields=named)
            return self._looks.keep(upload, request)
        except BaseException:
            shutil.rmtree(upload.folder, ignore_errors=True)
            raise

    def _form_again(
        self, request: Request, error: MetierError, fields: Mapping[str, str]
    ) -> Response:
        shown = {**fields, "problem": _sentence(error)}
        page = self._pages.make(self._jobs.all(), self._options(request, fields=shown))
        return HTMLResponse(page, status_code=422)

    # --- look -----------------------------------------------------------------------------------

    async def look(self, request: Request) -> Response:
        """``GET /make/look/{token}``: what was recognised."""
        token = request.path_params["token"]
        wants_json = token.endswith(".json") or _wants_json(request)
        token = token.removesuffix(".json")
        job = self._looks.job_of(token)
        if job is not None:
            return RedirectResponse(f"/jobs/{job}", status_code=303)
        look = self._looks.find(token, request)
        found = await run_in_threadpool(self._recognised, look)
        if wants_json:
            return json_response(as_json(look, found))
        return HTMLResponse(await run_in_threadpool(self._drawn, request, look, found, None))

    def _drawn(
        self, request: Request, look: Look, found: Mapping[str, Any], problem: MetierError | None
    ) -> str:
        told = as_json(look, found)
        told["problem"] = None if problem is None else _sentence(problem)
        told["taken"] = self._taken(look.upload.text("name") or "")
        return self._pages.look(told, self._options(request))

    def _taken(self, name: str) -> bool:
        try:
            self._metier.show(name)
        except MetierError:
            return False
        return True

    def _recognised(self, look: Look) -> Mapping[str, Any]:
        """What is in the rows; remembered, because it takes seconds."""
        upload = look.upload
        key = json.dumps([look.token, *[upload.text(field) for field in FIELDS[:5]], look.notes])
        found = self._found.get(key)
        if found is None:
            found = recognised(self._metier, upload)
            while len(self._found) >= MOST_CACHED:
                self._found.pop(next(iter(self._found)), None)
            self._found[key] = found
        return found

    async def act(self, request: Request) -> Response:
        """``POST /make/look/{token}``: look again, leave bad rows out, start, or throw away."""
        token = request.path_params["token"]
        job = self._looks.job_of(token)
        if job is not None:
            return RedirectResponse(f"/jobs/{job}", status_code=303)
        form = await request.form(max_files=0, max_fields=30)
        fields = {name: str(value) for name, value in form.multi_items()}
        look = self._looks.find(token, request)
        act = fields.get("act", "look")
        if act == "forget":
            await run_in_threadpool(self._looks.forget, look)
            return RedirectResponse("/make", status_code=303)
        look = await run_in_threadpool(self._looks.with_fields, look, fields)
        try:
            if act == "start":
                snapshot = await run_in_threadpool(self._started, look, fields)
                return RedirectResponse(snapshot["page"], status_code=303)
            if act == "clean":
                await run_in_threadpool(self._clean, look)
        except MetierError as error:
            found = await run_in_threadpool(self._recognised, look)
            page = await run_in_threadpool(self._drawn, request, look, found, error)
            return HTMLResponse(page, status_code=422)
        return RedirectResponse(f"/make/look/{token}", status_code=303)

    def _started(self, look: Look, fields: Mapping[str, str]) -> dict[str, Any]:
        order = orders.make_order(self._metier, look.upload)
        if fields.get("replace") != "true" and self._taken(order.name):
            raise InputError(
                f"There is a model called {order.name!r} already.",
                code="name_taken",
                remedy="Choose another name, or tick that it may be replaced.",
                details={"param": "name"},
            )
        snapshot = self._jobs.submit(order)
        self._looks.started(look, snapshot["id"])
        return snapshot

    def _clean(self, look: Look) -> None:
        """Replace the rows by those that can be used."""
        data = look.upload.file("data")
        found = self._recognised(look)
        text, label = _column(look, found, "text"), _column(look, found, "label")
        stem = data.stem.removeprefix(_CLEAN)
        target = data.with_name(f"{_CLEAN}{stem}.jsonl")
        draft = target.with_suffix(".new")
        cleaned = self._metier.rows.clean(data, draft, text=text, label=label)
        draft.replace(target)
        if data != target:
            data.unlink()
        why = "; ".join(f"{count:,} because {reason}" for reason, count in cleaned.items())
        note = f"Rows that cannot be used were left out: {why}."
        files = {**look.upload.files, "data": target}
        self._looks.write(
            replace(look, upload=replace(look.upload, files=files), notes=(*look.notes, note))
        )

    # --- jobs -----------------------------------------------------------------------------------

    def job(self, request: Request) -> Response:
        """``/jobs/{id}``: one job."""
        identifier = request.path_params["job"]
        snapshot = self._jobs.snapshot(identifier.removesuffix(".json"))
        if identifier.endswith(".json") or _wants_json(request):
            return json_response(snapshot)
        draw = self._others.get(snapshot["kind"])
        if draw is not None:
            return draw(request, snapshot)
        return HTMLResponse(self._pages.job(snapshot, self._options(request)))

    async def stop(self, request: Request) -> Response:
        """``POST /jobs/{id}/stop`` from a page."""
        snapshot = self._jobs.ask_to_stop(request.path_params["job"])
        return await _after(request, snapshot["page"])

    async def resume(self, request: Request) -> Response:
        """``POST /jobs/{id}/resume`` from a page."""
        snapshot = await run_in_threadpool(self._jobs.resume, request.path_params["job"])
        return await _after(request, snapshot["page"])

    async def forget(self, request: Request) -> Response:
        """``POST /jobs/{id}/forget`` from a page."""
        kind = self._jobs.snapshot(request.path_params["job"])["kind"]
        await run_in_threadpool(self._jobs.forget, request.path_params["job"])
        return await _after(request, "/fleet" if kind == "pull" else "/make")

    def back_to_job(self, request: Request) -> Response:
        """A form's address that was opened or reloaded."""
        if request.path_params["act"] not in ("stop", "resume", "forget"):
            raise NotFoundError(f"There is nothing at {request.url.path[:200]!r}.")
        return RedirectResponse(f"/jobs/{request.path_params['job']}", status_code=303)


async def _after(request: Request, page: str) -> Response:
    """To the list of downloads for its forms, else to ``page``."""
    form = await request.form(max_files=0, max_fields=10)
    to_list = form.get("next") == "/fleet"
    return RedirectResponse("/fleet#downloads" if to_list else page, status_code=303)


def recognised(metier: Facade, upload: Upload) -> Mapping[str, Any]:
    """What is in the rows of an upload; raises InputError on a wrong field."""
    return metier.rows.preview(
        upload.file("data"),
        eval_file=upload.files.get("eval"),
        columns={role: upload.text(role) for role in ("text", "label", "group")},
        seed=upload.number("seed", otherwise=0),
        curve=upload.text("curve") is None or upload.flag("curve"),
    )


def _column(look: Look, found: Mapping[str, Any], role: str) -> str:
    """The column of a role: named, recognised, or the one that the reader would name."""
    column = look.upload.text(role) or found.get(role)
    if column is None:
        raise InputError(
            f"Which column holds the {role} is not known yet.",
            code=f"no_{role}_column",
            remedy=f"Choose the column of the {role}s and look again.",
        )
    return str(column)


def _name_of(filename: str) -> str:
    """A name made from a file's, or "" if nothing is left of it."""
    stem = filename.rpartition(".")[0].lower()
    return re.sub(r"[^a-z0-9_.-]+", "-", stem).strip("-.")[:60] if stem != "pasted" else ""


def _sentence(error: MetierError) -> str:
    return " ".join(filter(None, (error.message, error.remedy)))


def _wants_json(request: Request) -> bool:
    return request.url.path.endswith(".json") or accepts_json(request)
