"""Quality against what an answer costs, as a drawing: a numbered dot for each system.

Pure: numbers in, SVG out. A filled dot stands for a system that none beats at lower cost; whoever
cannot be told apart does not beat. The page carries the same numbers in a table.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from metier.site.charts import (
    _LEFT,
    _RIGHT,
    _line,
    _number,
    _open,
    _place,
    _quality_axis,
    _quality_domain,
    _text,
)
from metier.site.words import few, percent

_TOP, _BOTTOM, _HEIGHT = 14.0, 208.0, 252
_LABEL_ROOM = 12.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One system.

    Attributes:
        number: As in the table.
        name: Its name.
        value: Its score, 0 to 1.
        low: Lower end of its interval.
        high: Upper end.
        cost: Milliseconds of an answer.
    """

    number: int
    name: str
    value: float
    low: float
    high: float
    cost: float


def front(dots: Sequence[Dot], beaten: Collection[tuple[str, str]]) -> set[str]:
    """Names of those that nobody beats who costs no more.

    Args:
        dots: All of them.
        beaten: Pairs that are told apart: the better and the worse.
    """
    costs = {dot.name: dot.cost for dot in dots}
    dominated = {
        worse
        for better, worse in beaten
        if better in costs and worse in costs and costs[better] <= costs[worse]
    }
    return set(costs) - dominated


def drawing(dots: Sequence[Dot], best: Collection[str], *, key: str) -> str:
    """The plot; "" for fewer than two dots."""
    if len(dots) < 2:
        return ""
    domain = _quality_domain([end for dot in dots for end in (dot.low, dot.high)])
    costs = [max(dot.cost, 1e-3) for dot in dots]
    lowest = math.floor(math.log10(min(costs)))
    highest = max(math.ceil(math.log10(max(costs))), lowest + 1)
    frame = (float(lowest), float(highest))
    parts = [_quality_axis(domain, _TOP, _BOTTOM)]
    for power in range(lowest, highest + 1):
        x = _place(power, frame, _LEFT + 3, _RIGHT - 5)
        parts.append(_line(x, _BOTTOM, x, _BOTTOM + 5, "axis"))
        parts.append(_text(x, _BOTTOM + 19, f"{few(10.0**power)} ms", "tick"))
    parts.append(_line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"))
    parts.append(_text((_LEFT + _RIGHT) / 2, _BOTTOM + 37, "time of one answer", "caption"))
    taken: list[tuple[float, float]] = []
    for dot, cost in zip(dots, costs, strict=True):
        x = _place(math.log10(cost), frame, _LEFT + 3, _RIGHT - 5)
        parts.append(_mark(dot, x, domain, dot.name in best, taken))
    described = "; ".join(
        f"{dot.number} {dot.name}: {percent(dot.value)}, {few(dot.cost)} ms" for dot in dots
    )
    title = "Score against the time of one answer"
    return _open(key, _HEIGHT, title, described, "plot") + "".join(parts) + "</svg>"


def _mark(
    dot: Dot,
    x: float,
    domain: tuple[float, float],
    best: bool,
    taken: list[tuple[float, float]],
) -> str:
    y, low, high = (
        _place(value, domain, _BOTTOM, _TOP) for value in (dot.value, dot.low, dot.high)
    )
    style = "rung chosen" if best else "rung"
    label = (x + 3.2, y + 4)
    while any(abs(label[0] - a) < 3.5 and abs(label[1] - b) < _LABEL_ROOM for a, b in taken):
        label = (label[0], label[1] - _LABEL_ROOM)
    taken.append(label)
    return (
        _line(x, high, x, low, "whisker")
        + f'<circle cx="{_number(x)}%" cy="{_number(y)}" r="5" class="{style}"/>'
        + _text(label[0], label[1], str(dot.number), "number")
    )
