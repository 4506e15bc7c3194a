"""The evidence bar: a paired comparison drawn in text.

A horizontal axis in points with a zero line, the interval as a bar, the estimate as a tick, the
margin as a pale band, and the verdict's sign and word at its end. It draws and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from metier.card import Difference, Verdict
from metier.cli.terminal import Signs
from metier.cli.wording import points, span

_STYLES = {
    Verdict.WIN: "bold blue",
    Verdict.LOSS: "bold rgb(213,94,0)",
    Verdict.TIE: "bold",
    Verdict.NOT_WORSE: "bold cyan",
    Verdict.UNDERPOWERED: "dim",
}
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the bar: whom it is against, and the difference or why there is none."""

    title: str
    difference: Difference | None
    note: str = "not measured"


def verdict_text(verdict: Verdict, signs: Signs, *, small: bool = False) -> Text:
    """A verdict as its sign and word, so that colour is never all there is."""
    sign = {
        Verdict.WIN: signs.win,
        Verdict.LOSS: signs.loss,
        Verdict.TIE: signs.tie,
        Verdict.NOT_WORSE: signs.not_worse,
        Verdict.UNDERPOWERED: signs.underpowered,
    }[verdict]
    return Text(f"{sign} {verdict.value}{' (small)' if small else ''}", style=_STYLES[verdict])


def evidence_bars(comparisons: Sequence[Comparison], width: int, signs: Signs) -> list[Text]:
    """The bars of several comparisons over one axis.

    Args:
        comparisons: The rows, in order.
        width: Columns of a whole line.
        signs: The characters to draw with.

    Returns:
        One line for the axis, where anything was measured, and one for each comparison.
    """
    titles = max((len(row.title) for row in comparisons), default=0) + 2
    ends = {index: _end(row.difference, signs) for index, row in enumerate(comparisons)}
    longest = max((end.cell_len for end in ends.values()), default=0)
    scale = _scale(
        [row.difference for row in comparisons if row.difference], width, titles, longest
    )
    lines = [] if scale is None else [Text(" " * titles) + scale.labels()]
    for index, row in enumerate(comparisons):
        line = Text(row.title.ljust(titles))
        if row.difference is None or scale is None:
            first, *rest = row.note.split("\n")
            line.append(first)
            lines += [line, *(Text(" " * titles + text) for text in rest)]
            continue
        line.append_text(scale.bar(row.difference, signs))
        line.append("  ")
        line.append_text(ends[index])
        lines.append(line)
    return lines


def _end(difference: Difference | None, signs: Signs) -> Text:
    if difference is None:
        return Text()
    end = verdict_text(difference.verdict, signs, small=difference.small)
    numbers = f" {points(difference.difference)} ({span(difference.interval, signed=True)})"
    return end + Text(numbers)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Points on the axis to columns."""

    low: float
    high: float
    columns: int

    def column(self, value: float) -> int:
        share = (value - self.low) / (self.high - self.low)
        return max(0, min(self.columns - 1, round(share * (self.columns - 1))))

    def bar(self, difference: Difference, signs: Signs) -> Text:
        cells = [(" ", "")] * self.columns
        zero = self.column(0.0)
        half = round(100 * difference.margin / (self.high - self.low) * (self.columns - 1))
        for column in range(max(0, zero - half), min(self.columns, zero + half + 1)):
            cells[column] = (signs.band, "dim")
        style = _STYLES[difference.verdict]
        low, high = 100 * difference.interval.low, 100 * difference.interval.high
        for column in range(self.column(low), self.column(high) + 1):
            cells[column] = (signs.bar, style)
        cells[zero] = (signs.zero, "")
        cells[self.column(100 * difference.difference)] = (signs.tick, style)
        return Text.assemble(*cells)

    def labels(self) -> Text:
        """The axis: signed points at round steps, ``points`` at its end where it fits."""
        step = next(
            (s for s in _STEPS if (self.high - self.low) / s * 7 <= self.columns), _STEPS[-1]
        )
        row = [" "] * (self.columns + 8)
        first = -(-self.low // step)
        index = int(first)
        last = 0
        while index * step <= self.high + 1e-9:
            label = f"{index * step:+g}" if index else "0"
            start = max(0, self.column(index * step) - (len(label) - 1) // 2)
            if start >= last:
                row[start : start + len(label)] = label
                last = start + len(label) + 1
            index += 1
        return Text("".join(row).rstrip() + " points", style="dim")


def _scale(
    differences: Sequence[Difference], width: int, titles: int, longest: int
) -> _Scale | None:
    if not differences:
        return None
    columns = max(20, min(60, width - titles - 2 - longest))
    low = min(-1.5 * max(100 * d.margin for d in differences), *(_ends(differences)))
    high = max(1.5 * max(100 * d.margin for d in differences), *(_ends(differences)))
    return _Scale(low, high, columns)


def _ends(differences: Sequence[Difference]) -> list[float]:
    return [100 * end for d in differences for end in (d.interval.low, d.interval.high)]
