"""Rows without those that cannot be used: written anew for a person who asked for that.

Reading refuses a source with a bad row; this leaves such rows out and says which. It knows texts
and labels only, writes JSON Lines, and never touches the source.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.datasets.problems import SHOWN, Problems
from metier.datasets.reading import open_table
from metier.datasets.recognising import LONGEST_LABEL
from metier.errors import InputError


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was written.

    Attributes:
        kept: Rows that were written.
        left_out: Rows that were not.
        reasons: Why to how many rows.
        rows: Lines of the first rows that were left out.
    """

    kept: int
    left_out: int
    reasons: dict[str, int]
    rows: tuple[int, ...]


def clean(source: Path, target: Path, *, text: str, label: str) -> Cleaned:
    """Write the usable rows of a source as JSON Lines; all columns stay.

    Left out are rows that cannot be read, rows without a text or label, labels that are no names,
    and the only row of a label, from which nothing can be learned and examined at once.

    Args:
        source: A file of rows.
        target: Where they are written.
        text: The column of the texts.
        label: The column of the labels.

    Raises:
        InputError: Nothing is left (``no_rows``), or the source cannot be read at all.
    """
    table = open_table(source, columns=(text, label))
    unread = Problems(table.name)
    counts: Counter[str] = Counter()
    for row in table.rows(unread):
        if _why(row.values, text, label) is None:
            counts[_named(row.values[label])] += 1
    reasons: Counter[str] = Counter()
    rows: list[int] = [problem.row for problem in unread.first]
    if unread.count:
        reasons["it cannot be read"] = unread.count
    kept = 0
    with target.open("w", encoding="utf-8") as file:
        for row in table.rows(Problems(table.name)):
            why = _why(row.values, text, label)
            if why is None and counts[_named(row.values[label])] < 2:
                why = "it is the only one of its label"
            if why is not None:
                reasons[why] += 1
                rows.append(row.number)
                continue
            line = {**row.values, label: _named(row.values[label])}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            kept += 1
    if not kept:
        raise InputError(
            f"{table.name}: no row can be used.",
            code="no_rows",
            remedy="Look at the first problems above, or name other columns.",
        )
    left_out = sum(reasons.values())
    return Cleaned(kept, left_out, dict(reasons), tuple(sorted(rows)[:SHOWN]))


def _named(label: Any) -> str:
    """A label as text, as reading takes it."""
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label).strip()


def _why(values: Any, text: str, label: str) -> str | None:
    """Why a row cannot be used, or ``None``."""
    found, named = values.get(text), values.get(label)
    if not isinstance(found, str) or not found.strip():
        return "it has no text"
    if isinstance(named, list | dict) or named is None or not str(named).strip():
        return "it has no label"
    if len(str(named).strip()) > LONGEST_LABEL:
        return "its label is no name"
    try:
        f"{found}{named}".encode()
    except UnicodeEncodeError:
        return "it holds broken characters"
    return None
