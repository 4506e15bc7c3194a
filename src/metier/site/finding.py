"""The page *Find* as values: what each hit says of itself, and how to ask for more or less.

It lays out what was found; it ranks nothing, asks nobody and writes no HTML but the charts it asks
for. Texts of entries are foreign: the template prints them through filters that cut and isolate.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote as shell
from typing import Any
from urllib.parse import quote, urlsplit

from metier.card import Evidence, Verdict
from metier.finding import Claim, Entry, Found, Hit, Query, sections
from metier.finding.fitting import UNMEASURED
from metier.site import charts, words
from metier.site.evidence import EvidenceRow
from metier.site.narrowing import address, asked_fields, narrowing, origin_words
from metier.site.values import HubSaid

MOST_CLAIMS = 3
MOST_REASONS = 4
MOST_NOTES = 5
MOST_NAME = 600
"""Characters of a name in an address; no entry that was read strictly has as many."""
_ROLES = ("base", "general")
_SHOWN = frozenset({"fit", "typo", "claim", "proof"})
"""Reasons that stand in the row already: as a bar, a claim with its source, the fit."""
_INSTALLED = "Installed here."
_ACTS = {"classify": "try", "classify-image": "try", "search": "try"}


def page_values(found: Found, hub: HubSaid | None = None) -> dict[str, Any]:
    """What the template prints.

    Args:
        found: What was looked for and found here.
        hub: What the hub said, if a person asked it.
    """
    query = found.query
    shown = found.hits
    domain = charts.difference_domain(
        one.difference for hit in shown for one in _compared(hit).values()
    )
    rows = [_row(hit, number, domain) for number, hit in enumerate(shown, query.offset + 1)]
    return {
        "query": query,
        "total": found.total,
        "count": _counted(found),
        "groups": _groups(shown, rows, grouped=query.order == "best"),
        "axis": charts.evidence_axis(domain),
        "corrected": [(words.clip(a, 60), words.clip(b, 60)) for a, b in found.corrected[:5]],
        "notes": [words.clip(note, 300) for note in found.notes[:MOST_NOTES]],
        "unmeasured": any(hit.fit and hit.fit.speed_said == UNMEASURED for hit in shown),
        "bare": query == Query() and not _is_installed(found),
        "json_address": address(query, "/find.json"),
        "hub": _of_hub(hub, len(shown) + query.offset) if hub is not None else None,
        "asked": asked_fields(query, offset=0),
        **_around(found),
        **narrowing(found),
    }


def _of_hub(hub: HubSaid, before: int) -> dict[str, Any]:
    domain = charts.difference_domain(
        one.difference for hit in hub.hits for one in _compared(hit).values()
    )
    return {
        "problem": words.clip(hub.problem, 400),
        "rows": [_row(hit, number, domain) for number, hit in enumerate(hub.hits, before + 1)],
    }


def _is_installed(found: Found) -> bool:
    facets = found.facets.get("origin", ())
    return any(facet.value == "here" for facet in facets) or any(
        hit.installed for hit in found.hits
    )


def _counted(found: Found) -> str:
    query = found.query
    if not found.total:
        return "Nothing found"
    last = query.offset + len(found.hits)
    if query.offset or last < found.total:
        return f"{query.offset + 1}\u2013{last} of {words.plural(found.total, 'result')}"
    return words.plural(found.total, "result")


def _around(found: Found) -> dict[str, str]:
    """The addresses of the pages before and after this one, "" where there is none."""
    query = found.query
    after = query.offset + query.limit
    before = max(0, query.offset - query.limit)
    return {
        "previous": address(query, offset=before) if query.offset else "",
        "next": address(query, offset=after) if after < found.total else "",
    }


def _groups(
    hits: Sequence[Hit], rows: Sequence[dict[str, Any]], *, grouped: bool
) -> list[dict[str, Any]]:
    """Rows under what can be said of them together; one group without a word where it is sorted."""
    if not grouped:
        return [{"title": "", "note": "", "rows": list(rows)}] if rows else []
    left = iter(rows)
    return [
        {"title": one.title, "note": one.note, "rows": [next(left) for _ in one.hits]}
        for one in sections(hits)
    ]


def _row(hit: Hit, number: int, domain: charts.Domain) -> dict[str, Any]:
    entry = hit.entry
    evidence = _evidence(hit, number, domain)
    claims = [_claim(claim) for claim in entry.claims[:MOST_CLAIMS]]
    return {
        "number": number,
        "name": entry.name,
        "address": entry_address(hit),
        "description": entry.description,
        "facts": _facts(entry),
        "origin": origin_words(hit.origin),
        "installed": bool(hit.installed),
        "fit": _fit(hit),
        "evidence": evidence,
        "last_bar": next((one for one in reversed(evidence) if one.bar), None),
        "proved": hit.proof is not None,
        "claims": claims,
        "more_claims": len(entry.claims) - len(claims),
        "reasons": _reasons(hit),
        "act": _act(hit),
    }


def _reasons(hit: Hit) -> list[str]:
    """Why it is here, without what its row shows anyway; where all is shown, what weighs most."""
    told = [one.said for one in hit.reasons if one.kind not in _SHOWN and one.said != _INSTALLED]
    if not told and hit.proof is not None:
        told = [f"Proved against {words.RIVALS[hit.proof.evidence.against]}."]
    if not told:
        plain = [one.said for one in hit.reasons if one.kind not in _SHOWN]
        told = plain[:1] or ["Its numbers are reported."]
    ended = [one if one.endswith((".", "?")) or "metier " in one else f"{one}." for one in told]
    return [words.clip(one, 240) for one in ended[:MOST_REASONS]]


def entry_address(hit: Hit) -> str:
    """The page of a hit: of what is installed, or of an entry of a catalogue."""
    if hit.installed:
        return f"/specialists/{quote(hit.installed[:MOST_NAME], safe='/:')}"
    # A browser would climb by "..", so a name that has it keeps its slashes to itself.
    name = hit.entry.name[:MOST_NAME]
    climbs = {".", ".."} & set(name.split("/"))
    kept = quote(name, safe="" if climbs else "/")
    return f"/entries/{quote(hit.origin[:MOST_NAME], safe='')}/{kept}"


def _facts(entry: Entry) -> list[str]:
    facts: list[str] = [entry.task]
    if entry.domain not in ("", "general"):
        facts.append(entry.domain)
    if entry.parameters:
        facts.append(f"{_short(entry.parameters)} parameters")
    if entry.size_bytes is not None:
        facts.append(words.size(entry.size_bytes))
    facts += [entry.quantization] if entry.quantization else []
    if entry.context:
        facts.append(f"{entry.context:,} tokens")
    facts.append(entry.licence or "licence not stated")
    if entry.base:
        facts.append(f"from {entry.base}")
    if entry.released:
        facts.append(words.date(entry.released))
    return [words.clip(fact, 60) for fact in facts]


def _short(number: int) -> str:
    """Parameters as people say them: 22 M, 1.5 B."""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size * 0.9995:
            return f"{words.few(number / size)}\u202f{letter}"
    return str(number)


def _fit(hit: Hit) -> dict[str, str] | None:
    fit = hit.fit
    if fit is None or (fit.runs == "unknown" and _act(hit)["kind"] == "none"):
        return None
    if hit.installed and hit.entry.kind == "specialist" and hit.entry.task == "chat":
        said = "runs here with a base of yours; memory and speed are the base's"
        return {"runs": fit.runs, "said": said, "why": ""}
    # That no speed was measured yet is said once for the page, not beside every hit.
    said = fit.memory_said if fit.speed_said == UNMEASURED else fit.said
    return {"runs": fit.runs, "said": words.clip(said, 120), "why": words.clip(fit.why, 300)}


def _compared(hit: Hit) -> dict[str, Evidence]:
    """The comparisons that are drawn, by the rival's role: the proof's, else the entry's."""
    found: dict[str, Evidence] = {
        one.against: one for one in reversed(hit.entry.evidence) if one.against in _ROLES
    }
    found |= hit.measured
    if hit.proof is not None and hit.proof.evidence.against in _ROLES:
        found[hit.proof.evidence.against] = hit.proof.evidence
    return {role: found[role] for role in _ROLES if role in found}


def _evidence(hit: Hit, number: int, domain: charts.Domain) -> list[EvidenceRow]:
    compared = _compared(hit)
    if not compared:
        return [_unmeasured(hit, "against its base or the general model", *_ROLES)]
    rows = []
    for role in _ROLES:
        against = f"against {words.RIVALS[role]}"
        one = compared.get(role)
        rows.append(
            _unmeasured(hit, against, role)
            if one is None
            else _measured(hit, one, against, f"hit{number}-{role}", domain)
        )
    return rows


def _measured(
    hit: Hit, one: Evidence, against: str, key: str, domain: charts.Domain
) -> EvidenceRow:
    difference = one.difference
    facts = f"{words.plural(difference.n, 'question')}, {words.date(one.date)}"
    proof = hit.proof
    proved = proof is not None and proof.evidence is one
    facts += (
        f"; holds until {words.date(proof.until)}"
        if proof is not None and proved
        else "; measured here"
        if any(one is mine for mine in hit.measured.values())
        else "; reported, not measured here"
    )
    return EvidenceRow(
        against=against,
        rival=words.clip(one.rival_name, 80),
        bar=charts.evidence_bar(
            difference, domain=domain, key=key, against=words.RIVALS[one.against]
        ),
        verdict=words.VERDICTS[difference.verdict],
        difference=words.points(difference.difference, signed=True),
        interval=words.interval_words(difference),
        sentence=facts,
        note=words.sentence(one) if difference.verdict is Verdict.UNDERPOWERED else "",
        command="" if proved else _measuring(hit, one.against),
        result=f"{entry_address(hit)}#evidence",
    )


def _measuring(hit: Hit, *rivals: str) -> str:
    """The command that measures it as it stands; "" where none works without more being known.

    A classifier brings its sealed eval along, under its own name; others are measured on an eval
    that a person has, of which their own page tells.
    """
    if not hit.installed or hit.entry.task != "classify":
        return ""
    name = shell(hit.installed[:MOST_NAME])
    asked = " ".join(f"--against {rival}" for rival in rivals)
    return words.clip(f"metier eval {name} --on {name} {asked}", 240)


def _unmeasured(hit: Hit, against: str, *rivals: str) -> EvidenceRow:
    """A row without a bar, with what would measure it if that can be said."""
    command = _measuring(hit, *rivals)
    return EvidenceRow(against=against, rival=words.NOT_MEASURED, command=command)


def _claim(claim: Claim) -> dict[str, Any]:
    value = f"{claim.value:,.6g}"
    unit = claim.unit if claim.unit not in ("", "share") else ""
    said = f"{value}\u202f%" if unit == "%" else " ".join(part for part in (value, unit) if part)
    on = words.clip(claim.on, 120)
    facts = [f"on {on}" if on else "", claim.rival and f"beside {words.clip(claim.rival, 80)}"]
    if claim.n and str(claim.n) not in on:
        facts.append(words.plural(claim.n, "question"))
    facts.append(words.clip(claim.note, 200))
    return {
        "metric": words.clip(claim.metric, 60),
        "said": words.clip(said, 40),
        "facts": words.clip("; ".join(fact for fact in facts if fact), 200),
        "by": words.clip(claim.by, 60),
        "address": outside(claim.source.address),
        "place": words.clip(urlsplit(claim.source.address).hostname or "its source", 60),
        "read": words.date(claim.source.read),
    }


def outside(link: str) -> str:
    """``link`` if it is a plain https address that a page may offer, else ""."""
    if not link.startswith("https://") or len(link) > 900 or any(c <= " " for c in link):
        return ""
    try:
        return link if urlsplit(link).hostname else ""
    except ValueError:
        return ""


def _act(hit: Hit) -> dict[str, str]:
    """What Run does: open what is here, fetch what can be fetched, or say why not."""
    entry = hit.entry
    if hit.installed:
        anchor = _ACTS.get(entry.task, "talk" if entry.kind == "model" else "ask")
        return {"kind": "open", "address": f"{entry_address(hit)}#{anchor}"}
    if not entry.pull or words.clip(entry.pull, MOST_NAME) != entry.pull:
        return {"kind": "none", "why": "Metier cannot run it yet."}
    if hit.fit is not None and hit.fit.runs == "no":
        return {"kind": "none", "why": words.clip(hit.fit.why, 200)}
    size = words.size(entry.size_bytes) if entry.size_bytes else ""
    command = words.clip(f"metier pull {shell(entry.pull)}", 240)
    return {"kind": "pull", "name": entry.pull, "size": size, "command": command}
