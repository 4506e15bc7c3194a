"""What can be wrong with one row, in words: the place, the fault and how to mend it.

It knows rows and columns by name; it does not decide what is wrong.
"""

from __future__ import annotations

from typing import Any

from metier.datasets.problems import Problem, excerpt
from metier.datasets.reading import Row


def empty_text(row: Row, column: str) -> Problem:
    """The row has no text."""
    missing = column not in row.values
    return Problem(
        code="empty_text",
        row=row.number,
        place=row.place,
        what=f"the row has no {column}" if missing else f"the text is empty (column {column})",
        remedy="Write a text, or take the row out.",
    )


def no_label(row: Row, column: str) -> Problem:
    """The row has no label."""
    missing = column not in row.values
    return Problem(
        code="empty_label",
        row=row.number,
        place=row.place,
        what=f"the row has no {column}" if missing else f"the label is empty (column {column})",
        remedy="Write a label, or take the row out.",
    )


def long_label(row: Row, column: str, label: str, longest: int) -> Problem:
    """The label is no name."""
    return Problem(
        code="labels_are_text",
        row=row.number,
        place=row.place,
        what=f"the label has {len(label):,} characters (column {column}): {excerpt(label)}",
        remedy=f"A label is a name of at most {longest} characters: name the column of the "
        "labels with --label.",
    )


def no_split(row: Row, column: str) -> Problem:
    """The row does not say which split it is in."""
    return Problem(
        code="empty_split",
        row=row.number,
        place=row.place,
        what=f"the row is in no split (column {column} is empty)",
        remedy="Write train, valid or test in every row, or take the column out.",
    )


def wrong_type(row: Row, column: str, role: str, value: Any) -> Problem:
    """The text or label is not text."""
    kinds = {list: "a list", dict: "an object", bool: "true or false"}
    kind = kinds.get(type(value), "a number")
    more = " One label a row." if role == "label" else ""
    return Problem(
        code="mixed_types",
        row=row.number,
        place=row.place,
        what=f"the {role} is {kind}, not text (column {column}): {excerpt(repr(value))}",
        remedy=f"Write the {role} as text in quotation marks.{more}",
    )


def half_pair(row: Row, column: str) -> Problem:
    """The text holds a code unit that is no character."""
    return Problem(
        code="broken_characters",
        row=row.number,
        place=row.place,
        what=f"column {column} holds half of a surrogate pair, which is no character",
        remedy="Export the data again as UTF-8.",
    )
