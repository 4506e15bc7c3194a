"""The watch's plot as SVG: the confidence sequence of each paired difference, look by look.

Pure functions: looks in, markup out. One panel a rival, under each other on one scale of time: the
interval as a band that changes with each look, the estimate as a line, zero, the margin, and the
days on which the state changed. What lies outside a panel is cut off at its edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier.site.drawing import (
    LEFT,
    RIGHT,
    Calendar,
    Domain,
    Labels,
    Spot,
    line,
    number,
    opened,
    place,
    text,
)
from metier.site.words import clip, count, date, moment, plural, points
from metier.watching import Rival, Standing, Track

Look = tuple[str, Standing]
"""When somebody looked (ISO moment), and what it came to."""
MARGIN = 0.01
MOST_LOOKS = 240
MOST_PANELS = 4
HEAD, PANEL, GAP, FOOT = 48.0, 104.0, 34.0, 56.0
_LEAST = 0.03
_RIVALS = {
    "base": "its base",
    "general": "general model",
    "base+documents": "base + documents",
}


def watch_values(looks: Sequence[Look]) -> dict[str, Any] | None:
    """Drawing, caption and rows of the watch's plot; ``None`` where nobody looked at a pair."""
    shown = [look for look in looks if look[1].tracks][-MOST_LOOKS:]
    panels = _panels(shown)
    if not panels:
        return None
    last = shown[-1][1]
    return {
        "drawing": watch_plot(shown, key="watch"),
        "caption": _caption(shown, panels),
        "rows": [
            {
                "moment": moment(when),
                "state": standing.state,
                "against": _against(track),
                "difference": points(track.difference, signed=True),
                "interval": _ends(track),
                "pairs": count(track.pairs),
            }
            for when, standing in reversed(shown[-40:])
            for track in standing.tracks
            if track.pairs
        ],
        "command": f"metier watch {last.name}",
    }


def watch_plot(looks: Sequence[Look], *, key: str) -> str:
    """The plot; "" where fewer than two looks counted a pair: one interval is no sequence.

    Args:
        looks: Oldest first, each with its tracks.
        key: Unique on the page.
    """
    panels = _panels(looks)
    if not panels or len(looks) < 2:
        return ""
    calendar = Calendar.of([when for when, _ in looks])
    labels = Labels()
    bottom = HEAD + len(panels) * (PANEL + GAP) - GAP
    parts = [_changes(looks, calendar, labels, bottom)]
    for index, (rival, fresh) in enumerate(panels):
        top = HEAD + index * (PANEL + GAP)
        parts.append(_panel(looks, (rival, fresh), calendar, top))
    parts += [line(LEFT, bottom, RIGHT, bottom, "axis"), calendar.axis(bottom)]
    parts.append(text((LEFT + RIGHT) / 2, bottom + 49, "day of the look", "caption"))
    title = f"The standing watch over {looks[-1][1].name}"
    height = int(bottom + FOOT)
    return opened(key, height, title, _described(looks), "plot watch") + "".join(parts) + "</svg>"


def _panels(looks: Sequence[Look]) -> list[tuple[Rival, bool]]:
    """Rival and freshness of each panel: what the last looks had, the general model first."""
    order = ("general", "base", "base+documents")
    found = {
        (track.rival, track.fresh)
        for _, standing in looks
        for track in standing.tracks
        if track.pairs
    }
    ranked = sorted(found, key=lambda one: (one[1], order.index(one[0])))
    return [(rival, fresh) for rival, fresh in ranked][:MOST_PANELS]


def _tracks(looks: Sequence[Look], panel: tuple[Rival, bool]) -> list[tuple[str, Track]]:
    return [
        (when, track)
        for when, standing in looks
        for track in standing.tracks
        if (track.rival, track.fresh) == panel and track.pairs
    ]


def _panel(looks: Sequence[Look], panel: tuple[Rival, bool], calendar: Calendar, top: float) -> str:
    tracks = _tracks(looks, panel)
    domain = _domain([track for _, track in tracks])
    bottom = top + PANEL

    def y(value: float) -> float:
        return place(value, domain, bottom, top)

    last = tracks[-1][1]
    told = f"{points(last.difference, signed=True)}, {plural(last.pairs, 'pair')}"
    band = (
        f'<rect class="margin" x="{number(LEFT)}%" y="{number(y(MARGIN))}" '
        f'width="{number(RIGHT - LEFT)}%" height="{number(y(-MARGIN) - y(MARGIN))}"/>'
    )
    parts = [
        text(0.0, top - 6, f"{_against(last)}: {told}", "panel-name", "start"),
        band,
        *_levels(domain, top, bottom),
        line(LEFT, y(0.0), RIGHT, y(0.0), "zero"),
    ]
    places = [calendar.place(when) for when, _ in tracks]
    for index, (x, (_, track)) in enumerate(zip(places, tracks, strict=True)):
        end = places[index + 1] if index + 1 < len(places) else min(RIGHT, x + 1.5)
        high, low, middle = y(track.high), y(track.low), y(track.difference)
        parts.append(
            f'<rect class="sequence" x="{number(x)}%" y="{number(high)}" '
            f'width="{number(max(0.4, end - x))}%" height="{number(max(1.0, low - high))}"/>'
        )
        parts.append(line(x, middle, max(x + 0.4, end), middle, "middle"))
    return "".join(parts)


def _levels(domain: Domain, top: float, bottom: float) -> list[str]:
    """Zero and the two ends of the panel, in points."""
    parts = []
    for value in (domain[0], 0.0, domain[1]):
        y = place(value, domain, bottom, top)
        said = "0" if value == 0.0 else f"{100 * value:+.0f}".replace("-", "\u2212")
        parts.append(text(LEFT - 1.5, y + 4, said, "tick", "end"))
        if value != 0.0:
            parts.append(line(LEFT, y, RIGHT, y, "grid"))
    return parts


def _domain(tracks: Sequence[Track]) -> Domain:
    """Around the last interval and every estimate: the wide start is cut off at the edge."""
    last = tracks[-1]
    values = [last.low, last.high, *(track.difference for track in tracks)]
    reach = max(_LEAST, *(abs(value) for value in values)) * 1.15
    low = -reach if min(values) < -0.25 * reach else -0.4 * reach
    high = reach if max(values) > 0.25 * reach else 0.4 * reach
    return max(-1.0, low), min(1.0, high)


def _changes(looks: Sequence[Look], calendar: Calendar, labels: Labels, bottom: float) -> str:
    """A line through every panel for each change of the state, the first state named too."""
    parts, before = [], ""
    for when, standing in looks:
        if standing.state == before:
            continue
        before = standing.state
        x = calendar.place(when)
        spots = [Spot(x, y, anchor) for y in (11.0, 25.0) for anchor in ("start", "middle", "end")]
        parts.append(line(x, HEAD - 20, x, bottom, f"change {standing.state.lower()}"))
        parts.append(labels.put(standing.state, spots, "change", bottom))
    return "".join(parts)


def _against(track: Track) -> str:
    whom = _RIVALS.get(track.rival, "another")
    return f"{whom}, fresh" if track.fresh else whom


def _ends(track: Track) -> str:
    return f"{points(track.low, signed=True)} to {points(track.high, signed=True)}"


def _described(looks: Sequence[Look]) -> str:
    when, standing = looks[-1]
    told = "; ".join(
        f"against {_against(track)} {points(track.difference, signed=True)} points "
        f"({_ends(track)}), "
        f"{plural(track.pairs, 'pair')}"
        for track in standing.tracks
        if track.pairs
    )
    return f"{standing.state} on {date(when)}. {told}."


def _caption(looks: Sequence[Look], panels: Sequence[tuple[Rival, bool]]) -> str:
    first, last = looks[0][0], looks[-1][0]
    names = dict.fromkeys(
        clip(track.rival_name, 80)
        for _, standing in looks
        for track in standing.tracks
        if track.pairs and track.rival_name
    )
    days = date(first) if first[:10] == last[:10] else f"{date(first)} to {date(last)}"
    many = max(track.pairs for panel in panels for _, track in _tracks(looks, panel))
    fresh = " Fresh: items newer than either system." if any(one[1] for one in panels) else ""
    return (
        f"{plural(len(looks), 'look')}, {days}, up to {plural(many, 'pair')} (a cluster of items "
        f"is one). Against {', '.join(names) or 'nobody'}. Dark line: the mean paired difference "
        "in points; band: its 95\u202f% confidence sequence, valid however often anybody looks; "
        f"pale band: \u00b11 point; lines from top to bottom: the state changed.{fresh}"
    )
