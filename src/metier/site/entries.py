"""The page of a catalogue's entry that need not be installed: facts with their sources, claims.

It lays out what a catalogue says; it measures nothing, and it calls a claim a claim.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from metier.card import Evidence
from metier.finding import Claim, Entry, Fit, Hit, Proof, Source
from metier.site import words

_RUNS = {
    "yes": ("runs here", "yes"),
    "tight": ("runs here if others make room", "tight"),
    "no": ("does not run here", "no"),
    "unknown": ("not known whether it runs here", "unknown"),
}
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


def address(origin: str, name: str) -> str:
    """Where the page of an entry is."""
    return f"/catalogue/{quote(origin, safe='')}/{quote(name, safe='/')}"


def values(hit: Hit, fit: Fit | None) -> dict[str, Any]:
    """What the template prints."""
    entry = hit.entry
    return {
        "name": entry.name,
        "entry": entry,
        "origin": hit.origin,
        "installed": hit.installed,
        "kind": "A specialist" if entry.kind == "specialist" else "A general model",
        "chip": chip(fit),
        "facts": _facts(entry),
        "licence": entry.licence or "not said",
        "licence_source": _source(entry.sources.get("licence")),
        "upstream": entry.upstream if entry.upstream.startswith("https://") else "",
        "claims": [_claim(claim) for claim in entry.claims],
        "reported": [_reported(evidence) for evidence in entry.evidence],
        "proof": proof_words(hit.proof),
        "pull": f"metier pull {shlex.quote(entry.pull)}" if entry.pull else "",
        "prove": _proving(entry),
        "sources": _sources(entry),
        "json_address": f"{address(hit.origin, entry.name)}.json",
    }


def chip(fit: Fit | None) -> dict[str, str] | None:
    """Whether it runs here, in a few words, with what the estimate rests on."""
    if fit is None:
        return None
    said, style = _RUNS[fit.runs]
    facts = [said]
    if fit.lacking_bytes:
        facts = [f"needs {words.size(fit.lacking_bytes)} more memory"]
    elif fit.memory_bytes:
        facts.append(f"about {words.size(fit.memory_bytes)}")
    off = f" ± {fit.off_by * 100:.0f}\u202f%" if fit.off_by and not fit.measured else ""
    known = "" if fit.measured else "about "
    if fit.tokens_per_second:
        facts.append(f"{known}{words.few(fit.tokens_per_second)} tokens/s{off}")
    elif fit.ms_per_text is not None:
        facts.append(f"{known}{words.milliseconds(fit.ms_per_text)} a text{off}")
    if fit.measured:
        facts.append("measured here")
    return {"style": style, "text": ", ".join(facts), "why": fit.why}


def proof_words(proof: Proof | None) -> str:
    """What a proof says and until when it counts; "" without one."""
    if proof is None:
        return ""
    where = "measured here" if proof.measured == "here" else f"signed by {proof.measured}"
    return f"{words.sentence(proof.evidence)} Proof: {where}, until {words.date(proof.until)}."


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


def _parameters(number: int) -> str:
    for unit, scale in (("billion", 1e9), ("million", 1e6)):
        if number >= scale:
            return f"{words.few(number / scale)} {unit}"
    return words.count(number)


def _source(source: Source | None) -> dict[str, str]:
    if source is None:
        return {"source": "", "read": ""}
    return {"source": source.address, "read": words.date(source.read)}


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


def _proving(entry: Entry) -> list[tuple[str, str]]:
    """What would prove it here: a sentence and a command each."""
    name = shlex.quote(entry.name.rsplit("/", 1)[-1])
    found = [
        (
            "Try it on your own examples beside other candidates, and score the winner again:",
            f"metier find --eval mine.jsonl --task {shlex.quote(entry.task)}",
        )
    ]
    if entry.pull:
        found.append(
            (
                "Once it is here, compare it with another on the same questions, in pairs:",
                f"metier compare {name} OTHER --on mine.jsonl",
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
