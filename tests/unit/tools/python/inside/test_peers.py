from __future__ import annotations

import asyncio
import copy
import dataclasses
import queue
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, IntEnum
from typing import Any

import pytest

from metier.tools.python.inside.peers import Caught, GoneError, Peer, state, where
from metier.tools.python.inside.testing import TestGate


class Open:
    """The gate of a side that lends everything."""

    trusting = True

    def __init__(self, offered: Any) -> None:
        self.offered = offered
        self.heard = ""

    def lend(self, value: Any) -> None:
        del value

    def permit(self, value: Any, operation: str, name: str) -> None:
        del value, operation, name

    def run(self, action: Callable[[], Any]) -> Any:
        return action()

    def said(self) -> str:
        return "said"

    def also(self, operation: str, target: Any, values: Sequence[Any]) -> Any:
        return asyncio.run(target) if operation == "await" else self.offered[values[0]]

    def hear(self, text: str) -> None:
        self.heard += text


@dataclasses.dataclass
class Point:
    across: int
    down: int

    def moved(self, by: int) -> Point:
        return Point(self.across + by, self.down + by)


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __lt__(self, other: Money) -> bool:
        return self.cents < other.cents

    def __eq__(self, other: object) -> bool:
        return True  # a lie, on purpose

    __hash__ = None  # type: ignore[assignment]


class Own(Exception):  # noqa: N818  the name that an answer might choose
    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Stack(list[Any]):
    def top(self) -> Any:
        return self[-1]


Pair = namedtuple("Pair", "left right")
Colour = Enum("Colour", "RED GREEN")
Level = IntEnum("Level", "LOW HIGH")


def raising(error: BaseException) -> Any:
    raise error


def counting(count: int) -> Iterator[int]:
    yield from range(count)


def grown(items: list[int]) -> list[int]:
    items.append(3)
    return items


def called(function: Callable[[int], Any], value: int) -> Any:
    return function(value)


async def later(value: int) -> int:
    return value + 1


OFFERED = {
    name: value
    for name, value in globals().items()
    if not name.startswith("_") and name not in ("annotations", "Link")
}


class Link:
    """Two peers in two threads; ``ask`` gets something that the other side offers."""

    def __init__(self) -> None:
        to, back = queue.Queue[bytes](), queue.Queue[bytes]()
        self.gate = TestGate()
        self.gate.own.add(__name__)
        self.heard: list[str] = []
        self.gate.hear = self.heard.append  # type: ignore[method-assign]
        self.lines = to
        self.back = back
        self.peer = Peer(back.get, to.put, self.gate)

        def next_line() -> bytes:
            line = to.get()
            if not line:
                raise EOFError
            return line

        other = Peer(next_line, back.put, Open(OFFERED))
        self.thread = threading.Thread(target=other.serve, daemon=True)
        self.thread.start()

    def get(self, name: str) -> Any:
        return self.peer.ask("globals", None, "", name)


@pytest.fixture
def link() -> Iterator[Link]:
    made = Link()
    yield made
    made.lines.put(b"")
    made.thread.join(timeout=10)
    assert not made.thread.is_alive()


def test_functions_take_and_give_data(link: Link) -> None:
    assert link.get("counting").__name__ == "counting"
    assert list(link.get("counting")(4)) == [0, 1, 2, 3]
    assert link.heard


def test_changed_arguments_are_changed_here(link: Link) -> None:
    items = [1, 2]
    assert link.get("grown")(items) is items
    assert items == [1, 2, 3]


def test_a_function_of_ours_is_called_back(link: Link) -> None:
    seen: list[int] = []
    assert link.get("called")(lambda value: seen.append(value) or value * 2, 21) == 42
    assert seen == [21]
    nested = link.get("called")
    assert nested(lambda value: nested(lambda inner: inner + 1, value), 1) == 2


def test_endless_calls_to_and_fro_end(link: Link) -> None:
    call = link.get("called")

    def again(value: int) -> Any:
        return call(again, value + 1)

    with pytest.raises(RecursionError):
        call(again, 0)
    assert call(abs, -3) == 3


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ValueError("x", 2), ValueError, "('x', 2)"),
        (KeyError("k"), KeyError, "'k'"),
        (SystemExit(3), SystemExit, "3"),
        (StopIteration(1), RuntimeError, "raised StopIteration"),
        (KeyboardInterrupt(), RuntimeError, "raised KeyboardInterrupt"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), UnicodeDecodeError, "bad"),
    ],
)
def test_errors_arrive_by_kind(link: Link, error: BaseException, kind: Any, text: str) -> None:
    raising = link.get("raising")
    with pytest.raises(kind) as caught:
        link.peer.ask("call", raising, "", error)
    assert text in str(caught.value)


def test_errors_of_a_class_of_theirs_have_its_name_and_attributes(link: Link) -> None:
    own = link.get("Own")
    assert issubclass(own, Exception)
    error = own("boo", 7)
    with pytest.raises(own) as caught:
        link.get("raising")(error)
    assert caught.value.code == 7
    assert str(caught.value) == "boo"
    assert type(caught.value).__name__ == "Own"


def test_objects_have_attributes_methods_and_state(link: Link) -> None:
    point = link.get("Point")(1, 2)
    assert (point.across, point.moved(2).down) == (1, 4)
    point.across = 9
    assert point.across == 9
    assert isinstance(point, link.get("Point"))
    assert not isinstance(point, link.get("Money"))
    assert repr(point) == "Point(across=9, down=2)"
    assert vars(point) == {"across": 9, "down": 2}
    with pytest.raises(AttributeError):
        point.nothing  # noqa: B018


def test_equality_is_decided_on_copied_data(link: Link) -> None:
    point, money = link.get("Point"), link.get("Money")
    assert point(1, 2) == point(1, 2)
    assert point(1, 2) != point(1, 3)
    assert point(1, 2).moved(1) in [point(2, 3)]
    assert money(5) != money(6)
    assert money(5) == money(5)
    assert money(5) != 5
    assert money(5) != 5
    assert money(5) + money(6) == money(11)
    assert hash(point(1, 2)) == hash(point(1, 2))


def test_order_and_arithmetic_are_handed_on_for_what_the_test_made(link: Link) -> None:
    money = link.get("Money")
    assert money(5) < money(6)
    assert sorted([money(6), money(5)])[0].cents == 5
    unmade = link.get("called")(lambda _: money(5), 1)
    assert unmade.cents == 5
    made_there = link.peer.ask("call", money, "", 5)
    with pytest.raises(TypeError):
        made_there < 5  # noqa: B015
    with pytest.raises(TypeError):
        made_there + 1


def test_values_of_derived_types_are_data(link: Link) -> None:
    pair = link.get("Pair")(1, [2])
    assert pair == (1, [2])
    assert isinstance(pair, tuple)
    assert pair.left == 1
    level = link.get("Level")
    assert level.HIGH == 2
    assert level(1).name == "LOW"
    assert [one.name for one in level] == ["LOW", "HIGH"]


def test_members_of_an_enumeration_are_the_same_object(link: Link) -> None:
    colour = link.get("Colour")
    assert colour.RED is colour.RED
    assert colour["RED"] == colour.RED
    assert colour.RED != colour.GREEN
    assert len(colour) == 2
    assert {colour.RED: 1}[colour.RED] == 1


def test_a_list_of_theirs_is_compared_as_a_list(link: Link) -> None:
    stack = link.get("Stack")([1, 2])
    stack.append(3)
    assert stack == [1, 2, 3]
    assert stack.top() == 3
    assert stack[0] == 1
    assert len(stack) == 3
    assert 2 in stack
    stack[0] = 7
    assert list(stack) == [7, 2, 3]


def test_a_coroutine_is_one_here(link: Link) -> None:
    assert asyncio.run(link.get("later")(1)) == 2


def test_a_class_of_theirs_is_not_derived_from(link: Link) -> None:
    point = link.get("Point")
    with pytest.raises(TypeError, match="cannot be derived"):
        type("Derived", (point,), {})
    with pytest.raises(TypeError, match="copied"):
        copy.copy(point(1, 2))


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b'{"value": [3], "changed": [], "n": [], "c": [], "out": ""}',
        b'{"value": ["k", 99], "changed": [], "n": [], "c": [], "out": ""}',
        b'{"value": 1, "raised": true, "changed": [], "n": [], "c": [], "out": ""}',
        b'{"value": 1, "changed": [[5, ["list", []]]], "n": [], "c": [], "out": ""}',
        b'{"do": "call", "on": 77, "name": "", "v": [], "k": {}, "n": [], "c": []}',
        (
            b'{"value": 1, "changed": [], "n": [], "c": [[1, "x", "y", [["n", "eval"]], []]], '
            b'"out": ""}'
        ),
        b'{"gone": "why"}',
        b"[" * 100_000,
    ],
)
def test_nonsense_ends_the_conversation(line: bytes) -> None:
    peer = Peer(lambda: line, lambda _: None, TestGate())
    with pytest.raises(GoneError):
        peer.ask("globals", None, "", "x")
    with pytest.raises(GoneError):
        peer.ask("globals", None, "", "x")


def test_what_a_block_raised_is_caught_and_the_end_is_not() -> None:
    caught = Caught()
    with caught:
        raise SystemExit(1)
    assert isinstance(caught.error, SystemExit)
    with pytest.raises(GoneError), caught:
        raise GoneError


def test_state_of_an_object() -> None:
    class Slotted:
        __slots__ = ("left",)

        def __init__(self) -> None:
            self.left = 1

    assert state(Slotted()) == (False, None, {"left": 1})
    assert state(Point(1, 2)) == (True, None, {"across": 1, "down": 2})
    assert state(Stack([1]))[1] == [1]


def test_an_error_that_came_from_elsewhere_has_no_place() -> None:
    assert where(ValueError("x")) == ""
