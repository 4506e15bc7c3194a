"""What a search by eval came to: who was tried, who was left out, and what may be said of it.

It knows values and sentences; it asks nobody. A sentence never says more than the untouched
questions carry.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from metier.card import Difference, Evidence, Verdict
from metier.messages import System
from metier.stats import Contender, Search
from metier.stats.searched import Round, Share

HEAVY = 1e18
"""The weight of what runs on somebody else's machine: more than anything that runs here."""


@dataclass(frozen=True)
class Candidate:
    """Something that can answer the examples.

    Attributes:
        name: What people call it: a name that is installed, ``remote:NAME``.
        kind: ``classifier``, ``encoder``, ``writer``, ``service`` or ``specialist``.
        system: What answers.
        batch: Items asked at once, and the most that an interruption loses.
        weight: Bytes to keep; breaks ties.
        act: The command that uses it.
    """

    name: str
    kind: str
    system: System
    batch: int = 64
    weight: float = HEAVY
    act: str = ""

    def contender(self, cost: float) -> Contender:
        """It as one of a search."""
        return Contender(self.name, cost, self.weight)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "name": self.name,
            "kind": self.kind,
            "system": self.system.digest,
            "bytes": None if self.weight >= HEAVY else int(self.weight),
            "command": self.act,
        }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A candidate that was not tried: why, and what would change it."""

    name: str
    why: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may take: questions, all candidates together, or seconds; ``None``: usual."""

    questions: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Tried:
    """A search by eval.

    Attributes:
        fingerprint: Of the eval.
        scorer: What decides whether an answer is right, with all its settings.
        items: Examples in all.
        candidates: Who was tried.
        left_out: Who was not.
        failures: Names of those that failed on the way, with the reason.
        search: The rounds, the winner, and the untouched questions.
        budget: What was to be spent.
        evidence: The winner against the runner-up and the reference, on untouched questions.
        again: Answers that were there from before.
        seconds: What asking took this time.
        date: ISO date.
        command: What repeats it.
        others: Not installed here; they could be tried after a pull.
        sheet: What the file was taken for.
    """

    fingerprint: str
    scorer: str
    items: int
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    failures: tuple[tuple[str, str], ...]
    search: Search
    budget: Budget
    evidence: tuple[Evidence, ...]
    again: int
    seconds: float
    date: str
    command: str
    others: tuple[LeftOut, ...] = ()
    sheet: dict[str, Any] | None = None

    @property
    def winner(self) -> Candidate:
        """Who was chosen."""
        return next(one for one in self.candidates if one.name == self.search.winner)

    @property
    def settled(self) -> bool:
        """Whether the untouched questions do not speak against the choice."""
        return not any(
            item.difference.verdict is Verdict.LOSS
            for item in self.evidence
            if item.rival_name == self.search.runner_up
        )

    def sentences(self) -> tuple[str, ...]:
        """What may be said, the weightiest first."""
        return sentences(self)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        final = self.search.final
        return {
            "winner": self.search.winner,
            "runner_up": self.search.runner_up,
            "reference": self.search.reference,
            "settled": self.settled,
            "said": list(self.sentences()),
            "act": self.winner.act,
            "eval": {
                "fingerprint": self.fingerprint,
                "scorer": self.scorer,
                "items": self.items,
                **({} if self.sheet is None else {"recognised": self.sheet}),
            },
            "budget": asdict(self.budget),
            "asked": self.search.asked,
            "spent": self.search.spent,
            "exhaustive": self.search.exhaustive,
            "again": self.again,
            "seconds": round(self.seconds, 3),
            "seed": self.search.seed,
            "end": self.search.end,
            "level": list(self.search.level),
            "rounds": [round_dict(one) for one in self.search.rounds],
            "untouched": None
            if final is None
            else {
                "questions": len(final.questions),
                "scores": [_share_dict(one) for one in (final.winner, *final.rivals)],
            },
            "evidence": [item.model_dump(mode="json") for item in self.evidence],
            "candidates": [one.to_dict() for one in self.candidates],
            "left_out": [asdict(one) for one in self.left_out],
            "failures": [{"name": name, "why": why} for name, why in self.failures],
            "others": [asdict(one) for one in self.others],
            "date": self.date,
            "command": self.command,
        }


def round_dict(one: Round) -> dict[str, Any]:
    """A round as JSON."""
    return {
        "number": one.number,
        "asked": len(one.questions),
        "total": one.total,
        "cost": round(one.cost, 6),
        "standings": [{**asdict(item), "told_apart": item.told_apart} for item in one.standings],
    }


def sentences(tried: Tried) -> tuple[str, ...]:
    """The result in words; see ``Tried.sentences``."""
    search, final = tried.search, tried.search.final
    said = []
    if final is not None:
        said.append(_score(final.winner, len(final.questions)))
    else:
        said.append(
            f"{search.winner} was chosen, and no untouched question was left to score it on."
        )
    for item in tried.evidence:
        said.append(_against(str(search.winner), item.rival_name, item.difference))
    if search.level:
        level = ", ".join(search.level)
        said.append(
            f"Level with {search.winner} when it was chosen: {level}. The lighter was taken, and "
            "of the same weight the first by name."
        )
    saved = search.exhaustive / max(1, search.asked)
    said.append(
        f"{search.asked:,} questions were asked; everybody on everything is {search.exhaustive:,}"
        + (f", {saved:.1f} times as many." if saved >= 1.05 else ".")
    )
    return tuple(said)


def _score(share: Share, asked: int) -> str:
    if share.value is None or share.interval is None:
        return f"{share.name}: none of {asked} untouched questions could be scored."
    ends = f"{100 * share.interval.low:.1f} to {100 * share.interval.high:.1f}"
    left = f", {share.unscored} unscored" if share.unscored else ""
    return (
        f"{share.name}: {100 * share.value:.1f} % ({ends}), scored again on "
        f"{share.scored} untouched question{'s' if share.scored != 1 else ''}{left}."
    )


def _against(name: str, rival: str, found: Difference) -> str:
    points = 100 * found.difference
    ends = f"{100 * found.interval.low:.1f} to {100 * found.interval.high:.1f}"
    n = f"{found.n} untouched question{'s' if found.n != 1 else ''}"
    if found.verdict is Verdict.WIN:
        return f"Better than {rival} by {points:.1f} points ({ends}, {n})."
    if found.verdict is Verdict.LOSS:
        return (
            f"{rival} was better by {-points:.1f} points on {n} ({ends}): {name} is not the best "
            "of them. Search again with a larger budget."
        )
    if found.verdict is Verdict.TIE:
        return f"As good as {rival}: {_signed(points)} points ({ends}, {n})."
    if found.verdict is Verdict.NOT_WORSE:
        return f"Not worse than {rival}: {_signed(points)} points ({ends}, {n})."
    least = f"{100 * found.detectable:.0f} points" if found.detectable is not None else "so little"
    return (
        f"Not told apart from {rival}: {_signed(points)} points ({ends}); {n} cannot show less "
        f"than {least}."
    )


def _signed(points: float) -> str:
    text = f"{points:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _share_dict(share: Share) -> dict[str, Any]:
    ends = share.interval
    return {
        "name": share.name,
        "value": share.value,
        "low": None if ends is None else ends.low,
        "high": None if ends is None else ends.high,
        "scored": share.scored,
        "unscored": share.unscored,
    }
