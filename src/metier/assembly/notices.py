"""What people should know of the watch: states that changed, and evals too small to decide.

It reads standings in the order in which they were written; it judges nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from metier.watching import ROUTED, Notice, Standing

LEVEL = 20.0
"""An e-value from which on something is shown."""


def notices_of(history: Iterable[tuple[str, Standing]]) -> list[Notice]:
    """What is to be said of one specialist, the latest first.

    Args:
        history: ISO date and standing of every look at it, oldest first.

    Returns:
        The last change of its state, what is suspect now, and what it takes to decide.
    """
    looks = list(history)
    if not looks:
        return []
    found = [*_change(looks)]
    date, now = looks[-1]
    if now.suspect and now.state in ROUTED:
        found.append(Notice(now.name, date, "suspect", f"{now.name}: {now.why}", _adding(now.name)))
    elif now.state == "WATCH" and (needed := needed_of(now)) is not None:
        found.append(
            Notice(
                now.name,
                date,
                "undecided",
                f"{now.name}: too few items to decide; at the rate so far it takes about "
                f"{needed:,} more.",
                _adding(now.name),
            )
        )
    return sorted(found, key=lambda one: one.date, reverse=True)


def needed_of(standing: Standing) -> int | None:
    """Items that it would take to decide, fresh ones where there are any; ``None`` if decided."""
    fresh = [track for track in standing.tracks if track.fresh and track.pairs]
    tracks = fresh or [track for track in standing.tracks if not track.fresh]
    needed = [track.needed for track in tracks if track.needed is not None]
    return max(needed) if needed else None


def _change(looks: Sequence[tuple[str, Standing]]) -> list[Notice]:
    """The last step over the line between routed and not."""
    for position in range(len(looks) - 1, -1, -1):
        date, now = looks[position]
        before = looks[position - 1][1] if position else None
        if before is not None and before.state == now.state:
            continue
        name = shlex.quote(now.name)
        if now.state == "HOP":
            said = f"{now.name}: {now.why}"
            return [Notice(now.name, date, "hop", said, f"metier hop {name} --every-new-base")]
        if now.state == "DEMOTED":
            said = f"{now.name}: kept here, no longer routed to. {now.why}"
            return [Notice(now.name, date, "demoted", said, f"metier watch {name}")]
        if before is not None and before.state not in ROUTED:
            said = f"{now.name}: routed to again. {now.why}"
            return [Notice(now.name, date, "restored", said, f"metier show {name}")]
        return []
    return []


def _adding(name: str) -> str:
    return f"metier watch {shlex.quote(name)} --fresh FILE"
