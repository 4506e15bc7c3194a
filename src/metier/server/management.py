"""``/metier/v1``: every verb as an HTTP call.

It translates requests into calls of the façade and orders for the job queue. Import and export
name folders of this machine, so they stay with the command line; nothing here takes a path.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from metier.card import Card
from metier.errors import NotFoundError
from metier.messages import silent
from metier.server import native, orders, uploads
from metier.server.answering import json_response
from metier.server.facade import Facade
from metier.server.jobrecords import Order
from metier.server.jobs import Jobs
from metier.server.making import recognised

_FORM = "multipart/form-data"


def router(metier: Facade, jobs: Jobs) -> APIRouter:
    """All routes under ``/metier/v1``."""
    routes = APIRouter(prefix="/metier/v1")
    _add_specialists(routes, metier)
    _add_store(routes, metier, jobs)
    _add_making(routes, metier, jobs)
    _add_proofs(routes, metier, jobs)
    _add_jobs(routes, jobs)
    return routes


def _add_specialists(routes: APIRouter, metier: Facade) -> None:
    @routes.get("/specialists", tags=["fleet"], summary="List the fleet")
    def list_specialists() -> Response:
        """Every specialist and base: name, size, headline score and evidence."""
        return json_response({"specialists": [native.summary(item) for item in metier.list()]})

    @routes.get(
        "/specialists/{name:path}/results/{role}",
        tags=["fleet"],
        summary="A result, item by item",
        responses={200: {"content": {"application/jsonl": {}}}},
    )
    def one_result(name: str, role: str) -> Response:
        """The JSON Lines file that a number on the card was computed from.

        Roles: `specialist`, `majority`, `base`, `general`; those that were measured.
        """
        parts = metier.parts(name)
        wanted = f"results/{role}.jsonl"
        part = next((part for part in parts if part.filepath == wanted), None)
        if part is None:
            raise NotFoundError(
                f"{name!r} has no result for {role[:80]!r}.",
                remedy=f"It has: {', '.join(native.roles(parts)) or 'none'}.",
            )
        return FileResponse(part.path, media_type="application/jsonl")

    @routes.get(
        "/specialists/{name:path}",
        tags=["fleet"],
        summary="One specialist: its card and files",
        responses={200: {"model": Card, "description": "`card` holds this document."}},
    )
    def one_specialist(name: str) -> Response:
        """The whole card, the files with their digests, and where the results are."""
        return json_response(native.detail(metier.show(name), metier.parts(name)))

    @routes.delete("/specialists/{name:path}", tags=["fleet"], summary="Remove a specialist")
    def remove_specialist(name: str) -> Response:
        """Take it out of the fleet. Its bytes go with the next `gc`."""
        metier.remove(name)
        return json_response({"removed": name})


def _add_store(routes: APIRouter, metier: Facade, jobs: Jobs) -> None:
    @routes.post("/gc", tags=["store"], summary="Remove bytes that nothing names")
    def collect_garbage() -> Response:
        """How many objects and bytes went."""
        return json_response(native.plain(metier.collect_garbage()))

    @routes.post(
        "/verify",
        tags=["store"],
        summary="Check every byte of the store",
        responses={202: {"description": "With remake: a job."}},
        openapi_extra=_json_body({"remake": {"type": "boolean", "default": False}}),
    )
    async def verify(request: Request) -> Response:
        """Compare every object with its digest; with `remake` the starters are remade, as a job."""
        body = await request.body()
        asked = native.parse_json(body) if body.strip() else {}
        if asked.get("remake") is True:
            return _accepted(jobs.submit(orders.remake_order(metier)))
        found = await run_in_threadpool(lambda: metier.verify(remake=False, report=silent))
        return json_response(native.plain(found))


def _add_making(routes: APIRouter, metier: Facade, jobs: Jobs) -> None:
    @routes.post(
        "/make",
        tags=["make"],
        status_code=202,
        summary="Make a specialist from an upload",
        openapi_extra=_form_body(
            files={"data": True, "eval": False},
            fields={
                "name": True,
                "domain": False,
                "text": False,
                "label": False,
                "group": False,
                "budget": False,
                "seed": False,
                "drop_leaks": False,
                "curve": False,
            },
        ),
    )
    async def make(request: Request) -> Response:
        """Queue a make, and follow the job.

        `data` holds the rows (CSV, TSV or JSON Lines); `eval` sealed rows, else a share of the
        data is set aside. `budget` is a duration like `2m`.
        """
        return await _ordered(metier, jobs, request, ("data", "eval"), orders.make_order)

    @routes.post(
        "/preview",
        tags=["make"],
        summary="What a make would find in an upload",
        openapi_extra=_form_body(
            files={"data": True, "eval": False},
            fields=dict.fromkeys(("text", "label", "group", "seed", "curve"), False),
        ),
    )
    async def preview(request: Request) -> Response:
        """Columns, labels, first rows, faults with their lines, leaks, and the time it would take.

        Bounded to seconds: of very many rows a part is looked at, which the answer says. Nothing
        is kept.
        """
        upload = await uploads.receive(request, files=("data", "eval"), place=jobs.uploads)
        try:
            found = await run_in_threadpool(recognised, metier, upload)
        finally:
            shutil.rmtree(upload.folder, ignore_errors=True)
        return json_response(found)


def _add_proofs(routes: APIRouter, metier: Facade, jobs: Jobs) -> None:
    @routes.post(
        "/evaluate",
        tags=["prove"],
        status_code=202,
        summary="Question a specialist on an uploaded eval",
        openapi_extra=_form_body(files={"eval": True}, fields={"name": True, "against": False}),
    )
    async def evaluate(request: Request) -> Response:
        """Queue an evaluation of `name`, and of the rivals in `against`, parted by commas."""
        return await _ordered(metier, jobs, request, ("eval",), orders.evaluate_order)

    @routes.post(
        "/compare",
        tags=["prove"],
        status_code=202,
        summary="Compare two specialists on an uploaded eval",
        openapi_extra=_form_body(files={"eval": True}, fields={"first": True, "second": True}),
    )
    async def compare(request: Request) -> Response:
        """Queue a paired comparison; the job's result is the evidence with its verdict."""
        return await _ordered(metier, jobs, request, ("eval",), orders.compare_order)

    @routes.post(
        "/check-eval",
        tags=["prove"],
        summary="Check an uploaded eval",
        openapi_extra=_form_body(files={"eval": True}, fields={}),
    )
    async def check_eval(request: Request) -> Response:
        """What is wrong with an eval, and what it can show."""
        upload = await uploads.receive(request, files=("eval",))
        try:
            found = await run_in_threadpool(metier.check_eval, str(upload.file("eval")))
        finally:
            shutil.rmtree(upload.folder, ignore_errors=True)
        return json_response(native.plain(found))


async def _ordered(
    metier: Facade,
    jobs: Jobs,
    request: Request,
    files: tuple[str, ...],
    order: Callable[[Facade, uploads.Upload], Order],
) -> Response:
    upload = await uploads.receive(request, files=files, place=jobs.uploads)
    try:
        snapshot = jobs.submit(await run_in_threadpool(order, metier, upload))
    except BaseException:
        shutil.rmtree(upload.folder, ignore_errors=True)
        raise
    return _accepted(snapshot)


def _add_jobs(routes: APIRouter, jobs: Jobs) -> None:
    @routes.get("/jobs", tags=["jobs"], summary="List jobs")
    def list_jobs() -> Response:
        """Every job that is kept, the newest first; those of earlier servers too."""
        return json_response({"jobs": jobs.all()})

    @routes.get("/jobs/{job}", tags=["jobs"], summary="One job")
    def one_job(job: str) -> Response:
        """State, position in the queue, the rungs so far, the result or the error."""
        return json_response(jobs.snapshot(job))

    @routes.get(
        "/jobs/{job}/events",
        tags=["jobs"],
        summary="Follow a job",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def job_events(job: str, request: Request, after: str = "0") -> Response:
        """Server-sent events: `started`, `progress`, then how it ended, with the whole job.

        It ends as `done`, `failed`, `stopped` or `interrupted`. A client that reconnects with
        `Last-Event-ID` misses nothing that is still kept, else gets a `snapshot` of the job first.
        `after` is the same for a first connection.
        """
        jobs.snapshot(job)
        after = request.headers.get("last-event-id", after)
        number = int(after) if after.isdigit() and len(after) < 12 else 0
        return StreamingResponse(
            _stream(jobs, job, number),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @routes.post("/jobs/{job}/stop", tags=["jobs"], summary="Stop a job")
    def stop_job(job: str) -> Response:
        """A waiting job leaves the queue; a running one ends at its next step."""
        return json_response(jobs.ask_to_stop(job))

    @routes.post("/jobs/{job}/resume", tags=["jobs"], summary="Resume a job")
    def resume_job(job: str) -> Response:
        """Put a job that was stopped, was interrupted or failed into its queue again.

        It has the files and fields that it was ordered with. Downloads go on where they stopped;
        a make does not climb again what it had climbed.
        """
        return json_response(jobs.resume(job), 202)

    @routes.delete("/jobs/{job}", tags=["jobs"], summary="Forget a job")
    def forget_job(job: str) -> Response:
        """Take a job that has ended off the list, with its files."""
        jobs.forget(job)
        return json_response({"forgotten": job})


async def _stream(jobs: Jobs, job: str, after: int) -> AsyncIterator[bytes]:
    async for number, event in jobs.events(job, after):
        if not event:
            yield b": still here\n\n"
            continue
        kind = event["event"]
        data = jobs.snapshot(job) if kind != "progress" else event
        text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
        yield f"id: {number}\nevent: {kind}\ndata: {text}\n\n".encode()


def _accepted(snapshot: dict[str, Any]) -> Response:
    response = json_response(snapshot, 202)
    response.headers["location"] = snapshot["href"]
    return response


def _json_body(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _form_body(*, files: dict[str, bool], fields: dict[str, bool]) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    properties: dict[str, Any] = dict.fromkeys(files, binary)
    properties |= {name: {"type": "string"} for name in fields}
    needed = [name for name, required in {**files, **fields}.items() if required]
    schema = {"type": "object", "properties": properties, "required": needed}
    return {"requestBody": {"required": True, "content": {_FORM: {"schema": schema}}}}
