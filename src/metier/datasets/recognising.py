"""Labelled texts from rows: which column is what, and what is wrong with the rows.

It knows columns by their names, else by what stands in them, and turns rows into Examples; it
does not know how files are read or how rows are split. It loses nothing: a row that is not good
raises an error that names it, and what was assumed is in the notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from metier.datasets import columns as choosing
from metier.datasets import faults, names
from metier.datasets.columns import Columns
from metier.datasets.decoding import MAX_ROW
from metier.datasets.problems import SHOWN, Problem, Problems
from metier.datasets.reading import Row, Table, open_table
from metier.errors import InputError
from metier.messages import Example


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may hold, so that memory is bounded whatever is passed.

    Attributes:
        row: Characters of one row.
        rows: Rows; 1,000,000 short texts take about 230 MB.
        characters: Characters of all texts together.
    """

    row: int = MAX_ROW
    rows: int = 5_000_000
    characters: int = 1 << 30


LONGEST_LABEL = 200
"""Characters of a label."""
FREE_TEXT_SHARE = 0.5
"""More different labels than this share of the rows (20 or more) look like free text."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a source was taken for, for people and programs.

    Attributes:
        source: What people call it.
        format: ``jsonl``, ``json``, ``csv``, ``tsv`` or ``folder``.
        encoding: The codec of its bytes.
        delimiter: Of CSV and TSV.
        header: Whether line 1 names the columns (CSV, TSV).
        columns: All its columns.
        text: The column of the texts.
        label: The column of the labels.
        group: The column of the groups, if any.
        date: The column of the dates, if any.
        split: The column of the given split, if any.
        rows: Rows with a text and a label: all of them.
        labels: Each label with its rows, most frequent first.
        splits: Each value of the split column with its rows; empty without a given split.
        notes: What was assumed or left alone.
    """

    source: str
    format: str
    encoding: str
    delimiter: str | None
    header: bool | None
    columns: tuple[str, ...]
    text: str
    label: str
    group: str | None
    date: str | None
    split: str | None
    rows: int
    labels: tuple[tuple[str, int], ...]
    splits: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Dataset:
    """All labelled texts of a source.

    Attributes:
        recognised: What the source was taken for.
        examples: Its rows, in order.
        splits: The given split of each row (``train``, ``valid``, ``test`` or the value itself),
            or ``None`` where none is given.
    """

    recognised: Recognised
    examples: list[Example]
    splits: list[str] | None

    def part(self, *values: str) -> list[Example]:
        """The rows whose given split is one of ``values`` (``dev`` means ``valid``, and so on)."""
        if self.splits is None:
            return []
        wanted = {names.split_name(value) or value for value in values}
        return [
            example
            for example, split in zip(self.examples, self.splits, strict=True)
            if split in wanted
        ]


def read_examples(
    source: Path | bytes,
    *,
    name: str | None = None,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    trains: bool = True,
    limits: Limits = Limits(),
) -> Dataset:
    """Read labelled texts from a file, a folder or uploaded bytes.

    Args:
        source: A file, a folder of texts, or the bytes of an uploaded file.
        name: What people call it.
        text: The column of the texts; found by itself if not given. So are the others.
        label: The column of the labels.
        group: The column of the groups: rows of one group never straddle a split.
        split: The column of the given split.
        trains: Whether something is to be learned from the rows; ``False`` for a file that only
            evaluates, which may hold one class or one example of a class.
        limits: What the source may hold.

    Returns:
        Every row, as an Example whose ``row`` is its 1-based line (in a folder: file).

    Raises:
        InputError: What is wrong, in which row, and how to mend it; ``details["problems"]``
            lists the first twenty and ``details["count"]`` counts all.
    """
    wanted = tuple(column for column in (text, label, group, split) if column)
    table = open_table(source, name=name, columns=wanted, max_row=limits.row)
    return recognise(
        table, text=text, label=label, group=group, split=split, trains=trains, limits=limits
    )


def recognise(
    table: Table,
    *,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    trains: bool = True,
    limits: Limits = Limits(),
) -> Dataset:
    """As ``read_examples``, of a table whose layout is known."""
    if not table.columns:
        # No row could be read: say why, if there is a reason.
        for _ in table.rows():
            pass
        raise _no_rows(table.name)
    chosen = choosing.choose(table, text=text, label=label, group=group, split=split)
    gathered = _Gathered(table.name, chosen, limits)
    for row in table.rows(gathered.problems):
        gathered.take(row)
    return gathered.finish(table, trains)


@dataclass(slots=True)
class _Gathered:
    """The examples so far, and what was noticed on the way."""

    source: str
    columns: Columns
    limits: Limits
    examples: list[Example] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    seen: dict[str, str] = field(default_factory=dict)
    label_types: dict[str, list[Row]] = field(default_factory=dict)
    type_counts: Counter[str] = field(default_factory=Counter)
    trimmed: int = 0
    bad_dates: int = 0
    characters: int = 0
    problems: Problems = field(init=False)

    def __post_init__(self) -> None:
        self.problems = Problems(self.source)

    def take(self, row: Row) -> None:
        """Turn a row into an example, or report why it is none."""
        values = row.values
        label = self._label(row)
        text = values.get(self.columns.text)
        if not isinstance(text, str):
            self._report_text(row, text)
            return
        if not text or text.isspace():
            self.problems.add(faults.empty_text(row, self.columns.text))
            return
        if not text.isascii() and not _encodes(text):
            self.problems.add(faults.half_pair(row, self.columns.text))
            return
        split = self._split(row) if self.columns.split else None
        if label is None or (self.columns.split and split is None):
            return
        self.labels[label] += 1
        self.characters += len(text)
        if len(self.examples) >= self.limits.rows or self.characters > self.limits.characters:
            raise _too_large(self.source, row, self.limits)
        if split is not None:
            self.splits.append(split)
        self.examples.append(
            Example(text, label, self._group(values), self._date(values), row.number)
        )

    def _intern(self, value: str) -> str:
        """One object per distinct value: a million rows hold few labels."""
        return self.seen.setdefault(value, value)

    def _label(self, row: Row) -> str | None:
        value = row.values.get(self.columns.label)
        kind = "text"
        if isinstance(value, bool):
            kind, value = "true or false", "true" if value else "false"
        elif isinstance(value, int | float):
            kind, value = "number", str(value)
        elif not isinstance(value, str) and value is not None:
            self.problems.add(faults.wrong_type(row, self.columns.label, "label", value))
            return None
        label = (value or "").strip()
        if not label:
            self.problems.add(faults.no_label(row, self.columns.label))
            return None
        if len(label) > LONGEST_LABEL:
            self.problems.add(faults.long_label(row, self.columns.label, label, LONGEST_LABEL))
            return None
        if not label.isascii() and not _encodes(label):
            self.problems.add(faults.half_pair(row, self.columns.label))
            return None
        self.type_counts[kind] += 1
        if len(kept := self.label_types.setdefault(kind, [])) < SHOWN:
            kept.append(row)
        self.trimmed += label != value
        return self._intern(label)

    def _report_text(self, row: Row, text: Any) -> None:
        if text is None:
            self.problems.add(faults.empty_text(row, self.columns.text))
        else:
            self.problems.add(faults.wrong_type(row, self.columns.text, "text", text))

    def _split(self, row: Row) -> str | None:
        assert self.columns.split is not None
        value = row.values.get(self.columns.split)
        text = str(value).strip() if value is not None else ""
        if not text:
            self.problems.add(faults.no_split(row, self.columns.split))
            return None
        return self._intern(names.split_name(text) or text)

    def _group(self, values: Mapping[str, Any]) -> str | None:
        if self.columns.group is None:
            return None
        value = values.get(self.columns.group)
        text = "" if value is None else str(value).strip()
        return self._intern(text) if text else None

    def _date(self, values: Mapping[str, Any]) -> str | None:
        if self.columns.date is None:
            return None
        value = values.get(self.columns.date)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _is_date(value):
            return self._intern(value.strip())
        self.bad_dates += 1
        return None

    def finish(self, table: Table, trains: bool) -> Dataset:
        """Check the rows as a whole and name what they are."""
        _report_mixed_labels(self)
        self.problems.raise_if_any()
        if not self.examples:
            raise _no_rows(self.source)
        if trains:
            check_labels(self.source, self.columns.label, self.labels, self.examples)
        notes = [*table.notes, *self.columns.notes, *self._notes()]
        splits = Counter(self.splits)
        recognised = Recognised(
            source=table.name,
            format=table.format,
            encoding=table.encoding,
            delimiter=table.delimiter,
            header=table.header,
            columns=table.columns,
            text=self.columns.text,
            label=self.columns.label,
            group=self.columns.group,
            date=self.columns.date,
            split=self.columns.split,
            rows=len(self.examples),
            labels=tuple(sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))),
            splits=tuple(splits.items()),
            notes=tuple(notes),
        )
        return Dataset(recognised, self.examples, self.splits if self.columns.split else None)

    def _notes(self) -> Iterable[str]:
        if self.trimmed:
            yield f"White space around the label was removed in {self.trimmed:,} rows."
        if self.bad_dates:
            yield f"{self.bad_dates:,} dates are not ISO dates (2026-09-30) and were left out."
        folded: dict[str, str] = {}
        for label in self.labels:
            other = folded.setdefault(label.casefold(), label)
            if other != label:
                yield f"The labels {other!r} and {label!r} differ in case only; both were kept."


def check_labels(
    source: str, column: str, labels: Mapping[str, int], examples: list[Example]
) -> None:
    """Refuse labels that nothing can be learned from.

    Raises:
        InputError: One class (``one_class``), labels that look like free text
            (``labels_are_text``), or classes with one example (``one_example``).
    """
    if len(labels) == 1:
        only = next(iter(labels))
        raise InputError(
            f"{source}: all {len(examples):,} rows have the label {only!r} (column {column}).",
            code="one_class",
            remedy="A classifier needs at least two labels: add rows of another one, or name the "
            "right column with --label.",
        )
    if len(examples) >= 20 and len(labels) > FREE_TEXT_SHARE * len(examples):
        raise InputError(
            f"{source}: the column {column} has {len(labels):,} different values in "
            f"{len(examples):,} rows, which looks like free text, not labels.",
            code="labels_are_text",
            remedy="Name the column of the labels with --label.",
        )
    single = [example for example in examples if labels[example.label] == 1]
    if single:
        shown = ", ".join(f"{item.label!r} (row {item.row})" for item in single[:5])
        rest = f" and {len(single) - 5} more" if len(single) > 5 else ""
        raise InputError(
            f"{source}: {len(single)} label{'s have' if len(single) > 1 else ' has'} one example "
            f"only: {shown}{rest}.",
            code="one_example",
            remedy="Add a second example of each, give them the label of a class they belong to, "
            "or take these rows out.",
            details={
                "count": len(single),
                "problems": [
                    {"row": item.row, "what": f"the only example of {item.label}"}
                    for item in single[:SHOWN]
                ],
            },
        )


def _report_mixed_labels(gathered: _Gathered) -> None:
    counts = gathered.type_counts
    if len(counts) < 2:
        return
    usual, _ = counts.most_common(1)[0]
    for kind, rows in gathered.label_types.items():
        if kind == usual:
            continue
        for row in rows:
            value = row.values.get(gathered.columns.label)
            gathered.problems.add(
                Problem(
                    code="mixed_types",
                    row=row.number,
                    place=row.place,
                    what=f"the label is a {kind} ({value!r}) while most are {usual}",
                    remedy="Write all labels the same way, as text: "
                    '"label": "1" and not "label": 1.',
                )
            )
        gathered.problems.count += counts[kind] - len(rows)


def _no_rows(source: str) -> InputError:
    return InputError(
        f"{source} has no rows.",
        code="no_rows",
        remedy="Pass rows with a text and a label.",
    )


def _too_large(source: str, row: Row, limits: Limits) -> InputError:
    return InputError(
        f"{source}, {row.place}: there are more than {limits.rows:,} rows or "
        f"{limits.characters:,} characters of text.",
        code="too_large",
        remedy="Pass a random sample of the rows: a small specialist learns little from more.",
        details={"row": row.number},
    )


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    return True
