"""What an address asks of the catalogue, and what was found as JSON: translation only.

One set of fields for the page, for ``/find.json`` and for ``GET /metier/v1/find``. It knows their
names, limits and descriptions; it asks nobody and ranks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

from metier.card import Verdict
from metier.errors import InputError
from metier.finding import Found, Hit, Order, Query

MOST_WORDS = 400
MOST_FILTER = 200
MOST_HITS = 100
MOST_OFFSET = 10_000
_MOST_BYTES = 10**15
_MOST_CONTEXT = 10**9
_ORDERS: tuple[Order, ...] = get_args(Order)
_TRUE = frozenset({"1", "on", "yes", "true"})
_FALSE = frozenset({"", "0", "off", "no", "false"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_query(asked: Mapping[str, str]) -> Query:
    """The query that an address holds; raises InputError (``bad_request``) naming the field."""
    return Query(
        words=_text(asked, "q", MOST_WORDS),
        task=_text(asked, "task"),
        domain=_text(asked, "domain"),
        licence=_text(asked, "licence"),
        base=_text(asked, "base"),
        most_bytes=_number(asked, "most_bytes", _MOST_BYTES),
        least_context=_number(asked, "least_context", _MOST_CONTEXT),
        fits=_flag(asked, "fits"),
        proved=_flag(asked, "proved"),
        verdict=_verdict(asked),
        since=_day(asked, "since"),
        here=_flag(asked, "here"),
        origin=_text(asked, "origin"),
        order=_order(asked),
        limit=_number(asked, "limit", MOST_HITS, least=1) or Query().limit,
        offset=_number(asked, "offset", MOST_OFFSET) or 0,
        meaning=_flag(asked, "meaning", default=True),
    )


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
    proof = None
    if hit.proof is not None:
        proof = {
            "evidence": hit.proof.evidence.model_dump(mode="json"),
            "measured": hit.proof.measured,
            "until": hit.proof.until,
        }
    return {
        "entry": hit.entry.to_dict(),
        "origin": hit.origin,
        "installed": hit.installed,
        "group": hit.group,
        "proof": proof,
        "verdicts": dict(hit.verdicts),
        "verdict_sources": dict(hit.verdict_sources),
        "fit": hit.fit.to_dict() if hit.fit is not None else None,
        "reasons": [asdict(reason) for reason in hit.reasons],
    }


def parameters() -> list[dict[str, Any]]:
    """The fields as an OpenAPI document describes them."""
    text = {"type": "string", "maxLength": MOST_FILTER}
    flag = {"type": "boolean", "default": False}
    described: list[tuple[str, dict[str, Any], str]] = [
        ("q", {"type": "string", "maxLength": MOST_WORDS}, "Words; without them, everything."),
        ("task", text, "`classify`, `chat`, `embed` and so on, as the facets name them."),
        ("domain", text, "`svelte`, `sql`, `general` and so on, as the facets name them."),
        ("licence", text, "SPDX name."),
        ("base", text, "What it was made from."),
        ("most_bytes", _range(0, _MOST_BYTES), "No larger than this."),
        ("least_context", _range(0, _MOST_CONTEXT), "At least this many tokens."),
        ("fits", flag, "Only what is known to run here."),
        ("proved", flag, "Only what holds a proof."),
        ("verdict", {"type": "string", "enum": [*Verdict]}, "Only with this verdict."),
        ("since", {"type": "string", "format": "date"}, "Made or released on that day or later."),
        ("here", flag, "Only what is installed."),
        ("origin", text, "`here`, `curated` or the name of a catalogue."),
        ("order", {"type": "string", "enum": list(_ORDERS), "default": "best"}, "Their order."),
        ("limit", {**_range(1, MOST_HITS), "default": Query().limit}, "Hits to give."),
        ("offset", {**_range(0, MOST_OFFSET), "default": 0}, "Hits to leave out first."),
        ("meaning", {**flag, "default": True}, "Search by meaning as well as by words."),
    ]
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": said}
        for name, schema, said in described
    ]


def _range(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _wrong(field: str, given: str, remedy: str) -> InputError:
    shown = given if len(given) <= 80 else f"{given[:79]}…"
    return InputError(
        f"The field {field!r} cannot be {shown!r}.",
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
    digits = value.isascii() and value.isdigit() and len(value) <= len(str(most))
    if not digits or not least <= int(value) <= most:
        raise _wrong(field, value, f"Give a whole number from {least:,} to {most:,}.")
    return int(value)


def _order(asked: Mapping[str, str]) -> Order:
    given = asked.get("order", "").strip() or "best"
    for order in _ORDERS:
        if given == order:
            return order
    raise _wrong("order", given, f"Give one of {', '.join(_ORDERS)}.")


def _verdict(asked: Mapping[str, str]) -> str:
    given = asked.get("verdict", "").strip()
    if given and given not in [*Verdict]:
        raise _wrong("verdict", given, f"Give one of {', '.join(Verdict)}.")
    return given


def _day(asked: Mapping[str, str], field: str) -> str:
    given = asked.get(field, "").strip()
    if given:
        try:
            if not _DAY.fullmatch(given):
                raise ValueError(given)
            date.fromisoformat(given)
        except ValueError as error:
            raise _wrong(field, given, "Give a day like 2026-11-23.") from error
    return given
