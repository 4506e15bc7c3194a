"""What the pages show beside the bitter-lesson plot: the plain sentence, the legend, the rows.

It lays out a timeline and asks for its drawing; it decides nothing and computes no statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier.history.telling import caption, cautions, sentence
from metier.overtaking import Point, Timeline
from metier.site.dateplot import LEAST_FOR_BOX, bitter_plot
from metier.site.words import clip, count, date, percent, points

_ROLES = {
    "general": "general model",
    "base": "its base, alone",
    "documents": "given documentation",
    "specialist": "the specialist",
    "earlier": "the specialist before",
}
MOST_ROWS = 400


def plots(timelines: Sequence[Timeline]) -> list[dict[str, Any]]:
    """Values of the section: one entry for each eval."""
    return [
        {
            "eval": clip(one.eval, 80),
            "title": clip(one.title, 200),
            "drawing": bitter_plot(one, key=f"bitter-{number}"),
            "sentence": sentence(one, _shown),
            "caption": caption(one, _shown),
            "cautions": cautions(one, _shown),
            "legend": legend(one),
            "best": [_row(point) for point in one.best],
            "months": [
                {
                    "month": month.month,
                    "systems": count(month.systems),
                    "spread": [
                        percent(value)
                        for value in (
                            month.lowest,
                            month.lower,
                            month.median,
                            month.upper,
                            month.highest,
                        )
                    ],
                }
                for month in one.months
            ],
            "rows": [_row(point) for point in one.points[:MOST_ROWS]],
            "command": one.command,
            "measure": one.measure,
        }
        for number, one in enumerate(timelines, 1)
    ]


def _row(point: Point) -> dict[str, str]:
    return {
        "date": date(point.date),
        "name": clip(point.name, 120),
        "role": _ROLES[point.role] + (", recorded elsewhere" if point.recorded else ""),
        "score": percent(point.score),
        "interval": f"{points(point.low)} to {points(point.high)}",
        "n": f"{count(point.n)} in {count(point.clusters)}"
        if point.clusters < point.n
        else count(point.n),
    }


def legend(timeline: Timeline) -> str:
    """Which mark is what, of those that are drawn."""
    roles = {point.role for point in timeline.points}
    said = []
    if any(point.recorded for point in timeline.points):
        said.append("hollow: recorded elsewhere, not measured here")
    if any(not point.recorded for point in timeline.points):
        said.append("filled: measured here")
    if "documents" in roles:
        said.append("square: with documentation in the prompt, a different system")
    said.append("steps: the best so far, with its interval")
    if any(month.systems >= LEAST_FOR_BOX for month in timeline.months):
        said.append("boxes: the middle half of a month, with its median")
    if timeline.champion is not None:
        said.append("diamond and band: the specialist with its interval")
    if "earlier" in roles:
        said.append("hollow diamond: what held its name before")
    told = "; ".join(said)
    return f"{told[:1].upper()}{told[1:]}."


def _shown(text: str) -> str:
    return clip(text, 240)
