"""What pages show of the watch: state, reason, tracks, notices, and the form that takes feedback.

It lays out what the watch wrote down; it judges nothing and asks nobody.
"""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from metier.card import Card
from metier.site import words

_SHOWN = 20.0
_ROUTED = ("PROMOTED", "WATCH")
_MOST_LOOKS = 12


class StateWords(NamedTuple):
    """A state for people: its sign, its word, the style that colours it, and what it means."""

    sign: str
    word: str
    style: str
    means: str


STATES = {
    "PROMOTED": StateWords("▲", "PROMOTED", "win", "It may hold a route."),
    "WATCH": StateWords(
        "◌", "WATCH", "underpowered", "What speaks for it is not clear, or not clear any more."
    ),
    "DEMOTED": StateWords("▼", "DEMOTED", "loss", "Kept here, no longer routed to."),
    "HOP": StateWords(
        "▼", "HOP", "loss", "Kept here, no longer routed to; another base is here to make it on."
    ),
}


def section(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The section of a specialist's page; ``None`` for what is not watched."""
    if document is None or not document["watched"]:
        return None
    standing = document["standing"]
    name = str(document["name"])
    return {
        "name": name,
        "state": state(standing),
        "claim": claim(standing),
        "why": words.clip(standing["why"], 400) if standing else "",
        "since": words.date(standing["since"]) if standing else "",
        "looked": words.moment(document["looked"]) if document["looked"] else "",
        "tracks": [_track(track) for track in standing["tracks"]] if standing else [],
        "looks": _looks(document["history"]),
        "thumbs": thumbs(document["thumbs"]),
        "fresh": int(document["fresh_items"]),
        "labelled": int(document["labelled"]),
        "command": str(document["command"]),
        "adding": f"metier watch {shlex.quote(name)} --fresh FILE",
        "hopping": f"metier hop {shlex.quote(name)} --every-new-base",
        "takes_items": document["task"] == "classify",
        "lost": bool(standing) and standing["state"] not in _ROUTED,
    }


def state(standing: Mapping[str, Any] | None) -> StateWords | None:
    """The state in words, ``None`` if nobody looked."""
    return STATES.get(str(standing["state"])) if standing else None


def claim(standing: Mapping[str, Any] | None) -> str:
    """The one line under a specialist's headline: only where the route is lost or in doubt."""
    if not standing:
        return ""
    said = words.clip(standing["why"], 400)
    if standing["state"] not in _ROUTED:
        return f"Since {words.date(standing['since'])} kept here, no longer routed to: {said}"
    return f"Suspect: {said}" if standing["suspect"] else ""


def notices(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What people should know, the latest first."""
    return [
        {
            "name": words.clip(one["name"], 120),
            "page": f"/specialists/{one['name']}",
            "kind": _KINDS.get(str(one["kind"]), str(one["kind"])),
            "style": "lost" if one["kind"] in ("demoted", "hop") else "",
            "said": words.clip(one["said"], 400),
            "date": words.date(one["date"]),
            "command": words.clip(one["command"], 200),
        }
        for one in found[:_MOST_LOOKS]
    ]


_KINDS = {
    "demoted": "lost its route",
    "restored": "has its route again",
    "suspect": "suspect",
    "undecided": "not decided",
    "hop": "time to hop",
    "hopped": "hopped",
    "rolled-back": "rolled back",
}


def thumbs(told: Mapping[str, Any]) -> str:
    """The thumbs in a sentence; "" without one."""
    up, down = int(told["up"]), int(told["down"])
    if up + down == 0:
        return ""
    return (
        f"{words.count(up)} of {words.plural(up + down, 'answer')} were called right: "
        f"{words.percent(told['share'])} ({words.percent(told['low'])} to "
        f"{words.percent(told['high'])}). Thumbs never move the state: nobody else answered."
    )


def offered(card: Card) -> list[str]:
    """Labels that a person may choose, as a page can show them without changing them."""
    every = (*card.labels, *filter(None, [card.out_of_scope_label]))
    return [label for label in every if words.clip(label, 200) == label]


def answer_key(text: str) -> str:
    """An id for an answer that has none: the same answer counts once."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _track(track: Mapping[str, Any]) -> dict[str, str]:
    known = int(track["pairs"]) > 0
    return {
        "role": str(track["rival"]),
        "rival": words.clip(track["rival_name"], 80),
        "which": "fresh" if track["fresh"] else "all",
        "pairs": words.count(int(track["pairs"])),
        "split": f"{words.count(int(track['wins']))} to {words.count(int(track['losses']))}",
        "difference": words.points(track["difference"], signed=True) if known else "",
        "interval": f"{words.points(track['low'], signed=True)} to "
        f"{words.points(track['high'], signed=True)}"
        if known
        else "",
        "says": _says(track),
    }


def _says(track: Mapping[str, Any]) -> str:
    """What its e-values say; where they say nothing yet, how many pairs it takes."""
    if track["for_it"] >= _SHOWN:
        return f"better, {odds(track['for_it'])}"
    if track["against_it"] >= _SHOWN:
        return f"worse, {odds(track['against_it'])}"
    if track["not_worse"] >= _SHOWN:
        return f"not worse, {odds(track['not_worse'])}"
    if track["needed"] is None:
        return "open"
    more = max(1, int(track["needed"]) - int(track["pairs"]))
    return f"open: about {words.count(more)} more"


def odds(value: float) -> str:
    """An e-value for people: how many to one the evidence stands."""
    if value >= 1e6:
        return f"10^{math.floor(math.log10(value))} to 1"
    return f"{words.count(round(value))} to 1"


def _looks(history: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """When its state changed, the latest first."""
    found: list[dict[str, str]] = []
    before = ""
    for look in history:
        told = f"{look['state']}{', suspect' if look['suspect'] else ''}"
        if told != before:
            found.append({"date": words.date(look["date"]), "state": told})
        before = told
    return found[::-1][:_MOST_LOOKS]
