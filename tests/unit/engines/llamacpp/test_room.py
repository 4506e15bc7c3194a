"""Room is promised, grown, given back, and taken in the order of coming."""

from __future__ import annotations

import threading

from metier.engines.llamacpp.room import Room


def never() -> bool:
    return False


def test_what_is_free_is_taken_at_once_and_grows() -> None:
    room = Room(100)
    assert room.take(60, never)
    assert room.grow(40)
    assert not room.grow(1)
    room.give(100)
    assert room.take(100, never)


def test_who_gives_up_gets_nothing() -> None:
    room = Room(10)
    assert room.take(10, never)
    assert not room.take(1, lambda: True)
    room.give(10)
    assert room.take(10, never)


def test_first_come_first_served_and_nobody_grows_before_those_who_wait() -> None:
    room = Room(10)
    assert room.take(6, never)
    order: list[str] = []

    def ask(name: str, tokens: int) -> None:
        room.take(tokens, never)
        order.append(name)

    large = threading.Thread(target=ask, args=("large", 8))
    large.start()
    while not room._waiting:
        pass
    assert not room.grow(1)
    small = threading.Thread(target=ask, args=("small", 1))
    small.start()
    small.join(0.2)
    assert order == []  # the small one would fit, but came later
    room.give(6)
    large.join(5)
    small.join(5)
    assert order == ["large", "small"]
