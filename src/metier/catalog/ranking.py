"""Which entry stands above which, and why: relevance in bands, then proof, cost and date.

Pure rules of ``docs/explanation/finding.md``. It knows words, similarities and proofs; it searches
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.catalog.records import Row
from metier.catalog.words import STEM, Meant
from metier.finding import Proof

BAND = 0.15
"""Relevances that differ by less are comparable: there proof decides."""
STEP = 0.05
"""Relevances that round to one step are equal: there cost and date decide."""
FINER = 0.2
"""What meaning adds within a band, also where all words are there."""
IN_MORE, IN_TEXT = 0.85, 0.7
"""What a word is worth among the key words, in the description; in name, task and domain: 1."""
BY_STEM, BY_GUESS, BY_START = 0.9, 0.9, 0.97
"""What it is worth by its stem, after a correction, by the word that it begins."""
UNLIKE, ALIKE = 0.2, 0.65
"""Cosines of all-MiniLM-L6-v2 at which texts of a catalogue are about different things, and about
the same."""
MEANING = 0.5
"""The share of what words leave open that meaning can fill."""
ELSEWHERE = 0.6
"""What an entry is worth that is for another language than the query's, which is taken for English
unless it names one: less than any that is comparable."""


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the query that an entry has: the word, where, by which of its terms."""

    meant: Meant
    where: str
    term: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer a query.

    Attributes:
        row: Its row.
        matches: The words that it has.
        coverage: The share of the query that they make, 0 to 1.
        cosine: Of its meaning with the query's, or ``None``.
        proof: The best proof that it holds here.
        level: See ``standing``; ``PROVED`` with a proof.
        exact: Whether the query is its name.
        named: How many words its name has that say nothing elsewhere: see ``words.idle``.
        tongue: The language that it is for, if not English: see ``tongues.foreign``.
        called: Whether the query names that language.
    """

    row: Row
    matches: tuple[Match, ...] = ()
    coverage: float = 0.0
    cosine: float | None = None
    proof: Proof | None = None
    level: int = 2
    exact: bool = False
    named: int = 0
    tongue: str = ""
    called: bool = False

    @property
    def relevance(self) -> float:
        """0 to 1: coverage by words, and of the rest what meaning fills.

        A convex combination of scores that mean the same in every query; it does better than
        fusing ranks (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions").
        """
        if self.exact:
            return 1.0
        whole = self.coverage + MEANING * likeness(self.cosine) * (1.0 - self.coverage)
        return ELSEWHERE * whole if self.tongue and not self.called else whole

    @property
    def band(self) -> int:
        """0 is the most relevant."""
        return math.floor((1.0 - self.relevance) / BAND + 1e-9)


def likeness(cosine: float | None) -> float:
    """A cosine as a share: 0 up to ``UNLIKE``, 1 from ``ALIKE`` on."""
    if cosine is None:
        return 0.0
    return min(max((cosine - UNLIKE) / (ALIKE - UNLIKE), 0.0), 1.0)


def weights(meant: Sequence[Meant], known: Callable[[str], int], count: int) -> list[float]:
    """How much each word of a query tells, in sum 1: rare words tell more (BM25's idf).

    A word that nobody has counts as much as the others do on average.
    """
    told: list[float | None] = []
    for one in meant:
        counts = [known(term) for term in (*one.terms[:1], *one.all_of)]
        found = max(counts, default=0)
        told.append(math.log(1.0 + (count + 0.5) / (found + 0.5)) if found else None)
    sure = [weight for weight in told if weight is not None]
    mean = sum(sure) / len(sure) if sure else 1.0
    full = [mean if weight is None else weight for weight in told]
    total = sum(full) or 1.0
    return [weight / total for weight in full]


@dataclass(frozen=True, slots=True)
class Sought:
    """A word made ready to be looked for in many rows.

    Attributes:
        meant: The word.
        weight: Its share of the query.
        terms: Each with a space around it, and what it is worth, the most first.
        all_of: Its pieces, with a space around each, and what they are worth together.
    """

    meant: Meant
    weight: float
    terms: tuple[tuple[str, float], ...]
    all_of: tuple[str, ...]
    pieces: float


def sought(meant: Sequence[Meant], weight: Sequence[float]) -> tuple[Sought, ...]:
    """The words of a query made ready; see ``covered``."""
    found = []
    for one, share in zip(meant, weight, strict=True):
        guessed = BY_GUESS if one.instead else 1.0
        terms = sorted(
            ((f" {term} ", guessed * _by(term, one)) for term in one.terms),
            key=lambda pair: -pair[1],
        )
        pieces = tuple(f" {part} " for part in one.all_of)
        found.append(Sought(one, share, tuple(terms), pieces, guessed))
    return tuple(found)


def covered(row: Row, words: Sequence[Sought]) -> tuple[float, tuple[Match, ...]]:
    """The share of a query that an entry's words make, and which words they are."""
    matches = []
    share = 0.0
    for one in words:
        credit, match = _credit(row, one)
        if match is not None:
            matches.append(match)
            share += credit * one.weight
    return min(share, 1.0), tuple(matches)


def ordered(candidates: Sequence[Candidate]) -> list[tuple[Candidate, int]]:
    """The candidates in order, each with its group.

    Within a band of relevance the proved first, then by claims, by relevance more finely, by cost
    class, the newer, the smaller, by name.
    """
    found = sorted(((_key(one), one) for one in candidates), key=lambda pair: pair[0])
    dominated = _chains([one for _, one in found if one.proof is not None])
    if dominated:
        found.sort(key=lambda pair: (*pair[0][:2], dominated.get(pair[1].row.id, 0)))
    groups: list[tuple[Candidate, int]] = []
    last: tuple[object, ...] | None = None
    number = 0
    for key, one in found:
        mine = (key[0], one.proof is None, dominated.get(one.row.id, 0))
        if mine != last:
            number, last = number + 1, mine
        groups.append((one, number))
    return groups


def _key(one: Candidate) -> tuple[Any, ...]:
    """Band, level, then the rest of the order."""
    row, relevance = one.row, one.relevance
    band = math.floor((1.0 - relevance) / BAND + 1e-9)
    near = round((relevance + FINER * likeness(one.cosine)) / STEP)
    cost = (row.size_class, -row.released, row.size, row.name.casefold())
    return (band, one.level, -near, -one.named, *cost)


def _chains(proved: Sequence[Candidate]) -> Mapping[int, int]:
    """How many proofs in a chain stand above each: on one eval, their intervals apart."""
    scored = [(one.row.id, one.proof) for one in proved if one.proof is not None]
    scored.sort(key=lambda pair: -pair[1].evidence.score.value)
    depth: dict[int, int] = {}
    for number, (identity, proof) in enumerate(scored):
        above = [
            depth[other] + 1 for other, theirs in scored[:number] if _stands_above(theirs, proof)
        ]
        depth[identity] = max(above, default=0)
    return depth


def _stands_above(one: Proof, two: Proof) -> bool:
    """Whether two scores of one metric on one eval can be told apart, the first higher."""
    first, second = one.evidence, two.evidence
    if (first.eval_fingerprint, first.metric) != (second.eval_fingerprint, second.metric):
        return False
    high, low = second.score.interval, first.score.interval
    return high is not None and low is not None and low.low > high.high


def _credit(row: Row, one: Sought) -> tuple[float, Match | None]:
    """The best credit of a word over fields and terms."""
    best, place, said = 0.0, "", ""
    fields = (
        ("name", row.name_terms, 1.0),
        ("key", row.key_terms, 1.0),
        ("more", row.more_terms, IN_MORE),
        ("text", row.text_terms, IN_TEXT),
    )
    for where, terms, worth in fields:
        if worth <= best:
            break
        for term, by in one.terms:
            if worth * by <= best:
                break
            if term in terms:
                best, place, said = worth * by, where, term
                break
    if one.all_of:
        reach = ""
        for where, terms, worth in fields:
            reach += terms
            if worth * one.pieces > best and all(part in reach for part in one.all_of):
                best, place, said = worth * one.pieces, where, one.all_of[0]
    return best, Match(one.meant, place, said.strip()) if place else None


def _by(term: str, one: Meant) -> float:
    if term.startswith(STEM):
        return BY_STEM
    return 1.0 if one.instead or term == one.word.term else BY_START
