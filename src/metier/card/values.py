"""The words that all cards share: scores, intervals, verdicts, evidence, costs.

It knows the words of DESIGN §2 and nothing about how they were computed. Numbers are shares of 1
(an accuracy of .93, a difference of .012), never per cent; people-facing floors turn them into
points. Times are seconds unless a name says ``ms``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Verdict(StrEnum):
    """What a paired comparison says; the order of the tests is DESIGN §2's."""

    WIN = "WIN"
    LOSS = "LOSS"
    TIE = "TIE"
    NOT_WORSE = "NOT WORSE"
    UNDERPOWERED = "UNDERPOWERED"


class Frozen(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(Frozen):
    """A two-sided confidence interval."""

    low: float
    high: float
    level: float = 0.95


class Score(Frozen):
    """One metric of one system on one eval.

    ``metric`` is ``accuracy``, ``macro_f1``, ``coverage`` …; ``n`` counts scored items and
    ``unscored`` the ones that are left out, ``clusters`` the independent groups among them.
    """

    metric: str
    value: float
    interval: Interval | None = None
    n: int
    clusters: int
    unscored: int = 0


class Difference(Frozen):
    """A paired difference with its verdict.

    Attributes:
        verdict: See ``Verdict``.
        small: A WIN whose difference is smaller than the margin.
        difference: Mean paired difference, first system minus second.
        interval: Its 95 % interval, clustered.
        margin: The margin m.
        n: Paired items.
        clusters: Independent groups among them.
        discordant: Items on which the outcomes differ.
        p_value: Two-sided.
        needed_n: For UNDERPOWERED, the items it would take; else ``None``.
        detectable: The smallest difference this eval could show with 80 % power, or ``None``.
        method: The statistical method, with every setting that changes the result.
    """

    verdict: Verdict
    small: bool = False
    difference: float
    interval: Interval
    margin: float = 0.01
    n: int
    clusters: int
    discordant: int
    p_value: float | None = None
    needed_n: int | None = None
    detectable: float | None = None
    method: str


class Cost(Frozen):
    """What an answer costs: milliseconds, bytes resident or stored, price where remote."""

    cost_class: str = "this machine"
    ms_per_text: float | None = None
    size_bytes: int | None = None
    shared_bytes: int | None = None
    price_per_million_tokens: float | None = None
    spent: float | None = None


class Evidence(Frozen):
    """A paired comparison of two results, and what it takes to repeat it.

    ``against`` is the role of the rival: ``base``, ``general``, ``majority`` or ``other``.
    ``without_leaks`` is the same comparison without the leaked items, given when there are any.
    ``command`` repeats it.
    """

    against: Literal["majority", "base", "general", "other"]
    system: str
    system_name: str
    rival: str
    rival_name: str
    eval_fingerprint: str
    metric: str = "accuracy"
    score: Score
    rival_score: Score
    difference: Difference
    without_leaks: Difference | None = None
    date: str
    cost: Cost = Cost()
    rival_cost: Cost = Cost()
    results: tuple[str, ...] = ()
    command: str


class Row(Frozen):
    """One of the rows that are always shown beside the specialist.

    ``score`` is ``None`` when it was not measured; ``note`` then says why and ``command`` what
    would measure it. ``settings`` is what was fitted on the training rows (the most frequent
    label, the base's threshold), so that the same system can be asked again.
    """

    role: Literal["specialist", "majority", "base", "general"]
    name: str
    score: Score | None = None
    cost: Cost = Cost()
    note: str | None = None
    command: str | None = None
    settings: dict[str, str | float] = Field(default_factory=dict)


class BaseReference(Frozen):
    """The base, bound by digest."""

    name: str
    digest: str
    licence: str | None = None


class Machine(Frozen):
    """Where something was measured."""

    processor: str
    cores: int
    system: str
    python: str
