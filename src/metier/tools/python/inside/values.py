"""Values as flat tables of plain JSON: what travels between the two processes of a judgement.

It knows the built-in types and some of the standard library's, and copies them exactly; everything
else it hands to ``lend`` and ``borrow``, which name objects by number. Nothing here recurses, so
that nesting has no limit, and decoding never runs code that the other side chose: there is no
pickle, no import and no constructor but those below.
"""

from __future__ import annotations

import base64
import builtins
import math
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

Refer = Callable[[Any], Any]
Lend = Callable[[Any, Refer], list[Any]]
Borrow = Callable[[list[Any], Refer], Any]

_EXACT_INTEGER = 2**53
_MUTABLE = (list, dict, set, bytearray, deque, defaultdict, OrderedDict, Counter)
_VIEWS = {"keys": type({}.keys()), "values": type({}.values()), "items": type({}.items())}
TYPES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        bytearray,
        list,
        tuple,
        dict,
        set,
        frozenset,
        range,
        slice,
        object,
        type,
        deque,
        defaultdict,
        OrderedDict,
        Counter,
        Decimal,
        Fraction,
        date,
        datetime,
        time,
        timedelta,
    )
} | {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
"""Types that both sides have and that travel by name."""
FUNCTIONS: dict[str, Any] = {
    name: getattr(builtins, name)
    for name in (
        "abs",
        "all",
        "any",
        "bin",
        "chr",
        "divmod",
        "hash",
        "hex",
        "len",
        "max",
        "min",
        "oct",
        "ord",
        "pow",
        "repr",
        "round",
        "sorted",
        "sum",
    )
}
"""Functions that both sides have and that travel by name."""
_NAMES = {id(value): name for name, value in (TYPES | FUNCTIONS).items()}


class BrokenValueError(ValueError):
    """The other side sent what is no value."""


class FoundMatch:
    """What can be known of an ``re.Match`` without its pattern and its text."""

    def __init__(self, groups: tuple[Any, ...], spans: tuple[Any, ...], names: dict[str, int]):
        self._groups, self._spans, self._names = groups, spans, names

    def _index(self, group: int | str) -> int:
        return self._names[group] if isinstance(group, str) else group

    def group(self, *which: int | str) -> Any:
        """As ``re.Match.group``."""
        found = tuple(self._groups[self._index(group)] for group in which or (0,))
        return found if len(found) > 1 else found[0]

    __getitem__ = group

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """As ``re.Match.groups``."""
        return tuple(default if item is None else item for item in self._groups[1:])

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """As ``re.Match.groupdict``."""
        return {
            name: default if self._groups[index] is None else self._groups[index]
            for name, index in self._names.items()
        }

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """As ``re.Match.span``."""
        start, end = self._spans[self._index(group)]
        return start, end

    def start(self, group: int | str = 0) -> int:
        """As ``re.Match.start``."""
        return self.span(group)[0]

    def end(self, group: int | str = 0) -> int:
        """As ``re.Match.end``."""
        return self.span(group)[1]


class Encoder:
    """Writes values into one table; a value that occurs twice is written once.

    Attributes:
        nodes: The table: one entry a container.
        objects: The container behind each entry.

    Args:
        lend: Names an object that does not travel as data.
        arguments: Containers that came from the other side, in its order: they travel back as
            themselves.
    """

    def __init__(self, lend: Lend, arguments: Sequence[Any] = ()) -> None:
        self.nodes: list[Any] = []
        self.objects: list[Any] = []
        self._lend = lend
        self._known: dict[int, list[Any]] = {
            id(value): ["a", index]
            for index, value in enumerate(arguments)
            if type(value) in _MUTABLE
        }
        self._kept = list(arguments)
        self._waiting: deque[int] = deque()

    def write(self, value: Any) -> Any:
        """The reference of a value, all that it contains written."""
        reference = self._refer(value)
        while self._waiting:
            index = self._waiting.popleft()
            self.nodes[index] = self._node(self.objects[index])
        return reference

    def contents(self, value: Any) -> Any:
        """The entry of a mutable container, without writing it into the table."""
        node = self._node(value)
        while self._waiting:
            index = self._waiting.popleft()
            self.nodes[index] = self._node(self.objects[index])
        return node

    def _refer(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if abs(value) <= _EXACT_INTEGER else ["i", format(value, "x")]
        if kind is float:
            return value if math.isfinite(value) else ["f", repr(value)]
        known = self._known.get(id(value))
        if known is not None:
            return known
        scalar = _scalar(value, kind)
        if scalar is not None:
            return scalar
        if kind not in _WRITERS:
            return self._lend(value, self._refer)
        reference = [len(self.nodes)]
        self._known[id(value)] = reference
        self.objects.append(value)
        self.nodes.append(None)
        self._waiting.append(reference[0])
        return reference

    def _node(self, value: Any) -> list[Any]:
        return _WRITERS[type(value)](value, self._refer)


def _items(value: Iterable[Any], refer: Refer) -> list[Any]:
    return [refer(item) for item in value]


def _pairs(value: Any, refer: Refer) -> list[Any]:
    return [[refer(key), refer(item)] for key, item in value.items()]


def _match(value: Any, refer: Refer) -> list[Any]:
    count = value.re.groups + 1
    groups = tuple(value.group(index) for index in range(count))
    spans = tuple(value.span(index) for index in range(count))
    return ["match", [refer(groups), refer(spans), refer(dict(value.re.groupindex))]]


_WRITERS: dict[type, Callable[[Any, Refer], list[Any]]] = {
    list: lambda value, refer: ["list", _items(value, refer)],
    tuple: lambda value, refer: ["tuple", _items(value, refer)],
    set: lambda value, refer: ["set", _items(value, refer)],
    frozenset: lambda value, refer: ["frozenset", _items(value, refer)],
    dict: lambda value, refer: ["dict", _pairs(value, refer)],
    OrderedDict: lambda value, refer: ["OrderedDict", _pairs(value, refer)],
    Counter: lambda value, refer: ["Counter", _pairs(value, refer)],
    defaultdict: lambda value, refer: [
        "defaultdict",
        _pairs(value, refer),
        refer(value.default_factory),
    ],
    deque: lambda value, refer: ["deque", _items(value, refer), value.maxlen],
    bytearray: lambda value, _: ["bytearray", base64.b64encode(value).decode()],
    _VIEWS["keys"]: lambda value, refer: ["keys", _items(value, refer)],
    _VIEWS["values"]: lambda value, refer: ["values", _items(value, refer)],
    _VIEWS["items"]: lambda value, refer: ["items", _items(value, refer)],
    re.Match: _match,
}


def _scalar(value: Any, kind: type) -> list[Any] | None:
    """The reference of a value that contains no others, or ``None``."""
    if id(value) in _NAMES:
        return ["n", _NAMES[id(value)]]
    writer = _SCALARS.get(kind)
    return None if writer is None else writer(value)


def _hex(*numbers: int) -> list[str]:
    return [format(number, "x") for number in numbers]


def _aware(value: Any) -> list[Any] | None:
    offset = value.utcoffset()
    seconds = None if offset is None else offset.total_seconds()
    return [type(value).__name__, value.replace(tzinfo=None).isoformat(), seconds]


_SCALARS: dict[type, Callable[[Any], list[Any] | None]] = {
    complex: lambda value: ["c", repr(value.real), repr(value.imag)],
    bytes: lambda value: ["b", base64.b64encode(value).decode()],
    type(Ellipsis): lambda _: ["..."],
    type(NotImplemented): lambda _: ["not"],
    Decimal: lambda value: ["Decimal", str(value)],
    Fraction: lambda value: ["Fraction", *_hex(value.numerator, value.denominator)],
    date: lambda value: ["date", value.isoformat()],
    time: _aware,
    datetime: _aware,
    timedelta: lambda value: ["timedelta", value.days, value.seconds, value.microseconds],
    range: lambda value: ["range", *_hex(value.start, value.stop, value.step)],
    PurePosixPath: lambda value: ["path", str(value)],
    re.Pattern: lambda value: (
        ["re", value.pattern, value.flags & ~re.DEBUG] if isinstance(value.pattern, str) else None
    ),
}
_SCALARS[type(Path())] = _SCALARS[PurePosixPath]


def _moment(kind: Any) -> Callable[..., Any]:
    def read(text: str, seconds: float | None) -> Any:
        value = kind.fromisoformat(text)
        zone = None if seconds is None else timezone(timedelta(seconds=seconds))
        return value.replace(tzinfo=zone)

    return read


_READERS: dict[str, Callable[..., Any]] = {
    "i": lambda digits: int(digits, 16),
    "f": lambda text: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text],
    "c": lambda real, imaginary: complex(float(real), float(imaginary)),
    "b": lambda text: base64.b64decode(text, validate=True),
    "...": lambda: Ellipsis,
    "not": lambda: NotImplemented,
    "n": lambda name: TYPES[name] if name in TYPES else FUNCTIONS[name],
    "Decimal": Decimal,
    "Fraction": lambda over, under: Fraction(int(over, 16), int(under, 16)),
    "date": date.fromisoformat,
    "time": _moment(time),
    "datetime": _moment(datetime),
    "timedelta": timedelta,
    "range": lambda *parts: range(*(int(part, 16) for part in parts)),
    "path": Path,
    "re": lambda pattern, flags: re.compile(pattern, flags),
}
_SHELLS: dict[str, Callable[[], Any]] = {
    "list": list,
    "dict": dict,
    "set": set,
    "OrderedDict": OrderedDict,
    "Counter": Counter,
    "defaultdict": defaultdict,
}


class Decoder:
    """Reads values from the table of one message.

    Args:
        nodes: The table.
        borrow: Finds or stands in for an object that did not travel as data.
        arguments: The containers that ``["a", index]`` means: those that were sent before.

    Raises:
        BrokenValueError: By every method, if the table is no table of values.
    """

    def __init__(self, nodes: Any, borrow: Borrow, arguments: Sequence[Any] = ()) -> None:
        self._nodes, self._borrow, self._arguments = nodes, borrow, arguments
        self.objects: list[Any] = []
        with _Broken():
            self._ready = [False] * len(nodes)
            self._opened = [False] * len(nodes)
            self.objects = [self._shell(index) for index in range(len(nodes))]
            for index in range(len(nodes)):
                self._build(index)
            for index, node in enumerate(nodes):
                if node[0] in _SHELLS or node[0] == "deque":
                    self.fill(self.objects[index], node)

    def read(self, reference: Any) -> Any:
        """The value behind a reference."""
        with _Broken():
            return self._value(reference)

    def fill(self, shell: Any, node: Any) -> None:
        """Give a mutable container the contents of an entry, whatever it held."""
        with _Broken():
            kind = node[0]
            if kind == "bytearray":
                shell[:] = base64.b64decode(node[1], validate=True)
                return
            if isinstance(shell, dict):
                pairs = [(self._value(key), self._value(item)) for key, item in node[1]]
                shell.clear()
                for key, item in pairs:
                    shell[key] = item
                if kind == "defaultdict":
                    shell.default_factory = self._value(node[2])  # type: ignore[attr-defined]
                return
            items = [self._value(item) for item in node[1]]
            if isinstance(shell, list):
                shell[:] = items
            else:
                shell.clear()
                shell.update(items) if isinstance(shell, set) else shell.extend(items)

    def _shell(self, index: int) -> Any:
        """An empty container for what may contain itself; the rest is built afterwards."""
        kind = self._nodes[index][0]
        self._ready[index] = kind in _SHELLS or kind in ("deque", "bytearray")
        if kind == "deque":
            return deque(maxlen=self._nodes[index][2])
        if kind == "bytearray":
            return bytearray(base64.b64decode(self._nodes[index][1], validate=True))
        return _SHELLS[kind]() if kind in _SHELLS else None

    def _build(self, start: int) -> None:
        """Build an immutable container after those inside it, without recursion."""
        stack = [start]
        while stack:
            index = stack[-1]
            if self._ready[index]:
                stack.pop()
                continue
            kind, parts = self._nodes[index][0], self._nodes[index][1]
            missing = [need for need in map(_need, parts) if need is not None]
            missing = [need for need in missing if not self._ready[need]]
            if missing:
                if self._opened[index]:
                    raise BrokenValueError("a tuple that contains itself")
                self._opened[index] = True
                stack += missing
                continue
            items = [self._value(part) for part in parts]
            self.objects[index] = _immutable(kind, items)
            self._ready[index] = True
            stack.pop()

    def _value(self, reference: Any) -> Any:
        if not isinstance(reference, list):
            return reference
        head = reference[0]
        if type(head) is int:
            return self.objects[head]
        if head == "a":
            return self._arguments[reference[1]]
        reader = _READERS.get(head)
        if reader is None:
            return self._borrow(reference, self._value)
        return reader(*reference[1:])


def _need(reference: Any) -> int | None:
    """The entry that must be built before a reference can be read, if there is one."""
    while isinstance(reference, list) and reference and reference[0] in ("d", "x"):
        reference = reference[-1]
    plain = isinstance(reference, list) and len(reference) == 1 and type(reference[0]) is int
    return reference[0] if plain else None


def _immutable(kind: str, items: list[Any]) -> Any:
    if kind == "tuple":
        return tuple(items)
    if kind == "frozenset":
        return frozenset(items)
    if kind == "keys":
        return dict.fromkeys(items).keys()
    if kind == "values":
        return dict(enumerate(items)).values()
    if kind == "items":
        return dict(items).items()
    if kind == "match":
        return FoundMatch(*items)
    raise BrokenValueError(f"no kind of container: {kind!r}")


class _Broken:
    """Turns what reading a malformed table raises into one kind of error."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        wrong = (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
            re.error,
            RecursionError,
            MemoryError,
        )
        if isinstance(error, wrong) and not isinstance(error, BrokenValueError):
            raise BrokenValueError(f"{type(error).__name__}: {error}") from error
