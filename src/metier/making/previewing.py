"""Looking at rows before anything is made of them: what was recognised, what is wrong, how long.

It knows how to look at a file within a few seconds, however large it is, with the same reader,
split and leak gate that a make uses; where it looked at a part only it says so. It trains nothing
and installs nothing.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metier.datasets import columns as choosing
from metier.datasets.problems import Problems
from metier.datasets.reading import Row, Table, open_table
from metier.datasets.recognising import Dataset, recognise
from metier.datasets.splitting import divide
from metier.errors import InputError, MetierError
from metier.evals.leaks import scan
from metier.making.asking import Columns
from metier.making.forecasting import Speed, forecast
from metier.messages import Example
from metier.recipe import SplitPart

SECONDS = 2.5
"""How long rows are read before a part of them has to do."""
MOST_ROWS = 60_000
SCANNED = (12_000, 4_000)
"""Training and eval rows of the leak report at most; a make looks at all of them."""
SHOWN = 6
DISTINCT = 1_000
EXCERPT = 160

_FOUND = Columns()
EncoderSpeed = Callable[[Sequence[str]], float | None]
"""Seconds that the base takes for one of some texts; ``None`` without a base."""


@dataclass(slots=True)
class _Column:
    """What stands in one column of the rows that were read."""

    filled: int = 0
    values: Counter[str] = field(default_factory=Counter)
    many: bool = False

    def take(self, value: Any) -> None:
        if value is None or value == "":
            return
        self.filled += 1
        if not self.many:
            self.values[_excerpt(value)] += 1
            if len(self.values) > DISTINCT:
                self.many = True


@dataclass(slots=True)
class _Seen:
    """The rows that were read, in bounded memory."""

    rows: int = 0
    whole: bool = True
    head: list[Row] = field(default_factory=list)
    columns: dict[str, _Column] = field(default_factory=lambda: defaultdict(_Column))


def preview(
    data: Path,
    *,
    eval_file: Path | None = None,
    columns: Columns = _FOUND,
    seed: int = 0,
    curve: bool = True,
    speed: EncoderSpeed = lambda _texts: None,
) -> dict[str, Any]:
    """What a make would find in a file.

    Args:
        data: Rows.
        eval_file: Sealed rows in a file of their own.
        columns: Named columns, where they are not to be recognised.
        seed: Of the split.
        curve: Whether the label curve would be drawn; it takes time.
        speed: Measures the base on some of the texts.

    Returns:
        A JSON-ready mapping. ``problem`` is ``None`` or what stops a make: ``code``, ``message``,
        ``remedy``, ``details`` (``problems`` with their lines, ``columns``). What could be found
        nevertheless stands beside it.
    """
    found: dict[str, Any] = {
        "source": data.name,
        "bytes": data.stat().st_size,
        "problem": None,
        "columns": [],
        "head": [],
        "rows": 0,
        "whole": True,
        "labels": [],
        "notes": [],
        "division": None,
        "leaks": None,
        "expected": None,
    }
    try:
        table = open_table(data, columns=_named(columns))
        seen = _look(table)
        bounded = table if seen.whole else _only(table, seen.rows)
        found |= _layout(table, seen)
        found |= _chosen(bounded, columns, seen)
        dataset = recognise(
            bounded,
            text=columns.text,
            label=columns.label,
            group=columns.group,
            trains=seen.whole and eval_file is None,
        )
        found |= _recognised(dataset)
        found |= _divided(dataset, eval_file, columns, seed)
        train, sealed = found.pop("_train"), found.pop("_sealed")
        found["leaks"] = _leaks(train, sealed, whole=seen.whole)
        found["expected"] = _expected(train, sealed, speed, found, curve=curve)
    except MetierError as error:
        found["problem"] = _told(error)
    return found


def _named(columns: Columns) -> tuple[str, ...]:
    return tuple(name for name in (columns.text, columns.label, columns.group) if name)


def _told(error: MetierError) -> dict[str, Any]:
    return {
        "code": error.code,
        "message": error.message,
        "remedy": error.remedy,
        "details": dict(error.details),
    }


def _look(table: Table) -> _Seen:
    seen = _Seen()
    until = time.monotonic() + SECONDS
    try:
        for row in table.rows(Problems(table.name)):
            seen.rows += 1
            if len(seen.head) < SHOWN:
                seen.head.append(row)
            for name, value in row.values.items():
                if name in seen.columns or len(seen.columns) < 60:
                    seen.columns[name].take(value)
            if seen.rows >= MOST_ROWS or (seen.rows % 1_000 == 0 and time.monotonic() > until):
                seen.whole = False
                break
    except InputError:
        pass  # what is wrong is said when the rows are recognised
    return seen


def _only(table: Table, rows: int) -> Table:
    """The first rows of a table."""

    def stream(problems: Problems) -> Iterator[Row]:
        for number, row in enumerate(table.rows(problems)):
            if number >= rows:
                return
            yield row

    return replace(table, _stream=stream)


def _layout(table: Table, seen: _Seen) -> dict[str, Any]:
    names = list(dict.fromkeys([*table.columns, *seen.columns]))[:60]
    return {
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header": table.header,
        "rows": seen.rows,
        "whole": seen.whole,
        "columns": [
            {
                "name": _excerpt(name) if not _whole(name) else name,
                "filled": seen.columns[name].filled,
                "different": None if seen.columns[name].many else len(seen.columns[name].values),
                "examples": [value for value, _ in seen.columns[name].values.most_common(3)],
            }
            for name in names
        ],
        "head": [
            {"row": row.number, "values": [_excerpt(row.values.get(name)) for name in names]}
            for row in seen.head
        ],
        "notes": list(table.notes),
    }


def _whole(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _excerpt(value: Any) -> str:
    text = "" if value is None else str(value)[: 4 * EXCERPT]
    # Half of a surrogate pair can stand in JSON, but in no answer of ours.
    flat = " ".join(text.encode("utf-8", "replace").decode().split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1] + "…"


def _chosen(table: Table, columns: Columns, seen: _Seen) -> dict[str, Any]:
    """The columns, and the labels that stand in one, also where some rows are bad."""
    chosen = choosing.choose(table, text=columns.text, label=columns.label, group=columns.group)
    labels = seen.columns[chosen.label]
    return {
        "text": chosen.text,
        "label": chosen.label,
        "group": chosen.group,
        "split": chosen.split,
        "labels": [] if labels.many else [list(pair) for pair in labels.values.most_common()],
        "notes": [*table.notes, *chosen.notes],
    }


def _recognised(dataset: Dataset) -> dict[str, Any]:
    known = dataset.recognised
    return {
        "text": known.text,
        "label": known.label,
        "group": known.group,
        "date": known.date,
        "split": known.split,
        "labels": [list(pair) for pair in known.labels],
        "splits": [list(pair) for pair in known.splits],
        "notes": list(known.notes),
    }


def _divided(
    dataset: Dataset, eval_file: Path | None, columns: Columns, seed: int
) -> dict[str, Any]:
    part = SplitPart(text=columns.text, label=columns.label, group=columns.group)
    if eval_file is None:
        division = divide(dataset.examples, dataset.splits, part, seed=seed)
    else:
        table = open_table(eval_file, columns=_named(columns))
        sealed = recognise(table, text=columns.text, label=columns.label, trains=False)
        rows = [*dataset.examples, *sealed.examples]
        splits = ["train"] * len(dataset.examples) + ["test"] * len(sealed.examples)
        division = divide(rows, splits, part, seed=seed)
    labels = Counter(item.label for item in division.train)
    return {
        "_train": division.train,
        "_sealed": division.evaluation,
        "division": {
            "train": len(division.train),
            "eval": len(division.evaluation),
            "given": division.given,
            "smallest_class": min(labels.values(), default=0),
            "notes": list(division.notes),
        },
    }


def _leaks(train: Sequence[Example], sealed: Sequence[Example], *, whole: bool) -> dict[str, Any]:
    """The leak gate's report, of a part of the rows where there are very many."""
    most_train, most_sealed = SCANNED
    part = len(train) > most_train or len(sealed) > most_sealed or not whole
    looked = (_spread(train, most_train), _spread(sealed, most_sealed))
    report = scan(*looked).report
    return {
        **report.model_dump(mode="json"),
        "looked_at": [len(side) for side in looked],
        "of": [len(train), len(sealed)],
        "part": part,
    }


def _spread(rows: Sequence[Example], most: int) -> list[Example]:
    """At most so many rows, spread over all of them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[index * len(rows) // most] for index in range(most)]


def _expected(
    train: Sequence[Example],
    sealed: Sequence[Example],
    speed: EncoderSpeed,
    found: Mapping[str, Any],
    *,
    curve: bool,
) -> dict[str, Any]:
    texts = [item.text for item in _spread(train, 48)]
    measured = Speed(
        rows=len(train),
        sealed=len(sealed),
        labels=len(found["labels"]),
        characters=sum(map(len, texts)) / max(1, len(texts)),
        encoder=speed(texts),
    )
    return forecast(measured, curve=curve)
