"""Where text goes: how wide it is, whether it has colour, and which characters it takes.

It knows rich, streams and the fall-back to ASCII. It knows nothing of what is written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from metier.cli.failures import is_utf8

Line = Text | str
_TO_ASCII = str.maketrans(
    {"…": "~", "–": "-", "—": "-", "−": "-", "×": "x", "±": "+/-", "’": "'", "≤": "<=", "≥": ">="}
)


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of the pieces: verdicts, the evidence bar, progress and charts.

    ``bar`` is the interval, ``tick`` the estimate, ``zero`` the zero line, ``band`` the margin,
    ``done`` and ``todo`` progress, ``mean`` and ``spread`` a point of a curve, ``level`` a
    rival's line, ``chosen`` the chosen rung, ``axis`` the axis of a chart, ``cut`` a cut text.
    """

    win: str = "▲"
    loss: str = "▼"
    tie: str = "＝"
    not_worse: str = "▷"
    underpowered: str = "◌"
    bar: str = "▓"
    tick: str = "█"
    zero: str = "│"
    band: str = "░"
    done: str = "█"
    todo: str = "░"
    mean: str = "●"
    spread: str = "│"
    level: str = "┄"
    chosen: str = "▸"
    axis: str = "┤"
    cut: str = "…"


ASCII = Signs(
    win="^",
    loss="v",
    tie="=",
    not_worse=">",
    underpowered="?",
    bar="=",
    tick="#",
    zero="|",
    band=".",
    done="#",
    todo=".",
    mean="o",
    spread="|",
    level="-",
    chosen=">",
    axis="|",
    cut="~",
)
UNICODE = Signs()


@dataclass(frozen=True, slots=True)
class Terminal:
    """One output stream and what it can show.

    Attributes:
        console: Rich's view of the stream; it honours ``NO_COLOR`` and ``TERM``.
        width: Columns to lay text out in: the terminal's, at most 120, or 80 elsewhere.
        interactive: Whether a person looks at it.
        signs: The characters it takes.
    """

    console: Console
    width: int
    interactive: bool
    signs: Signs

    @classmethod
    def of(cls, stream: TextIO) -> Terminal:
        """The terminal behind a stream."""
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        interactive = console.is_terminal and not console.is_dumb_terminal
        width = max(40, min(console.width, 120)) if console.is_terminal else 80
        return cls(console, width, interactive, UNICODE if is_utf8(stream) else ASCII)

    def write(self, lines: Iterable[Line], *, cut: bool = False) -> None:
        """Write lines as they are; ``cut`` shortens each to a person's terminal's width."""
        for line in lines:
            text = self.fitted(line) if cut and self.console.is_terminal else self.plain(line)
            self.console.print(text, soft_wrap=True)

    def plain(self, line: Line) -> Text:
        """The line as text, its punctuation in ASCII where the stream takes no more."""
        text = Text(line) if isinstance(line, str) else line
        if self.signs is not ASCII or text.plain.isascii():
            return text
        copied = text.copy()
        copied.plain = text.plain.translate(_TO_ASCII)
        return copied

    def fitted(self, line: Line) -> Text:
        """The line cut to the console's width, with a mark where it was cut."""
        return shortened(self.plain(line), self.console.width, self.signs)


def stdout() -> Terminal:
    """The terminal for results."""
    return Terminal.of(sys.stdout)


def stderr() -> Terminal:
    """The terminal for progress and notes."""
    return Terminal.of(sys.stderr)


_UNPRINTABLE = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_UNPRINTABLE |= dict.fromkeys((0x200B, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")


def shown_text(text: str) -> str:
    """Text that somebody else wrote, without what a terminal would obey or hide.

    Control characters and marks that turn the direction of writing become a visible sign; tabs
    and line ends stay.
    """
    return text.replace("\r\n", "\n").translate(_UNPRINTABLE)


def aligned(
    rows: Sequence[Sequence[Line]], sides: str, *, gap: int = 2, indent: int = 0
) -> list[Text]:
    """Rows as lines with aligned columns and no trailing spaces.

    Args:
        rows: Cells; every row has as many as ``sides`` has letters.
        sides: One letter a column: ``l`` or ``r``.
        gap: Spaces between columns.
        indent: Spaces before the first column.
    """
    table = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = [max((row[i].cell_len for row in table), default=0) for i in range(len(sides))]
    lines = []
    for row in table:
        line = Text(" " * indent)
        for index, cell in enumerate(row):
            space = " " * (widths[index] - cell.cell_len)
            line.append(" " * gap if index else "")
            line.append_text(Text(space) + cell if sides[index] == "r" else cell + Text(space))
        line.rstrip()
        lines.append(line)
    return lines


def shortened(line: Text, width: int, signs: Signs) -> Text:
    """The line cut to ``width`` columns, with a mark where it was cut."""
    if line.cell_len <= width:
        return line
    cut = line.copy()
    cut.truncate(width - len(signs.cut))
    cut.append(signs.cut)
    return cut


def wrapped(text: str, width: int, *, indent: str = "") -> list[Text]:
    """A paragraph as lines of at most ``width`` columns; following lines are indented."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        longer = f"{current} {word}" if current else word
        if current and Text(longer).cell_len > width:
            lines.append(current)
            current = f"{indent}{word}"
        else:
            current = longer
    return [Text(line) for line in [*lines, current] if line]


def beside(left: Sequence[Text], right: Sequence[Text], width: int, *, gap: int = 3) -> list[Text]:
    """Two blocks side by side if they fit into ``width`` columns, else one under the other."""
    left_width = max((line.cell_len for line in left), default=0)
    right_width = max((line.cell_len for line in right), default=0)
    if not right or not left or left_width + gap + right_width > width:
        return [*left, *([Text()] if left and right else []), *right]
    lines = []
    for index in range(max(len(left), len(right))):
        line = left[index].copy() if index < len(left) else Text()
        if index < len(right):
            line.append(" " * (left_width + gap - line.cell_len))
            line.append_text(right[index])
        line.rstrip()
        lines.append(line)
    return lines
