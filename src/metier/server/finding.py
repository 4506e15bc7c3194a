"""*Find*: the first page, and the same answer as JSON.

It reads the query, asks the façade in a thread and hands what was found to ``Pages`` or writes it
as JSON. The hub is asked only by a form that a person sends, never by opening an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from metier.finding import Found
from metier.server import queries
from metier.server.answering import json_response
from metier.server.facade import Facade, PageOptions, Pages


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

    return routes


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
        return [Route("/find.json", self.found)]

    def found(self, request: Request) -> Response:
        """``/find.json``: what was found."""
        return json_response(queries.found_json(_found(self._metier, request.query_params)))

    def page(self, request: Request) -> Response:
        """``/``: the page."""
        found = _found(self._metier, request.query_params)
        return HTMLResponse(self._pages.find(found, self._options(request)))
