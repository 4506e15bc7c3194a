"""CSV and TSV: which delimiter, whether quoted, whether the first line names the columns.

It knows lines of text and cuts fields out of them; it does not know bytes or what a label is.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier.datasets import names
from metier.datasets.decoding import too_long
from metier.datasets.problems import Problem, Problems, excerpt
from metier.errors import InputError

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = (",", "\t", ";", "|")
_NAME = re.compile(r"[^\W\d]\w*(?:[ .\-/]\w+){0,3}", re.UNICODE)
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines become fields.

    Attributes:
        delimiter: What separates two fields.
        quoted: Whether a quotation mark at the head of a field opens a quoted one.
        header: Whether the first line names the columns.
        columns: Their names, ``column 1`` … where there is no header.
        notes: What was assumed, for people.
    """

    delimiter: str
    quoted: bool
    header: bool
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trial:
    """What one delimiter makes of the first lines."""

    delimiter: str
    quoted: bool
    records: list[list[str]]
    width: int
    agreement: float

    @property
    def rank(self) -> tuple[bool, bool, float, bool]:
        """Better trials compare greater."""
        several = self.width > 1
        named = several and any(names.known(cell) for cell in self.records[0])
        return (several, named, round(self.agreement, 3), self.quoted)


def sniff(head: list[str], name: str, wanted: tuple[str, ...]) -> Layout:
    """The layout that the first lines agree on best.

    Args:
        head: The first lines, ends included; all of the file if it is short.
        name: What people call the source.
        wanted: Column names that the caller asked for: a first line with one is a header.

    Raises:
        InputError: One column only (``one_column``), or two columns of one name
            (``duplicate_columns``).
    """
    trials = [_try(head, mark, quoted) for mark in _DELIMITERS for quoted in (True, False)]
    # max() keeps the first of equals: commas before tabs, quoted before unquoted.
    best = max(trials, key=lambda trial: trial.rank)
    if not best.quoted and best.agreement < 1:
        # Neither reading fits: the quotation mark that does not close is the better lead.
        best = next(t for t in trials if t.quoted and t.delimiter == best.delimiter and t.records)
    if best.width < 2:
        raise InputError(
            f"{name} has one column only: neither commas, tabs, semicolons nor bars separate a "
            f"text from its label. Its first line is: {excerpt(head[0])}",
            code="one_column",
            remedy="Pass rows with a text and a label, as CSV, TSV or JSON Lines, or a folder "
            "with one sub-folder of texts per label.",
        )
    notes = []
    if best.delimiter not in ",\t":
        notes.append(f"Columns are separated by {_NAMES[best.delimiter]}.")
    if not best.quoted:
        notes.append("Quotation marks are part of the texts: they do not enclose fields.")
    header, why = _has_header(best.records, wanted)
    if why:
        notes.append(why)
    if header:
        columns = tuple(
            cell.strip() or f"column {index}" for index, cell in enumerate(best.records[0], 1)
        )
        _refuse_duplicates(columns, name)
    else:
        columns = tuple(f"column {index}" for index in range(1, best.width + 1))
    return Layout(best.delimiter, best.quoted, header, columns, tuple(notes))


def records(
    lines: Iterable[str], layout: Layout, problems: Problems, max_row: int
) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, each with the 1-based line on which it starts.

    Rows with too few or too many fields are reported; blank lines are no rows.

    Raises:
        InputError: A quoted field runs over the cap (``row_too_long``) or is malformed
            (``bad_quotes``): what follows cannot be told apart.
    """
    if csv.field_size_limit() < max_row:
        # A process-wide limit of the csv module; ours is the cap on a row.
        csv.field_size_limit(max_row)
    counted = _Counted(lines, problems.source, max_row)
    reader = _reader(counted, layout.delimiter, layout.quoted)
    width = len(layout.columns)
    pending = layout.header
    while True:
        start = counted.number + 1
        counted.size = 0
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _bad_quotes(problems.source, start, error) from error
        if not fields or (len(fields) == 1 and not fields[0].strip()):
            continue
        if pending:
            pending = False
        elif len(fields) == width:
            yield start, fields
        else:
            problems.add(_ragged(start, fields, layout))


class _Counted:
    """Lines with their number, and an end to a row that never ends."""

    def __init__(self, lines: Iterable[str], name: str, max_row: int) -> None:
        self._lines = iter(lines)
        self._name = name
        self._max_row = max_row
        self.number = 0
        self.size = 0
        self._start = 1

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if not self.size:
            self._start = self.number
        self.size += len(line)
        if self.size > self._max_row:
            raise too_long(self._name, self._start, self._max_row)
        return line


def _reader(lines: Iterable[str], delimiter: str, quoted: bool) -> Reader:
    return csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )


def _try(head: list[str], delimiter: str, quoted: bool) -> _Trial:
    found: list[list[str]] = []
    reader = _reader(iter(head), delimiter, quoted)
    consumed = 0
    try:
        for fields in reader:
            consumed = reader.line_num
            if fields:
                found.append(fields)
    except csv.Error:
        # A quote that does not close swallows the lines after it: they count as disagreement.
        # So does the field in which the head of a long file may end, but that is one of many.
        pass
    widths = Counter(map(len, found))
    width, agreeing = max(widths.items(), key=lambda item: (item[1], item[0])) if found else (0, 0)
    covered = consumed / len(head)
    return _Trial(delimiter, quoted, found, width, covered * agreeing / max(1, len(found)))


def _has_header(found: list[list[str]], wanted: tuple[str, ...]) -> tuple[bool, str | None]:
    """Whether the first record names columns, and what to tell people if that was a guess."""
    first, rest = found[0], found[1:]
    cells = [cell.strip() for cell in first]
    if any(cell in wanted or names.known(cell) for cell in cells):
        return True, None
    shown = ", ".join(excerpt(cell, 30) for cell in cells)
    for index, cell in enumerate(cells):
        column = [row[index].strip() for row in rest if index < len(row)]
        if cell and cell in column and len(set(column)) < len(column):
            return False, f"No header: line 1 ({shown}) was read as data."
    named = [cell for cell in cells if cell]
    names_only = all(_NAME.fullmatch(cell) and len(cell) <= 40 for cell in named)
    if rest and len(named) > 1 and names_only and len(set(named)) == len(named):
        return True, f"Line 1 ({shown}) was read as the names of the columns."
    return False, f"No header: line 1 ({shown}) was read as data."


def _refuse_duplicates(columns: tuple[str, ...], name: str) -> None:
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise InputError(
            f"{name}, line 1: {len(columns)} columns, but the name {twice[0]!r} stands more "
            "than once.",
            code="duplicate_columns",
            remedy="Give every column a name of its own.",
            details={"row": 1, "columns": list(columns)},
        )


def _ragged(start: int, fields: list[str], layout: Layout) -> Problem:
    return Problem(
        code="ragged_row",
        row=start,
        place=f"line {start}",
        what=f"{len(fields)} fields where the file has {len(layout.columns)} columns "
        f"({', '.join(layout.columns[:6])}): {excerpt(layout.delimiter.join(fields))}",
        remedy=f"Put quotation marks around texts that hold {_NAMES[layout.delimiter]} or line "
        "breaks, and give every row all columns.",
    )


def _bad_quotes(name: str, start: int, error: csv.Error) -> InputError:
    return InputError(
        f"{name}, line {start}: the quotation marks of the row do not match ({error}).",
        code="bad_quotes",
        remedy="Close every field that a quotation mark opens, and double the marks inside it: "
        '"He said ""hello"""',
        details={"row": start},
    )
