"""One end of the channel between the answer's process and the tests' process.

It knows how a request becomes a line and a line a reply, which objects it has named to the other
side, and that either side may ask the other while it is being asked. What may be done to an object
is for the ``Gate`` to say; what stands here for an object there is a ``Remote``.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .remotes import COPIED, Remote, RemoteType, made_class, made_remote, number_of, twin
from .values import TYPES, BrokenValueError, Decoder, Encoder, Refer

OWN_FILES = "answer/"
"""How the names of the answer's files start in tracebacks."""
MAX_DEPTH = 120
"""Calls that may wait for each other, in both directions together."""
_NEVER_RAISED = (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt)
"""What would end a loop or the judge instead of a test, had it been raised here."""


class Gate(Protocol):
    """What the other side may do with this side's objects."""

    trusting: bool
    """Whether this side lets the other's objects say what they are equal to."""

    def lend(self, value: Any) -> None:
        """Raise TypeError if an object may not be named to the other side."""

    def permit(self, value: Any, operation: str, name: str) -> None:
        """Raise AttributeError if the other side may not do that."""

    def run(self, action: Callable[[], Any]) -> Any:
        """Do what the other side asked for."""

    def said(self) -> str:
        """What was printed since the last reply."""

    def also(self, operation: str, target: Any, values: Sequence[Any]) -> Any:
        """Do what only this side can do: ``names``, ``await``, ``line``."""

    def hear(self, text: str) -> None:
        """Take what the other side printed."""


class GoneError(BaseException):
    """The other side is no more, or no longer makes sense; no test may catch it by accident."""


class Peer:
    """One end of the channel.

    Args:
        receive: Blocks until the next line; raises EOFError at the end.
        send: Writes a line.
        gate: What the other side may do here.
    """

    def __init__(
        self, receive: Callable[[], bytes], send: Callable[[bytes], None], gate: Gate
    ) -> None:
        self._receive, self._send, self.gate = receive, send, gate
        self._mine: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._described: set[int] = set()
        self._news: list[list[Any]] = []
        self._classes: dict[int, Any] = {}
        self._remotes: dict[tuple[int, bool], Any] = {}
        self._depth = 0
        self._gone = ""
        self.comparing: set[tuple[int, int]] = set()

    # Asking ------------------------------------------------------------------------------

    def ask(self, operation: str, target: Any, name: str = "", *values: Any, **named: Any) -> Any:
        """Have the other side do something to one of its objects.

        Args:
            operation: ``names``, ``call``, ``get``, ``set``, ``delete``, ``special``, ``state`` or
                ``await``.
            target: The object that stands here for it, or ``None``.
            name: Of the attribute or special method.
            values: Arguments by position; changes that the other side makes to mutable ones are
                made here too.
            named: Arguments by name.

        Raises:
            GoneError: The other side has ended or sends what is no reply.
        """
        if self._gone:
            raise GoneError(self._gone)
        if self._depth >= MAX_DEPTH:
            raise RecursionError("maximum depth of calls between tests and answer exceeded")
        encoder = Encoder(self._lend)
        message = {
            "do": operation,
            "on": None if target is None else number_of(target),
            "name": name,
            "v": [encoder.write(value) for value in values],
            "k": {key: encoder.write(value) for key, value in named.items()},
        }
        self._post(message, encoder)
        self._depth += 1
        try:
            reply = self._next()
            while "do" in reply:
                self._serve(reply)
                reply = self._next()
            return self._outcome(reply, encoder.objects, name)
        finally:
            self._depth -= 1

    def _outcome(self, reply: dict[str, Any], sent: Sequence[Any], name: str) -> Any:
        try:
            self._learn(reply)
            decoder = Decoder(reply["n"], self._borrow, sent)
            for index, node in reply["changed"]:
                decoder.fill(sent[index], node)
            self.gate.hear(str(reply["out"]))
            value = decoder.read(reply["value"])
        except (BrokenValueError, LookupError, TypeError, ValueError) as broken:
            raise self._end(f"it replied what is no value ({broken})") from broken
        if reply.get("stop") and name == "__next__":
            raise StopIteration
        if not reply.get("raised"):
            return value
        if not isinstance(value, BaseException):
            raise self._end("it raised what is no exception")
        error: BaseException = value
        if isinstance(error, _NEVER_RAISED):
            error = RuntimeError(f"raised {type(error).__name__}")
        if "where" in reply:
            error.add_note(str(reply["where"])[:500])
        raise error.with_traceback(None) from None

    # Serving -----------------------------------------------------------------------------

    def serve(self) -> None:
        """Do what the other side asks until it ends."""
        while True:
            try:
                message = self._next()
            except EOFError:
                return
            self._serve(message)

    def _serve(self, message: dict[str, Any]) -> None:
        try:
            self._learn(message)
            decoder = Decoder(message["n"], self._borrow)
            target = None if message["on"] is None else self._mine[message["on"]]
            values = [decoder.read(value) for value in message["v"]]
            named = {str(key): decoder.read(value) for key, value in message["k"].items()}
            operation, name = str(message["do"]), str(message["name"])
        except (BrokenValueError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._end(f"it asked what is no question ({error})") from error
        before = [_snapshot(value) for value in decoder.objects]
        self._depth += 1
        caught = Caught()
        result: Any = None
        with caught:
            result = self.gate.run(lambda: self._do(operation, target, name, values, named))
        self._depth -= 1
        self._reply(result, caught.error, decoder.objects, before)

    def _do(
        self, operation: str, target: Any, name: str, values: list[Any], named: dict[str, Any]
    ) -> Any:
        self.gate.permit(target, operation, name)
        if operation == "call":
            return target(*values, **named)
        if operation == "get":
            return getattr(target, name)
        if operation == "set":
            return setattr(target, name, values[0])
        if operation == "delete":
            return delattr(target, name)
        if operation == "special":
            method = getattr(type(target), name, None)
            if method is None:
                raise TypeError(f"{type(target).__name__!r} object does not support {name}")
            return method(target, *values, **named)
        if operation == "state":
            return state(target)
        return self.gate.also(operation, target, values)

    def _reply(
        self, result: Any, error: BaseException | None, arguments: list[Any], before: list[Any]
    ) -> None:
        try:
            self._post(*self._packed(result, error, arguments, before))
        except TypeError as refused:
            self._post(*self._packed(None, refused, arguments, before))

    def _packed(
        self, result: Any, error: BaseException | None, arguments: list[Any], before: list[Any]
    ) -> tuple[dict[str, Any], Encoder]:
        encoder = Encoder(self._lend, arguments)
        reply: dict[str, Any] = {
            "value": encoder.write(result if error is None else error),
            "changed": [
                [index, encoder.contents(value)]
                for index, value in enumerate(arguments)
                if before[index] is not None and not _alike(_snapshot(value), before[index])
            ],
            "out": self.gate.said(),
        }
        if error is not None:
            reply["raised"] = True
            reply["stop"] = isinstance(error, StopIteration)
            reply["where"] = where(error)
        return reply, encoder

    # Lines -------------------------------------------------------------------------------

    def _post(self, message: dict[str, Any], encoder: Encoder) -> None:
        message["n"] = encoder.nodes
        message["c"], self._news = self._news, []
        self._send(json.dumps(message, separators=(",", ":")).encode())

    def _next(self) -> dict[str, Any]:
        try:
            message = json.loads(self._receive())
        except (ValueError, RecursionError) as error:
            raise self._end(f"it sent what is no message ({error})") from error
        if not isinstance(message, dict):
            raise self._end("it sent what is no message")
        if "gone" in message:
            raise self._end(str(message["gone"]))
        return message

    def _end(self, why: str) -> GoneError:
        self._gone = why
        return GoneError(why)

    # Objects -----------------------------------------------------------------------------

    def number(self, value: Any) -> int:
        """The number by which the other side knows an object of this side."""
        known = self._numbers.get(id(value))
        if known is None:
            known = self._numbers[id(value)] = len(self._mine) + 1
            self._mine[known] = value
        return known

    def _lend(self, value: Any, refer: Refer) -> list[Any]:
        kind = type(value)
        if isinstance(value, (Remote, RemoteType)) or isinstance(kind, RemoteType):
            return ["y", number_of(value)]
        self.gate.lend(value)
        if isinstance(value, type):
            self._describe(value)
            return ["k", self.number(value)]
        if isinstance(value, BaseException):
            shared = TYPES.get(kind.__name__) is kind
            if not shared:
                self._describe(kind)
            args = tuple(self._sendable(item) for item in value.args)
            at = ["n", kind.__name__] if shared else ["k", self.number(kind)]
            return ["x", self.number(value), at, refer(args)]
        self._describe(kind)
        at = ["k", self.number(kind)]
        for base in COPIED:
            if isinstance(value, base):
                copied = _plain(base, value)
                return ["d", self.number(value), at, refer(copied)]
        return ["h", self.number(value), at]

    def _sendable(self, value: Any) -> Any:
        """An argument of an exception, or its text if it may not travel."""
        try:
            Encoder(self._lend).write(value)
        except TypeError:
            return str(value)
        return value

    def _describe(self, kind: type) -> None:
        for each in reversed(kind.__mro__):
            number = self.number(each)
            if number in self._described or TYPES.get(each.__name__) is each:
                continue
            self._described.add(number)
            bases = [
                ["n", base.__name__]
                if TYPES.get(base.__name__) is base
                else ["k", self.number(base)]
                for base in each.__bases__
            ]
            specials = [name for name in vars(each) if name.startswith("__")]
            self._news.append([number, each.__name__, each.__module__, bases, specials])

    def _learn(self, message: Mapping[str, Any]) -> None:
        for number, name, module, bases, specials in message["c"]:
            if number not in self._classes:
                found = [TYPES[at] if head == "n" else self._classes[at] for head, at in bases]
                self._classes[number] = made_class(
                    self, number, (str(name), str(module)), found, frozenset(specials)
                )

    def _borrow(self, reference: list[Any], read: Refer) -> Any:
        head, number = reference[0], reference[1]
        if head == "y":
            return self._mine[number]
        if head == "k":
            return self._classes[number]
        if (number, False) not in self._remotes:
            kind = read(reference[2])
            data = read(reference[3]) if len(reference) > 3 else None
            self._remotes[number, False] = made_remote(kind, number, data)
        return self._remotes[number, False]

    def made(self, remote: Any) -> Any:
        """The stand-in for an object that this side itself had made: it is trusted further."""
        number = number_of(remote)
        if (number, True) not in self._remotes:
            self._remotes[number, True] = twin(remote)
        return self._remotes[number, True]


class Caught:
    """Holds whatever a block raised, except that the other side is gone."""

    error: BaseException | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        self.error = error
        return not isinstance(error, GoneError)


def state(value: Any) -> tuple[bool, Any, dict[str, Any]]:
    """What an object holds: whether its class defines equality, copied data, attributes.

    Of a dataclass count the fields that take part in its comparison.
    """
    kind = type(value)
    defines = any("__eq__" in vars(each) for each in kind.__mro__ if each is not object)
    data = next((base(value) for base in (list, set, deque, dict) if isinstance(value, base)), None)
    held = dict(getattr(value, "__dict__", {}))
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                held[name] = getattr(value, name)
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields:
        held = {name: held.get(name) for name, field in fields.items() if field.compare}
    return defines, data, held


def where(error: BaseException) -> str:
    """The last place in the answer's own files that an exception came through, or ""."""
    place, trace = "", error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(OWN_FILES):
            place = f"{path.removeprefix(OWN_FILES)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _plain(base: Any, value: Any) -> Any:
    """The data of a value of a subclass of ``base``, as exactly ``base``."""
    if base in (tuple, frozenset):
        return base(base.__iter__(value))
    if base is complex:
        return complex(value.real, value.imag)
    return base.__getnewargs__(value)[0]


def _snapshot(value: Any) -> Any:
    """What a mutable container holds now, or ``None`` for what cannot change."""
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, (list, deque)):
        return list(value)
    if isinstance(value, set):
        return sorted(value, key=id)
    return [bytes(value)] if isinstance(value, bytearray) else None


def _alike(now: list[Any], before: list[Any]) -> bool:
    """Whether two snapshots hold the same objects (bytes: the same bytes)."""
    return len(now) == len(before) and all(
        one is other or (type(one) is bytes and one == other)
        for one, other in zip(now, before, strict=True)
    )
