"""*Find*: the first page, and the same answer as JSON.

It reads the query, asks the façade in a thread and hands what was found to ``Pages`` or writes it
as JSON. The hub is asked only by a form that a person sends, never by opening an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import MetierError, UnavailableError
from metier.finding import Found, Hit, Query
from metier.hardware import give_back_memory
from metier.server import native, queries
from metier.server.answering import json_response
from metier.server.facade import Facade, Here, HubSaid, PageOptions, Pages


def warm(metier: Facade, pages: Pages, address: str) -> None:
    """Read in what the first page shows and draw it once, so that no visitor waits for that."""
    with suppress(MetierError):  # Whoever opens the page is told of it.
        pages.find(metier.find(Query()), PageOptions(here=Here(address)))
    metier.routing.warm()
    give_back_memory()  # the server runs for days after this


def router(metier: Facade) -> APIRouter:
    """``GET /metier/v1/find``."""
    routes = APIRouter(prefix="/metier/v1")

    @routes.get(
        "/find",
        tags=["find"],
        summary="Find specialists and models",
        openapi_extra={"parameters": queries.parameters()},
    )
    async def find(request: Request) -> Response:
        """Search what is installed and every catalogue that was added.

        By words, meaning and filters. What holds a proof comes first, and each hit says why it is
        there. A value that cannot be is refused by the name of its field.
        """
        found = await run_in_threadpool(_found, metier, request.query_params)
        return json_response(queries.found_json(found))

    @routes.post(
        "/find/hub",
        tags=["find"],
        summary="Ask the hub",
        openapi_extra=_body(),
    )
    async def ask_hub(request: Request) -> Response:
        """Ask the hub for specialists and models: the one call of these that uses the network.

        It takes the fields of `GET /metier/v1/find` as JSON; of the filters the hub knows task and
        size. Nothing that it says was measured by us.
        """
        given = native.parse_json(await request.body())
        query = queries.parse_query(_as_written(given))
        hits = await run_in_threadpool(_of_hub, metier, query)
        return json_response({"hits": [queries.hit_json(hit) for hit in hits]})

    return routes


def _body() -> dict[str, Any]:
    properties = {
        one["name"]: {**one["schema"], "description": one["description"]}
        for one in queries.parameters()
    }
    schema = {"type": "object", "properties": properties, "example": {"q": "svelte"}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _as_written(given: Mapping[str, Any]) -> dict[str, str]:
    """JSON values as an address would have them; null is left out."""
    return {
        name: str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in given.items()
        if value is not None
    }


def _of_hub(metier: Facade, query: Query) -> tuple[Hit, ...]:
    return tuple(
        hit if hit.fit is not None else replace(hit, fit=metier.fit(hit))
        for hit in metier.search_hub(query)
    )


def _found(metier: Facade, asked: Mapping[str, str]) -> Found:
    return metier.find(queries.parse_query(asked))


class Finding:
    """The page and its JSON."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """Their routes but ``/``, which belongs to programs too."""
        return [
            Route("/find.json", self.found),
            Route("/find/hub", self.ask_hub, methods=["POST"]),
            Route("/find/hub", self.back),
        ]

    def found(self, request: Request) -> Response:
        """``/find.json``: what was found."""
        return json_response(queries.found_json(_found(self._metier, request.query_params)))

    def back(self, request: Request) -> Response:
        """The form's address, opened or reloaded: the search without the hub."""
        asked = request.url.query
        return RedirectResponse(f"/?{asked}" if asked else "/", status_code=303)

    async def ask_hub(self, request: Request) -> Response:
        """``POST /find/hub``: the page, with what the hub said below what is known here."""
        form = await request.form(max_files=0, max_fields=30)
        query = queries.parse_query({name: str(value) for name, value in form.items()})
        return await run_in_threadpool(self._asked, request, query)

    def _asked(self, request: Request, query: Query) -> Response:
        status = 200
        try:
            said = HubSaid(_of_hub(self._metier, query))
        except MetierError as error:
            status = 503 if isinstance(error, UnavailableError) else 502
            said = HubSaid(problem=" ".join(filter(None, (error.message, error.remedy))))
        drawn = self._pages.find(self._metier.find(query), self._options(request), said)
        return HTMLResponse(drawn, status_code=status)

    def page(self, request: Request) -> Response:
        """``/``: the page."""
        found = _found(self._metier, request.query_params)
        return HTMLResponse(self._pages.find(found, self._options(request)))
