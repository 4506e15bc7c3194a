"""What a search found: hits in an honest order, each with the reasons why it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        fit: Whether it runs here.
        reasons: Why it is here, the weightiest first.
        group: Entries of one group cannot be told apart by proof; 1 is the first.
    """

    entry: Entry
    origin: Origin
    installed: str = ""
    proof: Proof | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
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
