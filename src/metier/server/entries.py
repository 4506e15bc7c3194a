"""The page of a catalogue's entry, installed or not, and its JSON.

It fetches the entry and whether it fits this machine from the façade and hands both to ``Pages``.
Pulling is ``fleetwork``'s.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from metier.errors import NotFoundError
from metier.finding import Hit
from metier.server.answering import accepts_json, json_response
from metier.server.facade import Facade, PageOptions, Pages
from metier.server.queries import hit_json


class Entries:
    """Those pages of one server."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/entries/{origin}/{name:path}", self.page)]

    def page(self, request: Request) -> Response:
        """``GET /entries/{origin}/{name}``; with ``.json`` or by Accept as JSON."""
        origin, name = request.path_params["origin"], request.path_params["name"]
        as_json = accepts_json(request)
        try:
            hit = self._metier.entry(origin, name)
        except NotFoundError:
            if not name.endswith(".json"):
                raise
            as_json = True
            hit = self._metier.entry(origin, name.removesuffix(".json"))
        fit = hit.fit if hit.fit is not None else self._metier.fit(hit)
        if as_json:
            return json_response({**hit_json(hit), "fit": fit.to_dict()})
        return HTMLResponse(self._draw(request, hit, fit))

    def _draw(self, request: Request, hit: Hit, fit: object) -> str:
        return self._pages.entry(hit, fit, self._options(request))
