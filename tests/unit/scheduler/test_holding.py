"""One resident: whom it serves, and until when its names stay."""

from __future__ import annotations

import math

import pytest

from metier.scheduler.holding import Held
from metier.scheduler.sizing import Needs
from scripted_worker import residence


@pytest.fixture
def held() -> Held:
    found = Held(residence("a", "x", "y", num_ctx=4096), Needs(1, 1), 0, 2, stage="ready")
    found.take("first", ("x",), None, 300.0)
    return found


def test_it_serves_what_it_has_loaded(held: Held) -> None:
    assert held.serves(residence("a"))
    assert held.serves(residence("a", "y", num_ctx=4096))
    assert not held.serves(residence("a", num_ctx=4352))
    assert not held.serves(residence("a", "z"))
    assert not held.serves(residence("b"))
    assert not held.serves(residence("a", task="embed"))


def test_one_that_retires_or_leaves_serves_nobody(held: Held) -> None:
    held.retiring = True
    assert not held.serves(residence("a"))
    held.retiring, held.stage = False, "leaving"
    assert not held.serves(residence("a"))


def test_a_larger_wish_that_was_not_granted_is_not_tried_again(held: Held) -> None:
    held.asked = 100_000
    assert held.serves(residence("a", num_ctx=90_000))


def test_names_stay_as_long_as_they_said(held: Held) -> None:
    held.take("second", (), 10.0, 300.0)
    assert held.waiting == 0
    held.take("third", (), math.inf, 300.0)
    assert held.waiting == 1
    assert list(held.names) == ["first", "second", "third"]
    for name in ("first", "second", "third"):
        held.release(name, 1000.0)
    assert held.next_expiry == 1010.0
    held.forget_expired(1010.0)
    assert list(held.names) == ["first", "third"]
    held.forget_expired(2000.0)
    assert list(held.names) == ["third"]
    assert held.next_expiry == math.inf


def test_a_name_in_use_does_not_expire_and_keeps_what_it_said(held: Held) -> None:
    held.take("first", ("y",), 10.0, 300.0)
    held.release("first", 0.0)
    held.forget_expired(10_000.0)
    assert held.names["first"].users == 1
    held.take("first", ("y",), None, 300.0)
    assert held.names["first"].keep == 10.0
    assert held.names["first"].adapters == ("y",)
