"""Values as Go templates see them: truth, length, fields, printing, JSON.

It knows Go's rules for them; it knows no template and no conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from metier.engines.prompting.limits import bounded, short, spend, weigh

NO_VALUE = "<no value>"


class Record:
    """A Go struct: fields by their Go names, and the JSON by which it is written."""

    __slots__ = ("_fields", "json")

    def __init__(self, fields: Mapping[str, Any], json: Any) -> None:
        self._fields = fields
        self.json = json

    def has(self, name: str) -> bool:
        """Whether there is such a field."""
        return name in self._fields

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]


class Shown(dict[str, Any]):
    """A map that is written as JSON; keys in order of the alphabet, as Go writes maps."""


class Listed(tuple[Any, ...]):
    """A list that is written as JSON."""


class Kinds(tuple[str, ...]):
    """The types of a property: written as the only one, or as Go writes a list."""


def truth(value: Any) -> bool:
    """Whether Go takes a value for true: not zero, not empty."""
    if isinstance(value, Record):
        return True
    return bool(value)


def text_of(value: Any) -> str:
    """A value as Go's ``print`` writes it."""
    if isinstance(value, str):
        return value
    weigh(value)
    return short_text(_text(value))


def short_text(text: str) -> str:
    """A text if it is not too long."""
    short(len(text))
    return text


def _text(value: Any) -> str:
    if value is None:
        return NO_VALUE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, Record | Shown | Listed):
        return go_json(value)
    if isinstance(value, Kinds) and len(value) == 1:
        return value[0]
    if isinstance(value, dict):
        pairs = (f"{_text(key)}:{_text(value[key])}" for key in sorted(value, key=str))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(_text, value))}]"
    return str(value)


def _decimal(value: float) -> str:
    if value == int(value) and abs(value) < 1e21 if abs(value) < float("inf") else False:
        return str(int(value))
    return repr(value).replace("inf", "+Inf").replace("-+", "-").replace("nan", "NaN")


def go_json(value: Any) -> str:
    """JSON as Go's ``json.Marshal`` writes it: compact, ``<``, ``>``, ``&`` escaped."""
    bounded(value)
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    spend(len(text) >> 6)
    return short_text(text)


def _plain(value: Any) -> Any:
    """A value of dicts and lists; maps sorted, records in their own order."""
    if isinstance(value, Record):
        return _plain_record(value.json)
    if isinstance(value, dict):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, Kinds):
        return value[0] if len(value) == 1 else list(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value == int(value) and abs(value) < 1e21:
        return int(value)
    return value


def _plain_record(held: Any) -> Any:
    if isinstance(held, dict):
        return {key: _plain(item) for key, item in held.items()}
    return _plain(held)


def length(value: Any) -> int:
    """Bytes of a text, items of a list or map; raises TypeError for anything else."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    if isinstance(value, list | tuple | dict):
        return len(value)
    raise TypeError(f"len of {kind(value)}")


def kind(value: Any) -> str:
    """Go's word for what a value is."""
    if value is None:
        return "nil"
    if isinstance(value, Record):
        return "a record"
    names: Sequence[tuple[type | tuple[type, ...], str]] = (
        (bool, "bool"),
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (dict, "map"),
        ((list, tuple), "list"),
    )
    return next((name for types, name in names if isinstance(value, types)), "unknown")
