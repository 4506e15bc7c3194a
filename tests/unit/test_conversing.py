"""The shapes of a conversation."""

from __future__ import annotations

import dataclasses

import pytest

from metier.conversing import Manner, Reply, Turn


def test_turns_keep_what_a_dialect_sent_besides() -> None:
    assert Turn("tool", "seen", {"tool_call_id": "1"}).extra["tool_call_id"] == "1"


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Reply("x").text = "y"


def test_by_itself_everything_that_a_specialist_has_is_used() -> None:
    manner = Manner()
    assert manner.documents
    assert manner.tools
    assert manner.candidates is None
    assert not manner.first_draft
