"""VALUES of the step language: how they go to the harness, and how what comes back is compared.

It knows the tables with one key that begins with ``$``; it knows no process.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from metier.tools.behaviour import strings

_BESIDE = frozenset({"within", "name", "flags", "ignore_case"})


def special(value: Any) -> str | None:
    """The key that begins with ``$``, if the value is such a table."""
    if not isinstance(value, Mapping):
        return None
    return next((key for key in value if isinstance(key, str) and key.startswith("$")), None)


def to_wire(value: Any) -> Any:
    """A value of a task as JSON for the harness: dates and odd numbers become tables."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return {"$date": iso(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": _odd(value)}
    if isinstance(value, Mapping):
        return {key: to_wire(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_wire(item) for item in value]
    return value


def iso(value: datetime.date | datetime.time) -> str:
    """A TOML date or time as JavaScript writes it; without an offset it is taken as UTC."""
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        moment = moment.astimezone(datetime.UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if isinstance(value, datetime.date):
        return f"{value.isoformat()}T00:00:00.000Z"
    return value.isoformat()


def _odd(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def equal(expected: Any, found: Any) -> bool:
    """Whether what was found is what is expected; see *Values* in docs/formats/task.md."""
    name = special(expected)
    if name is not None:
        return _SPECIAL.get(name, _same_table)(expected, found, name)
    if isinstance(expected, (datetime.datetime, datetime.date)):
        return _date({"$date": iso(expected)}, found, "$date")
    if isinstance(expected, Mapping):
        members = _members(found)
        return members is not None and _same_members(expected, members)
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(equal(one, other) for one, other in zip(expected, found, strict=True))
        )
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, float) and not math.isfinite(expected):
        return bool(found == {"$number": _odd(expected)})
    return type(found) in (int, float, str) and bool(expected == found)


def _members(found: Any) -> Mapping[str, Any] | None:
    if not isinstance(found, Mapping):
        return None
    if "$plain" in found:
        return _mapping(found["$plain"])
    if "$instance" in found:
        return _mapping(found["members"])
    return None if special(found) else found


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _same_members(expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    wanted = {key: item for key, item in expected.items() if special(item) != "$undefined"}
    there = {key: item for key, item in found.items() if item != {"$undefined": True}}
    return wanted.keys() == there.keys() and all(equal(wanted[key], there[key]) for key in wanted)


def _items(found: Any) -> Sequence[Any] | None:
    if isinstance(found, list):
        return found
    if isinstance(found, Mapping) and "$set" in found:
        return list(found["$set"])
    return None


def _same_table(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    return isinstance(found, Mapping) and found.get(name) == expected[name]


def _date(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    if not isinstance(found, Mapping) or "$date" not in found:
        return False
    try:
        wanted = datetime.datetime.fromisoformat(iso_text(expected[name]))
        return wanted == datetime.datetime.fromisoformat(iso_text(found["$date"]))
    except ValueError:
        return bool(expected[name] == found["$date"])


def iso_text(text: Any) -> str:
    """A date as text, with a time and an offset where it has none."""
    said = iso(text) if isinstance(text, datetime.date) else str(text)
    return said if "T" in said else f"{said}T00:00:00.000Z"


def _text(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    return isinstance(found, str) and strings.holds(expected[name], found)


def _error(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    return (
        isinstance(found, Mapping)
        and "$error" in found
        and (expected[name] is True or strings.holds(expected[name], found["$error"]))
        and expected.get("name", found.get("name")) == found.get("name")
    )


def _partial(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    members = _members(found)
    if members is None:
        return False
    nothing = {"$undefined": True}
    return all(equal(item, members.get(key, nothing)) for key, item in expected[name].items())


def _contains(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    if isinstance(found, str):
        return isinstance(expected[name], str) and expected[name] in found
    items = _items(found)
    return items is not None and any(equal(expected[name], item) for item in items)


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool)


def _near(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    near = _is_number(found) and abs(found - expected[name]) <= expected.get("within", 1e-9)
    return bool(near)


def _between(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    low, high = expected[name]
    return _is_number(found) and bool(low <= found <= high)


def _length(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    if isinstance(found, Mapping) and "$map" in found:
        return bool(len(found["$map"]) == expected[name])
    items = found if isinstance(found, str) else _items(found)
    return items is not None and bool(len(items) == expected[name])


def kind_of(found: Any) -> str:
    """What sort of value came back: ``string``, ``array``, ``date`` or a class's name."""
    simple = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    if type(found) in simple:
        return simple[type(found)]
    if found is None:
        return "null"
    key = special(found)
    if key == "$instance":
        return str(found["$instance"])
    return "object" if key in (None, "$plain") else str(key).removeprefix("$")


def _type(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    kind = kind_of(found)
    known = {"null", "array", "date", "map", "set", "promise", "error", "url", "regexp"}
    loose = kind in known or special(found) == "$instance"
    return expected[name] == kind or (expected[name] == "object" and loose)


def _unordered(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    items = _items(found)
    if items is None or len(items) != len(expected[name]):
        return False
    left = list(items)
    for wanted in expected[name]:
        place = next((at for at, item in enumerate(left) if equal(wanted, item)), None)
        if place is None:
            return False
        del left[place]
    return True


def _map(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    return isinstance(found, Mapping) and name in found and equal(expected[name], found[name])


def _set(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    return isinstance(found, Mapping) and name in found and _unordered(expected, found, name)


def _null(expected: Mapping[str, Any], found: Any, name: str) -> bool:
    del expected, name
    return found is None


_SPECIAL: dict[str, Callable[[Mapping[str, Any], Any, str], bool]] = {
    "$null": _null,
    "$undefined": lambda _expected, found, _name: found == {"$undefined": True},
    "$anything": lambda *_: True,
    "$date": _date,
    "$map": _map,
    "$set": _set,
    "$text": _text,
    "$error": _error,
    "$partial": _partial,
    "$contains": _contains,
    "$number": _near,
    "$between": _between,
    "$length": _length,
    "$type": _type,
    "$any": lambda expected, found, name: any(equal(one, found) for one in expected[name]),
    "$all": lambda expected, found, name: all(equal(one, found) for one in expected[name]),
    "$not": lambda expected, found, name: not equal(expected[name], found),
    "$unordered": _unordered,
}


def shown(found: Any) -> str:
    """A value that came back, for people, cut at 200 characters."""
    return strings.quoted(_plain(found))


def _plain(found: Any) -> Any:
    key = special(found)
    if key is None:
        if isinstance(found, Mapping):
            return {name: _plain(item) for name, item in found.items()}
        return [_plain(item) for item in found] if isinstance(found, list) else found
    if key in ("$plain",):
        return (
            _plain(dict(found["$plain"])) if special(found["$plain"]) is None else found["$plain"]
        )
    if key == "$instance":
        return {f"({found['$instance']})": _plain(found["members"])}
    simple = {"$undefined": "undefined", "$function": "a function", "$promise": "a promise"}
    return f"({simple[key]})" if key in simple else found
