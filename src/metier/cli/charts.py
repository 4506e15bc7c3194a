"""The label-efficiency curve as a small text chart.

Accuracy against labels per class on a logarithmic axis, the spread of the draws, and a level line
for each rival. It draws and computes no statistics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from metier.card import LabelCurve
from metier.cli.terminal import Signs

_MARGIN = 8


def curve_chart(
    curve: LabelCurve, rivals: Mapping[str, float], signs: Signs, *, width: int, height: int = 5
) -> list[Text]:
    """The curve as lines of at most ``width`` columns.

    Args:
        curve: Its points, from few labels to many.
        rivals: Name to accuracy; each is a level line named at its right end.
        signs: The characters to draw with.
        width: Columns, the axis included.
        height: Lines of the plot, without its title and its axis.
    """
    if not curve.points:
        return []
    names = len(", ".join(rivals))
    columns = max(8, width - _MARGIN - (names + 1 if names else 0))
    values = [v for point in curve.points for v in (point.low, point.high, point.mean)]
    values += list(rivals.values())
    low, high = math.floor(20 * min(values)) / 20, math.ceil(20 * max(values)) / 20
    high = high if high > low else low + 0.05
    plot = _Plot(columns, height, low, high)
    for value in rivals.values():
        plot.level(value, signs.level)
    places = _places([point.per_class for point in curve.points], columns)
    for point, column in zip(curve.points, places, strict=True):
        plot.point(column, (point.low, point.mean, point.high), signs)
    lines = [Text("accuracy by labels per class", style="bold")]
    for index in range(height):
        share = high - (high - low) * index / (height - 1)
        label = f"{100 * share:.0f} %" if index in (0, height // 2, height - 1) else ""
        named = [name for name, value in rivals.items() if plot.row(value) == index]
        end = f" {', '.join(named)}" if named else ""
        lines.append(Text(f"{label:>5} {signs.axis}{''.join(plot.cells[index])}{end}".rstrip()))
    lines.append(_axis([point.per_class for point in curve.points], places, columns))
    return lines


class _Plot:
    """A grid of characters."""

    def __init__(self, columns: int, height: int, low: float, high: float) -> None:
        self.cells = [[" "] * columns for _ in range(height)]
        self._low, self._high = low, high

    def row(self, value: float) -> int:
        last = len(self.cells) - 1
        share = (self._high - value) / (self._high - self._low)
        return max(0, min(last, round(share * last)))

    def level(self, value: float, character: str) -> None:
        row = self.cells[self.row(value)]
        row[:] = [character] * len(row)

    def point(self, column: int, values: tuple[float, float, float], signs: Signs) -> None:
        low, mean, high = values
        for row in range(self.row(high), self.row(low) + 1):
            self.cells[row][column] = signs.spread
        self.cells[self.row(mean)][column] = signs.mean


def _places(per_class: Sequence[int], columns: int) -> list[int]:
    first, last = math.log(max(1, per_class[0])), math.log(max(1, per_class[-1]))
    if last <= first:
        return [columns // 2] * len(per_class)
    reach = columns - 3
    return [1 + round((math.log(max(1, n)) - first) / (last - first) * reach) for n in per_class]


def _axis(per_class: Sequence[int], places: Sequence[int], columns: int) -> Text:
    row = [" "] * (columns + 6)
    free = 0
    for number, place in zip(per_class, places, strict=True):
        label = str(number)
        start = max(0, place - len(label) // 2)
        if start >= free:
            row[start : start + len(label)] = label
            free = start + len(label) + 1
    return Text(" " * 7 + "".join(row).rstrip(), style="dim")
