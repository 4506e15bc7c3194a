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

from metier.card import AnyCard, Card, ChatCard, Rung, SearchCard
from metier.coding import SourceFile
from metier.finding import Found
from metier.generating import ModelSheet, RunningModel
from metier.messages import Prediction
from metier.site import browsing, charts, coding, evidence, finding, local, words
from metier.site.calls import calls, chat_calls, embed_calls, model_calls, search_calls
from metier.site.outline import outline
from metier.site.values import (
    File,
    Item,
    Lacking,
    Offered,
    Options,
    Runs,
    Said,
    Spoken,
    Trouble,
)

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

    def fleet(self, installed: Sequence[Item], options: Options) -> str:
        """The fleet with its evidence, and a box to try each."""
        carded = [(item, item.card) for item in installed if isinstance(item.card, Card)]
        others = [item for item in installed if isinstance(item.card, ChatCard | SearchCard)]
        query = options.query.strip()
        shown = [pair for pair in carded if _matches(pair[0], pair[1], query)]
        domain = charts.difference_domain(
            difference for _, card in carded for difference in evidence.shown_differences(card)
        )
        rows = [
            {
                "name": item.reference.familiar,
                "key": evidence.key_of(item),
                "description": card.description,
                "facts": words.cost_line(card),
                "headline": words.headline(card),
                "evidence": evidence.evidence_rows(item, card, domain),
                "trial": _trial(item, options),
            }
            for item, card in shown
        ]
        return self._page(
            "fleet.html",
            options,
            rows=rows,
            desks=[
                coding.entry(item)
                for item in others
                if item.card is not None and _matches(item, item.card, query)
            ],
            total=len(carded) + len(others),
            query=query,
            axis=charts.evidence_axis(domain),
            bases=[(item, local.entry(item)) for item in installed if item.card is None],
            json_address="/fleet.json",
        )

    def find(self, found: Found, options: Options) -> str:
        """The first page: what was looked for, and what was found."""
        return self._page(
            "find.html", options, **finding.page_values(found), json_address="/find.json"
        )

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
        self, item: Item, parts: Sequence[File], recipe: str | None, options: Options
    ) -> str:
        """The evidence page of one specialist; the files of a base."""
        name = item.reference.familiar
        shared: dict[str, Any] = {
            "item": item,
            "name": name,
            "files": parts,
            "json_address": f"/specialists/{name}.json",
        }
        if not isinstance(item.card, Card):
            return self._page("base.html", options, **shared)
        return self._page(
            "specialist.html",
            options,
            **shared,
            card=item.card,
            recipe=recipe,
            calls=calls(name, options.here),
            trial=_trial(item, options),
            **_claims(item, item.card, evidence.roles(parts)),
        )

    def chat(
        self,
        item: Item,
        parts: Sequence[File],
        recipe: str | None,
        around: tuple[Sequence[Lacking], Sequence[Offered]],
        told: Said,
        options: Options,
    ) -> str:
        """The page of a chat specialist; ``around`` is what is missing and which bases there are.

        Raises:
            TypeError: It is no chat specialist.
        """
        card = _card(item, ChatCard)
        name = item.reference.familiar
        lacks, bases = around
        files = told.files or (SourceFile(coding.example(card.tools)[0], ""),)
        return self._page(
            "chat.html",
            options,
            item=item,
            name=name,
            card=card,
            facts=coding.facts(card),
            headline=coding.headline(bases),
            lacks=lacks,
            bases=bases,
            offered=[base for base in bases if base.here],
            told=told,
            form_files=files,
            example=coding.example(card.tools),
            reply=coding.answered(told.reply) if told.reply is not None else None,
            sheets=coding.sheets(told.files, told.checked, dict(told.explained))
            if told.checked is not None
            else [],
            wrong=told.checked is not None and not told.checked.ok,
            mended=coding.repair(told.files, told.mended),
            calls=chat_calls(name, options.here),
            recipe=recipe,
            files=parts,
            json_address=f"/specialists/{name}.json",
        )

    def pack(self, item: Item, told: Said, options: Options) -> str:
        """The page of a document pack.

        Raises:
            TypeError: It is no pack.
        """
        card = _card(item, SearchCard)
        name = item.reference.familiar
        return self._page(
            "pack.html",
            options,
            item=item,
            name=name,
            card=card,
            told=told,
            found=coding.passages(told.found) if told.found is not None else None,
            calls=search_calls(name, options.here),
            json_address=f"/specialists/{name}.json",
        )

    def model(
        self,
        sheet: ModelSheet,
        parts: Sequence[File],
        running: RunningModel | None,
        spoken: Spoken | None,
        options: Options,
    ) -> str:
        """The page of a model that writes, embeds or ranks; ``running`` if it is in memory."""
        name = sheet.listing.name
        talks = "completion" in sheet.listing.capabilities
        return self._page(
            "model.html",
            options,
            sheet=sheet,
            listing=sheet.listing,
            name=name,
            parent=sheet.listing.parent,
            able=local.abilities(sheet),
            facts=local.facts(sheet, running),
            talks=talks,
            spoken=spoken,
            files=parts,
            calls=model_calls(name, options.here) if talks else embed_calls(name, options.here),
            json_address=f"/specialists/{name}.json",
        )

    def make(self, jobs: Sequence[Mapping[str, Any]], options: Options) -> str:
        """The form that starts a make."""
        return self._page(
            "make.html", options, jobs=jobs, fields=options.fields, json_address="/make.json"
        )

    def job(self, job: Mapping[str, Any], options: Options) -> str:
        """One job: the ladder while it is climbed."""
        rungs = [_rung(rung) for rung in job["rungs"]]
        return self._page(
            "job.html",
            options,
            job=job,
            live=job["state"] in ("queued", "running"),
            result=json.dumps(job["result"], indent=2, ensure_ascii=False, default=str)
            if job["result"] is not None
            else "",
            ladder=evidence.ladder_rows(rungs),
            plot=charts.ladder_plot(rungs, key="ladder"),
            json_address=f"{job['page']}.json",
        )

    def reference(self, document: Mapping[str, Any], options: Options) -> str:
        """The HTTP interface, from its OpenAPI document."""
        return self._page(
            "reference.html",
            options,
            groups=outline(document, options.here),
            text=document["info"].get("description", ""),
            json_address="/openapi.json",
        )

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


def _matches(item: Item, card: AnyCard, query: str) -> bool:
    text = f"{item.reference.familiar} {card.description} {card.task} {card.domain}".casefold()
    return all(word in text for word in query.casefold().split())


def _trial(item: Item, options: Options) -> dict[str, Any] | None:
    trial = options.trial
    if trial is None or trial.name != item.reference.familiar:
        return None
    return {
        "text": trial.text[:100_000],
        "problem": trial.problem,
        "ms": words.milliseconds(trial.ms),
        "answer": answer_words(trial.prediction) if trial.prediction is not None else None,
    }


def answer_words(prediction: Prediction) -> dict[str, Any]:
    """An answer for people: the label or why there is none, and a bar per score."""
    if prediction.out_of_scope:
        said = "Out of scope: it looks unlike everything this specialist was made for."
    elif prediction.abstained:
        said = "It abstains: it is not sure enough."
    else:
        said = ""
    return {
        "label": prediction.label,
        "best": prediction.best,
        "said": said,
        "scores": [
            {
                "label": label,
                "percent": words.percent(probability),
                "bar": charts.probability_bar(probability),
            }
            for label, probability in prediction.scores[:5]
        ],
    }


def _rung(told: Mapping[str, Any]) -> Rung:
    """A rung as a job tells of it; one that is being tried has only its name."""
    known = {name: value for name, value in told.items() if name in Rung.model_fields}
    return Rung.model_validate({"title": told["name"], "state": "tried", **known})


def _claims(item: Item, card: Card, results: Sequence[str]) -> dict[str, Any]:
    domain = charts.difference_domain(evidence.shown_differences(card))
    scores = {row.role: row.score.value for row in card.rows if row.score is not None}
    curve = (
        charts.curve_plot(
            card.curve, base=scores.get("base"), general=scores.get("general"), key="curve"
        )
        if card.curve is not None
        else ""
    )
    return {
        "headline": words.headline(card),
        "facts": words.cost_line(card),
        "evidence": evidence.evidence_rows(item, card, domain, results),
        "axis": charts.evidence_axis(domain),
        "rows": evidence.score_rows(item, card, results),
        "ladder": evidence.ladder_rows(card.ladder),
        "plot": charts.ladder_plot(card.ladder, key="ladder"),
        "curve": curve,
        "curve_rows": evidence.curve_rows(card),
        "trust": evidence.trust_sentences(card),
        "leaks": evidence.leak_sentence(card),
        "shown_labels": card.labels[: evidence.SHOWN_LABELS],
    }
