"""What people should know of the watch now, from everything that was noticed so far.

It reads standings in the order in which they were written and keeps what still holds; what is
noticed from one standing to the next is ``watch``'s matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from metier.watch import noticed
from metier.watching import ROUTED, Notice, Standing


def notices_of(history: Iterable[tuple[str, Standing]]) -> list[Notice]:
    """What is to be said of one specialist, the latest first; one of a kind.

    Args:
        history: ISO date and standing of every look at it, oldest first.
    """
    looks = list(history)
    if not looks:
        return []
    now = looks[-1][1]
    found: dict[str, Notice] = {}
    steps = [(None, looks[0]), *((before[1], after) for before, after in pairwise(looks))]
    for before, (date, after) in steps:
        found.update((notice.kind, notice) for notice in noticed(before, after, today=date[:10]))
    holds = {
        "demoted": now.state not in ROUTED,
        "hop": now.state == "HOP",
        "restored": now.state in ROUTED,
        "suspect": now.suspect and now.state in ROUTED,
        "undecided": now.state == "WATCH",
    }
    kept = [notice for notice in found.values() if holds.get(notice.kind, True)]
    return sorted(kept, key=lambda one: (one.date, one.kind != "hop"), reverse=True)
