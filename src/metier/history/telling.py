"""A timeline in plain sentences, numbers first: who is ahead, since when, and how far it is shown.

It words what ``timelines`` found, for pages, terminal and JSON alike. Texts of others pass through
``shown``, which the door gives that prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from metier.overtaking import Overtaken, Point, Timeline

Shown = Callable[[str], str]
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def sentence(timeline: Timeline, shown: Shown = str) -> str:
    """Who is ahead, since when, and whether that is shown; numbers first."""
    name, champion = shown(timeline.subject), timeline.champion
    if champion is None:
        best = timeline.best[-1] if timeline.best else None
        known = (
            f" The best general model so far is {shown(best.name)}: "
            f"{_percent(best.score)} on {_day(best.date)}."
            if best is not None
            else ""
        )
        return f"{name} was not measured on this eval, so only general models are drawn.{known}"
    found, soft = timeline.overtaken, timeline.passed
    if found is not None and found.before:
        return (
            f"Never ahead here: {shown(found.name)}, of {_day(found.date)}, was better before "
            f"{name} was measured on {_day(champion.date)}, {_by(found)}."
        )
    if found is not None:
        return f"Overtaken by {shown(found.name)} on {_day(found.date)}, {_by(found)}."
    if soft is not None and soft.before:
        return (
            f"{shown(soft.name)}, of {_day(soft.date)}, had the higher score before {name} was "
            f"measured on {_day(champion.date)} with {_percent(champion.score)}, {_by(soft)}; no "
            "general model is shown to be better."
        )
    if soft is not None:
        return (
            f"Its score of {_percent(champion.score)} was passed by {shown(soft.name)} on "
            f"{_day(soft.date)}, {_by(soft)}; no general model is shown to be better."
        )
    if not timeline.best:
        return f"{name}: {_percent(champion.score)} on {_day(champion.date)}. No general model yet."
    best = timeline.best[-1]
    return (
        f"Not overtaken: the best general model so far, {shown(best.name)} of "
        f"{_day(best.date)}, has {_percent(best.score)}; {name} has {_percent(champion.score)}."
    )


def _by(one: Overtaken) -> str:
    said = f"by {_points(one.difference)} points"
    if one.low is not None and one.high is not None:
        ends = f"{_points(one.low, signed=True)} to {_points(one.high, signed=True)}"
        return f"{said} (paired over {_count(one.pairs)} groups: {ends})"
    if one.how == "intervals":
        return f"{said} (nothing pairs; its interval lies above the specialist's)"
    return f"{said} (nothing pairs, and the intervals overlap)"


def caption(timeline: Timeline, shown: Shown = str) -> str:
    """How many, of when, in how many groups, from where, and what months do not show."""
    general = [point for point in timeline.points if point.role in ("general", "base")]
    said = []
    if general:
        days = sorted(point.date for point in general)
        span = _day(days[0]) if days[0] == days[-1] else f"{_day(days[0])} to {_day(days[-1])}"
        said.append(f"{_counted(len(general), 'general model')}, {span}.")
        if all(point.role == "base" for point in general):
            said[-1] = f"Only its own base was measured beside it, {span}; no general model yet."
        said.append(_size(general))
    source = timeline.source
    if source is None:
        return " ".join(said)
    said.append(
        "Months jump with what was submitted: read the best so far and the spread, not a median."
    )
    if source.left_out:
        told = ", ".join(f"{shown(task)} ({shown(why)})" for task, why in source.left_out)
        said.append(f"Left out everywhere: {told}.")
    said.append(
        f"From {shown(source.upstream)}, {shown(source.licence)}, taken in "
        f"{_day(source.taken)}: recorded and judged elsewhere, not measured here."
    )
    return " ".join(said)


def cautions(timeline: Timeline, shown: Shown = str) -> tuple[str, ...]:
    """What the plot does not say, a sentence each."""
    general = [point for point in timeline.points if point.role in ("general", "base")]
    said = []
    if len(general) > 1:
        said.append(
            "The best of many is partly the luckiest; so only a model that raises the best so far "
            "is put to the test."
        )
    source = timeline.source
    if source is None:
        return tuple(said)
    said.append(
        "Models of every size and price stand together: the record does not say what an answer "
        "cost. A day is that on which answers were recorded, not that of a model's release."
    )
    if source.copies >= 0.005:
        said.append(
            f"{_percent(source.copies)} of the {_count(source.answers)} answers are copies of "
            "another; the intervals count tasks, so copies weigh nothing in them."
        )
    if timeline.champion is not None and source.judged:
        said.append(shown(source.judged))
    return tuple(said)


def _size(general: Sequence[Point]) -> str:
    least, most = min(p.n for p in general), max(p.n for p in general)
    groups = max(p.clusters for p in general)
    many = (
        _counted(most, "answer") if least == most else f"{_count(least)} to {_count(most)} answers"
    )
    if groups < most:
        return (
            f"{many} each, in {_counted(groups, 'group')} that hang together: the 95 % "
            "intervals are those of so few groups."
        )
    return f"{many} each; 95 % intervals."


def _day(text: str) -> str:
    found = date.fromisoformat(text[:10])
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float, *, signed: bool = False) -> str:
    told = f"{100 * share:{'+' if signed else ''}.1f}".replace("-", "\u2212")
    return told.removeprefix("+") if told in ("+0.0", "\u22120.0") else told


def _count(number: int) -> str:
    return f"{number:,}"


def _counted(number: int, noun: str) -> str:
    return f"{_count(number)} {noun}{'' if number == 1 else 's'}"
