"""The words of the bitter-lesson plot: systems by date on one eval, the best so far, its day.

Values only: which system was measured or recorded when, with which interval, and on which day the
best general model so far passed the specialist. Who computes them is ``metier.history``'s matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["general", "base", "documents", "specialist", "earlier"]
"""``general``: a model that was not specialised. ``base``: the one that the specialist is made
from, alone. ``documents``: a general model that was given documentation, a different system.
``specialist``: what holds the name today. ``earlier``: what held it before."""

How = Literal["paired", "intervals", "point"]
"""How it was found that a general model is ahead. ``paired``: the interval of the paired
difference lies above zero. ``intervals``: nothing pairs, and its lower end lies above the
specialist's upper end. ``point``: only its score is higher; nothing is shown."""


@dataclass(frozen=True, slots=True)
class Point:
    """One system on one eval on one day.

    Attributes:
        name: What people call it.
        role: See ``Role``.
        date: ISO date on which its answers were given.
        score: Share of 1.
        low, high: Ends of its 95 % interval, clustered.
        n: Scored answers.
        clusters: Groups of them that hang together.
        recorded: Whether the answers were recorded elsewhere and not measured here.
        by_cluster: Cluster to mean outcome, where it is known: what pairs.
        ahead: Its paired difference to the specialist, low, estimate and high, where a paired
            comparison was made already; ``None`` otherwise.
        result: Digest of the result, or "".
    """

    name: str
    role: Role
    date: str
    score: float
    low: float
    high: float
    n: int
    clusters: int
    recorded: bool = False
    by_cluster: tuple[tuple[str, float], ...] = ()
    ahead: tuple[float, float, float] | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """The spread of the general models of one month, shares of 1.

    Attributes:
        month: ``2025-05``.
        systems: How many.
        lowest, lower, median, upper, highest: Least, quartiles and most.
    """

    month: str
    systems: int
    lowest: float
    lower: float
    median: float
    upper: float
    highest: float


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The first day on which the best general model so far was ahead of the specialist.

    Attributes:
        date: ISO date.
        name: The general model.
        how: See ``How``.
        difference: Its score minus the specialist's.
        low, high: Ends of the interval of that difference; ``None`` unless it is paired.
        pairs: Clusters that pair, 0 unless it is paired.
        before: Whether that day lies before the specialist's own: then it never was ahead.
    """

    date: str
    name: str
    how: How
    difference: float
    low: float | None
    high: float | None
    pairs: int
    before: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where recorded answers come from.

    Attributes:
        name: Of the record: ``svelte-bench``.
        title: For people.
        upstream: Repository and commit.
        licence: Upstream's.
        rows: SHA-256 of the canonical rows.
        answers: Answers in them.
        copies: Share of them that are byte-identical to another of the same system and task.
        left_out: Task to why it counts nowhere.
        taken: ISO date on which it was taken in here.
        judged: How its verdicts and those given here go together, in a sentence, or "".
    """

    name: str
    title: str
    upstream: str
    licence: str
    rows: str
    answers: int
    copies: float
    left_out: tuple[tuple[str, str], ...]
    taken: str
    judged: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """General models by date against a specialist, on one eval.

    Attributes:
        subject: The specialist.
        eval: Name of the eval.
        title: The eval's, for people.
        metric: What the scores are.
        points: Every system, by date.
        best: The general models that raised the best so far, by date.
        months: The spread of the general models, by month.
        champion: The specialist itself, ``None`` if it was not measured on this eval.
        passed: The first day on which the best so far had the higher score.
        overtaken: The first day on which it is shown to be better.
        source: Of recorded answers, ``None`` if all was measured here.
        command: What gives this.
        measure: What would measure the specialist on this eval, "" if it was.
    """

    subject: str
    eval: str
    title: str
    metric: str
    points: tuple[Point, ...]
    best: tuple[Point, ...]
    months: tuple[Month, ...]
    champion: Point | None
    passed: Overtaken | None
    overtaken: Overtaken | None
    source: Source | None
    command: str
    measure: str = ""
