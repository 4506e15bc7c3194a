"""How a search is narrowed and widened: the filters as choices, and each as an address.

It knows the fields of an address and their words; what they mean to the ranking it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from shlex import quote as shell
from typing import Any
from urllib.parse import urlencode

from metier.card import Verdict
from metier.finding import Facet, Found, Query
from metier.site import words

MOST_CHOICES = 12
_PLAIN = Query()
_NAMES = {"words": "q"}
_SIZES = (100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000, 10_000_000_000)
_CONTEXTS = (2_048, 4_096, 8_192, 32_768, 131_072)
_ORDERS = {
    "best": "best first",
    "newest": "newest first",
    "smallest": "smallest first",
    "name": "by name",
}
_FLAGS = {"fits": "runs here", "proved": "has a proof", "here": "installed"}
_TITLES = {
    "task": "Task",
    "domain": "Domain",
    "licence": "Licence",
    "origin": "Known from",
    "verdict": "Verdict",
    "base": "Made from",
    "most_bytes": "Size",
    "least_context": "Context",
    "since": "Since",
}
_OPTIONS = {
    "task": "--task",
    "domain": "--domain",
    "licence": "--licence",
    "base": "--base",
    "most_bytes": "--max-size",
    "least_context": "--min-context",
    "fits": "--fits",
    "proved": "--proved",
    "verdict": "--verdict",
    "since": "--since",
    "here": "--here",
    "origin": "--origin",
    "order": "--order",
}
_ORIGINS = {"here": "installed here", "curated": "Metier's own list", "hub": "the hub"}


_RARE = ("least_context", "verdict", "origin", "base", "since")
"""Filters that are folded away until one of them is chosen."""


def address(query: Query, path: str = "/", **changes: Any) -> str:
    """The address of a query, with only what differs from an empty one.

    A change of anything but the offset starts at the first hit again.
    """
    if changes and "offset" not in changes:
        changes["offset"] = 0
    given = asked_fields(query, **changes)
    return f"{path}?{urlencode(given)}" if given else path


def asked_fields(query: Query, **changes: Any) -> dict[str, str]:
    """The fields of a query as a form sends them, with only what differs from an empty one."""
    asked = replace(query, **changes)
    given = {}
    for field in fields(asked):
        value = getattr(asked, field.name)
        if value != getattr(_PLAIN, field.name) and value is not None:
            given[_NAMES.get(field.name, field.name)] = (
                str(int(value)) if isinstance(value, bool) else str(value)
            )
    return given


def narrowing(found: Found) -> dict[str, Any]:
    """The filters of the page, what is chosen, and how to have less chosen."""
    query = found.query
    chosen = _chosen(query)
    return {
        "lists": [_list(found, name) for name in ("task", "domain")],
        "selects": [
            _facets(found, "licence"),
            _numbers("most_bytes", query.most_bytes, _SIZES, "up to {}", words.size),
        ],
        "rarely": [
            _numbers("least_context", query.least_context, _CONTEXTS, "{} or more", _tokens),
            _verdicts(query),
            _facets(found, "origin"),
        ],
        "flags": [
            {"name": name, "title": title, "on": getattr(query, name)}
            for name, title in _FLAGS.items()
        ],
        "orders": [(name, title, query.order == name) for name, title in _ORDERS.items()],
        "chosen": chosen,
        "rare": any(_is_set(query, name) for name in _RARE),
        "everything": address(Query()),
        "fewer": address(Query(words=query.words)) if chosen else "",
        "command": command(query),
    }


def command(query: Query) -> str:
    """The same search on a terminal."""
    parts = ["metier find"]
    if query.words:
        parts.append(shell(words.clip(query.words, 120)))
    for name, option in _OPTIONS.items():
        value = getattr(query, name)
        if value is True:
            parts.append(option)
        elif _is_set(query, name):
            said = _typed_size(value) if name == "most_bytes" else words.clip(value, 80)
            parts += [option, shell(said)]
    if not query.meaning:
        parts.append("--no-meaning")
    return " ".join(parts)


def _is_set(query: Query, name: str) -> bool:
    return bool(getattr(query, name) != getattr(_PLAIN, name))


def _typed_size(number: int) -> str:
    """Bytes as the command line reads them, exactly."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number and number % scale == 0:
            return f"{number // scale}{unit}"
    # The command line reads nine digits.
    return f"{number}B" if number < 10**9 else f"{number // 10**6}MB"


def _chosen(query: Query) -> list[dict[str, str]]:
    """Each filter that is set, and the address without it."""
    made = []
    for name in (*_TITLES, *_FLAGS):
        value = getattr(query, name)
        if not _is_set(query, name):
            continue
        said = _FLAGS.get(name) or f"{_TITLES[name]}: {_value(name, value)}"
        made.append({"said": said, "without": address(query, **{name: getattr(_PLAIN, name)})})
    return made


def _value(name: str, value: object) -> str:
    if name == "most_bytes" and isinstance(value, int):
        return f"up to {words.size(value)}"
    if name == "least_context" and isinstance(value, int):
        return f"{_tokens(value)} or more"
    if name == "since":
        return words.date(str(value))
    return origin_words(str(value)) if name == "origin" else words.clip(value, 60)


def origin_words(value: str) -> str:
    """Where an entry comes from, for people."""
    return _ORIGINS.get(value, words.clip(value, 60))


def _tokens(number: int) -> str:
    return f"{number:,} tokens"


def _choices(found: Found, name: str) -> list[tuple[str, str, int | None, bool]]:
    """Value, words, count and whether it is chosen; what is chosen is always among them."""
    chosen = str(getattr(found.query, name))
    facets: Sequence[Facet] = found.facets.get(name, ())
    # A value with signs that reorder or hide text, or an endless one, is no honest choice.
    shown = [one for one in facets[:MOST_CHOICES] if words.clip(one.value, 200) == one.value]
    made: list[tuple[str, str, int | None, bool]] = [
        (one.value, _value(name, one.value), one.count, _same(one.value, chosen)) for one in shown
    ]
    if chosen and not any(is_chosen for *_, is_chosen in made):
        made.append((chosen, _value(name, chosen), None, True))
    return made


def _same(one: str, other: str) -> bool:
    return bool(other) and one.casefold() == other.casefold()


def _list(found: Found, name: str) -> dict[str, Any]:
    return {"name": name, "title": _TITLES[name], "choices": _choices(found, name)}


def _facets(found: Found, name: str) -> dict[str, Any]:
    choices = [
        (value, said if count is None else f"{said} ({words.count(count)})", chosen)
        for value, said, count, chosen in _choices(found, name)
    ]
    return {"name": name, "title": _TITLES[name], "any": "any", "choices": choices}


def _numbers(
    name: str, chosen: int | None, steps: Sequence[int], said: str, words_of: Any
) -> dict[str, Any]:
    values = sorted({*steps, chosen} if chosen is not None else set(steps))
    return {
        "name": name,
        "title": _TITLES[name],
        "any": "any",
        "choices": [
            (str(value), said.format(words_of(value)), value == chosen) for value in values
        ],
    }


def _verdicts(query: Query) -> dict[str, Any]:
    return {
        "name": "verdict",
        "title": _TITLES["verdict"],
        "any": "any",
        "choices": [
            (
                str(verdict),
                f"{words.VERDICTS[verdict].sign} {words.VERDICTS[verdict].word}",
                query.verdict == verdict,
            )
            for verdict in Verdict
        ],
    }
