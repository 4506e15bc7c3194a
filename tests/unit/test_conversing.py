from __future__ import annotations

import dataclasses

import pytest

from metier.conversing import Manner, Reply, Sampling, Turn


def test_what_is_not_said_changes_nothing() -> None:
    assert Manner() == Manner(
        candidates=None, repairs=None, documents=True, tools=True, first_draft=False
    )
    assert Sampling().temperature is None
    assert Reply("x").base is None


def test_values_are_frozen() -> None:
    turn = Turn("user", "hello")
    with pytest.raises(dataclasses.FrozenInstanceError):
        turn.text = "other"  # type: ignore[misc]
    assert turn.extra == {}
