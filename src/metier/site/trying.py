"""The pages of a search by eval as values: what was recognised, the rounds, what may be claimed.

It lays out what a job tells as JSON; it asks nobody and writes no HTML but the charts it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from metier.card import Evidence, Verdict
from metier.site import charts, funnel, words
from metier.site.evidence import EvidenceRow

MOST_LABELS = 12
SHOWN = 60
"""Rows of a list that are shown; more are counted."""
_KINDS = {
    "classifier": "specialist that gives labels",
    "encoder": "encoder on label names",
    "writer": "model that writes, here",
    "service": "remote service, would get the questions",
    "local service": "service on this machine",
    "specialist": "chat specialist",
}
_MAKE = {"href": "/make", "said": "Make a specialist of them"}
_FIND = {"href": "/?task=chat&fits=1", "said": "Find a model that writes"}
_WHY = {
    "unscored": "too few answers could be scored",
    "cost": "level with the last that stayed, and heavier",
    "name": "level with the last that stayed; by name",
}


class Looked(Protocol):
    """What the form shows."""

    @property
    def token(self) -> str:
        """Names the upload that waits, or ""."""

    @property
    def source(self) -> str:
        """What people call the file."""

    @property
    def field(self) -> dict[str, Any] | None:
        """What was recognised and who can answer, as JSON."""

    @property
    def fields(self) -> dict[str, str] | None:
        """What was filled in."""

    @property
    def problem(self) -> str | None:
        """Why it was not recognised."""


def form(looked: Looked, jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the form's template prints."""
    fields = looked.fields or {}
    chosen = set(fields.get("candidates", "").splitlines())
    values: dict[str, Any] = {
        "token": looked.token,
        "source": looked.source,
        "problem": looked.problem,
        "fields": fields,
        "jobs": jobs,
        "sheet": None,
        "candidates": [],
        "left_out": [],
        "others": [],
        "usual": "",
        "json_address": "/find/eval.json",
    }
    if looked.field is None:
        return values
    field = looked.field
    candidates = field["candidates"]
    labels = field["recognised"]["kind"] == "labels"
    return values | {
        "instead": _MAKE if labels else _FIND,
        "sheet": _sheet(field["recognised"]),
        "candidates": [
            {
                "name": one["name"],
                "kind": _KINDS.get(one["kind"], one["kind"]),
                "size": words.size(one["bytes"]) if one["bytes"] is not None else "",
                "chosen": one["name"] in chosen if chosen else one["kind"] != "service",
            }
            for one in candidates
        ],
        "left_out": field["left_out"][:SHOWN],
        "others": field["others"],
        "command": f"metier find --eval {looked.source}",
    }


def job(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of a search prints, while it goes and once it is over."""
    result = snapshot["result"]
    rounds = result["rounds"] if result else _rounds_so_far(snapshot["rungs"])
    winner = result["winner"] if result else None
    values: dict[str, Any] = {
        "job": snapshot,
        "live": snapshot["state"] in ("queued", "running"),
        "rounds": [_round(one) for one in rounds],
        "drawing": funnel.drawing(rounds, winner, key="funnel"),
        "undrawn": max(0, len(funnel.lanes(rounds, winner)) - funnel.MOST_ROWS),
        "result": None,
        "json_address": f"{snapshot['page']}.json",
    }
    if result:
        values["result"] = _result(result)
    return values


def _rounds_so_far(rungs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rounds among the steps of a job, of which the last run counts."""
    found = [one for one in rungs if "standings" in one]
    return sorted(found, key=lambda one: int(one["number"]))


def _sheet(sheet: Mapping[str, Any]) -> dict[str, Any]:
    labels = sheet["labels"]
    if sheet["kind"] == "labels":
        what = f"{words.plural(sheet['rows'], 'text')} with {words.plural(len(labels), 'label')}"
        scored = "An answer is right if it is the label."
    else:
        what = f"{words.plural(sheet['rows'], 'question')} with answers"
        scored = (
            "An answer is right if its last number is the answer's, or if its words, or those of "
            "its last line, are the answer's. Case and punctuation do not count."
        )
    return {
        "what": what,
        "scored": scored,
        "columns": f"{sheet['question']} and {sheet['answer']}",
        "group": sheet["group"],
        "labels": labels[:MOST_LABELS],
        "more_labels": max(0, len(labels) - MOST_LABELS),
        "notes": sheet["notes"],
        "few": _few(sheet["rows"]),
    }


def _few(rows: int) -> str:
    """A sentence where the examples can show little, else ""."""
    if rows >= 100:
        return ""
    left = max(1, round(rows / 3))
    return (
        f"{words.plural(rows, 'example')}: about {left} of them will be left untouched to score "
        "the choice. They find a candidate that is much better, and seldom prove a small lead."
    )


def _round(one: Mapping[str, Any]) -> dict[str, Any]:
    standings = one["standings"]
    kept = sum(bool(item["kept"]) for item in standings)
    return {
        "number": one["number"],
        "total": words.plural(one["total"], "question"),
        "tried": len(standings),
        "kept": kept,
        "rows": [_standing(item) for item in standings[:SHOWN]],
        "more": max(0, len(standings) - SHOWN),
    }


def _standing(item: Mapping[str, Any]) -> dict[str, Any]:
    if item["kept"]:
        fate = "stayed"
    elif item["why"] == "behind":
        told = "told apart" if item["told_apart"] else "not told apart"
        fate = f"dropped, {words.points(item['behind'])} points behind, {told}"
    else:
        fate = f"dropped: {_WHY.get(item['why'], item['why'])}"
    return {
        "name": item["name"],
        "score": words.NOT_MEASURED if item["score"] is None else words.percent(item["score"]),
        "scored": item["scored"],
        "fate": fate,
        "kept": item["kept"],
    }


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    evidence = [Evidence.model_validate(item) for item in result["evidence"]]
    domain = charts.difference_domain(item.difference for item in evidence)
    winner = next(one for one in result["candidates"] if one["name"] == result["winner"])
    here = winner["kind"] != "service"
    untouched = result["untouched"]
    beside = result.get("beside", [])
    return {
        "winner": result["winner"],
        "kind": _KINDS.get(winner["kind"], winner["kind"]),
        "fate": _fate(result, evidence),
        "lead": [result["said"][0], *beside],
        "said": [one for one in result["said"][1:] if one not in beside],
        "untouched": 0 if untouched is None else untouched["questions"],
        "evidence": [_row(item, domain, f"e{place}") for place, item in enumerate(evidence)],
        "page": f"/specialists/{quote(result['winner'])}" if here else "",
        "act": result["act"],
        "compare": _compare(result),
        "compare_page": _compare_page(result),
        "left_out": result["left_out"][:SHOWN],
        "failures": result["failures"][:SHOWN],
        "others": result["others"],
        "again": result["again"],
        "scorer": result["eval"]["scorer"],
    }


def _fate(result: Mapping[str, Any], evidence: Sequence[Evidence]) -> str:
    """What the heading may say of the winner: that it did best only if every comparison does."""
    if result.get("only"):
        rest = " on" if result["only"] == "was tried" else ""
        return f"is the only one that {result['only']}{rest}"
    if not result["settled"]:
        return "was chosen, and lost on"
    if evidence and all(item.difference.verdict is Verdict.WIN for item in evidence):
        return "did best on"
    return "was chosen on"


def _row(item: Evidence, domain: charts.Domain, key: str) -> EvidenceRow:
    """One comparison on the untouched questions."""
    rival = words.clip(item.rival_name, 80)
    difference = item.difference
    rest = ""
    if difference.needed_n is not None:
        rest = f" It would take about {words.count(difference.needed_n)}."
    return EvidenceRow(
        against="against",
        rival=rival,
        bar=charts.evidence_bar(difference, domain=domain, key=key, against=rival),
        verdict=words.VERDICTS[difference.verdict],
        difference=words.points(difference.difference, signed=True),
        interval=words.interval_words(difference),
        sentence=f"{words.plural(difference.n, 'untouched question')}, {words.date(item.date)}."
        + rest,
        note=_leaked(item),
    )


def _leaked(item: Evidence) -> str:
    """Why the verdict is no WIN although the bar looks like one: it was trained on the rows."""
    rest = item.without_leaks
    if rest is None:
        return ""
    known = item.difference.n - rest.n
    return (
        f"{words.count(known)} of them {'is' if known == 1 else 'are'} among training rows, so no "
        f"WIN is given. Without them: {words.points(rest.difference, signed=True)} points "
        f"({words.interval_words(rest)}), {words.VERDICTS[rest.verdict].word}."
    )


def _compare(result: Mapping[str, Any]) -> str:
    """The command that sets the two best side by side on every example, if both give labels."""
    pair = _pair(result, "classifier")
    source = (result["eval"].get("recognised") or {}).get("source", "FILE")
    return f"metier compare {pair[0]} {pair[1]} --on {source}" if pair else ""


def _compare_page(result: Mapping[str, Any]) -> str:
    """Where the two best stand side by side, if both are installed."""
    pair = _pair(result, "classifier", "writer", "specialist")
    return f"/compare?{urlencode([('name', name) for name in pair])}" if pair else ""


def _pair(result: Mapping[str, Any], *of: str) -> list[str]:
    """Winner and runner-up if both are of these kinds, else nobody."""
    kinds = {one["name"]: one["kind"] for one in result["candidates"]}
    pair = [result["winner"], result["runner_up"]]
    return pair if all(kinds.get(name) in of for name in pair) else []
