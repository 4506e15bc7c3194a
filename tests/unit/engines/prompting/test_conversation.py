"""Messages as templates know them, and conversations that are made to fit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.engines.prompting.conversation import (
    PICTURE,
    Manner,
    fit,
    placed,
    system_first,
    variables_of,
)
from metier.generating import Message, ToolCall


def test_a_picture_stands_where_its_place_is() -> None:
    assert placed(Message("user", "a", pictures=(b"1",))) == f"{PICTURE}\na"
    assert placed(Message("user", "a [img] b", pictures=(b"1",))) == f"a {PICTURE} b"
    assert placed(Message("user", "[img] a", pictures=(b"1", b"2"))) == f"{PICTURE}\n{PICTURE} a"
    assert placed(Message("user", "", pictures=(b"1",))) == PICTURE
    assert placed(Message("user", "a [img]")) == "a [img]"


def test_a_mark_in_the_text_is_no_picture() -> None:
    text = placed(Message("user", f"a {PICTURE} [img]", pictures=(b"1",)))
    assert text.count(PICTURE) == 1
    assert text.endswith(PICTURE)


def test_fields_that_are_not_said_are_not_there() -> None:
    assert variables_of(Message("user", "a"), 0, Manner()) == {"role": "user", "content": "a"}


def test_thinking_and_calls() -> None:
    message = Message("assistant", "", "hm", tool_calls=(ToolCall("f", {"a": "é"}, "call_1"),))
    fields = variables_of(message, 1, Manner())
    assert fields["reasoning_content"] == fields["thinking"] == "hm"
    assert fields["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": {"a": "é"}}}
    ]


def test_manners() -> None:
    message = Message("assistant", "x", tool_calls=(ToolCall("f", {"a": "é"}, "call_1-2"),))
    fields = variables_of(message, 1, Manner(lists=True, texts=True, short_ids=True))
    assert fields["content"] == [{"type": "text", "text": "x"}]
    assert fields["tool_calls"][0]["id"] == "000call12"
    assert fields["tool_calls"][0]["function"]["arguments"] == '{"a": "é"}'


def test_an_answer_without_id_belongs_to_the_call_before() -> None:
    call = variables_of(Message("assistant", "", tool_calls=(ToolCall("f", {}),)), 4, Manner())
    answer = variables_of(Message("tool", "r", tool_name="f"), 5, Manner())
    assert answer["tool_call_id"] == call["tool_calls"][0]["id"]
    assert answer["name"] == "f"


def test_the_system_goes_before_the_first_user() -> None:
    talk = (Message("system", "s"), Message("assistant", "a"), Message("user", "u"))
    assert system_first(talk) == (Message("assistant", "a"), Message("user", "s\n\nu"))
    assert system_first(talk[:2]) == (Message("user", "s"), Message("assistant", "a"))
    assert system_first(talk[2:]) == talk[2:]


def joined(messages: Sequence[Message]) -> str:
    return " ".join(message.text for message in messages)


def words(text: str) -> int:
    return len(text.split())


TALK = (
    Message("system", "s"),
    Message("user", "u1"),
    Message("assistant", "", tool_calls=(ToolCall("f", {}),)),
    Message("tool", "t1"),
    Message("assistant", "a1"),
    Message("user", "u2"),
    Message("assistant", "a2"),
    Message("user", "u3"),
)


@pytest.mark.parametrize(
    ("room", "expected", "truncated"),
    [
        (99, "s u1  t1 a1 u2 a2 u3", False),
        (7, "s u1  t1 a1 u2 a2 u3", False),
        (6, "s u2 a2 u3", True),
        (4, "s u2 a2 u3", True),
        (3, "s u3", True),
        (2, "s u3", True),
        (0, "s u3", True),
    ],
)
def test_the_oldest_go_first(room: int, expected: str, truncated: bool) -> None:
    kept, cut = fit(TALK, joined, words, room)
    assert (joined(kept), cut) == (expected, truncated)


def test_what_cannot_be_cut_stays() -> None:
    alone = (Message("user", "a b c"),)
    assert fit(alone, joined, words, 1) == (alone, False)
    assert fit((), joined, words, -1) == ((), False)


def test_a_conversation_without_a_user_is_cut_too() -> None:
    talk = (Message("assistant", "a"), Message("tool", "t"), Message("assistant", "b"))
    assert fit(talk, joined, words, 1) == ((Message("assistant", "b"),), True)


ROLES = st.sampled_from(["system", "user", "assistant", "tool"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.builds(Message, ROLES, st.sampled_from(["a", "b c", ""]))), st.integers(0, 12))
def test_systems_and_the_end_stay(talk: list[Message], room: int) -> None:
    kept, cut = fit(talk, joined, words, room)
    assert cut == (len(kept) < len(talk))
    assert [m for m in kept if m.role == "system"] == [m for m in talk if m.role == "system"]
    assert kept[-1:] == tuple(talk[-1:])
    others = [m for m in talk if m.role != "system"]
    rest = [m for m in kept if m.role != "system"]
    assert others[len(others) - len(rest) :] == rest
