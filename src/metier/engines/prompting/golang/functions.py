"""The functions that a Go template may call: the language's own, and Ollama's.

It knows what each does with values; a wrong value is a TypeError, ValueError or LookupError, which
the caller turns into an error with a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from metier.engines.prompting.golang.values import (
    Kinds,
    Record,
    go_json,
    kind,
    length,
    short_text,
    text_of,
    truth,
)
from metier.engines.prompting.limits import short

_VERB = re.compile(r"%([-+# 0]*)(\d*|\*)(?:\.(\d*|\*))?([a-zA-Z%])")
_WIDEST = 10_000
_NUMBER_VERBS = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b", "c": "c"}
_SIMPLE = {bool, int, str}
_DECIMAL_VERBS = set("eEfFgG")


def _print(*values: Any) -> str:
    """Go's Sprint: a space between two values of which neither is a text."""
    parts: list[str] = []
    size = 0
    for index, value in enumerate(values):
        before = values[index - 1] if index else ""
        if index and not isinstance(value, str) and not isinstance(before, str):
            parts.append(" ")
        parts.append(_nil_text(value))
        size = short(size + len(parts[-1]) + 1)
    return "".join(parts)


def _println(*values: Any) -> str:
    parts = [_nil_text(value) for value in values]
    short(sum(map(len, parts)) + len(parts))
    return " ".join(parts) + "\n"


def _nil_text(value: Any) -> str:
    return "<nil>" if value is None else text_of(value)


def _printf(pattern: Any, *values: Any) -> str:
    """Go's Sprintf, of the verbs that texts and numbers need."""
    if not isinstance(pattern, str):
        raise TypeError("printf needs a text first")
    pending = list(values)
    parts: list[str] = []
    size = position = 0
    for found in _VERB.finditer(pattern):
        parts += [pattern[position : found.start()], _formatted(found, pending)]
        position = found.end()
        size = short(size + len(parts[-1]) + len(parts[-2]))
    parts.append(pattern[position:])
    if pending:
        extra = ", ".join(f"{kind(value)}={_nil_text(value)}" for value in pending)
        parts.append(f"%!(EXTRA {extra})")
    return short_text("".join(parts))


def _formatted(found: re.Match[str], pending: list[Any]) -> str:
    flags, width, precision, verb = found.groups()
    if verb == "%":
        return "%"
    if width == "*":
        width = str(_width(pending))
    if precision == "*":
        precision = str(_width(pending))
    if max(int(width or 0), int(precision or 0)) > _WIDEST:
        raise ValueError(f"a width over {_WIDEST}")
    if not pending:
        return f"%!{verb}(MISSING)"
    text = _verb(verb, flags, precision, pending.pop(0))
    if "-" in flags:
        return text.ljust(int(width or 0))
    if "0" in flags and verb in "dxXobeEfFgG":
        sign = text[:1] if text[:1] in {"-", "+"} else ""
        return sign + text[len(sign) :].rjust(int(width or 0) - len(sign), "0")
    return text.rjust(int(width or 0))


def _width(pending: list[Any]) -> int:
    width = pending.pop(0) if pending else None
    if isinstance(width, bool) or not isinstance(width, int):
        raise TypeError("a width that is no whole number")
    return abs(width)


def _verb(verb: str, flags: str, precision: str | None, value: Any) -> str:
    if verb in "vs":
        wrong = verb == "s" and isinstance(value, bool | int | float)
        if wrong:
            return f"%!s({kind(value)}={text_of(value)})"
        text = json.dumps(value) if "#" in flags and isinstance(value, str) else _nil_text(value)
        return text if precision is None or verb == "v" else text[: int(precision or 0)]
    if verb == "q" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if verb == "t" and isinstance(value, bool):
        return text_of(value)
    if verb == "T":
        return kind(value)
    if verb == "x" and isinstance(value, str):
        return value.encode("utf-8", "replace").hex()
    if verb in _NUMBER_VERBS and isinstance(value, int) and not isinstance(value, bool):
        if verb == "c" and not 0 <= value <= 0x10FFFF:
            return "\ufffd"
        sign = "+" if "+" in flags and verb != "c" else ""
        return format(value, sign + _NUMBER_VERBS[verb])
    if verb in _DECIMAL_VERBS and isinstance(value, int | float) and not isinstance(value, bool):
        sign = "+" if "+" in flags else ""
        return format(float(value), f"{sign}.{precision or (0 if precision == '' else 6)}{verb}")
    return f"%!{verb}({kind(value)}={_nil_text(value)})"


def _same(left: Any, right: Any) -> bool:
    if type(left) is type(right) and type(left) in _SIMPLE:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    for value in (left, right):
        if isinstance(value, Record | dict) or (
            isinstance(value, list | tuple) and not isinstance(value, Kinds)
        ):
            raise TypeError(f"eq cannot compare {kind(value)}")
    left, right = _plain_kind(left), _plain_kind(right)
    if _family(left) != _family(right):
        raise TypeError(f"eq cannot compare {kind(left)} with {kind(right)}")
    return bool(left == right)


def _plain_kind(value: Any) -> Any:
    return text_of(value) if isinstance(value, Kinds) else value


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "string"


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise TypeError("eq needs two values")
    return any(_same(first, other) for other in others)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def function(left: Any, right: Any) -> bool:
        for value in (left, right):
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise TypeError(f"{kind(value)} has no order")
        if _family(left) != _family(right):
            raise TypeError(f"{kind(left)} and {kind(right)} have no order")
        return compare(left, right)

    return function


def _index(value: Any, *places: Any) -> Any:
    for place in places:
        if isinstance(value, dict):
            value = value.get(place) if isinstance(place, str) else None
        elif isinstance(value, list | tuple | str):
            held: Sequence[Any] = value.encode() if isinstance(value, str) else value
            value = held[_place(place, len(held) - 1)]
        else:
            raise TypeError(f"index of {kind(value)}")
    return value


def _place(place: Any, most: int) -> int:
    if isinstance(place, bool) or not isinstance(place, int):
        raise TypeError(f"{kind(place)} as an index")
    if not 0 <= place <= most:
        raise LookupError(f"index {place} is out of range")
    return place


def _slice(value: Any, *places: Any) -> Any:
    if len(places) > 3 or not isinstance(value, str | list | tuple):
        raise TypeError(f"slice of {kind(value)}")
    held: Any = value.encode("utf-8", "replace") if isinstance(value, str) else value
    low = _place(places[0], len(held)) if places else 0
    high = _place(places[1], len(held)) if len(places) > 1 else len(held)
    if low > high:
        raise LookupError(f"slice from {low} to {high}")
    part = held[low:high]
    return part.decode("utf-8", "replace") if isinstance(value, str) else list(part)


def _today(*_: Any) -> str:
    return date.today().isoformat()


def _yesterday(*_: Any) -> str:
    return (date.today() - timedelta(days=1)).isoformat()


_TYPESCRIPT = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "any[]",
    "object": "Record<string, any>",
    "null": "null",
}


def typescript_type(value: Any) -> str:
    """The TypeScript type of a tool's property, as Ollama writes it."""
    if not isinstance(value, Record) or not value.has("AnyOf"):
        return "any"
    if value["AnyOf"]:
        return short_text(" | ".join(typescript_type(item) for item in value["AnyOf"]))
    return " | ".join(_TYPESCRIPT.get(name, "any") for name in value["Type"]) or "any"


def _html(*values: Any) -> str:
    text = _print(*values)
    for letter, entity in (("&", "&amp;"), ("'", "&#39;"), ('"', "&#34;"), ("<", "&lt;")):
        text = text.replace(letter, entity)
    return short_text(text.replace(">", "&gt;").replace("\0", "\ufffd"))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "print": _print,
    "println": _println,
    "printf": _printf,
    "html": _html,
    "len": length,
    "index": _index,
    "slice": _slice,
    "not": lambda value: not truth(value),
    "eq": _eq,
    "ne": lambda left, right: not _same(left, right),
    "lt": _ordered(lambda left, right: bool(left < right)),
    "le": _ordered(lambda left, right: bool(left <= right)),
    "gt": _ordered(lambda left, right: bool(left > right)),
    "ge": _ordered(lambda left, right: bool(left >= right)),
    "json": lambda value: "null" if value is None else go_json(value),
    "currentDate": _today,
    "yesterdayDate": _yesterday,
    "toTypeScriptType": typescript_type,
}
LAZY = frozenset({"and", "or"})
