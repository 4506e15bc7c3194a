"""The rounds of a search by eval as a drawing: who was tried, and where each one left.

Pure: numbers in, SVG out; text is escaped. A row is a candidate, a column a round, and a line ends
where its candidate was dropped. Places across are per cent of the width, so that it fits a phone;
names stand above their lines. The page carries the same numbers in a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from metier.site.words import clip, percent, plural

MOST_ROWS = 24
"""Candidates that are drawn; the others left in the first rounds and stand in the table."""
_ROW, _HEAD, _FOOT = 34, 22, 6
_LEFT, _RIGHT = 1.0, 97.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One candidate.

    Attributes:
        name: Its name.
        rounds: Rounds it took part in.
        score: Its share of right answers at its end, or ``None``.
        kept: Whether it is still in.
        winner: Whether it was chosen.
    """

    name: str
    rounds: int
    score: float | None
    kept: bool
    winner: bool


def lanes(rounds: Sequence[Mapping[str, Any]], winner: str | None) -> list[Lane]:
    """Candidates, those that went furthest first.

    Args:
        rounds: As ``examine.tried.round_dict`` tells them, in order.
        winner: Who was chosen, or ``None`` while it goes on.
    """
    found: dict[str, Lane] = {}
    for number, one in enumerate(rounds, start=1):
        for item in one["standings"]:
            name = str(item["name"])
            found[name] = Lane(name, number, item["score"], bool(item["kept"]), name == winner)
    return sorted(
        found.values(),
        key=lambda lane: (not lane.winner, not lane.kept, -lane.rounds, -(lane.score or 0.0)),
    )


def drawing(rounds: Sequence[Mapping[str, Any]], winner: str | None, *, key: str) -> str:
    """The funnel as SVG with title and description; "" before the first round is over."""
    if not rounds:
        return ""
    every = lanes(rounds, winner)
    shown = every[:MOST_ROWS]
    height = _HEAD + len(shown) * _ROW + _FOOT
    title = f"{plural(len(every), 'candidate')} in {plural(len(rounds), 'round')}"
    told = [
        f"Round {one['number']}: {len(one['standings'])} were asked {one['total']} questions each, "
        f"{sum(bool(item['kept']) for item in one['standings'])} stayed."
        for one in rounds
    ]
    if winner is not None:
        told.append(f"{winner} was chosen.")
    parts = [
        (
            f'<svg class="chart funnel" role="img" width="100%" height="{height}" '
            f'aria-labelledby="{escape(key)}-t {escape(key)}-d">'
        ),
        f'<title id="{escape(key)}-t">{escape(clip(title, 200))}</title>',
        f'<desc id="{escape(key)}-d">{escape(clip(" ".join(told), 1500))}</desc>',
    ]
    parts += _columns(rounds, height)
    for place, lane in enumerate(shown):
        parts += _lane(lane, _HEAD + place * _ROW, len(rounds))
    return "".join((*parts, "</svg>"))


def _end(rounds: int, of: int) -> float:
    """Where a line that lasted so many rounds ends, per cent."""
    return _LEFT + (_RIGHT - _LEFT) * rounds / of


def _columns(rounds: Sequence[Mapping[str, Any]], height: int) -> list[str]:
    parts = []
    for number, one in enumerate(rounds, start=1):
        x = f"{_end(number, len(rounds)):.2f}"
        parts.append(f'<line x1="{x}%" x2="{x}%" y1="18" y2="{height}" class="grid"/>')
        said = f"{one['total']:,}" + (" questions each" if number == len(rounds) == 1 else "")
        parts.append(
            f'<text x="{x}%" y="12" class="caption" text-anchor="end">{escape(said)}</text>'
        )
    return parts


def _lane(lane: Lane, top: int, rounds: int) -> list[str]:
    y = top + 24
    x = f"{_end(lane.rounds, rounds):.2f}"
    style = "lane winner" if lane.winner else "lane in" if lane.kept else "lane out"
    mark = (
        f'<circle cx="{x}%" cy="{y}" r="4.5"/>'
        if lane.kept
        else f'<line x1="{x}%" x2="{x}%" y1="{y - 5}" y2="{y + 5}" class="stop"/>'
    )
    score = "" if lane.score is None else f" {percent(lane.score)}"
    weight = ' class="number"' if lane.winner else ""
    return [
        f'<g class="{style}">',
        f'<text x="{_LEFT}%" y="{top + 14}"{weight}>{escape(clip(lane.name, 34) + score)}</text>',
        f'<line x1="{_LEFT}%" x2="{x}%" y1="{y}" y2="{y}" class="run"/>',
        mark,
        "</g>",
    ]
