"""Charts as SVG, from card values: the evidence bar, the ladder plot, the label-efficiency curve.

Pure functions: numbers in, markup out; everything that is text is escaped. Horizontal places are
per cent of the width, vertical ones are pixels, so that a chart fits 360 and 1440 px while its
letters keep their size. Colours are classes of the style sheet; a verdict never shows by colour
alone. Each chart has ``<title>`` and ``<desc>``; the page carries the same numbers in a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from metier.card import Difference, LabelCurve, Rung
from metier.site import drawing
from metier.site.words import (
    VERDICTS,
    count,
    few,
    interval_words,
    percent,
    plural,
    points,
    size,
)

Domain = drawing.Domain
_LEFT, _RIGHT = drawing.LEFT, drawing.RIGHT
_number, _open, _text, _line = drawing.number, drawing.opened, drawing.text, drawing.line
_place, _quality_axis = drawing.place, drawing.quality_axis
_quality_domain = drawing.quality_domain


def difference_domain(differences: Iterable[Difference]) -> Domain:
    """A common axis for evidence bars: zero, every interval, and air, in steps of five points."""
    lows, highs = [-0.05], [0.05]
    for item in differences:
        ends = (item.interval.low, item.interval.high)
        if all(map(math.isfinite, ends)):
            lows.append(min(ends))
            highs.append(max(ends))
    return math.floor(min(lows) * 20) / 20, math.ceil(max(highs) * 20) / 20


def evidence_bar(difference: Difference, *, domain: Domain, key: str, against: str) -> str:
    """The difference on an axis in points: interval as a bar, estimate as a tick, margin as a band.

    Args:
        difference: The paired comparison.
        domain: Lowest and highest difference of the axis, shares of 1; see ``difference_domain``.
        key: Unique on the page; names the title for screen readers.
        against: Whom it is against, for the title.
    """
    words = VERDICTS[difference.verdict]
    title = f"{words.word} against {against}: {points(difference.difference, signed=True)} points"
    description = (
        f"95 % interval {interval_words(difference)} points, margin ±{few(difference.margin * 100)}"
        f", {plural(difference.n, 'question')}."
    )
    low, middle, high, zero, band_low, band_high = (
        _place(value, domain, 2.0, 98.0)
        for value in (
            difference.interval.low,
            difference.difference,
            difference.interval.high,
            0.0,
            -difference.margin,
            difference.margin,
        )
    )
    hatch = ""
    fill = ""
    if words.style == "underpowered":
        hatch = (
            f'<defs><pattern id="{escape(key)}-h" width="5" height="5" '
            'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<rect width="2" height="5" class="hatch"/></pattern></defs>'
        )
        fill = f' fill="url(#{escape(key)}-h)"'
    width = max(high - low, 0.6)
    return (
        _open(key, 26, title, description, f"evidence {words.style}")
        + hatch
        + f'<rect class="margin" x="{_number(band_low)}%" y="1" '
        f'width="{_number(band_high - band_low)}%" height="24"/>'
        + _line(2, 13, 98, 13, "axis")
        + _line(zero, 1, zero, 25, "zero")
        + f'<rect class="interval" x="{_number(low)}%" y="7" width="{_number(width)}%" '
        f'height="12" rx="1"{fill}/>' + _line(middle, 3, middle, 23, "estimate") + "</svg>"
    )


def evidence_axis(domain: Domain) -> str:
    """The labels below a stack of evidence bars, in points; decoration for the eye."""
    low, high = domain
    span = high - low
    step = next(
        (step for step in (0.05, 0.1, 0.2, 0.25, 0.5) if span / step <= 6), math.ceil(span) / 4
    )
    marks = [
        index * step for index in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)
    ]
    labels = []
    for value in marks:
        place = _place(value, domain, 2.0, 98.0)
        anchor = "start" if place < 6 else "end" if place > 94 else "middle"
        text = "0 points" if abs(value) < 1e-9 else f"{value * 100:+.0f}".replace("-", "−")
        labels.append(_line(place, 0, place, 4, "axis") + _text(place, 16, text, "tick", anchor))
    return f'<svg class="chart" width="100%" height="20" aria-hidden="true">{"".join(labels)}</svg>'


def probability_bar(share: float) -> str:
    """One probability as a bar; the number stands beside it as text."""
    width = _number(100 * min(1.0, max(0.0, share if math.isfinite(share) else 0.0)))
    return (
        '<svg class="chart probability" width="100%" height="8" aria-hidden="true">'
        '<rect class="track" width="100%" height="8" rx="1"/>'
        f'<rect class="share" width="{width}%" height="8" rx="1"/></svg>'
    )


def share_bar(share: float, low: float, high: float) -> str:
    """A share as a bar with its interval as a line; the numbers stand beside it as text."""
    ends = [_number(100 * min(1.0, max(0.0, value))) for value in (share, low, high)]
    return (
        '<svg class="chart probability" width="100%" height="10" aria-hidden="true">'
        '<rect class="track" width="100%" height="8" y="1" rx="1"/>'
        f'<rect class="share" width="{ends[0]}%" height="8" y="1" rx="1"/>'
        f'<line class="ends" x1="{ends[1]}%" x2="{ends[2]}%" y1="5" y2="5"/></svg>'
    )


def ladder_plot(rungs: Sequence[Rung], *, key: str) -> str:
    """Quality against size: a numbered dot per rung with its interval, the chosen one filled.

    Sizes are on a logarithmic axis and include what is shared. A rung far below the best stands
    at the foot of the plot with an arrow, so that the others can be told apart. Returns "" when
    fewer than two rungs were measured.
    """
    shown = [
        (number, rung, rung.accuracy.value, max(1, (rung.size_bytes or 0) + rung.shared_bytes))
        for number, rung in enumerate(rungs, 1)
        if rung.accuracy is not None and rung.size_bytes is not None
    ]
    if len(shown) < 2:
        return ""
    best = max(value for _, _, value, _ in shown)
    near = [value for _, _, value, _ in shown if best - value <= 0.25]
    domain = _quality_domain(near)
    top, bottom = 12.0, 214.0
    lowest = math.floor(math.log10(min(item[3] for item in shown)))
    highest = max(math.ceil(math.log10(max(item[3] for item in shown))), lowest + 1)
    sizes = (float(lowest), float(highest))
    parts = [_quality_axis(domain, top, bottom)]
    for power in range(lowest, highest + 1, 1 if highest - lowest <= 5 else 2):
        x = _place(power, sizes, _LEFT + 3, _RIGHT - 5)
        parts.append(_line(x, bottom, x, bottom + 5, "axis"))
        parts.append(_text(x, bottom + 19, size(10**power).replace(".0", ""), "tick"))
    parts.append(_line(_LEFT, bottom, _RIGHT, bottom, "axis"))
    parts.append(_text((_LEFT + _RIGHT) / 2, bottom + 37, "size with what it shares", "caption"))
    taken: list[tuple[float, float]] = []
    for number, rung, value, total in shown:
        x = _place(math.log10(total), sizes, _LEFT + 3, _RIGHT - 5)
        parts.append(_rung_mark(number, rung, value, x, (domain, top, bottom), taken))
    described = "; ".join(
        f"{number} {rung.title}: {percent(value)}, {size(total)}"
        for number, rung, value, total in shown
    )
    title = "Quality against size of each rung of the ladder"
    return _open(key, 256, title, described, "plot") + "".join(parts) + "</svg>"


def _rung_mark(
    number: int,
    rung: Rung,
    value: float,
    x: float,
    frame: tuple[Domain, float, float],
    taken: list[tuple[float, float]],
) -> str:
    domain, top, bottom = frame
    below = value < domain[0]
    y = bottom - 7 if below else _place(value, domain, bottom, top)
    style = "rung chosen" if rung.state == "chosen" else "rung"
    parts = []
    interval = rung.accuracy.interval if rung.accuracy is not None else None
    if interval is not None and not below:
        high, low = (_place(end, domain, bottom, top) for end in (interval.high, interval.low))
        parts.append(_line(x, high, x, low, "whisker"))
    if below:
        parts.append(
            f'<svg x="{_number(x)}%" y="{_number(y)}" overflow="visible">'
            f'<path d="M-5 -5 L5 -5 L0 5 Z" class="{style}"/></svg>'
        )
    else:
        parts.append(f'<circle cx="{_number(x)}%" cy="{_number(y)}" r="5" class="{style}"/>')
    # Per cent of 320 px, the narrowest chart: a label that is free there is free everywhere.
    places = [(x + dx, y + dy) for dx, dy in ((3.6, 4), (-3.6, 4), (0, -11), (0, 20))]
    free = (
        place
        for place in places
        if all(abs(place[0] - a) > 3.5 or abs(place[1] - b) > 12 for a, b in taken)
    )
    label = next(free, places[0])
    taken += [label, (x, y + 4)]
    note = f"{number} ({percent(value)})" if below else str(number)
    anchor = "start" if below else "middle"
    return "".join(parts) + _text(label[0], label[1], note, "number", anchor)


def curve_plot(curve: LabelCurve, *, base: float | None, general: float | None, key: str) -> str:
    """Accuracy against labels per class, logarithmic, with the band of the draws.

    Args:
        curve: The measured points.
        base: The base's accuracy, drawn as a line, or ``None``.
        general: The general model's accuracy, or ``None``.
        key: Unique on the page.

    Returns "" when there are fewer than two points.
    """
    measured = sorted(curve.points, key=lambda point: point.per_class)
    if len(measured) < 2 or measured[0].per_class < 1:
        return ""
    rivals = [
        (name, value) for name, value in (("base", base), ("general", general)) if value is not None
    ]
    values = [*(point.low for point in measured), *(point.high for point in measured)]
    domain = _quality_domain([*values, *(value for _, value in rivals)])
    top, bottom = 12.0, 234.0
    labels = (math.log(measured[0].per_class), math.log(measured[-1].per_class))
    places = [_place(math.log(point.per_class), labels, _LEFT, _RIGHT) for point in measured]
    parts = [_quality_axis(domain, top, bottom), _line(_LEFT, bottom, _RIGHT, bottom, "axis")]
    shown = -100.0
    for place, point in zip(places, measured, strict=True):
        parts.append(_line(place, bottom, place, bottom + 5, "axis"))
        if place - shown >= 9:
            parts.append(_text(place, bottom + 19, count(point.per_class), "tick"))
            shown = place
    parts.append(_text((_LEFT + _RIGHT) / 2, bottom + 37, "labels per class", "caption"))
    parts += _rival_lines(rivals, domain, top, bottom)
    parts.append(_curve_shape(curve, domain, (top, bottom), labels))
    for place, point in zip(places, measured, strict=True):
        y = _place(point.mean, domain, bottom, top)
        parts.append(f'<circle cx="{_number(place)}%" cy="{_number(y)}" r="3" class="point"/>')
    for crossing in curve.crossovers:
        if crossing.per_class is not None and crossing.per_class >= 1:
            x = _place(math.log(crossing.per_class), labels, _LEFT, _RIGHT)
            y = _place(crossing.accuracy, domain, bottom, top)
            parts.append(f'<circle cx="{_number(x)}%" cy="{_number(y)}" r="7" class="crossing"/>')
    described = "; ".join(
        f"{count_words(point.per_class)}: {percent(point.mean)}" for point in measured
    )
    return (
        _open(key, 276, "Accuracy against labels per class", described, "plot")
        + "".join(parts)
        + "</svg>"
    )


def count_words(per_class: int) -> str:
    """8 as "8 labels per class"."""
    return f"{plural(per_class, 'label')} per class"


def _rival_lines(
    rivals: Sequence[tuple[str, float]], domain: Domain, top: float, bottom: float
) -> list[str]:
    parts = []
    last = -100.0
    for name, value in sorted(rivals, key=lambda rival: -rival[1]):
        y = _place(value, domain, bottom, top)
        under = y - last < 16
        parts.append(_line(_LEFT, y, _RIGHT, y, f"rival {name}"))
        text = f"{name} {percent(value)}"
        parts.append(_text(_RIGHT, y + (14 if under else -5), text, "rival-name", "end"))
        last = y
    return parts


def _curve_shape(
    curve: LabelCurve, domain: Domain, heights: tuple[float, float], labels: Domain
) -> str:
    top, bottom = heights
    measured = sorted(curve.points, key=lambda point: point.per_class)

    def place(per_class: int, value: float) -> str:
        x = _place(math.log(per_class), labels, 0, 1000)
        return f"{_number(x)} {_number(_place(value, domain, 1000, 0))}"

    upper = [place(point.per_class, point.high) for point in measured]
    lower = [place(point.per_class, point.low) for point in reversed(measured)]
    middle = [place(point.per_class, point.mean) for point in measured]
    return (
        f'<svg x="{_number(_LEFT)}%" y="{_number(top)}" width="{_number(_RIGHT - _LEFT)}%" '
        f'height="{_number(bottom - top)}" viewBox="0 0 1000 1000" preserveAspectRatio="none">'
        f'<path class="band" d="M{" L".join([*upper, *lower])} Z"/>'
        f'<path class="curve" d="M{" L".join(middle)}"/></svg>'
    )
