"""What a template may cost: processor time, length of texts, size of values, depth of calls.

One budget is in force per thread while a template is compiled or rendered; whatever a template can
repeat spends from it. No value may grow beyond the bounds here, so that every single operation
stays short and looking at the clock between operations is enough. It knows no template language.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from metier.errors import InputError

MOST_SECONDS = 0.1
MOST_OUTPUT = 1 << 20
MOST_MADE = 128 << 20
MOST_TEMPLATE = 64 << 10
MOST_COMPILING = 1.0
MOST_ITEMS = 200_000
MOST_DEPTH = 60
MOST_CALLS = 60
MOST_BITS = 4096
MOST_RANGE = 100_000
_UNITS_BETWEEN_LOOKS = 256
_CHARACTERS_A_UNIT = 4096


def too_slow(seconds: float = MOST_SECONDS) -> InputError:
    """The error of a template that took too long."""
    return InputError(
        f"The chat template takes more than {seconds * 1000:.0f} ms.",
        code="template_too_slow",
        remedy="Use a simpler template (TEMPLATE in a Modelfile), or a shorter conversation.",
    )


def too_long(what: str) -> InputError:
    """The error of a template that makes too much; ``what`` says of what."""
    return InputError(
        f"The chat template makes {what}.",
        code="template_too_long",
        remedy="Use a simpler template (TEMPLATE in a Modelfile), or a shorter conversation.",
    )


class Budget:
    """What is left of the time of one rendering; times are processor seconds of this thread."""

    __slots__ = ("_deadline", "_depth", "_made", "_seconds", "_units")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = time.thread_time() + seconds
        self._units = 0
        self._depth = 0
        self._made = 0

    def spend(self, units: int = 1) -> None:
        """Count work; every so often the clock is looked at. Raises ``template_too_slow``."""
        self._units += units
        if self._units >= _UNITS_BETWEEN_LOOKS:
            self.look()

    def look(self) -> None:
        """Look at the clock now. Raises ``template_too_slow``."""
        self._units = 0
        if time.thread_time() > self._deadline:
            raise too_slow(self._seconds)

    def make(self, characters: int) -> None:
        """Count characters of texts, as work and as memory that may be held."""
        self._made += characters
        if self._made > MOST_MADE:
            raise too_long(f"texts of more than {MOST_MADE} characters in all")
        self.spend(characters // _CHARACTERS_A_UNIT)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One more call on the stack. Raises ``template_too_long`` beyond a depth."""
        if self._depth >= MOST_CALLS:
            raise too_long(f"more than {MOST_CALLS} calls inside each other")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


class _Running(threading.local):
    budget: Budget | None = None


_RUNNING = _Running()


@contextmanager
def budgeted(seconds: float = MOST_SECONDS) -> Iterator[Budget]:
    """Put a fresh budget in force in this thread."""
    before = _RUNNING.budget
    budget = Budget(seconds)
    _RUNNING.budget = budget
    try:
        yield budget
    finally:
        _RUNNING.budget = before


def current() -> Budget:
    """The budget in force; a thread without one gets a fresh one for this call."""
    return _RUNNING.budget or Budget(MOST_SECONDS)


def spend(units: int = 1) -> None:
    """Count work against the budget in force."""
    budget = _RUNNING.budget
    if budget is not None:
        budget.spend(units)


def weigh(value: Any) -> int:
    """Characters that a value would write, roughly, counting what it holds as often as it does.

    A list that holds another list twice weighs it twice: that is what writing or comparing costs.

    Raises:
        InputError: ``template_too_long`` beyond the bounds.
    """
    if isinstance(value, str):
        return short(len(value))
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise too_long("a number that is too large")
        return 20
    if not isinstance(value, list | tuple | Mapping):
        return 20
    items = characters = 0
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        held, depth = pending.pop()
        items += 1
        if isinstance(held, str):
            characters += len(held)
        elif isinstance(held, Mapping):
            parts = [*held, *held.values()]
            items += _check(depth, items + len(pending) + len(parts))
            pending += [(part, depth + 1) for part in parts]
        elif isinstance(held, list | tuple):
            items += _check(depth, items + len(pending) + len(held))
            pending += [(part, depth + 1) for part in held]
        if characters > 2 * MOST_OUTPUT:
            short(characters)
    spend(items >> 3)
    return characters + 4 * items


def _check(depth: int, items: int) -> int:
    if depth > MOST_DEPTH:
        raise too_long(f"values nested more than {MOST_DEPTH} deep")
    if items > MOST_ITEMS:
        raise too_long(f"values of more than {MOST_ITEMS} items")
    return 0


def short(length: int) -> int:
    """``length`` if a text may have it; counts the work and the memory of making it."""
    if length > 2 * MOST_OUTPUT:
        raise too_long(f"a text of more than {2 * MOST_OUTPUT} characters")
    if length > _CHARACTERS_A_UNIT:
        current().make(length)
    return length


def bounded(value: Any) -> Any:
    """``value`` if it is within the bounds."""
    if type(value) is str and len(value) < _CHARACTERS_A_UNIT:
        return value
    if value is None or isinstance(value, bool | float):
        return value
    weigh(value)
    return value


class Counted:
    """An iterable whose every step is counted; its length is that of what it holds."""

    __slots__ = ("_held",)

    def __init__(self, held: Any) -> None:
        self._held = held

    def __iter__(self) -> Iterator[Any]:
        budget = current()
        for count, item in enumerate(self._held):
            if count >= MOST_ITEMS:
                raise too_long(f"more than {MOST_ITEMS} steps of a loop")
            budget.spend(2)
            yield item

    def __len__(self) -> int:
        return len(self._held)
