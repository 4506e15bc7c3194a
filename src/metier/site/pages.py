"""The website's pages: values in, HTML out.

It knows templates and which values each needs. It asks nothing of anybody, reads only its own
templates and assets, and escapes everything (autoescape; see ``words.clip`` for what is cut).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from metier.card import Card, ChatCard, SearchCard
from metier.finding import Fit, Found, Hit
from metier.generating import ModelSheet, RunningModel
from metier.site import (
    browsing,
    charts,
    coding,
    comparing,
    entries,
    finding,
    keeping,
    making,
    routing,
    sheets,
    trials,
    trying,
    watching,
    words,
)
from metier.site.outline import outline
from metier.site.values import HubSaid, Item, Lacking, Offered, Options, Runs, Said, Spoken, Trouble

_HERE = Path(__file__).parent
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_STATUS_WORDS = {
    400: "That could not be read",
    403: "Not allowed",
    404: "Not here",
    405: "Not possible here",
    413: "Too large",
    422: "That is not right yet",
    429: "Too much at once",
    503: "Not available",
    507: "The disk is full",
}


def _isolated(text: object, length: int = 200) -> Markup:
    """``text``, cut and inert, in an element that keeps its direction to itself."""
    return Markup("<bdi>{}</bdi>").format(words.clip(text, length))


def _code(text: object, length: int = 2000) -> Markup:
    return Markup("<code>{}</code>").format(words.clip(text, length))


class Site:
    """The website of one process; satisfies ``metier.server.Pages``."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"b": _isolated, "code": _code, "svg": Markup}
        self._templates.globals |= {
            "words": words,
            "coding": coding,
            "watching": watching,
            "probability_bar": charts.probability_bar,
        }

    @cached_property
    def _assets(self) -> Mapping[str, tuple[bytes, str]]:
        return {
            path.name: (path.read_bytes(), _MEDIA_TYPES[path.suffix])
            for path in sorted((_HERE / "static").iterdir())
            if path.suffix in _MEDIA_TYPES
        }

    def asset(self, name: str) -> tuple[bytes, str] | None:
        """A style sheet, script or picture and its media type, or ``None``."""
        return self._assets.get(name)

    @cached_property
    def _version(self) -> str:
        digest = hashlib.sha256()
        for name, (body, _) in self._assets.items():
            digest.update(name.encode() + b"\0" + body)
        return digest.hexdigest()[:12]

    def _page(self, template: str, options: Options, **values: Any) -> str:
        return self._templates.get_template(template).render(
            here=options.here, version=self._version, **values
        )

    def fleet(self, fleet: Mapping[str, Any], options: Options) -> str:
        """What is here, what it takes of memory and disk, and what is coming."""
        shown = keeping.fleet_values(fleet, options.query.strip(), options.fields)
        return self._page("fleet.html", options, shown=shown, json_address="/fleet.json")

    def removal(self, removal: Mapping[str, Any], options: Options) -> str:
        """What would be missed, before something is removed."""
        shown = keeping.removal_values(removal)
        return self._page("removal.html", options, removal=removal, shown=shown, json_address=None)

    def find(self, found: Found, options: Options, hub: HubSaid | None = None) -> str:
        """The first page: what was looked for, what was found, and what the hub said if asked."""
        return self._page("find.html", options, **finding.page_values(found, hub))

    def run(self, running: Runs, options: Options) -> str:
        """The page that runs a specialist itself."""
        values = browsing.page_values(running)
        return self._page("running.html", options, **values)

    def running_module(self, name: str) -> bytes | None:
        """A script of that page, or ``None``."""
        return browsing.modules().get(name)

    def running_version(self) -> str:
        """What changes with any of those scripts."""
        return browsing.version()

    def specialist(
        self, item: Item, around: sheets.Around, tried: trials.Trials | None, options: Options
    ) -> str:
        """The page of a classifier, or of an entry without a card."""
        if not isinstance(item.card, Card):
            return self._page("base.html", options, **sheets.bare(item, around))
        values = sheets.specialist(item, item.card, around, tried, options)
        return self._page("specialist.html", options, **values)

    def chat(
        self,
        item: Item,
        around: sheets.Around,
        choices: tuple[Sequence[Lacking], Sequence[Offered]],
        told: Said,
        options: Options,
    ) -> str:
        """The page of a chat specialist; ``choices`` is what is missing and which bases there are.

        Raises:
            TypeError: It is no chat specialist.
        """
        values = sheets.chat(item, _card(item, ChatCard), around, choices, told, options)
        return self._page("chat.html", options, **values)

    def pack(self, item: Item, around: sheets.Around, told: Said, options: Options) -> str:
        """The page of a document pack.

        Raises:
            TypeError: It is no pack.
        """
        values = sheets.pack(item, _card(item, SearchCard), around, told, options)
        return self._page("pack.html", options, **values)

    def entry(self, hit: Hit, fit: Fit | None, options: Options) -> str:
        """The page of a catalogue's entry, installed or not."""
        return self._page("entry.html", options, **entries.values(hit, fit))

    def model(
        self,
        sheet: ModelSheet,
        around: sheets.Around,
        running: RunningModel | None,
        spoken: Spoken | None,
        options: Options,
    ) -> str:
        """The page of a model that writes, embeds or ranks; ``running`` if it is in memory."""
        values = sheets.model(sheet, around, running, spoken, options)
        return self._page("model.html", options, **values)

    def make(self, jobs: Sequence[Mapping[str, Any]], options: Options) -> str:
        """The form that takes rows, and the jobs so far."""
        return self._page(
            "make.html",
            options,
            jobs=making.job_rows([job for job in jobs if job["kind"] != "pull"]),
            fields=options.fields,
            json_address="/make.json",
        )

    def look(self, look: Mapping[str, Any], options: Options) -> str:
        """What was recognised in an upload, and the form that starts a make of it."""
        address = f"/make/look/{look['token']}.json"
        return self._page(
            "look.html", options, look=look, shown=making.looked(look), json_address=address
        )

    def job(self, job: Mapping[str, Any], options: Options) -> str:
        """One job: the ladder while it is climbed, a download while it comes."""
        result = job["result"]
        return self._page(
            "job.html",
            options,
            job=job,
            shown=making.job_values(job),
            result=json.dumps(result, indent=2, ensure_ascii=False, default=str)
            if result is not None
            else "",
            json_address=f"{job['page']}.json",
        )

    def try_eval(
        self, looked: trying.Looked, jobs: Sequence[Mapping[str, Any]], options: Options
    ) -> str:
        """The form of a search by eval."""
        return self._page("try_eval.html", options, **trying.form(looked, jobs))

    def tried(self, job: Mapping[str, Any], options: Options) -> str:
        """A search by eval: its rounds while they go, then the winner with its evidence."""
        return self._page("tried.html", options, **trying.job(job))

    def compare(self, document: Mapping[str, Any], options: Options) -> str:
        """Two or more on one eval, and the form that chooses them."""
        return self._page("compare.html", options, **comparing.page_values(document))

    def asked(self, document: Mapping[str, Any], options: Options) -> str:
        """Answers side by side."""
        return self._page("asked.html", options, **comparing.asked_values(document))

    def reference(self, document: Mapping[str, Any], options: Options) -> str:
        """The HTTP interface, from its OpenAPI document."""
        return self._page(
            "reference.html",
            options,
            groups=outline(document, options.here),
            text=document["info"].get("description", ""),
            json_address="/openapi.json",
        )

    def route(self, document: Mapping[str, Any], options: Options) -> str:
        """Who would answer a text, and the latest decisions."""
        return self._page("route.html", options, **routing.page_values(document))

    def failure(self, failure: Trouble, options: Options) -> str:
        """An error page: what, where, how to mend it."""
        title = _STATUS_WORDS.get(failure.status, "Something went wrong here")
        return self._page("failure.html", options, failure=failure, title=title, json_address=None)

    def sign_in(self, wrong: bool, next_path: str, options: Options) -> str:
        """Where a person gives the key."""
        return self._page(
            "sign_in.html", options, wrong=wrong, next_path=next_path, json_address=None
        )


_Kind = TypeVar("_Kind", ChatCard, SearchCard)


def _card(item: Item, kind: type[_Kind]) -> _Kind:
    if not isinstance(item.card, kind):
        raise TypeError(f"{item.reference.familiar} has no {kind.__name__}")
    return item.card
