"""The page *Find* and its JSON: what was asked in an address, and what was found, in our dialect.

It reads the fields of a query, asks the façade and hands the answer to ``Pages``; it ranks nothing
and draws nothing. The same fields are read for the page (``/``), for ``/find.json`` and for
``GET /metier/v1/find``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from metier.card import AnyCard, Card
from metier.errors import InputError
from metier.finding import Entry, Found, Hit, Order, Query
from metier.server.answering import json_response
from metier.server.facade import Facade, Installed, PageOptions, Pages

MOST_WORDS = 400
MOST_FILTER = 200
MOST_HITS = 100
MOST_OFFSET = 10_000
_ORDERS: tuple[Order, ...] = get_args(Order)
_TRUE = frozenset({"1", "on", "yes", "true"})
_FALSE = frozenset({"", "0", "off", "no", "false"})


def parse_query(asked: Mapping[str, str]) -> Query:
    """The query that an address holds; raises InputError (``bad_request``) naming the field."""
    return Query(
        words=_text(asked, "q", MOST_WORDS),
        task=_text(asked, "task"),
        domain=_text(asked, "domain"),
        licence=_text(asked, "licence"),
        base=_text(asked, "base"),
        most_bytes=_number(asked, "most_bytes", 10**15),
        least_context=_number(asked, "least_context", 10**9),
        fits=_flag(asked, "fits"),
        proved=_flag(asked, "proved"),
        verdict=_text(asked, "verdict"),
        since=_text(asked, "since"),
        here=_flag(asked, "here"),
        origin=_text(asked, "origin"),
        order=_order(asked),
        limit=_number(asked, "limit", MOST_HITS, least=1) or 20,
        offset=_number(asked, "offset", MOST_OFFSET) or 0,
        meaning=_flag(asked, "meaning", default=True),
    )


def _order(asked: Mapping[str, str]) -> Order:
    given = asked.get("order") or "best"
    for order in _ORDERS:
        if given == order:
            return order
    raise _wrong("order", given, f"Give one of {', '.join(_ORDERS)}.")


def _wrong(field: str, given: str, remedy: str) -> InputError:
    return InputError(
        f"'{field}' cannot be {given[:80]!r}.",
        code="bad_request",
        remedy=remedy,
        details={"param": field},
    )


def _text(asked: Mapping[str, str], field: str, most: int = MOST_FILTER) -> str:
    value = asked.get(field, "").strip()
    if len(value) > most:
        raise _wrong(field, value, f"Give at most {most} characters.")
    return value


def _flag(asked: Mapping[str, str], field: str, *, default: bool = False) -> bool:
    if field not in asked:
        return default
    value = asked[field].strip().lower()
    if value not in _TRUE | _FALSE:
        raise _wrong(field, value, "Give 1 or 0.")
    return value in _TRUE


def _number(asked: Mapping[str, str], field: str, most: int, *, least: int = 0) -> int | None:
    value = asked.get(field, "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or not least <= int(value[:20]) <= most:
        raise _wrong(field, value, f"Give a whole number from {least:,} to {most:,}.")
    return int(value)


def found_json(found: Found) -> dict[str, Any]:
    """What was found, as ``/find.json`` tells it."""
    return {
        "query": asdict(found.query),
        "total": found.total,
        "hits": [hit_json(hit) for hit in found.hits],
        "facets": {
            name: [asdict(facet) for facet in facets] for name, facets in found.facets.items()
        },
        "corrected": [{"from": old, "to": new} for old, new in found.corrected],
        "milliseconds": round(found.milliseconds, 3),
        "notes": list(found.notes),
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit, as ``/find.json`` tells it."""
    proof = hit.proof
    return {
        "entry": hit.entry.to_dict(),
        "origin": hit.origin,
        "installed": hit.installed,
        "group": hit.group,
        "proof": None
        if proof is None
        else {
            "evidence": proof.evidence.model_dump(mode="json"),
            "measured": proof.measured,
            "until": proof.until,
        },
        "verdicts": dict(hit.verdicts),
        "fit": None if hit.fit is None else asdict(hit.fit),
        "reasons": [asdict(reason) for reason in hit.reasons],
    }


class Finding:
    """The page and its JSON."""

    def __init__(
        self, metier: Facade, pages: Pages, options: Callable[[Request], PageOptions]
    ) -> None:
        self._metier = metier
        self._pages = pages
        self._options = options

    def routes(self) -> list[Route]:
        """The routes that are nobody else's; ``/`` itself is in ``pages``."""
        return [Route("/find.json", self.found), Route("/metier/v1/find", self.found)]

    def found(self, request: Request) -> Response:
        """``/find.json``: what was found."""
        return json_response(found_json(self._find(request)))

    def page(self, request: Request) -> Response:
        """``/``: the page."""
        return HTMLResponse(self._pages.find(self._find(request), self._options(request)))

    def _find(self, request: Request) -> Found:
        return among_installed(self._metier.list(), parse_query(request.query_params))


def among_installed(items: Sequence[Installed], query: Query) -> Found:
    """What of the fleet has every word of the query."""
    started = time.perf_counter()
    entries = [(item, _entry(item)) for item in items]
    words = query.words.casefold().split()
    hits = [
        Hit(entry, "here", installed=entry.name, verdicts=_verdicts(item.card))
        for item, entry in entries
        if all(
            word in f"{entry.name} {entry.task} {entry.description}".casefold() for word in words
        )
    ]
    took = (time.perf_counter() - started) * 1000
    shown = tuple(hits[query.offset : query.offset + query.limit])
    return Found(query, shown, len(hits), milliseconds=took)


def _entry(item: Installed) -> Entry:
    card = item.card
    name = item.reference.familiar
    if card is None:
        return Entry(name=name, kind="model", task="chat", size_bytes=item.size_bytes)
    return Entry(
        name=name,
        kind="specialist",
        task=card.task,
        description=card.description[:2000],
        size_bytes=item.size_bytes,
        evidence=tuple(card.evidence) if isinstance(card, Card) else (),
    )


def _verdicts(card: AnyCard | None) -> dict[str, str]:
    evidence = card.evidence if isinstance(card, Card) else ()
    return {item.against: item.difference.verdict.value for item in evidence}
