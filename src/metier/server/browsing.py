"""Run in this page: the page, its plan, and the files that a browser loads for it.

It gives out three kinds of bytes: the website's scripts, ONNX Runtime Web's two files, and the
files of a plan, each named by digest. Nothing that a caller writes becomes a path: a digest is
looked up among the files of the specialist's own plan. Texts are never asked for here.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from metier.errors import InputError, NotFoundError, UnavailableError
from metier.server.answering import json_response
from metier.server.facade import Facade, PageOptions, Pages
from metier.server.runplans import Running, RunPlan

KEPT = "private, max-age=31536000, immutable"
"""What is named by digest never changes; "private": with a key it is for its owner alone."""
_MODULE_TYPE = "text/javascript; charset=utf-8"
_ASSET_TYPES = {".mjs": _MODULE_TYPE, ".wasm": "application/wasm"}


class Browsing:
    """Those pages and files of one server.

    Args:
        metier: Gives plans and assets.
        pages: Draws the page and holds the scripts.
        options: What a page is drawn with.
        otherwise: Answers an address that only looks like one of these, for a specialist whose
            name ends in ``/run``.
    """

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        options: Callable[[Request], PageOptions],
        otherwise: Callable[[Request], Response],
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options
        self._otherwise = otherwise
        self._lock = threading.Lock()
        self._digests: dict[tuple[Path, float], str] = {}

    def routes(self) -> list[Route]:
        """The routes; they stand before the specialists' own."""
        return [
            Route("/specialists/{name:path}/run.json", self.plan),
            Route("/specialists/{name:path}/run", self.page),
            Route("/specialists/{name:path}/run/{digest}", self.part),
            Route("/running/{version}/{name}", self.asset),
        ]

    def page(self, request: Request) -> Response:
        """``GET /specialists/{name}/run``."""
        name = request.path_params["name"]
        try:
            self._metier.show(name)
        except NotFoundError:
            request.path_params["name"] = f"{name}/run"
            return self._otherwise(request)
        return HTMLResponse(self._pages.run(self._running(name), self._options(request)))

    def plan(self, request: Request) -> Response:
        """``GET /specialists/{name}/run.json``: what to load and how to compute."""
        running = self._running(request.path_params["name"])
        plan = running.plan
        told: dict[str, Any] = {
            "name": running.name,
            "runs": running.problem is None,
            "problem": running.problem,
            "remedy": running.remedy,
        }
        if plan is None:
            return json_response(told)
        files: list[dict[str, Any]] = [
            {
                "name": item.name,
                "digest": item.digest,
                "size": item.size,
                "address": _address(plan, item.digest),
            }
            for item in plan.files
        ]
        if running.assets:
            told["runtime"] = self._runtime(running.assets, files)
        total = sum(int(item["size"]) for item in files)
        told |= {"system": plan.digest, "exact": plan.exact, "bytes": total, "files": files}
        told["alphabet"] = self._metier.browsing.alphabet()
        return json_response(told | dict(plan.document))

    def part(self, request: Request) -> Response:
        """``GET /specialists/{name}/run/{digest}``: one file of its plan, kept for ever."""
        plan = self._metier.browsing.plan(request.path_params["name"])
        item = plan.file(f"sha256:{request.path_params['digest']}")
        if item is None:
            raise NotFoundError(f"There is nothing at {request.url.path[:200]!r}.")
        return _kept(request, item.path, item.digest, "application/octet-stream")

    def asset(self, request: Request) -> Response:
        """``GET /running/{version}/{name}``: a script of ours or a file of ONNX Runtime Web."""
        name = request.path_params["name"]
        body = self._pages.running_module(name)
        if body is not None:
            own = request.path_params["version"] == self._pages.running_version()
            kept = "public, max-age=31536000, immutable" if own else "no-cache"
            return Response(body, media_type=_MODULE_TYPE, headers={"cache-control": kept})
        path = self._metier.browsing.assets().get(name)
        if path is None:
            raise NotFoundError(f"There is nothing at {request.url.path[:200]!r}.")
        return _kept(request, path, self._digest(path), _ASSET_TYPES[path.suffix])

    def _running(self, name: str) -> Running:
        """What the page of ``name`` is drawn from; a problem is said there, not raised."""
        item = self._metier.show(name)
        called = item.reference.familiar
        plan = None
        try:
            plan = self._metier.browsing.plan(name)
            assets = self._metier.browsing.assets() if plan.encoder else {}
        except (InputError, NotFoundError, UnavailableError) as error:
            return Running(called, plan, {}, error.message, error.remedy)
        return Running(called, plan, assets)

    def _runtime(self, assets: Mapping[str, Path], files: list[dict[str, Any]]) -> dict[str, str]:
        """Addresses of ONNX Runtime Web; its program is one of the files to load."""
        version = self._metier.browsing.assets_digest().removeprefix("sha256:")[:12]
        found = {path.suffix: name for name, path in assets.items()}
        program = assets[found[".wasm"]]
        files.append(
            {
                "name": program.name,
                "digest": self._digest(program),
                "size": program.stat().st_size,
                "address": f"/running/{version}/{program.name}",
            }
        )
        module = f"/running/{version}/{found['.mjs']}"
        return {"module": module, "program": files[-1]["digest"]}

    def _digest(self, path: Path) -> str:
        """The digest of an asset, read once."""
        key = (path, path.stat().st_mtime)
        with self._lock:
            if key not in self._digests:
                self._digests[key] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
            return self._digests[key]


def _address(plan: RunPlan, digest: str) -> str:
    return f"/specialists/{quote(plan.name)}/run/{digest.removeprefix('sha256:')}"


def _kept(request: Request, path: Path, digest: str, media_type: str) -> Response:
    """A file that its digest names: unchanged for ever, so a browser need not ask again."""
    mark = f'"{digest.removeprefix("sha256:")}"'
    headers = {"cache-control": KEPT, "etag": mark}
    if mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=media_type, headers=headers)
