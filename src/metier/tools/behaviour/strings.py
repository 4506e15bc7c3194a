"""STRING of the step language: what a text must be, and how that is said to people.

It knows texts only; it knows neither pages nor processes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from metier.errors import InputError

WORDS = frozenset(
    [
        "contains",
        "lacks",
        "matches",
        "starts",
        "ends",
        "not",
        "any",
        "number",
        "within",
        "ignore_case",
        "remembered",
        "not_remembered",
    ]
)
_NUMBER = re.compile(r"[-+]?\d+(?:[ ,]\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LONGEST = 200


def folded(text: str) -> str:
    """The text with every run of white space made one space, and trimmed."""
    return " ".join(text.split())


def checked_string(given: Any, where: str) -> None:
    """Refuse what is no STRING.

    Raises:
        InputError: ``bad_task``.
    """
    if isinstance(given, str):
        return
    if not isinstance(given, Mapping) or not given or not WORDS.issuperset(given):
        raise InputError(
            f"{where} must be a text or a table of {', '.join(sorted(WORDS))}; it is {given!r}.",
            code="bad_task",
        )
    for pattern in [given["matches"]] if "matches" in given else []:
        try:
            re.compile(pattern)
        except re.error as error:
            raise InputError(
                f"{where}: {pattern!r} is no pattern: {error}", code="bad_task"
            ) from error


def holds(expected: Any, found: str, memory: Mapping[str, str] | None = None) -> bool:
    """Whether the text is what is expected.

    Args:
        expected: A STRING; see docs/formats/task.md.
        found: The text as it was found.
        memory: Texts that steps remembered, by name.
    """
    text = folded(found)
    if isinstance(expected, str):
        return text == folded(expected)
    blind = bool(expected.get("ignore_case"))

    def fold(said: str) -> str:
        return said.casefold() if blind else said

    text = fold(text)

    def same(name: str) -> str:
        return fold(folded(expected[name]))

    memory = memory or {}
    flags = re.IGNORECASE if expected.get("ignore_case") else 0
    rules: dict[str, Callable[[], bool]] = {
        "contains": lambda: same("contains") in text,
        "lacks": lambda: same("lacks") not in text,
        "matches": lambda: re.search(expected["matches"], folded(found), flags) is not None,
        "starts": lambda: text.startswith(same("starts")),
        "ends": lambda: text.endswith(same("ends")),
        "not": lambda: not _as_whole(expected["not"], found, expected, memory),
        "any": lambda: any(_as_whole(one, found, expected, memory) for one in expected["any"]),
        "number": lambda: _number(expected, text),
        "remembered": lambda: text == fold(memory.get(expected["remembered"], "\0")),
        "not_remembered": lambda: text != fold(memory.get(expected["not_remembered"], "\0")),
    }
    return all(rule() for name, rule in rules.items() if name in expected)


def _as_whole(one: Any, found: str, outer: Mapping[str, Any], memory: Mapping[str, str]) -> bool:
    if isinstance(one, str) and outer.get("ignore_case"):
        return folded(one).casefold() == folded(found).casefold()
    return holds(one, found, memory)


def _number(expected: Mapping[str, Any], text: str) -> bool:
    found = _NUMBER.findall(text)
    if len(found) != 1:
        return False
    value = float(re.sub(r"[ ,]", "", found[0]))
    return abs(value - float(expected["number"])) <= float(expected.get("within", 1e-9))


def told(expected: Any) -> str:
    """What is expected, for people: ``be "2"``, ``contain "x"``."""
    if isinstance(expected, str):
        return f"be {quoted(expected)}"
    says = {
        "contains": "contain",
        "lacks": "lack",
        "matches": "match",
        "starts": "start with",
        "ends": "end with",
        "not": "not be",
        "any": "be one of",
        "number": "be the number",
        "remembered": "be as remembered in",
        "not_remembered": "differ from what was remembered in",
    }
    return " and ".join(
        f"{says[name]} {quoted(value)}" for name, value in expected.items() if name in says
    )


def quoted(value: Any) -> str:
    """A value as JSON, cut at 200 characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
