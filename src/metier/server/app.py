"""Puts the server together: guard, routes, error handlers.

It knows every module of the server and nothing of how a specialist answers. The façade and the
website come as arguments, because they are strangers to the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from metier.errors import MetierError
from metier.server import (
    completing,
    conversations,
    documents,
    finding,
    fleetwork,
    hopping,
    management,
    ollama_keeping,
    ollama_routes,
    orders,
    picturing,
    routing,
    watching,
)
from metier.server.answering import Classify, Listing
from metier.server.batching import Batches
from metier.server.facade import Facade, Failure, Pages
from metier.server.guard import Guard, Hosts, Receive, Scope, Send, check_binding
from metier.server.guest import Guest
from metier.server.jobfiles import JobFiles
from metier.server.jobs import Jobs
from metier.server.limits import LIMITS, Limits
from metier.server.lines import LEFT
from metier.server.metrics import Metrics
from metier.server.observing import Observing, seen
from metier.server.packing import Packing
from metier.server.pages import Website
from metier.server.problems import Problem, body_for, problem_of, wants_page
from metier.version import __version__

_UPLOADS = (
    "/metier/v1/make",
    "/metier/v1/evaluate",
    "/metier/v1/compare",
    "/metier/v1/check-eval",
    "/metier/v1/preview",
    "/make",
    "/find/eval",
)
_WITH_PICTURES = (
    "/api/chat",
    "/api/generate",
    "/v1/chat/completions",
    "/v1/route",
    picturing.PATH,
)
_OWN_WAYS: Any = {
    "openapi_url": None,
    "docs_url": None,
    "redoc_url": None,
    "redirect_slashes": False,
}
"""Documents and pages are ours."""
# FastAPI would export traces when the environment configures OpenTelemetry. Metier sends nothing
# in the background and reads no environment outside its settings.
_NO_TELEMETRY: Any = {
    "auto_configure": False,
    "tracing": False,
    "metrics": False,
    "logs": False,
}


def create_app(  # noqa: PLR0913  one argument per setting of a server
    metier: Facade,
    pages: Pages,
    *,
    api_key: str | None = None,
    host: str = "127.0.0.1",
    port: int = 11434,
    names: Sequence[str] = (),
    limits: Limits = LIMITS,
    log_requests: bool = False,
    agents: Callable[[], Any] | None = None,
    home: Path | None = None,
) -> FastAPI:
    """The application: API and website.

    Args:
        metier: What answers; see ``Facade``.
        pages: The website; see ``Pages``.
        api_key: What callers must send as ``Authorization: Bearer``; ``None`` for none.
        host: The address that will be bound; anything but loopback needs a key.
        port: The port that will be bound, for the commands that pages show.
        names: Further names of this machine that the Host header may have.
        limits: What one request may ask.
        log_requests: Whether each request is logged as one line of JSON (``metier.access``); see
            ``observing``.
        agents: Makes the application that answers coding agents under ``/mcp``; see ``Guest``.
        home: Where jobs and uploads are kept, so that they outlive the server; ``None`` keeps
            them in memory and in the system's temporary folder.

    Raises:
        InputError: ``key_needed`` or ``weak_key``.
    """
    check_binding(host, api_key)
    batches = Batches(
        lambda name, texts, top: metier.classify(name, texts, top=top),
        waiting=limits.waiting_texts,
    )
    jobs = _jobs(metier, limits, home)
    website = Website(metier, pages, jobs, batches, api_key=api_key, port=port, limits=limits)
    guest = Guest(agents) if agents is not None else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if guest is not None:
            await guest.close()
        jobs.close()
        batches.close()

    app = FastAPI(
        title="Metier",
        version=__version__,
        lifespan=lifespan,
        telemetry=_NO_TELEMETRY,
        **_OWN_WAYS,
    )
    app.state.jobs = jobs
    metrics = Metrics(lambda: metier.models.running())
    _add_programs(app, Listing(metier, metrics, __version__), _classify(metier, batches, limits))
    _add_routers(app, metier, jobs)
    website.add_to(app)
    if guest is not None:
        app.router.routes.append(Route("/mcp", guest))
    app.openapi = _remembered(app, __version__)  # type: ignore[method-assign]
    refuse = _add_errors(app, website)
    app.add_middleware(cast("Any", Packing))
    app.add_middleware(
        cast("Any", Guard),
        hosts=Hosts(host, names),
        api_key=api_key,
        refuse=refuse,
        body_limit=lambda path: _body_limit(path, limits),
    )
    app.add_middleware(cast("Any", Observing), metrics=metrics, log_requests=log_requests)
    return app


def _classify(metier: Facade, batches: Batches, limits: Limits) -> Classify:
    return Classify(batches, limits, picturing.DataUrls(metier).answer)


def _jobs(metier: Facade, limits: Limits, home: Path | None) -> Jobs:
    files = JobFiles(home) if home is not None else None
    return Jobs(limits, files, partial(orders.again, metier))


def _add_routers(app: FastAPI, metier: Facade, jobs: Jobs) -> None:
    app.include_router(hopping.router(metier, jobs))
    app.include_router(management.router(metier, jobs))
    app.include_router(fleetwork.router(metier, jobs))
    for unit in (
        finding,
        conversations,
        completing,
        picturing,
        routing,
        ollama_routes,
        ollama_keeping,
        watching,
    ):
        app.include_router(unit.router(metier))


def _body_limit(path: str, limits: Limits) -> int:
    if path.startswith(_UPLOADS):
        return limits.upload_bytes
    if path.startswith("/api/blobs/"):
        return limits.blob_bytes
    pictures = path in _WITH_PICTURES or path.endswith("/pictures")
    return limits.picture_bytes if pictures else limits.body_bytes


def _add_programs(app: FastAPI, listing: Listing, classify: Classify) -> None:
    app.router.routes.insert(0, Route("/v1/classify", classify, methods=["POST"]))
    app.add_api_route(
        "/v1/models",
        listing.models,
        tags=["answer"],
        summary="List models and specialists in OpenAI's shape",
    )
    app.add_api_route(
        "/v1/models/{name:path}",
        listing.model,
        tags=["answer"],
        summary="One model or specialist in OpenAI's shape",
    )
    app.add_api_route(
        "/health", listing.health, tags=["server"], summary="Whether the process answers"
    )
    app.head("/health", include_in_schema=False)(listing.health)
    app.add_api_route(
        "/metrics",
        listing.metrics,
        tags=["server"],
        summary="Counts and times in Prometheus' text format",
    )


def _remembered(app: FastAPI, version: str) -> Any:
    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = documents.describe(app, version)
        return app.openapi_schema

    return openapi


def _add_errors(app: FastAPI, website: Website) -> Any:
    def respond(request: Request, problem: Problem) -> Response:
        seen(request.scope).code = problem.code
        headers = dict(problem.headers)
        path = request.url.path
        if wants_page(path, request.headers.get("accept", "")):
            if problem.status == 401:
                page = website.sign_in_page(request, wrong=False)
            else:
                failure = Failure(
                    problem.status,
                    problem.message,
                    problem.remedy,
                    path,
                    request.scope.get("metier.request_id"),
                )
                page = website.failure_page(request, failure)
            return HTMLResponse(page, status_code=problem.status, headers=headers)
        return Response(
            body_for(path, problem), problem.status, headers, media_type="application/json"
        )

    async def on_metier(request: Request, error: Exception) -> Response:
        return respond(request, problem_of(cast("MetierError", error), request.url.path))

    async def on_http(request: Request, error: Exception) -> Response:
        return respond(request, _of_http(cast("HTTPException", error), request))

    async def on_fields(request: Request, error: Exception) -> Response:
        first = cast("RequestValidationError", error).errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return respond(
            request, Problem(422, f"{where}: {first['msg']}.", "bad_request", "See /docs.")
        )

    async def on_defect(request: Request, _error: Exception) -> Response:
        return respond(
            request,
            Problem(
                500,
                "This is a defect of Metier.",
                "internal",
                "Please report it with the log of 'metier up' and the request id "
                f"{request.scope.get('metier.request_id')}.",
            ),
        )

    app.add_exception_handler(ClientDisconnect, _on_left)
    app.add_exception_handler(MetierError, on_metier)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_fields)
    app.add_exception_handler(Exception, on_defect)

    async def refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
        await respond(Request(scope), problem)(scope, receive, send)

    return refuse


async def _on_left(_request: Request, _error: Exception) -> Response:
    """The caller went away while its body came; nobody reads this but the access log."""
    return Response(status_code=LEFT)


def _of_http(error: HTTPException, request: Request) -> Problem:
    path = request.url.path
    if error.status_code == 404:
        return Problem(
            404, f"There is nothing at {path[:200]!r}.", "not_found", "See /docs for every address."
        )
    if error.status_code == 405:
        return Problem(
            405,
            f"{request.method} is not possible at {path[:200]!r}.",
            "method_not_allowed",
            "See /docs for what is.",
            headers=tuple((error.headers or {}).items()),
        )
    return Problem(error.status_code, str(error.detail), "bad_request")
