"""What Jinja templates may do with values, each checked before it is done: operators, filters.

Nothing here makes a text, list or number beyond the bounds of ``limits``. It knows no environment
and no template.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from metier.engines.prompting import limits
from metier.engines.prompting.limits import (
    MOST_BITS,
    MOST_RANGE,
    Counted,
    bounded,
    short,
    spend,
    too_long,
    weigh,
)

_WIDE_FIELD = re.compile(r"\{[^{}]*:[^{}]*(?:\{|\d{4})")
_SEARCHING = {"lstrip", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "strip"}
_MOST_STEPS = 20_000_000
_MOST_PRECISION = 20
_WIDE = re.compile(r"\d{4}|\*")


class RefusalError(Exception):
    """What a template says with ``raise_exception``: the conversation is not one it can render."""


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test whose work and result are counted; what Jinja passes to it stays."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        spend(4)
        result = function(*args, **kwargs)
        return result if isinstance(result, bool) else bounded(result)

    return guarded


def written(value: Any) -> Any:
    """What stands between ``{{`` and ``}}``, before it is made a text."""
    spend()
    if not isinstance(value, str):
        weigh(value)
    return value


def concatenated(parts: Iterable[str]) -> str:
    """What a block or macro wrote, as one text."""
    held = list(parts)
    short(sum(map(len, held)))
    return "".join(held)


def chained(*parts: Any) -> Any:
    """The operator ``~``."""
    spend()
    for part in parts:
        weigh(part)
    texts = [part if isinstance(part, str) else str(part) for part in parts]
    short(sum(map(len, texts)))
    return "".join(texts)


def _plus(left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, str):
        short(len(left) + len(right))


def _times(left: Any, right: Any) -> None:
    for held, count in ((left, right), (right, left)):
        if isinstance(count, int) and isinstance(held, str | list | tuple):
            weight = weigh(held)
            if count > 0 and weight * count > 2 * limits.MOST_OUTPUT:
                raise too_long("a repetition that is too long")
            if not isinstance(held, str) and len(held) * count > limits.MOST_ITEMS:
                raise too_long("a repetition that is too long")
    if isinstance(left, int) and isinstance(right, int):
        _few_bits(left.bit_length() + right.bit_length())


def _power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _few_bits(left.bit_length() * abs(right))


def _few_bits(bits: int) -> None:
    if bits > MOST_BITS:
        raise too_long("a number that is too large")


def _modulo(left: Any, right: Any) -> None:
    if isinstance(left, str):
        if _WIDE.search(left):
            raise too_long("a text with a field that is too wide")
        short(len(left) + left.count("%") * (weigh(right) + 1000))


OPERATORS: Mapping[str, Callable[[Any, Any], None]] = {
    "+": _plus,
    "*": _times,
    "**": _power,
    "%": _modulo,
}


def check_method(owner: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a text's method that would make too long a text; generators become lists."""
    if name in {"center", "ljust", "rjust", "zfill"} and args and isinstance(args[0], int):
        short(args[0])
    elif name == "replace" and len(args) > 1:
        _short_replacement(owner, args[0], args[1])
    elif name == "join" and args:
        items = list(Counted(args[0]))
        short(sum(weigh(item) for item in items) + len(owner) * len(items))
        return (items, *args[1:])
    elif name in _SEARCHING and args and isinstance(args[0], str):
        _short_search(owner, args[0])
    return args


def _short_search(text: str, sought: str) -> None:
    """These searches take length times length; a few characters are what templates look for."""
    if len(text) * len(sought) > _MOST_STEPS:
        raise too_long("a search that is too long")


def _short_replacement(text: str, old: Any, new: Any) -> None:
    if isinstance(old, str) and isinstance(new, str):
        found = text.count(old) if old else len(text) + 1
        short(len(text) + found * max(0, len(new) - len(old)))


def _join(value: Any, d: Any = "", attribute: Any = None) -> str:
    items = list(Counted(value))
    if attribute is not None:
        for part in str(attribute).split("."):
            items = [_field(item, part) for item in items]
    separator = _string(d)
    texts = []
    total = 0
    for item in items:
        texts.append(_string(item))
        total = short(total + len(texts[-1]) + len(separator))
    return separator.join(texts)


def _field(item: Any, name: str) -> Any:
    if isinstance(item, Mapping):
        return item.get(name, "")
    if isinstance(item, list | tuple) and name.isdigit() and int(name) < len(item):
        return item[int(name)]
    return ""


def _sum(iterable: Any, attribute: Any = None, start: Any = 0) -> Any:
    total = start
    for item in Counted(iterable):
        value = item if attribute is None else _field(item, str(attribute))
        if not isinstance(value, int | float) or not isinstance(total, int | float):
            raise TypeError("sum takes numbers")
        total = bounded(total + value)
    return total


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    weigh(value)
    return str(value)


def _percent(value: Any, *args: Any, **kwargs: Any) -> str:
    pattern = _string(value)
    filling: Any = kwargs or args
    _modulo(pattern, list(filling.values()) if kwargs else list(filling))
    return str(pattern % filling)


def _replace(s: Any, old: Any, new: Any, count: int | None = None) -> str:
    text = _string(s)
    _short_replacement(text, str(old), str(new))
    return text.replace(str(old), str(new), -1 if count is None else count)


def _center(value: Any, width: int = 80) -> str:
    return _string(value).center(short(width))


def _batch(value: Any, linecount: int, fill_with: Any = None) -> list[list[Any]]:
    if not 0 < linecount <= 10_000:
        raise too_long("batches that are too large")
    items = list(Counted(value))
    rows = [items[start : start + linecount] for start in range(0, len(items), linecount)]
    if rows and fill_with is not None:
        rows[-1] += [fill_with] * (linecount - len(rows[-1]))
    return rows


def _list(value: Any) -> list[Any]:
    return list(Counted(value))


def _indent(s: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    text = _string(s)
    space = width if isinstance(width, str) else " " * short(int(width))
    lines = text.splitlines(keepends=True)
    short(len(text) + len(lines) * len(space))
    return "".join(
        space + line if (first or index) and (blank or line.strip()) else line
        for index, line in enumerate(lines)
    )


def _round(value: Any, precision: int = 0, method: str = "common") -> float:
    if not isinstance(value, int | float) or abs(precision) > _MOST_PRECISION:
        raise TypeError("round takes a number and a small precision")
    if method == "common":
        return round(float(value), precision)
    whole: Callable[[float], int] = {"ceil": math.ceil, "floor": math.floor}[method]
    return float(whole(value * 10.0**precision) / 10.0**precision)


def _trim(value: Any, chars: str | None = None) -> str:
    text = _string(value)
    if chars is not None:
        _short_search(text, str(chars))
    return text.strip(None if chars is None else str(chars))


def fill(pattern: str, wrapped: Callable[..., str], /, *args: Any, **kwargs: Any) -> str:
    """``str.format``; ``wrapped`` is the sandbox's own."""
    if _WIDE_FIELD.search(pattern):
        raise too_long("a text with a field that is too wide")
    largest = max((weigh(item) for item in (*args, *kwargs.values())), default=0)
    short(len(pattern) + pattern.count("{") * (largest + 1000))
    return str(wrapped(*args, **kwargs))


def _json(
    value: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """JSON as transformers writes it: nothing escaped for HTML, letters as they are."""
    spend(4)
    weight = weigh(value)
    if isinstance(indent, int):
        short(weight + (weight >> 2) * min(max(indent, 0), limits.MOST_OUTPUT))
    elif isinstance(indent, str):
        short(weight + (weight >> 2) * len(indent))
    text = json.dumps(
        value,
        ensure_ascii=bool(ensure_ascii),
        indent=indent,
        separators=tuple(separators) if separators else None,
        sort_keys=bool(sort_keys),
    )
    short(len(text))
    return text


def small_range(*bounds: int) -> range:
    """``range``, of not too many numbers."""
    numbers = range(*bounds)
    if len(numbers) > MOST_RANGE:
        raise too_long(f"a range of more than {MOST_RANGE} numbers")
    return numbers


def refuse(message: Any) -> None:
    """``raise_exception``."""
    raise RefusalError(str(message)[:1000])


def now(pattern: str) -> str:
    """``strftime_now``."""
    if len(str(pattern)) > 200:
        raise too_long("a date that is too long")
    return datetime.now().strftime(str(pattern))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "tojson": _json,
    "join": guarded(_join),
    "sum": guarded(_sum),
    "string": guarded(_string),
    "format": guarded(_percent),
    "replace": guarded(_replace),
    "center": guarded(_center),
    "indent": guarded(_indent),
    "round": guarded(_round),
    "trim": guarded(_trim),
    "batch": guarded(_batch),
    "list": guarded(_list),
}
