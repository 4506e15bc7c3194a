"""Which column holds the text, the label, the group, the date and the split.

It knows columns by name and, where names say nothing, by what stands in them: the label has few
different values, each at least twice; the text is the longest. It reads the table at most once
and keeps bounded facts about each column. What it cannot decide it asks for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

from metier.datasets import names
from metier.datasets.problems import Problems
from metier.datasets.reading import Table
from metier.errors import InputError

_DISTINCT = 5_000
"""Different values that are counted of a column; one with more is no label."""
_MUCH_LONGER = 1.5
"""The text column's mean length over the next one's."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that were chosen, by name."""

    text: str
    label: str
    group: str | None = None
    date: str | None = None
    split: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Facts:
    """What stands in one column, bounded."""

    filled: int = 0
    characters: int = 0
    texts: int = 0
    values: Counter[str] = field(default_factory=Counter)
    overflow: bool = False

    def take(self, value: Any) -> None:
        if value is None or value == "":
            return
        self.filled += 1
        if isinstance(value, list | dict):
            self.overflow = True
            return
        self.texts += isinstance(value, str)
        text = str(value).strip()
        self.characters += len(text)
        if not self.overflow:
            self.values[text[:200]] += 1
            if len(self.values) > _DISTINCT:
                self.overflow = True
                self.values.clear()

    @property
    def mean_length(self) -> float:
        return self.characters / max(1, self.filled)

    def could_be_label(self, rows: int) -> bool:
        """Few different values, most of them at least twice, in every row."""
        distinct = len(self.values)
        return (
            not self.overflow
            and self.filled == rows
            and 2 <= distinct <= max(2, rows // 2)
            and self.mean_length <= 60
        )


def choose(
    table: Table,
    *,
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
) -> Columns:
    """Choose the columns of a table; what the caller names is taken as it is.

    Raises:
        InputError: A named column is not there (``no_such_column``), or the text or label cannot
            be told (``no_text_column``, ``no_label_column``, ``ambiguous_columns``): the message
            lists the columns and what to pass.
    """
    for role, wanted in (("text", text), ("label", label), ("group", group), ("split", split)):
        if wanted is not None:
            _must_exist(table, role, wanted)
    notes: list[str] = []
    left = [column for column in table.columns if column not in (text, label, group, split)]
    facts: dict[str, _Facts] | None = None
    if label is None:
        label = _by_name(table, left, "label", names.LABEL, names.LABEL_LIKE)
        others = [name for name in names.matching(left, names.LABEL_LIKE) if name != label]
        if label is not None and others:
            notes.append(f"The column {label} was taken for the label, not {', '.join(others)}.")
        if label is None:
            facts, rows = _facts(table)
            label = _label_by_content(table, left, facts, rows)
            notes.append(f"The column {label} was taken for the label: few values, often repeated.")
        left = [column for column in left if column != label]
    if text is None:
        text = _by_name(table, left, "text", names.TEXT, names.TEXT_LIKE)
        if text is None:
            facts = facts if facts is not None else _facts(table)[0]
            text = _text_by_content(table, left, facts)
            notes.append(f"The column {text} was taken for the text: it is the longest.")
        left = [column for column in left if column != text]
    if text == label:
        raise InputError(
            f"{table.name}: the column {text} cannot be text and label at once.",
            code="ambiguous_columns",
            remedy="Name two columns with --text and --label.",
        )
    return _with_optional(table, Columns(text, label, group, None, split, tuple(notes)), left)


def _with_optional(table: Table, chosen: Columns, left: list[str]) -> Columns:
    """Add group, date and split where columns are named so and hold what they say."""
    groups = names.matching(left, names.GROUP) if chosen.group is None else []
    dates = names.matching(left, names.DATE)
    splits = names.matching(left, names.SPLIT) if chosen.split is None else []
    notes = list(chosen.notes)
    group, split = chosen.group, chosen.split
    if splits or groups:
        facts, _ = _facts(table, (*splits, *groups))
        good = [column for column in splits if _is_split(facts[column])]
        if good:
            split = good[0]
            notes.append(f"The column {split} was taken as the given split.")
        for column in splits:
            if column not in good:
                notes.append(f"The column {column} does not say train and test: it was left alone.")
        if groups and len(facts[groups[0]].values) != 1:
            group = groups[0]
            notes.append(f"Rows with one value of {group} stay together in every split.")
    return Columns(
        text=chosen.text,
        label=chosen.label,
        group=group,
        date=dates[0] if dates else None,
        split=split,
        notes=tuple(notes),
    )


def _is_split(facts: _Facts) -> bool:
    found = {names.split_name(value) for value in facts.values}
    return not facts.overflow and None not in found and len(found) > 0


def _must_exist(table: Table, role: str, wanted: str) -> None:
    if wanted not in table.columns:
        raise InputError(
            f"{table.name} has no column {wanted!r}. Its columns: {_listed(table)}.",
            code="no_such_column",
            remedy=f"Pass --{role} with one of them.",
            details={"columns": list(table.columns)},
        )


def _by_name(
    table: Table, left: list[str], role: str, exact: tuple[str, ...], alike: tuple[str, ...]
) -> str | None:
    for words in (exact, alike):
        found = names.matching(left, words)
        if len(found) == 1:
            return found[0]
        if found:
            _ambiguous(table, role, found)
    return None


def _label_by_content(table: Table, left: list[str], facts: dict[str, _Facts], rows: int) -> str:
    optional = {*names.GROUP, *names.DATE, *names.SPLIT}
    candidates = [
        column
        for column in left
        if names.folded(column) not in optional
        and names.folded(column) not in (*names.TEXT, *names.TEXT_LIKE)
        and facts[column].could_be_label(rows)
    ]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        _ambiguous(table, "label", candidates)
    raise InputError(
        f"{table.name} has no label column: no column has few different values in every row. "
        f"Its columns: {_listed(table)}.",
        code="no_label_column",
        remedy="Pass --label with the column of the labels, or add one.",
        details={"columns": list(table.columns)},
    )


def _text_by_content(table: Table, left: list[str], facts: dict[str, _Facts]) -> str:
    texts = [column for column in left if facts[column].texts]
    texts.sort(key=lambda column: -facts[column].mean_length)
    if not texts:
        raise InputError(
            f"{table.name} has no column of texts. Its columns: {_listed(table)}.",
            code="no_text_column",
            remedy="Pass --text with the column of the texts, or add one.",
            details={"columns": list(table.columns)},
        )
    if len(texts) > 1:
        first, second = facts[texts[0]].mean_length, facts[texts[1]].mean_length
        if first < _MUCH_LONGER * second:
            _ambiguous(table, "text", texts)
    return texts[0]


def _ambiguous(table: Table, role: str, found: list[str]) -> NoReturn:
    raise InputError(
        f"{table.name}: the {role} could be any of the columns {', '.join(found[:8])}. "
        f"All columns: {_listed(table)}.",
        code="ambiguous_columns",
        remedy=f"Name it: --{role} {found[0]!r}"
        if " " in found[0]
        else f"Name it: --{role} {found[0]}",
        details={"columns": list(table.columns), "candidates": found},
    )


def _facts(table: Table, only: tuple[str, ...] = ()) -> tuple[dict[str, _Facts], int]:
    """One pass over all rows: a file that is sorted by label shows one label at its head."""
    facts = {column: _Facts() for column in (only or table.columns)}
    rows = 0
    for row in table.rows(Problems(table.name)):
        rows += 1
        for column, fact in facts.items():
            fact.take(row.values.get(column))
    return facts, rows


def _listed(table: Table) -> str:
    shown = ", ".join(table.columns[:20])
    return f"{shown}, …" if len(table.columns) > 20 else shown
