"""What stands in one process for an object of the other.

A ``Remote`` hands on what is done to it, and the results travel as data. It knows one rule that
makes verdicts safe: *what a test compares with never decides by the answer's own word*. Equality is
decided here on copied data; order, arithmetic and membership are handed on only for objects that
the test itself had made by calling the answer's class; predicates of strings and numbers never are
for others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .peers import Peer

COPIED = (int, float, complex, str, bytes, tuple, frozenset)
"""A value of a subclass of these is a real one here, with its data."""
_BINARY = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "divmod",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
)
_GUARDED = frozenset(
    [f"__{how}{name}__" for name in _BINARY for how in ("", "r", "i")]
    + [f"__{name}__" for name in ("lt", "le", "gt", "ge")]
)
_FREE = frozenset(
    f"__{name}__"
    for name in (
        "len",
        "iter",
        "next",
        "getitem",
        "setitem",
        "delitem",
        "call",
        "enter",
        "str",
        "repr",
        "format",
        "bool",
        "reversed",
        "int",
        "float",
        "index",
        "complex",
        "round",
        "abs",
        "neg",
        "pos",
        "invert",
        "trunc",
        "floor",
        "ceil",
        "fspath",
        "missing",
    )
)
SPECIALS = _FREE | _GUARDED | {"__eq__", "__hash__", "__contains__", "__exit__"}
"""Special methods that one side may ask the other for."""
_OFFERED = frozenset({"__dict__", "__name__", "__qualname__", "__doc__", "__module__", "__self__"})
"""Names with underscores that may be asked for."""
_PREDICATES = frozenset(
    name
    for kind in (str, bytes, float, set)
    for name in dir(kind)
    if name.startswith(("is", "startswith", "endswith"))
)
"""Methods that say yes or no of a built-in value: what is none may not answer in its place."""


class RemoteType(type):
    """A class of the other process; its instances here are stand-ins."""

    _remote_peer: Peer
    _remote_class: int

    def __new__(
        cls, name: str, bases: tuple[type, ...], space: dict[str, Any], *, ours: bool = False
    ) -> RemoteType:
        """Refuse classes that tests derive: their methods would have no object to work on."""
        if not ours:
            raise TypeError("a class of the answer cannot be derived from outside its process")
        return super().__new__(cls, name, bases, space)

    def __init__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any], **_: Any) -> None:
        super().__init__(name, bases, space)

    def __call__(cls, *values: Any, **named: Any) -> Any:
        """Have the other side make one: what it makes is trusted further."""
        result = cls._remote_peer.ask("call", cls, "", *values, **named)
        return cls._remote_peer.made(result) if isinstance(result, RemoteObject) else result

    def __getattr__(cls, name: str) -> Any:
        if _hidden(name):
            raise AttributeError(name)
        return cls._remote_peer.ask("get", cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._remote_peer.ask("set", cls, name, value)

    def __iter__(cls) -> Any:
        return iter(cls._remote_peer.ask("special", cls, "__iter__"))

    def __bool__(cls) -> bool:
        return True

    def __len__(cls) -> int:
        return int(cls._remote_peer.ask("special", cls, "__len__"))

    def __getitem__(cls, key: Any) -> Any:
        return cls._remote_peer.ask("special", cls, "__getitem__", key)


class Remote(metaclass=RemoteType, ours=True):
    """An object of the other process."""

    __slots__ = ()
    _remote_number: int
    _remote_made: bool
    _remote_peer: Peer

    def __getattr__(self, name: str) -> Any:
        peer = type(self)._remote_peer
        untold = name in _PREDICATES and not self._remote_made and not peer.gate.trusting
        if _hidden(name) or untold:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return peer.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):  # a traceback, a context, notes
            object.__setattr__(self, name, value)
        else:
            type(self)._remote_peer.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        type(self)._remote_peer.ask("delete", self, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"{type(self).__name__!r} object cannot be copied out of its process")


class RemoteObject(Remote, ours=True):
    """An object that did not travel as data."""

    __slots__ = ("_remote_made", "_remote_number")

    def __eq__(self, other: object) -> bool:
        return _equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not _equal(self, other)

    def __hash__(self) -> int:
        return hash(("remote", type(self)._remote_class))

    def __contains__(self, item: Any) -> bool:
        peer = type(self)._remote_peer
        if self._remote_made or peer.gate.trusting:
            return bool(peer.ask("special", self, "__contains__", item))
        return any(item is each or item == each for each in self)  # type: ignore[attr-defined]

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        peer = type(self)._remote_peer
        shown = isinstance(error, Exception) and not isinstance(error, AssertionError)
        said = (type(error), error, None) if shown else (None, None, None)
        swallowed = peer.ask("special", self, "__exit__", *said)
        return bool(shown and swallowed)


for _name in ("_remote_peer", "_remote_class"):
    type.__setattr__(Remote, _name, None)


def number_of(value: Any) -> int:
    """The number by which the other side knows a stand-in."""
    number: int = value._remote_class if isinstance(value, RemoteType) else value._remote_number
    return number


def made_class(
    peer: Peer, number: int, names: tuple[str, str], bases: Sequence[Any], specials: frozenset[str]
) -> RemoteType:
    """The stand-in for a class, derived as it is derived.

    Args:
        peer: The channel.
        number: The class's number there.
        names: Its name and its module's.
        bases: Its bases here: stand-ins, or types that both sides have.
        specials: Names of the special methods that it defines itself.
    """
    solid = [base for base in bases if issubclass(base, (BaseException, *COPIED))]
    if solid:
        first = solid[0]
        parents: tuple[Any, ...] = (first,) if isinstance(first, RemoteType) else (Remote, first)
        offered = specials & {"__str__"} if issubclass(first, BaseException) else frozenset()
    else:
        parents = tuple(base for base in bases if isinstance(base, RemoteType)) or (RemoteObject,)
        for base in bases:
            if not isinstance(base, RemoteType) and base not in (object, type):
                specials |= frozenset(dir(base))
        offered = specials & (_FREE | _GUARDED)
    space: dict[str, Any] = {name: _method(name) for name in offered}
    if not solid:
        space["__slots__"] = ()
        space["__doc__"] = property(lambda self: self._remote_peer.ask("get", self, "__doc__"))
    space["__module__"] = names[1]
    made = RemoteType(names[0], parents, space, ours=True)
    type.__setattr__(made, "_remote_peer", peer)
    type.__setattr__(made, "_remote_class", number)
    return made


def made_remote(kind: Any, number: int, data: Any) -> Any:
    """The stand-in for an object.

    Args:
        kind: Its class here.
        number: Its own number there.
        data: Copied data (of a subclass of ``int``, ``str`` …), arguments of an exception, or None.
    """
    if not isinstance(kind, RemoteType):
        return _raised(kind, data)
    if issubclass(kind, BaseException):
        value: Any = kind.__new__(kind, *data)
    elif issubclass(kind, COPIED):
        value = kind.__new__(kind, data)  # type: ignore[type-var]
    else:
        value = object.__new__(kind)
    object.__setattr__(value, "_remote_number", number)
    object.__setattr__(value, "_remote_made", False)
    if kind.__name__ == "coroutine" and kind.__module__ == "builtins":
        return _awaiting(value)
    return value


def twin(remote: Any) -> Any:
    """The same object, marked as made by the test."""
    value = object.__new__(type(remote))
    object.__setattr__(value, "_remote_number", remote._remote_number)
    object.__setattr__(value, "_remote_made", True)
    return value


def _raised(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    try:
        return kind(*arguments)
    except TypeError:  # some want arguments of their own kind
        return kind.__new__(kind, *arguments)


async def _awaiting(remote: Any) -> Any:
    """A real coroutine that has the other side run its own to the end."""
    return type(remote)._remote_peer.ask("await", remote)


def _hidden(name: str) -> bool:
    return name.startswith("_remote") or (
        name.startswith("__") and name.endswith("__") and name not in _OFFERED
    )


def _method(name: str) -> Callable[..., Any]:
    guarded = name in _GUARDED

    def method(self: Any, *values: Any, **named: Any) -> Any:
        peer = type(self)._remote_peer
        if guarded and not self._remote_made and not peer.gate.trusting:
            return NotImplemented
        result = peer.ask("special", self, name, *values, **named)
        if guarded and self._remote_made and type(result) is type(self):
            return peer.made(result)
        return result

    method.__name__ = name
    return method


def _equal(left: Any, right: Any) -> bool:
    """Whether two values are equal, decided here.

    Objects of a class that defines equality are equal if they are of one class and what they hold
    is; others only if they are the same. Against plain data counts the copied data of a list, a
    set or a dictionary that the object is derived from.
    """
    peer = type(left)._remote_peer
    if isinstance(right, RemoteObject) and left._remote_number == right._remote_number:
        return True
    if peer.gate.trusting:
        return bool(peer.ask("special", left, "__eq__", right) is True)
    if not isinstance(right, RemoteObject):
        held = peer.ask("state", left)[1]
        return held is not None and bool(held == right)
    pair = (left._remote_number, right._remote_number)
    if type(left) is not type(right):
        return False
    if pair in peer.comparing:
        return True
    peer.comparing.add(pair)
    try:
        mine, other = peer.ask("state", left), peer.ask("state", right)
        return bool(mine[0] is True and mine == other)
    finally:
        peer.comparing.discard(pair)
