"""The memory of conversations: bounded, forgetful, and no place for words."""

from __future__ import annotations

import pytest

from metier.assembly import sticking
from metier.assembly.sticking import Memory


def test_who_answered_last_is_known() -> None:
    memory = Memory()
    assert memory.who("a") is None
    memory.keep("a", "tiny", 12)
    memory.keep("a", "other", 30)
    held = memory.who("a")
    assert held is not None
    assert (held.name, held.tokens) == ("other", 30)


def test_without_a_key_nothing_is_kept() -> None:
    memory = Memory()
    memory.keep("", "tiny", 1)
    assert len(memory) == 0


def test_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sticking, "MOST_KEPT", 3)
    memory = Memory()
    for key in "abcd":
        memory.keep(key, key, 1)
    assert memory.who("a") is None
    assert memory.who("d") is not None
    assert len(memory) == 3


def test_an_old_conversation_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.keep("a", "tiny", 1)
    monkeypatch.setattr(sticking, "FORGOTTEN_AFTER", -1.0)
    assert memory.who("a") is None
    assert len(memory) == 0


def test_a_key_in_the_log_tells_nothing_of_the_first_words() -> None:
    first, second = Memory(), Memory()
    assert first.hidden("hello") == first.hidden("hello")
    assert first.hidden("hello") != second.hidden("hello")
    assert first.hidden("") == ""
    assert first.hidden("half \ud800 a pair")
