"""Why a hit stands where it stands, in sentences for people: numbers first, no adjective.

It knows evidence, claims and matches; it ranks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from metier.card import Evidence, Verdict
from metier.catalog.proving import Judged
from metier.catalog.ranking import Candidate, Match
from metier.catalog.words import STEM
from metier.finding import Claim, Entry, Proof, Query, Reason

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WHERE = {
    "name": "its name",
    "key": "its task or domain",
    "more": "its key words",
    "text": "its description",
}
MOST_CLAIMS = 2
SIMILAR = 0.3


def reasons(
    one: Candidate, entry: Entry, query: Query, *, judged: Sequence[Judged], installed: str
) -> tuple[Reason, ...]:
    """The reasons of one hit, the weightiest first.

    Args:
        one: As it was ranked.
        entry: What it is.
        query: What was asked.
        judged: What its evidence in this home's ledger counts for.
        installed: Its name here, or "".
    """
    found: list[Reason] = []
    if one.proof is not None:
        found.append(Reason("proof", proof_sentence(one.proof)))
    found.extend(_words(one.matches))
    if one.tongue and query.words:
        told = "." if one.called else ", which is not asked for: ranked lower."
        found.append(Reason("filter", f"It is for {one.tongue}{told}"))
    if one.cosine is not None and one.cosine >= SIMILAR and query.words:
        found.append(Reason("meaning", f"Alike in meaning: similarity {one.cosine:.2f} of 1."))
    if one.proof is None:
        found.extend(_claims(entry, judged, installed))
    if query.order == "smallest" and entry.size_bytes:
        found.append(Reason("size", f"{size_said(entry.size_bytes)}."))
    if query.order == "newest" and entry.released:
        found.append(Reason("fresh", f"Released {day_said(entry.released)}."))
    found.extend(_filters(entry, query, installed))
    if not found:
        found.append(Reason("filter", "Listed because nothing was asked for in particular."))
    return tuple(found)


def proof_sentence(proof: Proof) -> str:
    """``Better than its base by 23.1 points (21.4 to 24.8, 3,080 questions, 12 Nov 2026) …``."""
    by = "measured here" if proof.measured == "here" else f"signed by {proof.measured}"
    return f"{evidence_sentence(proof.evidence)}, {by}, valid until {day_said(proof.until)}."


def evidence_sentence(evidence: Evidence) -> str:
    """What a paired comparison says, without a full stop."""
    difference = evidence.difference
    rival = {"base": "its base", "general": f"the general model {evidence.rival_name[:80]}"}
    against = rival.get(evidence.against, evidence.rival_name[:80])
    points = 100 * difference.difference
    ends = f"{100 * difference.interval.low:.1f} to {100 * difference.interval.high:.1f}"
    told = f"({ends}, {difference.n:,} questions, {day_said(evidence.date)})"
    if difference.verdict is Verdict.WIN:
        return f"Better than {against} by {points:.1f} points {told}"
    if difference.verdict is Verdict.LOSS:
        return f"Worse than {against} by {-points:.1f} points {told}"
    if difference.verdict is Verdict.NOT_WORSE:
        return f"Not worse than {against}: {points:+.1f} points {told}"
    if difference.verdict is Verdict.TIE:
        return f"Level with {against}: {points:+.1f} points {told}"
    return f"Not decided against {against}: {points:+.1f} points {told}"


def claim_sentence(claim: Claim) -> str:
    """``Reported, not measured by us: pass@1 61.6 % on HumanEval, by X.``."""
    unit = f" {claim.unit}" if claim.unit and claim.unit != "share" else ""
    on = f" on {claim.on}" if claim.on else ""
    count = f" (n = {claim.n:,})" if claim.n else ""
    rival = f"; {claim.rival}" if claim.rival else ""
    by = f", by {claim.by}" if claim.by else ""
    value = f"{claim.value:g}{unit}"
    return f"Reported, not measured by us: {claim.metric} {value}{on}{count}{rival}{by}."


def measuring(entry: Entry, installed: str, against: str) -> str:
    """The command that makes a claim a proof, if it holds."""
    name = installed or entry.name
    if entry.task == "classify" and installed:
        return f"metier eval {name} --on {name} --against {against}"
    return ""


def day_said(day: str) -> str:
    """``12 Nov 2026``; what is no day stays as it is."""
    try:
        found = date.fromisoformat(day[:10])
    except ValueError:
        return day[:40]
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def size_said(size: int) -> str:
    """Bytes as people read them, decimal: ``1.1 GB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def _words(matches: Sequence[Match]) -> list[Reason]:
    found = []
    where: dict[str, list[str]] = {}
    for match in matches:
        meant = match.meant
        said = meant.word.said
        if meant.instead:
            found.append(Reason("typo", f"Nobody has “{said}”: searched for “{meant.instead}”."))
            said = meant.instead
        elif match.term not in (meant.word.term, *meant.all_of) and STEM not in match.term:
            said = f"{match.term} (from {said})" if match.term != said else said
        where.setdefault(match.where, []).append(f"“{said}”")
    told = [f"{', '.join(said)} in {_WHERE[place]}" for place, said in where.items()]
    if told:
        sentence = "; ".join(told)
        found.insert(0, Reason("word", f"Has {sentence}."))
    return found


def _claims(entry: Entry, judged: Sequence[Judged], installed: str) -> list[Reason]:
    """Evidence that is no proof here, with the clause that it fails; then reported numbers."""
    found = []
    told = set()
    for one in judged:
        evidence = one.measured.evidence
        if one.failed in (None, "rival"):
            continue
        told.add((evidence.against, evidence.eval_fingerprint, evidence.date))
        command = measuring(entry, installed, evidence.against)
        again = f" To measure again: {command}" if command and one.failed != "verdict" else ""
        kind: Literal["claim", "lapsed"] = "claim" if one.failed == "measured" else "lapsed"
        found.append(Reason(kind, f"{evidence_sentence(evidence)}. {one.why}{again}"))
    for evidence in entry.evidence:
        key = (evidence.against, evidence.eval_fingerprint, evidence.date)
        if evidence.against in ("base", "general") and key not in told:
            command = measuring(entry, installed, evidence.against)
            here = f" {command} measures it here." if command else ""
            sentence = f"Its publisher's claim: {_lower(evidence_sentence(evidence))}."
            found.append(Reason("claim", f"{sentence} Not measured here.{here}"))
    found.extend(Reason("claim", claim_sentence(claim)) for claim in entry.claims[:MOST_CLAIMS])
    return found


def _filters(entry: Entry, query: Query, installed: str) -> list[Reason]:
    told = []
    for name in ("task", "domain", "licence", "base"):
        if getattr(query, name):
            told.append(f"{name} {getattr(entry, name)}")
    if query.most_bytes is not None and entry.size_bytes:
        told.append(f"{size_said(entry.size_bytes)}")
    if query.least_context is not None and entry.context:
        told.append(f"{entry.context:,} tokens of context")
    if query.since and entry.released:
        told.append(f"of {day_said(entry.released)}")
    if installed:
        told.append("installed here")
    return [Reason("filter", f"{_upper(', '.join(told))}.")] if told else []


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
