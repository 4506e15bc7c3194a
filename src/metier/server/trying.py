"""Find by eval on the page: a file of examples is recognised, candidates are chosen, a job starts.

It keeps the last few uploads between the two steps of the form, and turns one into an order for
the queue; who can answer and how a search goes is the façade's matter. What one page shows is also
JSON.
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from metier.errors import InputError, MetierError
from metier.messages import Report
from metier.server import uploads
from metier.server.answering import accepts_json, json_response
from metier.server.facade import Facade, PageOptions, Pages
from metier.server.jobrecords import Order
from metier.server.jobs import Jobs
from metier.server.uploads import Upload

KIND = "find"
"""Of the jobs."""
MOST_KEPT = 16
"""Uploads that wait for the second step."""
MOST_CANDIDATES = 200
PASTED = "pasted"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,40}")


@dataclass(frozen=True, slots=True)
class Looked:
    """What the form shows.

    Attributes:
        token: Names the upload that waits, or "".
        source: What people call the file.
        field: What it was taken for and who can answer, as JSON; ``None`` before a look.
        fields: What was filled in.
        problem: Why it was not recognised, in a sentence.
    """

    token: str = ""
    source: str = ""
    field: dict[str, Any] | None = None
    fields: dict[str, str] | None = None
    problem: str | None = None


def find_order(metier: Facade, upload: Upload) -> Order:
    """The order that tries candidates on the file ``eval``; raises InputError on a wrong field.

    Fields: ``candidates`` (names parted by line ends; all that can answer where it is missing),
    ``budget`` (``200`` questions or ``2m``), ``seed``, ``against``.
    """
    source = upload.file("eval")
    candidates = _names(upload.text("candidates") or "")
    questions, seconds = _effort(upload)
    seed = upload.number("seed", otherwise=0)
    against = upload.text("against")

    def work(report: Report, cancelled: Callable[[], bool]) -> Any:
        found = metier.trying.find_by_eval(
            source,
            candidates=candidates,
            questions=questions,
            seconds=seconds,
            seed=seed,
            against=against,
            name=source.name,
            report=report,
            cancelled=cancelled,
        )
        return found.to_dict()

    words = ["metier", "find", "--eval", source.name]
    for name in candidates:
        words += ["--candidate", name]
    words += ["--budget", upload.needed("budget")] if upload.text("budget") else []
    words += ["--seed", str(seed)] if seed else []
    words += ["--against", against] if against else []
    return replace(
        Order(KIND, source.name, shlex.join(words), work),
        folder=upload.folder,
        fields=dict(upload.fields),
        files={"eval": source.name},
    )


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An upload between the two steps, and who can answer it."""

    upload: Upload
    names: frozenset[str]


class Trying:
    """Those pages of one server."""

    def __init__(
        self,
        metier: Facade,
        pages: Pages,
        jobs: Jobs,
        options: Callable[[Request], PageOptions],
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._jobs = jobs
        self._options = options
        self._kept: OrderedDict[str, _Waiting] = OrderedDict()

    def routes(self) -> list[Route]:
        """The form, and what it sends."""
        return [
            Route("/find/eval", self.form),
            Route("/find/eval.json", self.form),
            Route("/find/eval", self.sent, methods=["POST"]),
        ]

    def job(self, request: Request, job: dict[str, Any]) -> Response:
        """``/jobs/{id}``: the rounds so far, and the winner once there is one."""
        return HTMLResponse(self._pages.tried(job, self._options(request)))

    def form(self, request: Request) -> Response:
        """``/find/eval``: the form; as JSON the searches so far."""
        jobs = [job for job in self._jobs.all() if job["kind"] == KIND]
        if request.url.path.endswith(".json") or accepts_json(request):
            return json_response({"jobs": jobs})
        return HTMLResponse(self._pages.try_eval(Looked(), jobs, self._options(request)))

    async def sent(self, request: Request) -> Response:
        """``POST /find/eval``: with ``act=look`` what was recognised, else the job that starts."""
        upload, token = await self._upload(request)
        if upload.text("act") == "look":
            return await run_in_threadpool(self._look, request, upload, token)
        try:
            order = await run_in_threadpool(find_order, self._metier, upload)
            snapshot = self._jobs.submit(order)
        except MetierError as error:
            if accepts_json(request):
                self._drop(upload)
                raise
            return await run_in_threadpool(self._look, request, upload, token, error)
        if accepts_json(request):
            return json_response(snapshot, 202)
        return RedirectResponse(snapshot["page"], status_code=303)

    async def _upload(self, request: Request) -> tuple[Upload, str]:
        """What was sent: a file, pasted rows, or the token of what waits."""
        upload = await uploads.receive(request, files=("eval",), place=self._jobs.uploads)
        upload = replace(upload, fields=_joined(upload.fields))
        token = upload.text("token") or ""
        waiting = self._kept.pop(token, None) if _TOKEN.fullmatch(token) else None
        if "eval" in upload.files:
            if waiting is not None:
                self._drop(waiting.upload)
            return upload, ""
        if upload.text("rows"):
            path = upload.folder / f"{PASTED}{_ending(upload.fields['rows'])}"
            await run_in_threadpool(path.write_text, upload.fields["rows"], "utf-8")
            fields = {name: value for name, value in upload.fields.items() if name != "rows"}
            return Upload(upload.folder, fields, {"eval": path}), ""
        self._drop(upload)
        if waiting is None:
            raise InputError(
                "There are no examples." if not token else "These examples are no longer kept.",
                code="no_file",
                remedy="Choose a file, or paste some rows.",
                details={"param": "eval"},
            )
        fields = dict(upload.fields)
        if frozenset(_names(fields.get("candidates", ""))) == waiting.names:
            del fields["candidates"]
        return Upload(waiting.upload.folder, fields, waiting.upload.files), token

    def _look(
        self, request: Request, upload: Upload, token: str, error: MetierError | None = None
    ) -> Response:
        """Recognise the examples, and say who can answer them."""
        source = upload.file("eval")
        try:
            field = field_json(self._metier.trying.field(source))
        except MetierError as wrong:
            self._drop(upload)
            if accepts_json(request):
                raise
            looked = Looked(problem=_sentence(wrong), fields=dict(upload.fields))
            return HTMLResponse(
                self._pages.try_eval(looked, [], self._options(request)), status_code=422
            )
        names = frozenset(str(one["name"]) for one in field["candidates"])
        token = self._keep(_Waiting(upload, names), token)
        if accepts_json(request):
            return json_response({"token": token, "source": source.name, **field})
        looked = Looked(
            token=token,
            source=source.name,
            field=field,
            fields=dict(upload.fields),
            problem=None if error is None else _sentence(error),
        )
        page = self._pages.try_eval(looked, [], self._options(request))
        return HTMLResponse(page, status_code=422 if error is not None else 200)

    def _keep(self, waiting: _Waiting, token: str) -> str:
        """File an upload for the second step; the oldest goes."""
        token = token or secrets.token_urlsafe(18)
        self._kept[token] = waiting
        while len(self._kept) > MOST_KEPT:
            _, old = self._kept.popitem(last=False)
            self._drop(old.upload)
        return token

    def _drop(self, upload: Upload) -> None:
        shutil.rmtree(upload.folder, ignore_errors=True)


def field_json(field: Any) -> dict[str, Any]:
    """A ``Field`` as JSON: what was recognised, who can answer, who cannot, who could be tried."""
    return {
        "recognised": field.sheet.to_dict(),
        "candidates": [one.to_dict() for one in field.candidates],
        "left_out": [asdict(one) for one in field.left_out],
        "others": [asdict(one) for one in field.others],
    }


def _joined(fields: Any) -> dict[str, str]:
    """The fields, with the ticked boxes ``candidate:NAME`` as the lines of one field."""
    ticked = [name.removeprefix("candidate:") for name in fields if name.startswith("candidate:")]
    kept = {name: value for name, value in fields.items() if not name.startswith("candidate:")}
    if ticked and not kept.get("candidates"):
        kept["candidates"] = "\n".join(ticked)
    return kept


def _names(text: str) -> Sequence[str]:
    names = [name.strip() for name in text.splitlines() if name.strip()]
    if len(names) > MOST_CANDIDATES or any(len(name) > 400 for name in names):
        raise InputError(
            f"{len(names):,} candidates are too many.",
            code="bad_request",
            remedy=f"Name {MOST_CANDIDATES} or fewer.",
            details={"param": "candidates"},
        )
    return names


def _effort(upload: Upload) -> tuple[int | None, float | None]:
    """The budget: questions or seconds."""
    value = upload.text("budget")
    if value is None:
        return None, None
    if re.fullmatch(r"[0-9]{1,9}", value) and int(value) > 0:
        return int(value), None
    try:
        return None, upload.seconds("budget")
    except InputError as error:
        raise InputError(
            f"'budget' is {value[:40]!r}.",
            code=error.code,
            remedy="Give questions like 200, or a duration like 90s, 2m or 1h.",
            details={"param": "budget"},
        ) from error


def _ending(rows: str) -> str:
    return ".jsonl" if rows.lstrip().startswith(("{", "[")) else ".csv"


def _sentence(error: MetierError) -> str:
    return " ".join(filter(None, (error.message, error.remedy)))
