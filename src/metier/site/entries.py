"""The page of a catalogue's entry that need not be installed: facts with their sources, claims.

It lays out what a catalogue says; it measures nothing, and it calls a claim a claim.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from metier.card import Evidence
from metier.finding import Claim, Entry, Fit, Hit, Proof, Source
from metier.site import words
from metier.site.finding import outside
from metier.site.narrowing import origin_words

_FACTS = (
    ("task", "Task"),
    ("domain", "Domain"),
    ("parameters", "Parameters"),
    ("size_bytes", "Size"),
    ("quantization", "Quantisation"),
    ("context", "Context"),
    ("base", "Base"),
    ("languages", "Languages"),
    ("released", "Released"),
)


def values(hit: Hit, fit: Fit | None) -> dict[str, Any]:
    """What the template prints."""
    entry = hit.entry
    return {
        "name": entry.name,
        "entry": entry,
        "origin": hit.origin,
        "listed": _listed(hit.origin),
        "installed": hit.installed,
        "kind": "A specialist" if entry.kind == "specialist" else "A general model",
        "chip": chip(fit),
        "facts": _facts(entry),
        "licence": entry.licence or "Not said",
        "licence_source": _source(entry.sources.get("licence")),
        "upstream": outside(entry.upstream),
        "claims": [_claim(claim) for claim in entry.claims],
        "reported": [_reported(evidence) for evidence in entry.evidence],
        "proof": proof_words(hit.proof),
        "pull": f"metier pull {shlex.quote(entry.pull)}" if entry.pull else "",
        "prove": proving(entry.name.rsplit("/", 1)[-1], entry.task, here=bool(entry.pull)),
        "sources": _sources(entry),
        "json_address": f"/entries/{quote(hit.origin, safe='')}/{quote(entry.name, safe='/')}.json",
    }


def chip(fit: Fit | None) -> dict[str, str] | None:
    """Whether it runs here, in a few words, with what the estimate rests on."""
    if fit is None:
        return None
    return {"style": fit.runs, "text": words.clip(fit.said, 120), "why": words.clip(fit.why, 300)}


def proof_words(proof: Proof | None) -> str:
    """What a proof says and until when it counts; "" without one."""
    if proof is None:
        return ""
    return f"{words.sentence(proof.evidence)} {standing(proof)}"


def standing(proof: Proof) -> str:
    """What a proof rests on and until when it counts."""
    where = "measured here" if proof.measured == "here" else f"signed by {proof.measured}"
    return f"Proof: {where}, counts until {words.date(proof.until)}."


def _facts(entry: Entry) -> list[dict[str, Any]]:
    rows = []
    for field, title in _FACTS:
        value = getattr(entry, field)
        if value in (None, "", ()):
            continue
        rows.append(
            {"title": title, "value": _value(field, value), **_source(entry.sources.get(field))}
        )
    return rows


def _value(field: str, value: Any) -> str:
    if field == "size_bytes":
        return words.size(value)
    if field == "parameters":
        return _parameters(value)
    if field == "context":
        return f"{words.count(value)} tokens"
    if field == "languages":
        return ", ".join(value)
    return words.date(value) if field == "released" else str(value)


def _listed(origin: str) -> str:
    """Which list names it, in the words of the page Find."""
    said = origin_words(origin)
    return said if said != words.clip(origin, 60) else f"in the catalogue {said}"


def _parameters(number: int) -> str:
    for unit, scale in (("billion", 1e9), ("million", 1e6)):
        if number >= scale:
            return f"{words.few(number / scale)} {unit}"
    return words.count(number)


def _source(source: Source | None) -> dict[str, str]:
    if source is None:
        return {"source": "", "place": "", "read": ""}
    host = urlsplit(source.address).hostname or "the source"
    return {
        "source": outside(source.address),
        "place": words.clip(host, 60),
        "read": words.date(source.read),
    }


def _claim(claim: Claim) -> dict[str, str]:
    value = f"{claim.value:g}" + (f"\u202f{claim.unit}" if claim.unit else "")
    return {
        "metric": claim.metric,
        "value": value,
        "on": claim.on,
        "n": words.count(claim.n) if claim.n is not None else "",
        "rival": claim.rival,
        "by": claim.by,
        "note": claim.note,
        **_source(claim.source),
    }


def _reported(evidence: Evidence) -> str:
    return words.sentence(evidence)


def proving(name: str, task: str, *, here: bool) -> list[tuple[str, str]]:
    """What would prove it here: a sentence and a command each; ``here`` if it can be."""
    task = {"generate": "chat"}.get(task, task)
    found = [
        (
            "Try it on your own examples beside other candidates, and score the winner again:",
            f"metier find --eval mine.jsonl --task {shlex.quote(task)}",
        )
    ]
    if here:
        found.append(
            (
                "Compare it with another on the same questions, in pairs:",
                f"metier compare {shlex.quote(name)} OTHER --on mine.jsonl",
            )
        )
    return found


def _sources(entry: Entry) -> list[dict[str, str]]:
    """Every page that was read, once each."""
    found: dict[str, Source] = {}
    given: Sequence[Source] = (*entry.sources.values(), *(claim.source for claim in entry.claims))
    for source in given:
        found.setdefault(source.address, source)
    return [_source(source) for source in found.values()]
