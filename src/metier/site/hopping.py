"""What a specialist's page shows of its hops: the form, what stands beside it, the history.

It lays out what the ledger wrote down; it judges nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from metier.site import words
from metier.site.values import Offered

MOST_SHOWN = 30
VIEWS = ("", "@static", "@encoder")


class ActWords(NamedTuple):
    """An act for people: its sign, its word, the style that colours it."""

    sign: str
    word: str
    style: str


ACTS = {
    "hop": ActWords("▲", "promoted", "win"),
    "kept": ActWords("◌", "not promoted", "underpowered"),
    "rollback": ActWords("↺", "rolled back", "tie"),
    "by-hand": ActWords("▷", "promoted by hand", "not-worse"),
}
_LOST = ActWords("▼", "not promoted", "loss")


def section(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The section of a specialist's page; ``None`` where there is nothing to hop."""
    if document is None:
        return None
    way = _way(document)
    if not (way or document["history"] or document["side"]):
        return None
    champion = str(document["champion"])
    offers = list(document["bases"])
    quoted = shlex.quote(champion)
    previous = document["previous"]
    return {
        "champion": champion,
        "page": f"/specialists/{champion}",
        "side": str(document["side"]),
        "base": words.clip(document["base"], 120),
        "way": way,
        "versions": [
            {"key": str(one["key"]), "replaces": words.clip(one["replaces"], 80)}
            for one in document["versions"]
            if not one["held"]
        ],
        "held": [words.clip(one["key"], 80) for one in document["versions"] if one["held"]],
        "evals": [str(one) for one in document["evals"]],
        "notes": {str(one["key"]): words.clip(one["note"], 80) for one in offers if one["here"]},
        "here": [str(one["key"]) for one in offers if one["here"]],
        "elsewhere": [
            {
                "key": words.clip(one["key"], 120),
                "note": words.clip(one["note"], 160),
                "command": words.clip(one["command"], 240),
            }
            for one in offers
            if not one["here"]
        ],
        "previous": _aside(previous, champion) if previous else None,
        "aside": [_aside(one, champion) for one in document["aside"]],
        "history": [_act(one) for one in document["history"][:MOST_SHOWN]],
        "command": f"metier hop {quoted} {_options(document, way)}",
        "rollback": f"metier rollback {quoted}",
    }


def base_box(
    document: Mapping[str, Any] | None, bases: Sequence[Offered], chosen: str
) -> dict[str, str]:
    """The box of a chat specialist's bases: what is selected, and what an empty choice means.

    Without a choice its own base answers, so where it has one that is here, it is selected and
    "none" is no choice.

    Args:
        document: What hops did to it; ``base`` is its own.
        bases: Those that may be given.
        chosen: What the person chose before, or "".
    """
    own = str(document["base"]) if document is not None else ""
    same = (one.ref for one in bases if one.here and _plain(one.ref) == _plain(own))
    here = next(same, "") if own else ""
    none = "none: documents, checks and repairs"
    if own:
        none = "" if here else f"its own, which is not here: {words.clip(own, 80)}"
    return {"own": here, "base_chosen": chosen or here, "base_none": none}


def _plain(ref: str) -> str:
    return ref.removeprefix("local:")


def _way(document: Mapping[str, Any]) -> str:
    """To what it could hop from here: ``base``, ``chat`` (a base and an eval), ``docs``, or ""."""
    if document["side"]:
        return ""
    if document["task"] == "classify":
        return "base" if document["base"] else ""
    if document["task"] == "chat":
        return "chat" if document["evals"] else ""
    return "docs" if document["versions"] else ""


def _options(document: Mapping[str, Any], way: str) -> str:
    """What the form's first choices are on a command line."""
    if way == "docs":
        other = (str(one["key"]) for one in document["versions"] if not one["held"])
        return f"--docs {shlex.quote(next(other, './FOLDER'))}"
    said = f"--base {_example(document['bases'])}"
    return f"{said} --on {shlex.quote(str(document['evals'][0]))}" if way == "chat" else said


def _example(offers: Sequence[Mapping[str, Any]]) -> str:
    here = next((str(one["key"]) for one in offers if one["here"]), "")
    return shlex.quote(here) if here else "REF"


def _aside(one: Mapping[str, Any], champion: str) -> dict[str, str]:
    score = one["accuracy"]
    on = f" on {one['base']}" if one["base"] else ""
    facts = f"{one['rung']}{on}" if one["rung"] else ""
    return {
        "name": words.clip(one["name"], 120),
        "side": str(one["side"]),
        "page": f"/specialists/{one['name']}",
        "facts": words.clip(facts, 160),
        "score": words.percent(score) if score is not None else "",
        "since": words.date(str(one["since"])),
        "command": f"metier rollback {shlex.quote(champion)} --to {one['side']}",
    }


def _act(one: Mapping[str, Any]) -> dict[str, Any]:
    told = ACTS[str(one["act"])]
    if one["act"] == "kept" and one["ground"] in ("loss", "fresh"):
        told = _LOST
    return {
        "act": told,
        "date": words.date(str(one["date"])),
        "why": words.clip(one["why"], 500),
        "name": words.clip(one["name"], 120),
        "suspect": bool(one["suspect"]),
    }
