"""General models by date against a specialist: the best so far, the spread, the overtaking.

It knows points and computes what is drawn from them; it knows neither ledger nor record. Of many
models the best is partly the luckiest: so only a model that raises the best so far is put to the
test, and a higher score alone is called just that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from metier.overtaking import How, Month, Overtaken, Point, Source, Timeline

LEAST_PAIRS = 4
"""Clusters that must pair; with fewer the intervals are held against each other."""


def timeline(
    points: Iterable[Point],
    *,
    subject: str,
    eval_name: str,
    title: str,
    metric: str,
    source: Source | None,
    command: str,
    measure: str = "",
) -> Timeline:
    """Everything that the plot of one eval shows.

    Args:
        points: Every system on that eval; of the specialist's own the last by date,
            then the one with the highest lower end, is it today.
        subject: The specialist.
        eval_name: Name of the eval.
        title: The eval's, for people.
        metric: What the scores are.
        source: Of recorded answers.
        command: What gives this.
        measure: What would measure the specialist; dropped if it was.
    """
    ordered = tuple(sorted(points, key=lambda point: (point.date, point.low, point.name)))
    champion = next((one for one in reversed(ordered) if one.role == "specialist"), None)
    rivals = [one for one in ordered if one.role in ("general", "base")]
    best = best_so_far(rivals)
    passed = overtaken = None
    if champion is not None:
        ahead = [_ahead(one, champion) for one in best]
        passed = next((_softly(one) for one in ahead if one.difference > 0.0), None)
        overtaken = next((one for one in ahead if one.how != "point"), None)
    return Timeline(
        subject=subject,
        eval=eval_name,
        title=title,
        metric=metric,
        points=ordered,
        best=best,
        months=months(rivals),
        champion=champion,
        passed=passed,
        overtaken=overtaken,
        source=source,
        command=command,
        measure="" if champion is not None else measure,
    )


def best_so_far(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, by date, that are higher than all before them; of one day the highest."""
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (one.date, -one.score, -one.low, one.name)):
        if not found or point.score > found[-1].score:
            found.append(point)
    return tuple(found)


def months(points: Sequence[Point]) -> tuple[Month, ...]:
    """The spread of the points by month: least, quartiles (linear between ranks), most."""
    by_month: dict[str, list[float]] = defaultdict(list)
    for point in points:
        by_month[point.date[:7]].append(point.score)
    return tuple(
        Month(month, len(scores), *(_quantile(sorted(scores), share / 4) for share in range(5)))
        for month, scores in sorted(by_month.items())
    )


def _quantile(values: Sequence[float], share: float) -> float:
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def _ahead(point: Point, champion: Point) -> Overtaken:
    """Whether a general model is ahead of the specialist, and how far that is shown."""
    before = point.date < champion.date
    if point.ahead is not None:
        low, middle, high = point.ahead
        return Overtaken(
            point.date, point.name, _how(low), middle, low, high, champion.clusters, before
        )
    own = dict(champion.by_cluster)
    shared = [(value, own[name]) for name, value in point.by_cluster if name in own]
    if len(shared) >= LEAST_PAIRS:
        return _paired(point, shared, before)
    how: How = "intervals" if point.low > champion.high else "point"
    difference = point.score - champion.score
    return Overtaken(point.date, point.name, how, difference, None, None, 0, before)


def _paired(point: Point, shared: Sequence[tuple[float, float]], before: bool) -> Overtaken:
    from metier.stats import paired_interval

    theirs, ours = zip(*shared, strict=True)
    found = paired_interval(theirs, ours)
    how = _how(found.low)
    return Overtaken(
        point.date, point.name, how, found.difference, found.low, found.high, found.n, before
    )


def _how(low: float) -> How:
    return "paired" if low > 0.0 else "point"


def _softly(one: Overtaken) -> Overtaken:
    """The same as no more than a higher score."""
    return Overtaken(
        one.date, one.name, "point", one.difference, one.low, one.high, one.pairs, one.before
    )
