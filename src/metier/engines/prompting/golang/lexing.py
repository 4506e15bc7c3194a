"""Cuts a Go template into text and actions, and an action into words.

It knows delimiters, trimming and comments; it knows no statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from metier.errors import InputError

_SPACE = " \t\r\n"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_WORD = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*+")'
    r"|(?P<raw>`[^`]*+`)"
    r"|(?P<char>'(?:[^'\\\n]|\\.)++')"
    r"|(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]++|0[bB][01_]++|0[oO][0-7_]++"
    r"|(?:\d[\d_]*+(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?))"
    r"|(?P<field>\.[^\W\d]\w*+)"
    r"|(?P<variable>\$\w*+)"
    r"|(?P<name>[^\W\d]\w*+)"
    r"|(?P<mark>:=|[=|(),.])"
)


class Word(NamedTuple):
    """One word of an action; ``spaced`` says whether white space stands before it."""

    kind: str
    text: str
    line: int
    spaced: bool


class Text(NamedTuple):
    """Text between actions, trimmed as its neighbours ask."""

    text: str


class Action(NamedTuple):
    """What stands between ``{{`` and ``}}``."""

    words: tuple[Word, ...]
    line: int


def bad(what: str, line: int) -> InputError:
    """The error of a Go template that is not valid."""
    return InputError(
        f"The chat template (Go) cannot be used in line {line}: {what}.",
        code="bad_template",
        remedy="Correct TEMPLATE in the Modelfile.",
        details={"line": line},
    )


def lex(source: str) -> Iterator[Text | Action]:
    """Texts and actions in turn; raises InputError (``bad_template``)."""
    position, line = 0, 1
    trimmed = False
    while True:
        start = source.find("{{", position)
        end = len(source) if start < 0 else start
        text = source[position:end]
        after = start + 2
        trims = start >= 0 and source[after : after + 1] == "-" and _space(source, after + 1)
        held = text.lstrip(_SPACE) if trimmed else text
        held = held.rstrip(_SPACE) if trims else held
        if held:
            yield Text(held)
        if start < 0:
            return
        line += text.count("\n")
        opened = after + 1 if trims else after
        position, words, trimmed = _action(source, opened, line)
        if words is not None:
            yield Action(words, line)
        line += source.count("\n", start, position)


def _space(source: str, place: int) -> bool:
    return source[place : place + 1] in _SPACE and place < len(source)


def _action(source: str, start: int, line: int) -> tuple[int, tuple[Word, ...] | None, bool]:
    """Where the action ends, its words (``None`` for a comment), whether it trims what follows."""
    first = start
    while _space(source, first):
        first += 1
    if source.startswith("/*", first):
        found = _COMMENT.match(source, first)
        if found is None:
            raise bad("a comment is not closed", line)
        end, trims = _closing(source, found.end())
        if end < 0:
            raise bad("a comment ends before the action does", line)
        return end, None, trims
    words: list[Word] = []
    position, spaced = start, False
    while True:
        end, trims = _closing(source, position)
        if end >= 0:
            return end, tuple(words), trims
        found = _WORD.match(source, position)
        if found is None:
            rest = source[position : position + 10]
            problem = f"{rest!r} is not expected" if rest else "an action is not closed by }}"
            raise bad(problem, line)
        kind = found.lastgroup or ""
        if kind != "space":
            words.append(Word(kind, found.group(), line, spaced))
        spaced = kind == "space"
        line += found.group().count("\n")
        position = found.end()


def _closing(source: str, place: int) -> tuple[int, bool]:
    """Where the action ends if it is closed at ``place``, and whether it trims; -1 if not."""
    if source.startswith("}}", place):
        return place + 2, False
    mark = place
    while _space(source, mark):
        mark += 1
    if mark > place and source.startswith("-}}", mark):
        return mark + 3, True
    if source.startswith("-}}", place) and place > 0 and _space(source, place - 1):
        return place + 3, True
    return -1, False
