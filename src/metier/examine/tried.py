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


@dataclass(frozen=True, slots=True)
class Always:
    """What always giving one label gets on the untouched questions.

    Attributes:
        label: The label.
        share: What it gets.
        chose: Whether it is the most frequent of the questions that chose; else, where none did,
            of the untouched ones themselves.
    """

    label: str
    share: Share
    chose: bool


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many untouched questions a finalist was trained on.

    Attributes:
        name: Whose training rows.
        of: Untouched questions, before any was left out.
        found: Those that overlap its rows, which were left out; ``None`` if that is not known.
    """

    name: str
    of: int
    found: int | None


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
        evidence: The winner against the runner-up, the reference and one label for
            everything, on untouched questions.
        again: Answers that were there from before.
        seconds: What asking took this time.
        date: ISO date.
        command: What repeats it.
        others: Not installed here; they could be tried after a pull.
        sheet: What the file was taken for.
        always: What always giving one label gets; ``None`` where answers are no labels.
        overlaps: What is known of the finalists' training rows.
        alone: Whether nobody else could have answered.
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
    always: Always | None = None
    overlaps: tuple[Overlap, ...] = ()
    alone: bool = False

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
            if item.rival_name == self.search.runner_up or item.against == "majority"
        )

    @property
    def only(self) -> str:
        """Of one candidate, the only one that what; "" if there were more."""
        if len(self.candidates) != 1:
            return ""
        return "can answer" if self.alone else "was tried"

    def beside(self) -> tuple[str, ...]:
        """What belongs beside the winner's score: chance, and what is known of training rows."""
        return (*_only(self), *_chance(self), *_training(self))

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
            "only": self.only,
            "said": list(self.sentences()),
            "beside": list(self.beside()),
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
            "always": None
            if self.always is None
            else {
                "label": self.always.label,
                "most_frequent_of": "choosing" if self.always.chose else "untouched",
                **_share_dict(self.always.share),
            },
            "overlaps": [asdict(one) for one in self.overlaps],
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
        what = f"is the only one that {tried.only}" if tried.only else "was chosen"
        said.append(f"{search.winner} {what}, and no untouched question was left to score it on.")
    said += tried.beside()
    for item in tried.evidence:
        if item.against != "majority":
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


def _only(tried: Tried) -> list[str]:
    """That nobody stood beside it, where it was scored."""
    if not tried.only or tried.search.final is None:
        return []
    return [f"It is the only one that {tried.only}: nobody was compared with it."]


def _chance(tried: Tried) -> list[str]:
    """The winner against always giving one label, on the same questions."""
    always = tried.always
    item = next((one for one in tried.evidence if one.against == "majority"), None)
    if always is None or item is None or always.share.value is None:
        return []
    found, name = item.difference, item.rival_name
    ends = f"{100 * found.interval.low:.1f} to {100 * found.interval.high:.1f}"
    gap = f"{_signed(100 * found.difference)} points ({ends})"
    score = f"{100 * always.share.value:.1f} %"
    if always.share.interval is not None:
        low, high = 100 * always.share.interval.low, 100 * always.share.interval.high
        score += f" ({low:.1f} to {high:.1f})"
    if found.verdict is Verdict.WIN:
        told = f"better than {name}: {gap}"
    elif found.verdict is Verdict.LOSS:
        told = f"worse than {name}: {gap}"
    else:
        told = f"not shown to be better than {name}: {gap}"
    own = "" if always.chose else ", of which that is the most frequent label"
    chance = f"{name[:1].upper()}{name[1:]} gets {score} on the same questions{own}."
    return [f"{chance} {tried.search.winner} is {told}."]


def _training(tried: Tried) -> list[str]:
    """What is known of the finalists' training rows; of models in general, once."""
    kinds = {one.name: one.kind for one in tried.candidates}
    said = []
    for one in tried.overlaps:
        if one.found:
            were = "overlaps" if one.found == 1 else "overlap"
            left = "was" if one.found == 1 else "were"
            said.append(
                f"{one.found} of {one.of} untouched questions {were} rows that {one.name} was "
                f"trained on and {left} left out."
            )
        elif one.found == 0:
            said.append(
                f"None of {one.of} untouched questions overlaps the rows that {one.name} was "
                "trained on; none was left out."
            )
        elif kinds.get(one.name) == "classifier":
            said.append(f"Whether {one.name} was trained on these rows is not known.")
    if any(one.found is None and kinds.get(one.name) != "classifier" for one in tried.overlaps):
        said.append("Whether the models have seen these questions is not known.")
    return said


def _score(share: Share, asked: int) -> str:
    if asked == 0:
        return f"{share.name} has no clean score: every untouched question overlaps training rows."
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
