"""The website's routes: which page answers which address, and every page also as JSON.

It fetches values from the façade and hands them to ``Pages``, which draws them; it writes no
HTML itself.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import NotFoundError
from metier.server import surroundings
from metier.server.answering import accepts_json, json_response
from metier.server.batching import Batches
from metier.server.browsing import Browsing
from metier.server.classifying import Classifying
from metier.server.comparing import KIND as CONTRAST
from metier.server.comparing import Comparing
from metier.server.desk import Desk
from metier.server.entries import Entries
from metier.server.facade import (
    Facade,
    Failure,
    Here,
    PageOptions,
    Pages,
)
from metier.server.finding import Finding
from metier.server.fleetwork import FleetWork
from metier.server.guard import COOKIE, session_value
from metier.server.hopping import Hopping
from metier.server.jobs import Jobs
from metier.server.limits import Limits
from metier.server.making import Making
from metier.server.ollama import RUNNING
from metier.server.picturing import Picturing
from metier.server.routing import RoutePage
from metier.server.talk import Talk
from metier.server.trying import KIND as TRYING
from metier.server.trying import Trying
from metier.server.watching import Watching
from metier.version import __version__


class Website:
    """Every page of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        jobs: Jobs,
        batches: Batches,
        *,
        api_key: str | None,
        port: int,
        limits: Limits,
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._jobs = jobs
        self._batches = batches
        self._api_key = api_key
        self._port = port
        self._limits = limits
        self._desk = Desk(metier, pages, self._options)
        self._entries = Entries(metier, pages, self._options)
        self._finding = Finding(metier, pages, self._options)
        self._browsing = Browsing(metier, pages, self._options, self.specialist)
        self._talk = Talk(metier, pages, self._options)
        self._classifying = Classifying(metier, pages, batches, self._options, limits)
        self._picturing = Picturing(metier, self._classifying.page)
        self._keeping = FleetWork(metier, pages, jobs, self._options)
        self._trying = Trying(metier, pages, jobs, self._options)
        self._comparing = Comparing(metier, pages, jobs, self._options)
        self._routing = RoutePage(metier, pages, self._options)
        self._watching = Watching(metier, pages, self._options)
        self._hopping = Hopping(metier, pages, jobs, self._options)
        drawn = {TRYING: self._trying.job, CONTRAST: self._comparing.job}
        self._making = Making(metier, pages, jobs, self._options, drawn=drawn)

    def add_to(self, app: FastAPI) -> None:
        """Put the routes of every page into ``app``."""

        def openapi(_request: Request) -> Response:
            return json_response(app.openapi())

        def reference(request: Request) -> Response:
            return HTMLResponse(self._pages.reference(app.openapi(), self._options(request)))

        app.router.routes += [
            Route("/", self.first),
            *self._finding.routes(),
            *self._entries.routes(),
            *self._desk.routes(),
            *self._talk.routes(),
            *self._browsing.routes(),
            *self._keeping.routes(),
            *self._classifying.routes(),
            *self._picturing.routes(),
            *self._trying.routes(),
            *self._comparing.routes(),
            *self._routing.routes(),
            *self._watching.routes(),
            *self._hopping.routes(),
            Route("/specialists/{name:path}", self.specialist),
            *self._making.routes(),
            Route("/sign-in", self.show_sign_in),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/docs", reference),
            Route("/docs.json", openapi),
            Route("/openapi.json", openapi),
            Route("/static/{name}", self.asset),
            Route("/favicon.ico", self.favicon),
        ]

    def _options(self, request: Request, **more: Any) -> PageOptions:
        host = request.headers.get("host") or f"127.0.0.1:{self._port}"
        here = Here(f"{request.url.scheme}://{host}", self._api_key is not None)
        return PageOptions(here=here, **more)

    def first(self, request: Request) -> Response:
        """``/``: Find; a program hears that the server runs."""
        if _is_heartbeat(request):
            # Ollama's programs look for these words, and none of them asks for a page.
            return PlainTextResponse(RUNNING, headers={"x-metier-version": __version__})
        return self._finding.found(request) if _wants_json(request) else self._finding.page(request)

    def specialist(self, request: Request) -> Response:
        """``/specialists/{name}``: the evidence page."""
        name = request.path_params["name"]
        as_json = _wants_json(request)
        try:
            item = self._metier.show(name)
        except NotFoundError:
            if not name.endswith(".json"):
                raise
            name, as_json = name.removesuffix(".json"), True
            item = self._metier.show(name)
        if as_json and request.query_params.get("q"):
            return self._desk.found(request, item)
        if as_json:
            return json_response(surroundings.as_json(self._metier, item))
        if self._desk.draws(item):
            return self._desk.page(request, item)
        sheet = self._talk.sheet(item)
        if sheet is not None:
            return self._talk.page(request, item, sheet)
        return self._classifying.page(request, item)

    def sign_in_page(self, request: Request, *, wrong: bool) -> str:
        """The page that asks for the key."""
        wanted = request.url.path if request.method == "GET" else "/"
        next_path = request.query_params.get("next", wanted)
        return self._pages.sign_in(wrong, _own_path(next_path), self._options(request))

    def show_sign_in(self, request: Request) -> Response:
        """``GET /sign-in``."""
        return HTMLResponse(self.sign_in_page(request, wrong=False))

    async def sign_in(self, request: Request) -> Response:
        """``POST /sign-in``: the right key gives a session cookie."""
        form = await request.form(max_files=0, max_fields=10)
        next_path = _own_path(str(form.get("next", "/")))
        given = str(form.get("key", ""))[:1000].strip()
        if self._api_key is None or not hmac.compare_digest(given.encode(), self._api_key.encode()):
            page = self._pages.sign_in(True, next_path, self._options(request))
            return HTMLResponse(page, status_code=401)
        response = RedirectResponse(next_path, status_code=303)
        response.set_cookie(
            COOKIE, session_value(self._api_key), httponly=True, samesite="strict", path="/"
        )
        return response

    def failure_page(self, request: Request, failure: Failure) -> str:
        """An error, for a person."""
        return self._pages.failure(failure, self._options(request))

    def asset(self, request: Request) -> Response:
        """``/static/…``: style sheets and scripts of the package."""
        found = self._pages.asset(request.path_params["name"])
        if found is None:
            raise NotFoundError(f"There is nothing at {request.url.path[:200]!r}.")
        body, media_type = found
        kept = "public, max-age=31536000, immutable" if request.query_params else "no-cache"
        return Response(body, media_type=media_type, headers={"cache-control": kept})

    def favicon(self, _request: Request) -> Response:
        """``/favicon.ico``: browsers ask for it unbidden."""
        found = self._pages.asset("icon.svg")
        if found is None:
            return Response(status_code=404)
        return Response(found[0], media_type=found[1])


def _wants_json(request: Request) -> bool:
    return request.url.path in ("/index.json", "/fleet.json") or accepts_json(request)


def _is_heartbeat(request: Request) -> bool:
    accept = request.headers.get("accept", "*/*")
    if "text/html" in accept:
        return False
    return "application/json" not in accept or "*/*" in accept or "text/plain" in accept


def _own_path(path: str) -> str:
    """``path`` if it is a path of this site, else ``/``."""
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    return quote(path[:600], safe="/:?=&.-_~%")
