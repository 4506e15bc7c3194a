"""The sentences of the watch: numbers first, then what they mean, then what comes next.

It knows tracks and standings; it decides nothing.
"""

from __future__ import annotations

from typing import Literal

from metier.watching import ROUTED, Notice, Standing, Track

Because = Literal[
    "ahead",
    "cheap",
    "lost",
    "turned",
    "stays out",
    "lapsed",
    "proof",
    "open",
    "proved again",
    "unproved",
]
"""Why a state was chosen."""
_Kind = Literal["demoted", "restored", "suspect", "undecided", "hop"]


def said(
    because: Because,
    track: Track | None,
    *,
    until: str = "",
    lapsed: bool = False,
    suspect: bool = False,
) -> str:
    """The sentence of a standing.

    Args:
        because: Why the state was chosen.
        track: What it rests on; ``None`` if no pair was ever counted.
        until: ISO date from which the proof holds no longer, or "".
        lapsed: Whether that is past.
        suspect: Whether it wins on old items only.
    """
    numbers = _numbers(track) if track is not None else "0 pairs"
    sentence = f"{numbers}: {_meaning(because, track, until)}"
    if lapsed and because in ("ahead", "cheap"):
        sentence += f"; its proof ended on {until} and should be made again"
    if suspect and because in ("ahead", "cheap", "proof", "open"):
        sentence += "; only old items speak for it: suspect"
    return sentence + "."


def needs(track: Track) -> str:
    """How many pairs it would take to decide, in words; "" if it is decided."""
    if track.low > 0.0 or track.high < 0.0:
        return ""
    if track.needed is None:
        return "more pairs would not decide at this rate"
    more = max(1, track.needed - track.pairs)
    what = "fresh pairs" if track.fresh else "pairs"
    if track.pairs == 0:
        return f"at least {track.needed:,} {what} to decide anything"
    return f"about {track.needed:,} {what} to decide at this rate, {more:,} more"


def noticed(before: Standing | None, after: Standing, *, today: str) -> tuple[Notice, ...]:
    """What a person should know of a step from one standing to the next; ``today`` is its date."""
    same = before is not None and before.system == after.system
    was = before.state if before is not None and same else None
    found: list[Notice] = []

    def note(
        kind: Literal["demoted", "restored", "suspect", "undecided", "hop"], said: str
    ) -> None:
        command = f"metier hop {after.name}" if kind == "hop" else f"metier watch {after.name}"
        found.append(Notice(after.name, today, kind, said, command))

    if after.state not in ROUTED and (was is None or was in ROUTED):
        note("demoted", after.why)
    if after.state == "HOP" and was != "HOP":
        note("hop", "Another base is at hand: make it again there.")
    if after.state in ROUTED and was is not None and was not in ROUTED:
        note("restored", after.why)
    if after.suspect and not (same and before is not None and before.suspect):
        note("suspect", after.why)
    if after.state == "WATCH" and was != "WATCH":
        open_tracks = [track for track in after.tracks if needs(track)]
        if open_tracks:
            track = max(open_tracks, key=lambda one: one.needed or 0)
            note("undecided", f"Against {track.rival_name}: {needs(track)}.")
    return tuple(found)


def _numbers(track: Track) -> str:
    what = "fresh pair" if track.fresh else "pair"
    plural = "" if track.pairs == 1 else "s"
    return (
        f"{_points(track.difference)} points [{_points(track.low)}, {_points(track.high)}] on "
        f"{track.pairs:,} {what}{plural} against {track.rival_name}"
    )


def _points(share: float) -> str:
    found = f"{100.0 * share:+.1f}"
    return "0.0" if found in ("+0.0", "-0.0") else found.replace("-", "−")


def _meaning(because: Because, track: Track | None, until: str) -> str:
    need = f"; {needs(track)}" if track is not None and needs(track) else ""
    if because == "ahead":
        return "it is better"
    if because == "cheap":
        return "it is not worse, at half the cost or less"
    if because == "lost":
        return "it is worse, so the route is gone"
    if because == "turned":
        since = f" since about {track.turned_since}" if track and track.turned_since else ""
        return f"it has become worse{since}, so the route is gone"
    if because == "lapsed":
        return f"its proof ended on {until} and nothing since shows that it is better{need}"
    if because == "stays out":
        return f"it lost the route and has not shown since that it is better{need}"
    if because == "proved again":
        return f"a newer proof gives it the route back, until {until}{need}"
    if because == "proof":
        return f"too few to speak, its proof holds until {until}{need}"
    if because == "open":
        return f"not shown to be better, its proof holds until {until}{need}"
    return f"not shown to be better and not proved{need}"
