"""Pairs become tracks: per rival, old and fresh items together, then the fresh ones alone.

It knows pairs and the looks they came in; the numbers are ``metier.stats.sequential``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from metier.stats.sequential import Tally
from metier.watching import Pair, Rival, Track

RIVALS: tuple[Rival, ...] = ("general", "base", "base+documents")
"""In the order in which they are told: who could take the route comes first."""
DEFAULT_MARGIN = 0.01

_Tallies = dict[tuple[Rival, bool], Tally]


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
    found: tuple[Track, ...] = ()
    for _, tracks in tracks_over(pairs, names, margin=margin):
        found = tracks
    return found


def tracks_over(
    pairs: Iterable[Pair], names: Mapping[Rival, str], *, margin: float = DEFAULT_MARGIN
) -> Iterator[tuple[str, tuple[Track, ...]]]:
    """The tracks after each look, with the look's name: what a plot over time draws."""
    tallies: _Tallies = {}
    for look, coming in groupby(sorted(pairs, key=_order), key=lambda pair: pair.look):
        _count(tallies, list(coming))
        yield (
            look,
            tuple(
                _track(tallies[rival, fresh], rival, names.get(rival, rival), margin, fresh=fresh)
                for rival in RIVALS
                for fresh in (False, True)
                if (rival, fresh) in tallies
            ),
        )


def _order(pair: Pair) -> tuple[str, str, str, str]:
    return (pair.look, pair.rival, pair.cluster, pair.item)


def _count(tallies: _Tallies, coming: list[Pair]) -> None:
    """Add one look. A cluster is fresh by what is fresh in it: old items of it count apart."""
    for rival in RIVALS:
        mine = [pair for pair in coming if pair.rival == rival]
        for fresh in (False, True):
            chosen = [pair for pair in mine if pair.fresh or not fresh]
            dated = any(pair.date or pair.fresh for pair in mine)
            if chosen or (fresh and dated):
                tallies[rival, fresh] = tallies.get((rival, fresh), Tally()).after(
                    [pair.own for pair in chosen],
                    [pair.other for pair in chosen],
                    [_cluster(pair) for pair in chosen],
                )


def _cluster(pair: Pair) -> str:
    """What counts once: an item without a cluster stands alone, feedback apart from evals."""
    kind, name = ("cluster", pair.cluster) if pair.cluster else ("item", pair.item)
    return f"{pair.source} {kind} {name}"


def _track(tally: Tally, rival: Rival, name: str, margin: float, *, fresh: bool) -> Track:
    found = tally.read(margin=margin)
    return Track(
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
