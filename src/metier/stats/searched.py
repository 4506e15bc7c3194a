"""What a search among candidates is made of: who takes part, how each round went, what was found.

It knows names, places of items, outcomes and costs as values; it computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from metier.card import Difference, Interval
from metier.messages import Outcome
from metier.stats.clusters import Clusters
from metier.stats.paired import DEFAULT_MARGIN

Why = Literal["", "behind", "cost", "name", "unscored"]
"""Why a candidate was dropped: it stood lower; it was level and weighs more; it was level, weighs
the same and comes later by name; too few of its answers could be scored."""
End = Literal["settled", "items", "budget", "unscored"]
"""Why the search ended: one was left; every item of the pool was asked; the budget was spent;
nobody's answers could be scored."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Who takes part.

    Attributes:
        name: Of its own.
        cost: What one of its answers is expected to cost, in the unit of the budget.
        weight: What it takes to keep or to pay, in any unit that all share; breaks ties.
    """

    name: str
    cost: float = 1.0
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: one outcome for each item, and what it cost (``None``: one each)."""

    outcomes: Sequence[Outcome]
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """How a search goes.

    Attributes:
        budget: In the unit of the costs: questions, if every answer costs 1.
        seed: Of the order of the items.
        clusters: Shape (items,): items of one cluster are never both searched on and untouched.
        reference: A contender that is scored on the untouched items too, or ``None``.
        margin: Of the verdicts on the untouched items.
    """

    budget: float
    seed: int = 0
    clusters: Clusters | None = None
    reference: str | None = None
    margin: float = DEFAULT_MARGIN


Ask = Callable[[str, Sequence[int]], Asked]
"""A candidate's name and positions of items; each is asked at most once of each candidate."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one candidate stood after a round.

    Attributes:
        name: Whose.
        score: Mean outcome on the questions so far, the missing ones allowed for, or ``None``.
        scored: Questions that it has outcomes of.
        behind: Mean difference to the first, on the questions that both have; 0 for the first.
        p_value: Of "no difference to the first" (exact, sign flips); ``None`` for the first.
        kept: Whether it went on.
        why: Why it did not.
    """

    name: str
    score: float | None
    scored: int
    behind: float
    p_value: float | None
    kept: bool
    why: Why = ""

    @property
    def told_apart(self) -> bool:
        """Whether its questions alone tell it from the first, at 5 %, looked at once."""
        return self.p_value is not None and self.p_value < 0.05


@dataclass(frozen=True, slots=True)
class Round:
    """One round: who was asked what, and who went on.

    Attributes:
        number: From 1.
        questions: Positions of the items that were new in it.
        total: Questions that its candidates had answered by its end.
        standings: Best first.
        cost: What it took.
    """

    number: int
    questions: tuple[int, ...]
    total: int
    standings: tuple[Standing, ...]
    cost: float

    @property
    def kept(self) -> tuple[str, ...]:
        """Who went on, best first."""
        return tuple(one.name for one in self.standings if one.kept)


@dataclass(frozen=True, slots=True)
class Share:
    """What a candidate came to on the untouched items; ``value`` is ``None`` if none is scored."""

    name: str
    value: float | None
    interval: Interval | None
    scored: int
    unscored: int


@dataclass(frozen=True, slots=True)
class Final:
    """The untouched items, which chose nobody.

    Attributes:
        questions: Their positions.
        winner: Of the winner.
        rivals: Of the runner-up and of the reference, where there are any.
        differences: The winner against each of ``rivals``, in their order; ``None`` where no item
            is scored for both.
        cost: What it took.
    """

    questions: tuple[int, ...]
    winner: Share
    rivals: tuple[Share, ...] = ()
    differences: tuple[Difference | None, ...] = ()
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to.

    Attributes:
        winner: Who was chosen by the rounds, or ``None`` if nobody's answers could be scored.
        runner_up: Who stood second in the last round with two.
        reference: The candidate that was named to be compared with, or ``None``.
        rounds: In order.
        final: The untouched items, or ``None`` if there is no winner or nothing was left to ask.
        end: Why the rounds ended.
        level: Others that stood level with the winner after the last round.
        spent: What everything took.
        asked: Questions that were asked, all candidates together.
        exhaustive: What asking every candidate every item would have been.
        seed: Of the order of the items.
    """

    winner: str | None
    runner_up: str | None
    reference: str | None
    rounds: tuple[Round, ...]
    final: Final | None
    end: End
    level: tuple[str, ...]
    spent: float
    asked: int
    exhaustive: int
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a budget is to be spent, before anybody was asked.

    Attributes:
        order: Positions of the items in the order in which they are asked.
        pool: How many of them the rounds may touch, from the front.
        final: How many of the others are asked at the end, if costs are as expected.
        first: Questions of the first round.
        rounds: Rounds that it takes to come down to one.
    """

    order: tuple[int, ...]
    pool: int
    final: int
    first: int
    rounds: int
