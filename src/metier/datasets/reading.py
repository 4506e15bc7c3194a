"""Rows from files: JSON Lines, JSON arrays, CSV, TSV and folders of texts, as a stream.

It knows which format the bytes are in, how rows are cut out of them and on which line each one
starts; it does not know which column is the text or the label. Its own memory is flat: a row over
the cap is refused, and nothing of a row is kept once it was handed out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from metier.datasets import decoding, delimiting, folders
from metier.datasets.decoding import MAX_ROW, Encoding, Opener
from metier.datasets.problems import Problem, Problems, excerpt
from metier.errors import InputError

Format = Literal["jsonl", "json", "csv", "tsv", "folder"]
_HEAD_CHARACTERS = 1 << 18
_HEAD_LINES = 2_000
_JSON_CHUNK = 1 << 16
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the source.

    Attributes:
        number: 1-based line on which it starts; in a folder the number of the file.
        place: The same for people, ``line 17`` or ``file spam/3.txt``.
        values: Column to value: text in CSV and folders, any JSON value in JSON.
    """

    number: int
    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A source of rows whose layout is known.

    Attributes:
        name: What people call it.
        format: How it is written.
        encoding: The codec that its bytes were read with.
        delimiter: Of CSV and TSV, else ``None``.
        header: Whether the first line names the columns (CSV, TSV), else ``None``.
        columns: Its columns; for JSON those of the first rows, in the order of appearance.
        notes: What was assumed, for people.
    """

    name: str
    format: Format
    encoding: str
    delimiter: str | None
    header: bool | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    _stream: Callable[[Problems], Iterator[Row]]

    def rows(self, problems: Problems | None = None) -> Iterator[Row]:
        """All rows, in the order of the source; may be called again.

        Args:
            problems: Where rows that cannot be read are reported. Without it they raise
                InputError once the stream has ended.

        Raises:
            InputError: Nothing after this row can be read (a row over the cap, a quotation mark
                that never closes), or see ``problems``.
        """
        found = Problems(self.name) if problems is None else problems
        yield from self._stream(found)
        if problems is None:
            found.raise_if_any()


def open_table(
    source: Path | bytes,
    *,
    name: str | None = None,
    columns: tuple[str, ...] = (),
    max_row: int = MAX_ROW,
) -> Table:
    """Find out how a source is written.

    Args:
        source: A file, a folder of texts, or the bytes of an uploaded file; gzip is unpacked.
        name: What people call it; the path's name if not given. Its ending is only a hint.
        columns: Names that the caller will ask for: a first line that holds one is a header.
        max_row: Characters that one row may have.

    Raises:
        NotFoundError: No such file (code ``no_file``).
        InputError: ``empty_file``, ``binary_file``, ``mixed_encoding``, ``row_too_long``,
            ``nul_byte``, ``not_rows``, ``duplicate_columns``, ``empty_folder`` …
    """
    label = name or (source.name if isinstance(source, Path) else "the upload")
    if isinstance(source, Path) and source.is_dir():
        listing = folders.listing(source, label)
        return Table(
            name=label,
            format="folder",
            encoding="utf-8",
            delimiter=None,
            header=None,
            columns=listing.columns,
            notes=listing.notes,
            _stream=lambda problems: _folder_rows(listing, problems, max_row),
        )
    open_source = decoding.opener(source, label)
    first = decoding.first_characters(open_source, label)
    kind = _kind(first, label)
    encoding = decoding.detect(open_source, label, one_line=kind == "json", max_row=max_row)
    if kind == "json":
        return _json_table(label, open_source, encoding, max_row)
    if kind == "jsonl":
        return _json_lines_table(label, open_source, encoding, max_row)
    return _delimited_table(label, open_source, encoding, columns, max_row)


def _kind(first: str, name: str) -> Literal["json", "jsonl", "csv"]:
    """JSON if the first characters are JSON; the name decides only for ``.json``."""
    start = first.lstrip()
    if start.startswith("["):
        inside = start[1:].lstrip()
        if inside[:1] in ("{", "]") or name.lower().endswith(".json"):
            return "json"
    if start.startswith("{"):
        if _is_object(start.split("\n", 1)[0]) or not name.lower().endswith(".json"):
            return "jsonl"
        raise InputError(
            f"{name} is one JSON object, not rows.",
            code="not_rows",
            remedy='Write an array of objects, [{"text": …, "label": …}, …], or one object a '
            "line (JSON Lines).",
        )
    return "csv"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


# --- JSON ---------------------------------------------------------------------------------------


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("the same name stands twice in one object")
    return values


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)


def _json_columns(rows: Iterator[Row]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for index, row in enumerate(rows):
        names.update(dict.fromkeys(row.values))
        if index >= _HEAD_LINES:
            break
    return tuple(names)


def _json_lines_table(name: str, open_source: Opener, encoding: Encoding, max_row: int) -> Table:
    def stream(problems: Problems) -> Iterator[Row]:
        source = decoding.lines(open_source, encoding, name, max_row=max_row)
        for number, line in enumerate(source, 1):
            if line.isspace():
                continue
            values = _json_row(line, number, problems)
            if values is not None:
                yield Row(number, f"line {number}", values)

    return Table(
        name=name,
        format="jsonl",
        encoding=encoding.name,
        delimiter=None,
        header=None,
        columns=_json_columns(stream(Problems(name))),
        notes=encoding.notes,
        _stream=stream,
    )


def _json_row(line: str, number: int, problems: Problems) -> dict[str, Any] | None:
    try:
        values = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        problems.add(_invalid_json(number, line, error))
        return None
    if isinstance(values, dict):
        return values
    problems.add(_not_an_object(number, line))
    return None


def _invalid_json(number: int, line: str, error: Exception) -> Problem:
    why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
    return Problem(
        code="invalid_json",
        row=number,
        place=f"line {number}",
        what=f"not valid JSON ({why}{where}): {excerpt(line)}",
        remedy='Each row is one object, {"text": "…", "label": "…"}; in JSON Lines each stands '
        "on one line.",
    )


def _not_an_object(number: int, line: str) -> Problem:
    return Problem(
        code="invalid_json",
        row=number,
        place=f"line {number}",
        what=f"the row is not a JSON object: {excerpt(line)}",
        remedy='Each row is one object, {"text": "…", "label": "…"}.',
    )


def _json_table(name: str, open_source: Opener, encoding: Encoding, max_row: int) -> Table:
    def stream(problems: Problems) -> Iterator[Row]:
        return _array_rows(open_source, encoding, name, problems, max_row)

    return Table(
        name=name,
        format="json",
        encoding=encoding.name,
        delimiter=None,
        header=None,
        columns=_json_columns(stream(Problems(name))),
        notes=encoding.notes,
        _stream=stream,
    )


class _Window:
    """A moving window over a text stream; what lies before ``at`` was handed out."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self.text = ""
        self.at = 0
        self.line = 1

    def more(self) -> bool:
        """Drop what was handed out and append the next chunk; whether there was one."""
        chunk = self._read(_JSON_CHUNK)
        self.text = self.text[self.at :] + chunk
        self.at = 0
        return bool(chunk)

    def advance(self, to: int) -> None:
        """Move to a later position."""
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def next_character(self) -> str:
        """Skip white space; the character that follows, "" at the end of the source."""
        while True:
            match = _SPACE.match(self.text, self.at)
            self.advance(match.end() if match else self.at)
            if self.at < len(self.text) or not self.more():
                return self.text[self.at : self.at + 1]


def _array_rows(
    open_source: Opener, encoding: Encoding, name: str, problems: Problems, max_row: int
) -> Iterator[Row]:
    """The objects of a JSON array, one at a time."""
    with decoding.open_text(open_source, encoding) as text:
        window = _Window(text.read)
        window.next_character()
        window.advance(window.at + 1)
        if window.next_character() != "]":
            while True:
                yield from _array_row(window, name, problems, max_row)
                following = window.next_character()
                if following == "]":
                    break
                if following != ",":
                    raise _broken_array(name, window, "a comma or ] was expected")
                window.advance(window.at + 1)
                window.next_character()
        window.advance(window.at + 1)
        if window.next_character():
            raise _broken_array(name, window, "there is more after the closing ]")


def _array_row(window: _Window, name: str, problems: Problems, max_row: int) -> Iterator[Row]:
    """The value at the window as a row; reads on until it is whole."""
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.at)
            break
        except json.JSONDecodeError as error:
            # Cut off by the end of what was read so far, or wrong whatever may follow?
            cut = error.msg.startswith("Unterminated") or error.pos > len(window.text) - 16
            if cut and len(window.text) - window.at > max_row:
                raise decoding.too_long(name, window.line, max_row) from error
            if not cut or not window.more():
                raise _broken_array(name, window, error.msg) from error
        except (ValueError, RecursionError) as error:
            raise _broken_array(name, window, str(error)) from error
    number, start = window.line, window.at
    if end - start > max_row:
        raise decoding.too_long(name, number, max_row)
    window.advance(end)
    if isinstance(value, dict):
        yield Row(number, f"line {number}", value)
    else:
        problems.add(_not_an_object(number, window.text[start : start + 200]))


def _broken_array(name: str, window: _Window, why: str) -> InputError:
    shown = excerpt(window.text[window.at : window.at + 200])
    return InputError(
        f"{name}, line {window.line}: not valid JSON ({why}): {shown}",
        code="invalid_json",
        remedy='The file is an array of objects: [{"text": "…", "label": "…"}, …].',
        details={"row": window.line},
    )


# --- CSV and TSV --------------------------------------------------------------------------------


def _delimited_table(
    name: str, open_source: Opener, encoding: Encoding, wanted: tuple[str, ...], max_row: int
) -> Table:
    head: list[str] = []
    size = 0
    for line in decoding.lines(open_source, encoding, name, max_row=max_row):
        head.append(line)
        size += len(line)
        if size > _HEAD_CHARACTERS or len(head) > _HEAD_LINES:
            break
    layout = delimiting.sniff(head, name, wanted)

    def stream(problems: Problems) -> Iterator[Row]:
        source = decoding.lines(open_source, encoding, name, max_row=max_row)
        for number, fields in delimiting.records(source, layout, problems, max_row):
            yield Row(number, f"line {number}", dict(zip(layout.columns, fields, strict=True)))

    return Table(
        name=name,
        format="tsv" if layout.delimiter == "\t" else "csv",
        encoding=encoding.name,
        delimiter=layout.delimiter,
        header=layout.header,
        columns=layout.columns,
        notes=encoding.notes + layout.notes,
        _stream=stream,
    )


# --- folders ------------------------------------------------------------------------------------


def _folder_rows(listing: folders.Listing, problems: Problems, max_row: int) -> Iterator[Row]:
    for number, place, values in folders.texts(listing, problems, max_row):
        yield Row(number, f"file {place}", values)
