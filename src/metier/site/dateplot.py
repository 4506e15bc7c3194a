"""The bitter-lesson plot as SVG: general models by date, the best so far, and the specialist.

Pure functions: a timeline in, markup out. Time is a true scale; horizontal places are per cent of
the width, vertical ones pixels. Nothing shows by colour alone: recorded systems are hollow, those
measured here filled, those with documentation in the prompt square, the specialist a diamond.
"""

from __future__ import annotations

from collections.abc import Sequence

from metier.overtaking import Month, Point, Timeline
from metier.site.drawing import (
    LEFT,
    RIGHT,
    Calendar,
    Domain,
    Labels,
    Spot,
    day_of,
    line,
    number,
    opened,
    place,
    quality_axis,
    quality_domain,
    text,
)
from metier.site.words import date, percent, plural

TOP, BOTTOM = 34.0, 262.0
HEIGHT = 316
LEAST_FOR_BOX = 4
"""Systems of a month from which its middle half is drawn."""
MOST_NUMBERED = 9
_GENERAL = frozenset({"general", "base"})


def bitter_plot(timeline: Timeline, *, key: str) -> str:
    """The plot; "" where everything is of one day: there is nothing to see of time.

    Args:
        timeline: Systems by date.
        key: Unique on the page; names the title for screen readers.
    """
    if len({point.date for point in timeline.points}) < 2:
        return ""
    calendar = Calendar.of([point.date for point in timeline.points])
    domain = _domain(timeline)
    labels = Labels()
    parts = [
        quality_axis(domain, TOP, BOTTOM),
        line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"),
        calendar.axis(BOTTOM),
        text((LEFT + RIGHT) / 2, BOTTOM + 49, "day of the answers", "caption"),
        *(_box(month, calendar, domain) for month in timeline.months),
        _band(timeline.champion, calendar, domain),
        *(_dot(point, calendar, domain) for point in timeline.points),
        _steps(timeline.best, calendar, domain),
    ]
    marks = [point for point in timeline.points if point.role in ("specialist", "earlier")]
    for point in (*marks, *timeline.best):
        labels.keep_clear(calendar.place(point.date), place(point.score, domain, BOTTOM, TOP), 6)
    parts.append(_days(timeline, calendar, labels))
    parts.append(_champion(timeline.champion, calendar, domain, labels))
    parts += [
        _numbered(index, timeline.best, calendar, domain, labels) for index in _told(timeline)
    ]
    parts += [_diamond(point, timeline.champion, calendar, domain) for point in marks]
    title = f"General models by date against {timeline.subject}"
    return opened(key, HEIGHT, title, description(timeline), "plot bitter") + (
        "".join(parts) + "</svg>"
    )


def description(timeline: Timeline) -> str:
    """What the plot shows, for who does not see it."""
    steps = "; ".join(
        f"{date(point.date)} {point.name} {percent(point.score)}" for point in timeline.best
    )
    said = f"Best general model so far: {steps}." if steps else "No general model."
    champion = timeline.champion
    own = (
        f" {timeline.subject}: {percent(champion.score)} on {date(champion.date)}."
        if champion is not None
        else f" {timeline.subject} was not measured."
    )
    systems = sum(point.role in _GENERAL for point in timeline.points)
    return f"{plural(systems, 'general model')}. {said}{own}"


def _told(timeline: Timeline) -> range:
    """Places of the steps that carry their number."""
    return range(min(len(timeline.best), MOST_NUMBERED))


def _domain(timeline: Timeline) -> Domain:
    values = [point.score for point in timeline.points]
    if timeline.champion is not None:
        values += [timeline.champion.low, timeline.champion.high]
    return quality_domain(values)


def _box(month: Month, calendar: Calendar, domain: Domain) -> str:
    """The middle half of a month's general models, with the median as a line."""
    if month.systems < LEAST_FOR_BOX:
        return ""
    start = f"{month.month}-01"
    year, nth = int(month.month[:4]), int(month.month[5:])
    end = f"{year + nth // 12}-{nth % 12 + 1:02}-01"
    left, right = calendar.place(start) + 0.25, calendar.place(end) - 0.25
    upper, lower, middle = (
        place(value, domain, BOTTOM, TOP) for value in (month.upper, month.lower, month.median)
    )
    return (
        f'<rect class="half" x="{number(left)}%" y="{number(upper)}" '
        f'width="{number(max(0.5, right - left))}%" height="{number(max(1.0, lower - upper))}"/>'
        + line(left, middle, right, middle, "median")
    )


def _band(champion: Point | None, calendar: Calendar, domain: Domain) -> str:
    """The specialist's interval across the plot; its line is whole only from its own day on."""
    if champion is None:
        return ""
    high, low, middle = (
        place(value, domain, BOTTOM, TOP) for value in (champion.high, champion.low, champion.score)
    )
    day = calendar.place(champion.date)
    return (
        f'<rect class="own-band" x="{number(LEFT)}%" y="{number(high)}" '
        f'width="{number(RIGHT - LEFT)}%" height="{number(low - high)}"/>'
        + line(LEFT, middle, day, middle, "own before")
        + line(day, middle, RIGHT, middle, "own")
    )


def _dot(point: Point, calendar: Calendar, domain: Domain) -> str:
    if point.role not in ("general", "base", "documents"):
        return ""
    x, y = calendar.place(point.date), place(point.score, domain, BOTTOM, TOP)
    style = f"dot {point.role}{' recorded' if point.recorded else ''}"
    if point.role == "documents":
        return (
            f'<svg x="{number(x)}%" y="{number(y)}" overflow="visible">'
            f'<rect x="-3" y="-3" width="6" height="6" class="{style}"/></svg>'
        )
    return f'<circle cx="{number(x)}%" cy="{number(y)}" r="3" class="{style}"/>'


def _steps(best: Sequence[Point], calendar: Calendar, domain: Domain) -> str:
    """The best so far: level from one day to the next, then up."""
    parts = []
    for index, point in enumerate(best):
        x, y = calendar.place(point.date), place(point.score, domain, BOTTOM, TOP)
        last = index + 1 == len(best)
        end = RIGHT if last else calendar.place(best[index + 1].date)
        if index:
            before = place(best[index - 1].score, domain, BOTTOM, TOP)
            parts.append(line(x, before, x, y, "best"))
        parts.append(line(x, y, end, y, "best"))
        if point.high > point.low:
            low, high = (place(value, domain, BOTTOM, TOP) for value in (point.low, point.high))
            parts.append(line(x, high, x, low, "whisker"))
    return "".join(parts)


def _days(timeline: Timeline, calendar: Calendar, labels: Labels) -> str:
    """The day of overtaking, and before it that on which only the score was passed."""
    parts = []
    shown, soft = timeline.overtaken, timeline.passed
    if soft is not None and (shown is None or day_of(soft.date) < day_of(shown.date)):
        parts.append(_day(soft.date, "score passed", "passed", calendar, labels))
    if shown is not None:
        parts.append(_day(shown.date, "overtaken", "overtaken", calendar, labels))
    return "".join(parts)


def _day(day: str, word: str, style: str, calendar: Calendar, labels: Labels) -> str:
    x = calendar.place(day)
    words = f"{word} {date(day)}"
    spots = [
        Spot(x, y, anchor, dx)
        for y in (12.0, 26.0)
        for anchor, dx in (("middle", 0.0), ("start", -4.0), ("end", 4.0))
    ]
    said = labels.put(words, spots, f"day {style}", BOTTOM)
    return line(x, TOP - 6, x, BOTTOM, f"day {style}") + said


def _champion(champion: Point | None, calendar: Calendar, domain: Domain, labels: Labels) -> str:
    if champion is None:
        return ""
    x, y = calendar.place(champion.date), place(champion.score, domain, BOTTOM, TOP)
    words = f"specialist {percent(champion.score)}"
    heights = (y - 7, y + 18, y - 21)
    left = [Spot(x, height, "end", -9.0) for height in heights]
    right = [Spot(x, height, "start", 9.0) for height in heights]
    edge = [Spot(LEFT, height, "start", 4.0) for height in heights]
    order = [*left, *right, *edge] if x > 50 else [*right, *left, *edge]
    return labels.put(words, order, "own-name", BOTTOM)


def _numbered(
    index: int, best: Sequence[Point], calendar: Calendar, domain: Domain, labels: Labels
) -> str:
    point = best[index]
    x, y = calendar.place(point.date), place(point.score, domain, BOTTOM, TOP)
    around = ((5, -7), (5, 17), (-13, -5), (-13, 15), (15, -7), (15, 17))
    spots = [Spot(x, y + down, "start", across) for across, down in around]
    return labels.put(str(index + 1), spots, "number", BOTTOM)


def _diamond(point: Point, champion: Point | None, calendar: Calendar, domain: Domain) -> str:
    x, y = calendar.place(point.date), place(point.score, domain, BOTTOM, TOP)
    style = "hop today" if point is champion else "hop"
    return (
        f'<svg x="{number(x)}%" y="{number(y)}" overflow="visible">'
        f'<path class="{style}" d="M0 -6 L6 0 L0 6 L-6 0 Z"/></svg>'
    )
