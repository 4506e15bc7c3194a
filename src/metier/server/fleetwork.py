"""Looking after the fleet: its page, and pull, load, unload, remove, verify and gc.

It reads forms and JSON, calls the façade in threads and sends people back to a page; what is drawn
there is the website's. Whatever takes long is a job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.card import Card
from metier.errors import InputError, MetierError, NotFoundError
from metier.server import native, orders
from metier.server.answering import json_response
from metier.server.facade import Facade, Installed, PageOptions, Pages
from metier.server.jobs import Jobs

LOADABLE = frozenset({"generate", "embed", "rerank"})
KEEPS = {"": None, "5m": 300.0, "1h": 3600.0, "always": -1.0}
"""What the page offers for how long a model stays in memory."""
_SHOWN = 20


def fleet_of(metier: Facade, jobs: Jobs) -> dict[str, Any]:
    """Everything that is here and what it takes: ``/fleet.json``."""
    listings = {listing.name: listing for listing in metier.models.listings()}
    running = {model.listing.name: model for model in metier.models.running()}
    rows = []
    standings = metier.watching.standings()
    for item in metier.list():
        name = item.reference.familiar
        row = {**native.summary(item), "resident": None, "loadable": False, "parent": None}
        if name in standings:
            row |= {"state": standings[name].state, "suspect": standings[name].suspect}
        listing = listings.get(name)
        if listing is not None:
            row |= {
                "task": listing.task,
                "modified": listing.modified,
                "loadable": listing.task in LOADABLE and listing.details.format == "gguf",
                "parent": listing.parent,
                "context": listing.details.context_length or None,
                "parameters": listing.details.parameters or None,
                "quantization": listing.details.quantization or None,
            }
        if name in running:
            row["resident"] = _resident(running.pop(name))
        rows.append(row)
    # A base that is a file of the user's own is in memory under its path, and in no list.
    others = [
        {"name": name, "kind": "file", "resident": _resident(model)}
        for name, model in running.items()
    ]
    pulls = [job for job in jobs.all() if job["kind"] == "pull"]
    return {
        "specialists": rows,
        "files": others,
        "machine": native.plain(metier.holdings.machine()),
        "downloads": pulls[:_SHOWN],
        "notices": [asdict(one) for one in metier.watching.notices()],
    }


def _resident(model: Any) -> dict[str, Any]:
    return {
        "memory_bytes": model.memory_bytes,
        "context": model.context,
        "expires": model.expires,
        "users": model.users,
    }


def removal_of(metier: Facade, name: str) -> dict[str, Any]:
    """What would be missed if an entry were removed; raises NotFoundError."""
    item = metier.show(name)
    familiar = item.reference.familiar
    users = [model.users for model in metier.models.running() if model.listing.name == familiar]
    return {
        "name": familiar,
        "kind": item.kind,
        "size_bytes": item.size_bytes,
        "proved": isinstance(item.card, Card) and bool(item.card.evidence),
        "resident": bool(users),
        "users": sum(users),
        "made": [
            {"name": kin.name, "how": kin.facts[0] if kin.facts else ""}
            for kin in metier.lineage(familiar)
            if kin.role == "made"
        ],
    }


def remove(metier: Facade, name: str) -> str:
    """Remove an entry, out of memory too; gives its name."""
    item: Installed = metier.show(name)
    familiar = item.reference.familiar
    with suppress(NotFoundError):
        metier.models.unload(familiar)
    metier.remove(familiar)
    metier.holdings.forget()
    return familiar


def router(metier: Facade, jobs: Jobs) -> APIRouter:
    """``/metier/v1``: fleet, pull, load, unload."""
    routes = APIRouter(prefix="/metier/v1")
    name: dict[str, Any] = {"name": {"type": "string"}}
    keep: dict[str, Any] = {"keep_alive": {"type": "string", "enum": list(KEEPS)}}

    @routes.get("/fleet", tags=["fleet"], summary="What is here and what it takes")
    def fleet() -> Response:
        """Every entry with its memory, this machine's memory and disk, and the downloads."""
        return json_response(fleet_of(metier, jobs))

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

    @routes.post(
        "/load",
        tags=["fleet"],
        summary="Bring a model into memory",
        openapi_extra=_body({**name, **keep}),
    )
    async def load(request: Request) -> Response:
        """It answers once the model is there. `keep_alive` is `5m`, `1h` or `always`."""
        asked = native.parse_json(await request.body())
        wanted, stay = _name(asked.get("name")), _keep(str(asked.get("keep_alive", "")))
        seconds = await run_in_threadpool(lambda: metier.models.load(wanted, keep_alive=stay))
        return json_response({"loaded": wanted, "seconds": seconds})

    @routes.post(
        "/unload", tags=["fleet"], summary="Let a model go from memory", openapi_extra=_body(name)
    )
    async def unload(request: Request) -> Response:
        """It goes once it answers nobody. `unloaded` says whether it was there."""
        wanted = _name(native.parse_json(await request.body()).get("name"))
        return json_response({"unloaded": await run_in_threadpool(metier.models.unload, wanted)})

    return routes


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            "The field 'name' is missing.",
            remedy='Send {"name": "a name"}.',
            details={"param": "name"},
        )
    return value


def _keep(value: str) -> float | None:
    if value not in KEEPS:
        raise InputError(
            f"'keep_alive' is {value[:40]!r}.",
            remedy="Give 5m, 1h or always.",
            details={"param": "keep_alive"},
        )
    return KEEPS[value]


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": ["name"]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class FleetWork:
    """The fleet's page and its forms."""

    def __init__(
        self, metier: Facade, pages: Pages, jobs: Jobs, options: Callable[..., PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._jobs = jobs
        self._options = options

    def routes(self) -> list[Route]:
        """Their routes."""
        acts = [
            Route(f"/fleet/{name}", act, methods=["POST"])
            for name, act in (
                ("pull", self.pull),
                ("load", self.load),
                ("unload", self.unload),
                ("remove", self.remove),
                ("gc", self.collect),
                ("verify", self.verify),
            )
        ]
        return [
            Route("/fleet", self.page),
            Route("/fleet.json", self.as_json),
            Route("/index.json", self.as_json),
            Route("/fleet/remove", self.ask_to_remove),
            *acts,
            Route("/fleet/{act}", self.back),
        ]

    def page(self, request: Request) -> Response:
        """``/fleet``: what is here and what it takes."""
        if "application/json" in request.headers.get("accept", ""):
            return self.as_json(request)
        return HTMLResponse(self._drawn(request, {}))

    def as_json(self, _request: Request) -> Response:
        """``/fleet.json``."""
        return json_response(fleet_of(self._metier, self._jobs))

    def back(self, _request: Request) -> Response:
        """A form's address that was opened or reloaded."""
        return RedirectResponse("/fleet", status_code=303)

    def _drawn(self, request: Request, told: Mapping[str, str]) -> str:
        query = request.query_params
        said = {key: query[key][:300] for key in ("done", "name") if key in query}
        options = self._options(request, query=query.get("q", "")[:200], fields={**said, **told})
        return self._pages.fleet(fleet_of(self._metier, self._jobs), options)

    async def _again(self, request: Request, error: MetierError, **told: str) -> Response:
        """The page with what went wrong, and what was filled in."""
        problem = " ".join(filter(None, (error.message, error.remedy)))
        page = await run_in_threadpool(self._drawn, request, {**told, "problem": problem})
        return HTMLResponse(page, status_code=422)

    async def pull(self, request: Request) -> Response:
        """``POST /fleet/pull``: ``name``, and ``next``: where to go once it is here.

        Goes to the job's page; with ``next=/fleet`` back to the list.
        """
        form = await request.form(max_files=0, max_fields=10)
        name, after = str(form.get("name", "")), str(form.get("next", ""))
        try:
            order = orders.pull_order(self._metier, name, after=after)
            snapshot = await run_in_threadpool(self._jobs.submit, order)
        except MetierError as error:
            return await self._again(request, error, pull=name[:400])
        to_list = after == "/fleet"
        place = "/fleet#downloads" if to_list else snapshot["page"]
        return RedirectResponse(place, status_code=303)

    async def load(self, request: Request) -> Response:
        """``POST /fleet/load``: ``name`` and ``keep_alive``."""
        form = await request.form(max_files=0, max_fields=10)
        name = str(form.get("name", ""))[:400]
        try:
            stay = _keep(str(form.get("keep_alive", "")))
            await run_in_threadpool(lambda: self._metier.models.load(name, keep_alive=stay))
        except MetierError as error:
            return await self._again(request, error)
        return _done("loaded", name)

    async def unload(self, request: Request) -> Response:
        """``POST /fleet/unload``: ``name``."""
        form = await request.form(max_files=0, max_fields=10)
        name = str(form.get("name", ""))[:400]
        try:
            there = await run_in_threadpool(self._metier.models.unload, name)
        except MetierError as error:
            return await self._again(request, error)
        return _done("unloaded" if there else "absent", name)

    def ask_to_remove(self, request: Request) -> Response:
        """``GET /fleet/remove?name=``: what would be missed, and the button."""
        name = request.query_params.get("name", "")[:400]
        if not name:
            return RedirectResponse("/fleet", status_code=303)
        removal = removal_of(self._metier, name)
        return HTMLResponse(self._pages.removal(removal, self._options(request)))

    async def remove(self, request: Request) -> Response:
        """``POST /fleet/remove``: ``name``."""
        form = await request.form(max_files=0, max_fields=10)
        try:
            name = await run_in_threadpool(remove, self._metier, str(form.get("name", ""))[:400])
        except MetierError as error:
            return await self._again(request, error)
        return _done("removed", name)

    async def collect(self, request: Request) -> Response:
        """``POST /fleet/gc``."""
        try:
            found = await run_in_threadpool(self._metier.collect_garbage)
        except MetierError as error:
            return await self._again(request, error)
        self._metier.holdings.forget()
        return _done("gc", f"{int(found['removed'])} {int(found['bytes'])}")

    async def verify(self, _request: Request) -> Response:
        """``POST /fleet/verify``: as a job."""
        order = orders.verify_order(self._metier)
        snapshot = await run_in_threadpool(self._jobs.submit, order)
        return RedirectResponse(snapshot["page"], status_code=303)


def _done(what: str, name: str) -> Response:
    return RedirectResponse(f"/fleet?done={what}&name={quote(name)}", status_code=303)
