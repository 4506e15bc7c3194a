"""What a search found: hits in an honest order, each with the reasons why it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from metier.card import Evidence
from metier.finding.asking import Query
from metier.finding.entries import Entry
from metier.finding.fitting import Fit

Origin = str
"""``here`` (installed), ``curated`` (comes with the package), ``hub``, or a catalogue's name."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that counts as proof (DESIGN §2), and what it rests on.

    Attributes:
        evidence: The comparison.
        measured: ``here`` (this machine's ledger holds it) or the name of the trusted key.
        until: ISO date on which it expires: 90 days after it was measured.
    """

    evidence: Evidence
    measured: str
    until: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a hit stands where it stands: a kind, and a sentence for people."""

    kind: Literal[
        "proof", "lapsed", "claim", "word", "typo", "meaning", "filter", "size", "fresh", "fit"
    ]
    said: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry that was found.

    Attributes:
        entry: What it is.
        origin: Where the entry comes from.
        installed: The name under which it is installed here, or "".
        proof: The best proof that it holds here, if any.
        verdicts: The verdicts of its evidence by rival's role (``base``, ``general``), claims
            included.
        verdict_sources: By rival's role, who measured it: ``here`` (this home's ledger holds it)
            or ``claim`` (its publisher says so). Whether it still holds is ``proof``'s matter.
        measured: The newest comparison of this home by rival's role, whether it still holds or not.
        fit: Whether it runs here.
        reasons: Why it is here, the weightiest first.
        group: Entries of one group cannot be told apart by proof; 1 is the first.
    """

    entry: Entry
    origin: Origin
    installed: str = ""
    proof: Proof | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
    verdict_sources: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Evidence] = field(default_factory=dict)
    fit: Fit | None = None
    reasons: tuple[Reason, ...] = ()
    group: int = 1


@dataclass(frozen=True, slots=True)
class Facet:
    """A value of a filter and how many hits have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one query.

    Attributes:
        query: As it was understood.
        hits: From ``query.offset`` on, at most ``query.limit``.
        total: How many there are in all.
        facets: By filter (``task``, ``domain``, ``licence``, ``origin``): the values among all
            hits, the most frequent first.
        corrected: Words that nobody has, with what was searched instead.
        milliseconds: What the search took.
        notes: What a person should know: a catalogue that could not be read, meaning left out.
    """

    query: Query
    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, tuple[Facet, ...]] = field(default_factory=dict)
    corrected: tuple[tuple[str, str], ...] = ()
    milliseconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Hits in a row under one heading.

    Attributes:
        title: What they share, in plain words.
        note: One sentence more, or "".
        hits: In their order.
    """

    title: str
    note: str
    hits: tuple[Hit, ...]


def sections(hits: Sequence[Hit]) -> tuple[Section, ...]:
    """Hits under what can be said of them together, for every door alike.

    Neighbours that are not proved stand under one heading: nothing parts them but relevance. Proved
    ones are parted where a proof tells them apart, and nowhere else.
    """
    parts: list[list[Hit]] = []
    for _, members in groupby(hits, key=lambda hit: (hit.proof is not None, hit.group)):
        found = list(members)
        alike = parts and (parts[-1][0].proof is None) == (found[0].proof is None)
        if alike and not _apart(parts[-1], found):
            parts[-1] += found
        else:
            parts.append(found)
    made = []
    for number, part in enumerate(parts):
        lower = number > 0 and part[0].proof is not None and parts[number - 1][0].proof is not None
        made.append(Section(*_heading(part, lower=lower), tuple(part)))
    return tuple(made)


def _apart(above: Sequence[Hit], below: Sequence[Hit]) -> bool:
    """Whether a proof above has its whole interval over one below, of one metric on one eval."""
    return any(
        (one.proof.evidence.eval_fingerprint, one.proof.evidence.metric)
        == (two.proof.evidence.eval_fingerprint, two.proof.evidence.metric)
        and (high := one.proof.evidence.score.interval) is not None
        and (low := two.proof.evidence.score.interval) is not None
        and high.low > low.high
        for one in above
        for two in below
        if one.proof is not None and two.proof is not None
    )


def _heading(hits: Sequence[Hit], *, lower: bool) -> tuple[str, str]:
    if hits[0].proof is not None:
        alike = "They cannot be told apart from each other." if len(hits) > 1 else ""
        if lower:
            return "Proved here, with a lower score than those above", alike
        return "Proved here", alike
    claimed = [bool(hit.entry.evidence or hit.entry.claims) for hit in hits]
    if all(claimed):
        return "Claimed by their publishers, not measured here", ""
    if any(claimed):
        return (
            "Not measured here",
            "Numbers shown are claimed by publishers; of the others nothing is reported.",
        )
    return "Nothing is reported of them", "Nobody's numbers are known."
