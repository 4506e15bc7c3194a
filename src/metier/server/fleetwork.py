"""Looking after the fleet: pull, load, unload, remove, verify and gc, as forms and as JSON.

It reads requests, calls the façade in threads and sends people back to a page; what is drawn
there is the website's. Whatever takes long is a job.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError
from metier.server import native, orders
from metier.server.answering import json_response
from metier.server.facade import Facade
from metier.server.jobs import Jobs


def router(metier: Facade, jobs: Jobs) -> APIRouter:
    """``POST /metier/v1/pull``."""
    routes = APIRouter(prefix="/metier/v1")
    name: dict[str, Any] = {"name": {"type": "string"}}

    @routes.post(
        "/pull",
        tags=["fleet"],
        status_code=202,
        summary="Pull a model, as a job",
        openapi_extra=_body(name),
    )
    async def pull(request: Request) -> Response:
        """Queue a download of `name`, and follow the job.

        Three run at once. What is being pulled already is not pulled twice.
        """
        asked = native.parse_json(await request.body())
        order = orders.pull_order(metier, _name(asked.get("name")))
        snapshot = await run_in_threadpool(jobs.submit, order)
        response = json_response(snapshot, 202)
        response.headers["location"] = snapshot["href"]
        return response

    return routes


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            "The field 'name' is missing.",
            remedy='Send {"name": "a name"}.',
            details={"param": "name"},
        )
    return value


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": ["name"]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class FleetWork:
    """The forms of the fleet's page."""

    def __init__(self, metier: Facade, jobs: Jobs) -> None:
        self._metier = metier
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Their routes."""
        return [Route("/fleet/pull", self.pull, methods=["POST"])]

    async def pull(self, request: Request) -> Response:
        """``POST /fleet/pull``: ``name``, and ``next``: where its page leads once it is here."""
        form = await request.form(max_files=0, max_fields=10)
        order = orders.pull_order(self._metier, str(form.get("name", "")))
        snapshot = await run_in_threadpool(self._jobs.submit, order)
        return RedirectResponse(snapshot["page"], status_code=303)
