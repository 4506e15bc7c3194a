"""Two or more results of one eval side by side: each pair, groups, and where they disagree.

It knows outcomes and labels; it runs no system and reads no file. Systems that cannot be told
apart stand in one group: with several pairs a difference counts only if its p-value survives
Holm's correction for their number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

from metier.card import Cost, Evidence, Score
from metier.errors import InputError
from metier.evals.comparing import compare
from metier.evals.items import Eval
from metier.evals.results import Result, ResultItem, answer_digest
from metier.evals.summary import mean_score

LEVEL = 0.05
"""Below this the adjusted p-value of a pair tells it apart."""
MOST_SYSTEMS = 8
Which = Literal["all", "first", "second", "others"]
"""Items on which any two outcomes differ, the first is better, the second is, or the same outcome
came from other answers."""


@dataclass(frozen=True, slots=True)
class Side:
    """One system of a comparison.

    Attributes:
        name: What people call it.
        result: Its outcomes.
        cost: What an answer costs.
        leaked: Ids of items that overlap its training rows; ``None`` if nobody looked.
    """

    name: str
    result: Result
    cost: Cost = field(default_factory=Cost)
    leaked: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems, the one with the higher score first.

    Attributes:
        first: Its name.
        second: The other's.
        evidence: First minus second, with the interval and verdict of this pair alone.
        adjusted: Its p-value after Holm's correction for the number of pairs.
        apart: Whether the two are told apart with that correction.
    """

    first: str
    second: str
    evidence: Evidence
    adjusted: float
    apart: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A system with its score and the group it stands in, from 1."""

    name: str
    score: Score
    group: int
    cost: Cost
    result: str
    date: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """What a comparison came to: systems by group and name, and every pair."""

    eval_fingerprint: str
    scorer: str
    items: int
    systems: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    unlooked: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """How many comparisons at once were allowed for, in a sentence."""
        count = len(self.pairs)
        if count == 1:
            return "One pair: its interval and verdict need no correction."
        return (
            f"{count} pairs were looked at. Each interval and verdict is its pair's alone; two "
            "systems are told apart, and stand in different groups, only if the p-value of their "
            f"difference stays below {LEVEL} after Holm's correction for {count} pairs."
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What one system made of one item: its answer (``None``: abstained), and its outcome.

    ``answer`` is "?" where only a digest is stored and no label has it.
    """

    name: str
    answer: str | None
    outcome: float | None

    @property
    def right(self) -> bool | None:
        """Whether it is wholly right; ``None`` if it was not scored."""
        return None if self.outcome is None else self.outcome >= 1.0


@dataclass(frozen=True, slots=True)
class Disputed:
    """One item on which systems disagree."""

    id: str
    text: str
    expected: str
    told: tuple[Told, ...]


def contrast(sides: Sequence[Side], *, on: str, date: str) -> Contrast:
    """Every pair, and the groups.

    Args:
        sides: Two or more systems on one eval, each with a name of its own.
        on: What the eval is called, for the command that repeats it.
        date: ISO date of the comparison.

    Raises:
        InputError: Fewer than two, more than ``MOST_SYSTEMS``, or one twice (``bad_comparison``);
            ``other_eval``, ``nothing_to_compare``.
    """
    from metier.stats import groups, holm

    names = [side.name for side in sides]
    if not 2 <= len(names) <= MOST_SYSTEMS or len(set(names)) != len(names):
        raise InputError(
            f"{len(set(names))} different systems cannot be compared.",
            code="bad_comparison",
            remedy=f"Name 2 to {MOST_SYSTEMS} different ones.",
        )
    scores = {side.name: mean_score(side.result) for side in sides}
    ordered = sorted(sides, key=lambda side: (-scores[side.name].value, side.name))
    found = [
        (first, second, _evidence(first, second, on=on, date=date))
        for first, second in combinations(ordered, 2)
    ]
    adjusted = holm([_p(evidence) for _, _, evidence in found])
    pairs = tuple(
        Pair(first.name, second.name, evidence, p, p < LEVEL)
        for (first, second, evidence), p in zip(found, adjusted, strict=True)
    )
    apart = {(pair.first, pair.second) for pair in pairs if pair.apart}
    placed = groups(
        len(ordered), lambda one, other: (ordered[one].name, ordered[other].name) in apart
    )
    systems = [
        Standing(
            side.name,
            scores[side.name],
            group,
            side.cost,
            side.result.digest,
            side.result.timings.date if side.result.timings else "",
        )
        for side, group in zip(ordered, placed, strict=True)
    ]
    return Contrast(
        ordered[0].result.eval_fingerprint,
        ordered[0].result.scorer,
        len(ordered[0].result.items),
        # Within a group the order says nothing, so it is that of the alphabet.
        tuple(sorted(systems, key=lambda one: (one.group, one.name))),
        pairs,
        tuple(side.name for side in sides if side.leaked is None),
    )


def disputed(
    sides: Sequence[Side],
    *,
    sealed: Eval,
    labels: Collection[str] = (),
    which: Which = "all",
) -> list[Disputed]:
    """The items on which the systems disagree, in the order of their ids.

    Args:
        sides: The systems; ``which`` speaks of the first two.
        sealed: The eval's items.
        labels: Labels that answers may be, beside those of the eval.
        which: Which items.
    """
    named = {answer_digest(label): label for label in (*sealed.labels, *labels)}
    texts = {item.id: item for item in sealed.items}
    rows = zip(*(side.result.items for side in sides), strict=True)
    found = []
    for outcomes in rows:
        if not _wanted(outcomes, which):
            continue
        item = texts[outcomes[0].id]
        told = tuple(
            Told(side.name, _answer(one, named), _outcome(one))
            for side, one in zip(sides, outcomes, strict=True)
        )
        found.append(Disputed(item.id, item.text, item.label, told))
    return found


def contrast_dict(found: Contrast) -> dict[str, Any]:
    """JSON-serialisable mapping."""
    return {
        "eval": found.eval_fingerprint,
        "scorer": found.scorer,
        "items": found.items,
        "method": found.method,
        "leaks_not_looked_for": list(found.unlooked),
        "systems": [
            {
                "name": one.name,
                "group": one.group,
                "score": one.score.model_dump(mode="json"),
                "cost": one.cost.model_dump(mode="json"),
                "result": one.result,
                "date": one.date,
            }
            for one in found.systems
        ],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "told_apart": pair.apart,
                "adjusted_p_value": pair.adjusted,
                "evidence": pair.evidence.model_dump(mode="json"),
            }
            for pair in found.pairs
        ],
    }


def disputed_dict(one: Disputed) -> dict[str, Any]:
    """JSON-serialisable mapping."""
    return {
        "id": one.id,
        "text": one.text,
        "expected": one.expected,
        "answers": [
            {"name": told.name, "answer": told.answer, "outcome": told.outcome} for told in one.told
        ],
    }


def _evidence(first: Side, second: Side, *, on: str, date: str) -> Evidence:
    return compare(
        first.result,
        second.result,
        against="other",
        command=f"metier compare {first.name} {second.name} --on {on}",
        date=date,
        leaked=first.leaked or frozenset(),
        costs=(first.cost, second.cost),
    )


def _p(evidence: Evidence) -> float:
    value = evidence.difference.p_value
    return 1.0 if value is None else min(max(value, 0.0), 1.0)


def _wanted(outcomes: Sequence[ResultItem], which: Which) -> bool:
    first, second = _outcome(outcomes[0]), _outcome(outcomes[1])
    if which == "all":
        return len({_outcome(one) for one in outcomes}) > 1
    if first is None or second is None:
        return False
    if which == "first":
        return first > second
    if which == "second":
        return second > first
    return first == second and outcomes[0].answer != outcomes[1].answer


def _outcome(item: ResultItem) -> float | None:
    return None if item.outcome == "unscored" else float(item.outcome)


def _answer(item: ResultItem, named: Mapping[str, str]) -> str | None:
    return None if item.answer is None else named.get(item.answer, "?")
