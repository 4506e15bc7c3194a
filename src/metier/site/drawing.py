"""The pens of every chart: places, lines, texts, axes, and labels that do not overlap.

Horizontal places are per cent of the width, vertical ones are pixels. Everything that is text is
clipped and escaped here. It knows nothing of what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html import escape

from metier.site.words import clip

Domain = tuple[float, float]
LEFT, RIGHT = 13.0, 97.0
"""Where the plotting area begins and ends, in per cent of the width."""


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def opened(key: str, height: int, title: str, description: str, style: str) -> str:
    """The opening tag of a chart with its title and description for screen readers."""
    return (
        f'<svg class="chart {style}" role="img" width="100%" height="{height}" '
        f'aria-labelledby="{escape(key)}-t {escape(key)}-d">'
        f'<title id="{escape(key)}-t">{escape(clip(title, 300))}</title>'
        f'<desc id="{escape(key)}-d">{escape(clip(description, 1500))}</desc>'
    )


def text(
    x: float, y: float, text: str, style: str = "", anchor: str = "middle", *, dx: float = 0.0
) -> str:
    """A text; ``x`` in per cent of the width, ``y`` and ``dx`` in pixels."""
    shift = f' dx="{number(dx)}"' if dx else ""
    return (
        f'<text x="{number(x)}%" y="{number(y)}"{shift} class="{style}" text-anchor="{anchor}">'
        f"{escape(clip(text, 120))}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A line; horizontal places in per cent of the width, vertical ones in pixels."""
    return (
        f'<line x1="{number(x1)}%" y1="{number(y1)}" x2="{number(x2)}%" y2="{number(y2)}" '
        f'class="{style}"/>'
    )


def place(value: float, domain: Domain, start: float, end: float) -> float:
    """Where a value stands between ``start`` and ``end``."""
    low, high = domain
    if not math.isfinite(value):
        return start
    share = (value - low) / (high - low) if high > low else 0.5
    return start + (end - start) * min(1.0, max(0.0, share))


def ticks(low: float, high: float) -> list[float]:
    """Round values between two shares, at most seven."""
    span = max(high - low, 1e-6)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 1.0) if span / step <= 6)
    return [
        index * step
        for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def quality_axis(domain: Domain, top: float, bottom: float) -> str:
    """Level lines with their per cent."""
    marks = []
    values = ticks(*domain)
    for value in values:
        y = place(value, domain, bottom, top)
        percent_sign = "\u202f%" if value == values[-1] else ""
        marks.append(line(LEFT, y, RIGHT, y, "grid"))
        marks.append(text(LEFT - 1.5, y + 4, f"{value * 100:.0f}{percent_sign}", "tick", "end"))
    return "".join(marks)


def quality_domain(values: Sequence[float]) -> Domain:
    """From a little below the lowest shown value to a little above the highest."""
    low, high = min(values), max(values)
    air = max(0.01, (high - low) * 0.12)
    return max(0.0, low - air), min(1.0, high + air)


# ------------------------------------------------------------------------------------------ labels

NARROW = 300.0
"""Pixels of the narrowest chart: what is free there is free on every wider one, because places
move apart and letters keep their size."""
_LETTER, _LINE = 6.6, 14.0
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place for a text.

    Attributes:
        x: Per cent of the width.
        y: Pixels, of the line that the letters stand on.
        anchor: ``start``, ``middle`` or ``end``.
        dx: Pixels to the right of ``x``.
    """

    x: float
    y: float
    anchor: str = "middle"
    dx: float = 0.0

    def box(self, words: str, *, width: float = NARROW) -> Box:
        """Left, top, right and bottom of a text here, in pixels on a chart of that width."""
        wide = _LETTER * len(words) + 2.0
        across = self.x / 100.0 * width + self.dx
        left = across - {"start": 0.0, "middle": wide / 2.0, "end": wide}[self.anchor]
        return left, self.y - _LINE + 3.0, left + wide, self.y + 3.0


@dataclass
class Labels:
    """Texts of one chart, each put where it covers no other; ``taken`` may be given marks too."""

    taken: list[Box] = field(default_factory=list)

    def keep_clear(self, x: float, y: float, reach: float = 5.0) -> None:
        """Leave room around a mark."""
        across = x / 100.0 * NARROW
        self.taken.append((across - reach, y - reach, across + reach, y + reach))

    def put(self, words: str, spots: Iterable[Spot], style: str, floor: float) -> str:
        """The text at the first spot that is free and inside; else "".

        A label that fits nowhere is left out: the same numbers stand in the table.

        Args:
            words: The text.
            spots: Where it may stand, the best place first.
            style: Its class.
            floor: Pixels below which nothing may stand.
        """
        for spot in spots:
            box = spot.box(words)
            inside = box[0] >= 0.0 and box[2] <= NARROW and box[1] >= 0.0 and box[3] <= floor
            if inside and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                return text(spot.x, spot.y, words, style, spot.anchor, dx=spot.dx)
        return ""


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# ------------------------------------------------------------------------------------------- dates

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 600)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A true scale of days across a chart.

    Attributes:
        first, last: Its ends, in days; see ``day_of``.
        left, right: Where they stand, per cent of the width.
    """

    first: float
    last: float
    left: float = LEFT
    right: float = RIGHT

    @classmethod
    def of(cls, days: Sequence[str]) -> Calendar:
        """From the first to the last of some ISO dates or moments, with air on both sides."""
        ordinals = [day_of(day) for day in days]
        first, last = min(ordinals), max(ordinals)
        air = _air(first, last)
        earliest, latest = float(date.min.toordinal()), float(date.max.toordinal())
        return cls(max(earliest, first - air), min(latest, last + air))

    def place(self, day: str) -> float:
        """Where an ISO date or moment stands, per cent of the width."""
        return place(day_of(day), (self.first, self.last), self.left, self.right)

    def months(self) -> list[date]:
        """The first days of months inside."""
        start, end = date.fromordinal(int(self.first)), date.fromordinal(int(self.last))
        found = []
        day = start.replace(day=1)
        while day <= end:
            if day >= start:
                found.append(day)
            if (day.year, day.month) == (date.max.year, 12):
                break
            day = (day + timedelta(days=32)).replace(day=1)
        return found

    def axis(self, bottom: float) -> str:
        """A tick for every month with its name where there is room, and the year below."""
        months = self.months()
        if len(months) < 2:
            return self._few_days(bottom)
        room = (self.right - self.left) / 100.0 * NARROW
        step = next((step for step in _STEPS if len(months) / step * 30.0 <= room), _STEPS[-1])
        parts, year = [], 0
        for day in months:
            x = self.place(day.isoformat())
            years = max(1, step // 12)
            named = (day.month - 1) % min(step, 12) == 0 and day.year % years == 0
            if named or step <= 12:
                parts.append(line(x, bottom, x, bottom + (6 if named else 3), "axis"))
            if not named:
                continue
            parts.append(text(x, bottom + 19, _MONTHS[day.month - 1], "tick"))
            if day.year != year:
                year = day.year
                parts.append(text(x, bottom + 33, str(year), "tick"))
        return "".join(parts)

    def _few_days(self, bottom: float) -> str:
        """The first and the last day alone, by their dates."""
        air = _air(self.first, self.last, inside=False)
        ends = dict.fromkeys(int(day) for day in (self.first + air, self.last - air))
        parts = []
        for ordinal, anchor in zip(ends, ("start", "end"), strict=False):
            day = date.fromordinal(ordinal)
            x = self.place(day.isoformat())
            words = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
            parts.append(line(x, bottom, x, bottom + 6, "axis"))
            parts.append(text(x, bottom + 19, words, "tick", anchor))
        return "".join(parts)


def _air(first: float, last: float, *, inside: bool = True) -> float:
    """Room before the first and after the last day, of them or of the scale that has it."""
    span = last - first
    return max(0.5, span / 25 if inside else span / 27)


def day_of(moment: str) -> float:
    """An ISO date or moment in days; a moment is a fraction into its day."""
    found = datetime.fromisoformat(moment)
    seconds = 3600 * found.hour + 60 * found.minute + found.second
    return found.toordinal() + seconds / 86_400
