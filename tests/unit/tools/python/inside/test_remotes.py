from __future__ import annotations

from typing import Any

import pytest

from metier.tools.python.inside.remotes import (
    RemoteObject,
    RemoteType,
    made_class,
    made_remote,
    number_of,
    twin,
)


class Asked:
    """A channel that notes what it is asked and answers from a table."""

    trusting = False

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, []
        self.gate = self
        self.comparing: set[tuple[int, int]] = set()

    def ask(self, operation: str, target: Any, name: str = "", *values: Any, **_: Any) -> Any:
        self.asked.append((operation, name, values))
        return self.answers[name or operation]

    def made(self, remote: Any) -> Any:
        return twin(remote)


def class_of(peer: Any, name: str = "Thing", bases: tuple[Any, ...] = (), *specials: str) -> Any:
    return made_class(peer, 5, (name, "solution"), bases, frozenset(specials))


def test_a_stand_in_has_its_class_and_number() -> None:
    kind = class_of(Asked())
    thing = made_remote(kind, 7, None)
    assert isinstance(kind, RemoteType)
    assert isinstance(thing, RemoteObject)
    assert (number_of(kind), number_of(thing), number_of(twin(thing))) == (5, 7, 7)
    assert type(thing).__name__ == "Thing"
    assert bool(kind)


def test_expected_values_are_never_asked_about() -> None:
    peer = Asked(state=(True, None, {}))
    kind = class_of(peer, "Yes", (), "__eq__", "__lt__", "__sub__", "__contains__", "__iter__")
    thing = made_remote(kind, 7, None)
    assert thing != 42
    assert thing != 42
    for use in (lambda: thing < 5, lambda: thing - 1.5, lambda: thing < 5, lambda: 1.5 - thing):
        with pytest.raises(TypeError):
            use()
    peer.answers["__iter__"] = iter([1, 2])
    assert 2 in thing
    peer.answers["__iter__"] = iter([1, 2])
    assert 42 not in thing
    for name in ("startswith", "isdigit", "issubset", "is_integer"):
        with pytest.raises(AttributeError):
            getattr(thing, name)
    assert all(42 not in values and 5 not in values for _, _, values in peer.asked)


def test_what_the_test_made_speaks_for_itself() -> None:
    peer = Asked(__lt__=True, __contains__=True, startswith=lambda _: True)
    thing = twin(made_remote(class_of(peer, "Trie", (), "__lt__"), 7, None))
    assert thing < 5
    assert "x" in thing
    assert thing.startswith("a")


def test_values_of_derived_types_ignore_their_own_methods() -> None:
    kind = class_of(Asked(), "Equal", (int,), "__eq__", "__hash__", "__sub__")
    value = made_remote(kind, 7, 3)
    assert value == 3
    assert value != 42
    assert value - 1 == 2
    assert isinstance(value, int)


def test_a_block_does_not_swallow_a_failed_check() -> None:
    peer = Asked(__exit__=True, __enter__=1)
    thing = made_remote(class_of(peer, "Block", (), "__enter__", "__exit__"), 7, None)
    with pytest.raises(AssertionError, match="no"), thing:
        raise AssertionError("no")
    assert peer.asked[-1] == ("special", "__exit__", (None, None, None))
    with thing:
        raise ValueError("swallowed as it asked for")


def test_errors_are_errors_here() -> None:
    kind = class_of(Asked(), "Own", (ValueError,))
    error = made_remote(kind, 7, ("a", 1))
    assert isinstance(error, ValueError)
    assert error.args == ("a", 1)
    error.__traceback__ = None
    error.__notes__ = ["kept here"]
    assert made_remote(KeyError, 8, ("k",)).args == ("k",)


def test_bases_that_cannot_be_joined_leave_the_first() -> None:
    plain = class_of(Asked(), "Plain")
    assert issubclass(class_of(Asked(), "Both", (Exception, plain)), Exception)
    assert issubclass(class_of(Asked(), "Data", (str, plain)), str)
