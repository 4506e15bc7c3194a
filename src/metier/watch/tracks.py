"""Pairs become tracks: per rival, old and fresh items together, then the fresh ones alone.

It knows pairs and the looks they came in; the numbers are ``metier.stats.sequential``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from metier.stats.sequential import SHOWN, Tally
from metier.stats.turning import Turning, turned_at
from metier.watching import Pair, Rival, Track

RIVALS: tuple[Rival, ...] = ("general", "base", "base+documents")
"""In the order in which they are told: who could take the route comes first."""
DEFAULT_MARGIN = 0.01


@dataclass(slots=True)
class _Course:
    """One track as it goes on, look by look."""

    margin: float
    tally: Tally = field(default_factory=Tally)
    turning: tuple[Turning, Turning] = (Turning(), Turning())
    looks: list[tuple[str, list[float]]] = field(default_factory=list)

    def add(self, look: str, pairs: list[Pair]) -> None:
        """Count one look."""
        before = Counter(self.tally.counts)
        self.tally = self.tally.after(
            [pair.own for pair in pairs],
            [pair.other for pair in pairs],
            [_cluster(pair) for pair in pairs],
        )
        gained = sorted((Counter(self.tally.counts) - before).elements())
        if gained:
            whole, far = self.turning
            self.turning = (whole.after(gained), far.after(gained))
            self.looks.append((look, gained))


_Courses = dict[tuple[Rival, bool], _Course]


def tracks_of(
    pairs: Iterable[Pair], names: Mapping[Rival, str], *, margin: float = DEFAULT_MARGIN
) -> tuple[Track, ...]:
    """What all pairs say, per rival that has any.

    Each rival has a track of all its pairs, then one of the fresh ones alone. The second is there
    (with 0 pairs if need be) as soon as one of its pairs is dated: without dates nobody knows
    what is old. The result does not depend on the order of the pairs, only on their ``look``.

    Args:
        pairs: In any order.
        names: What people call each rival; its role where it is missing.
        margin: What counts as no difference.
    """
    found: _Courses = {}
    for _, courses in _looks(pairs, margin):
        found = courses
    return _read(found, names)


def tracks_over(
    pairs: Iterable[Pair], names: Mapping[Rival, str], *, margin: float = DEFAULT_MARGIN
) -> Iterator[tuple[str, tuple[Track, ...]]]:
    """The tracks after each look, with the look's name: what a plot over time draws."""
    for look, courses in _looks(pairs, margin):
        yield look, _read(courses, names)


def _looks(pairs: Iterable[Pair], margin: float) -> Iterator[tuple[str, _Courses]]:
    """The courses after each look; they are the same ones, going on."""
    courses: _Courses = {}
    for look, coming in groupby(sorted(pairs, key=_order), key=lambda pair: pair.look):
        _count(courses, look, list(coming), margin)
        yield look, courses


def _read(courses: _Courses, names: Mapping[Rival, str]) -> tuple[Track, ...]:
    return tuple(
        _track(courses[rival, fresh], rival, names.get(rival, rival), fresh=fresh)
        for rival in RIVALS
        for fresh in (False, True)
        if (rival, fresh) in courses
    )


def _order(pair: Pair) -> tuple[str, str, str, str]:
    return (pair.look, pair.rival, pair.cluster, pair.item)


def _count(courses: _Courses, look: str, coming: list[Pair], margin: float) -> None:
    """Add one look. A cluster is fresh by what is fresh in it: old items of it count apart."""
    for rival in RIVALS:
        mine = [pair for pair in coming if pair.rival == rival]
        dated = any(pair.date or pair.fresh for pair in mine)
        for fresh in (False, True):
            chosen = [pair for pair in mine if pair.fresh or not fresh]
            if chosen or (fresh and dated):
                if (rival, fresh) not in courses:
                    turning = (Turning(), Turning(-margin))
                    courses[rival, fresh] = _Course(margin, turning=turning)
                courses[rival, fresh].add(look, chosen)


def _cluster(pair: Pair) -> str:
    """What counts once: an item without a cluster stands alone, feedback apart from evals."""
    kind, name = ("cluster", pair.cluster) if pair.cluster else ("item", pair.item)
    return f"{pair.source} {kind} {name}"


def _track(course: _Course, rival: Rival, name: str, *, fresh: bool) -> Track:
    found = course.tally.read(margin=course.margin)
    track = Track(
        rival=rival,
        rival_name=name,
        pairs=found.pairs,
        wins=found.wins,
        losses=found.losses,
        difference=found.difference,
        low=found.low,
        high=found.high,
        for_it=found.for_it,
        against_it=found.against_it,
        not_worse=found.not_worse,
        needed=found.needed,
        fresh=fresh,
    )
    if fresh:
        return track
    turned, far = (turning.e_value for turning in course.turning)
    since = ""
    if turned >= SHOWN:
        since = course.looks[turned_at([gained for _, gained in course.looks])][0]
    return replace(track, turned=turned, turned_far=far, turned_since=since)
