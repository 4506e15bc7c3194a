"""OpenAI's chat dialect: what is read, what is refused, what is written."""

from __future__ import annotations

import json

import pytest

from metier.coding import Diagnostic, SourceFile
from metier.conversing import Passage, Reply, Step, Turn
from metier.errors import InputError
from metier.server import chat

HELLO = {"model": "coder", "messages": [{"role": "user", "content": "Hello"}]}


def reply(**fields) -> Reply:
    return Reply(**{"text": "Here.", "tokens_in": 7, "tokens_out": 3, **fields})


def test_a_plain_request_is_read() -> None:
    asked = chat.parse_chat(HELLO)
    assert (asked.model, asked.base, asked.stream, asked.usage) == ("coder", None, False, False)
    assert asked.turns == (Turn("user", "Hello"),)
    assert asked.sampling.temperature is None
    assert asked.manner.documents
    assert asked.manner.tools


def test_the_base_stands_behind_the_name_or_in_our_own_field() -> None:
    assert chat.parse_chat({**HELLO, "model": "coder@remote:big"}).base == "remote:big"
    assert chat.parse_chat({**HELLO, "metier": {"base": "remote:big"}}).base == "remote:big"


def test_everything_that_the_base_may_be_told_is_passed_on() -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    asked = chat.parse_chat(
        {
            **HELLO,
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 10,
            "max_completion_tokens": 20,
            "seed": 4,
            "stop": "END",
            "tools": tools,
            "tool_choice": "auto",
            "stream": True,
            "stream_options": {"include_usage": True},
            "unknown": 1,
        }
    )
    sampling = asked.sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens) == (0.5, 0.9, 20)
    assert (sampling.seed, sampling.stop) == (4, ("END",))
    assert sampling.extra == {"tools": tools, "tool_choice": "auto"}
    assert asked.stream
    assert asked.usage


def test_a_conversation_keeps_tool_calls_and_parts_of_text() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    asked = chat.parse_chat(
        {
            "model": "coder",
            "messages": [
                {"role": "developer", "content": "Be short."},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
                {"role": "assistant", "content": None, "tool_calls": calls},
                {"role": "tool", "tool_call_id": "1", "content": "seen"},
            ],
        }
    )
    assert [turn.role for turn in asked.turns] == ["system", "user", "assistant", "tool"]
    assert asked.turns[1].text == "a\nb"
    assert asked.turns[2].extra == {"tool_calls": calls}
    assert asked.turns[3].extra == {"tool_call_id": "1"}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0]",
        ),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"temperature": 9}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": [1]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"metier": 3}, "metier"),
        ({"metier": {"wish": 1}}, "metier.wish"),
        ({"metier": {"candidates": -1}}, "metier.candidates"),
        ({"metier": {"documents": "no"}}, "metier.documents"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_field(change, param) -> None:
    with pytest.raises(InputError) as caught:
        chat.parse_chat({**HELLO, **change})
    assert caught.value.details["param"] == param
    assert caught.value.remedy


def test_too_long_a_conversation_is_refused() -> None:
    many = [{"role": "user", "content": "x"}] * (chat.MOST_TURNS + 1)
    with pytest.raises(InputError, match="2,001 entries"):
        chat.parse_chat({**HELLO, "messages": many})
    long = [{"role": "user", "content": "x" * (chat.MOST_CHARACTERS + 1)}]
    with pytest.raises(InputError, match="4,000,000 characters"):
        chat.parse_chat({**HELLO, "messages": long})


def test_a_whole_answer_carries_its_trace() -> None:
    passage = Passage("loops#For", "Use for.", "Loops", ("Loops", "For"), "loops.md", "notes")
    value = reply(
        files=(SourceFile("a.py", "x"),),
        checked=False,
        diagnostics=(Diagnostic("syntax", "no", path="a.py", line=1),),
        passages=(passage,),
        trace=(Step("check", "1 error", 0.1, {"errors": 1}),),
        base="remote:big",
        finish="budget",
    )
    body = chat.completion(value, id="chatcmpl-1", created=5, model="coder")
    choice = body["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "Here."}
    assert choice["finish_reason"] == "length", "clients know no budget"
    assert body["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert body["metier"]["finish"] == "budget"
    assert body["metier"]["diagnostics"][0]["line"] == 1
    assert body["metier"]["passages"][0]["number"] == 1
    assert body["metier"]["trace"][0]["data"] == {"errors": 1}
    json.dumps(body, allow_nan=False)


def test_tool_calls_come_without_text() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    value = reply(text="", finish="tool_calls", extra={"tool_calls": calls})
    body = chat.completion(value, id="x", created=1, model="coder")
    assert body["choices"][0]["message"]["content"] is None
    assert body["choices"][0]["message"]["tool_calls"] == calls
    chunks = chat.Chunks("x", 1, "coder").closing(value, with_usage=False)
    first = json.loads(chunks.split(b"\n\n")[0].removeprefix(b"data: "))
    assert first["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **calls[0]}]


def test_chunks_are_events_that_end_with_usage_and_done() -> None:
    chunks = chat.Chunks("x", 1, "coder")
    stream = (
        chunks.opening()
        + chunks.text("a\nb")
        + chunks.step(Step("check", "fine"))
        + chunks.closing(reply(), with_usage=True)
    )
    events = [part.removeprefix(b"data: ") for part in stream.split(b"\n\n") if part]
    assert events[-1] == b"[DONE]"
    bodies = [json.loads(item) for item in events[:-1]]
    assert {body["object"] for body in bodies} == {"chat.completion.chunk"}
    assert bodies[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert bodies[1]["choices"][0]["delta"] == {"content": "a\nb"}
    assert bodies[2]["choices"] == []
    assert bodies[2]["metier"]["step"]["summary"] == "fine"
    assert bodies[3]["choices"][0]["finish_reason"] == "stop"
    assert bodies[4]["usage"]["total_tokens"] == 10


def test_what_a_hop_put_aside_is_asked_by_its_name() -> None:
    turns = [{"role": "user", "content": "hi"}]
    asked = chat.parse_chat({"model": "docs@previous", "messages": turns})
    assert (asked.model, asked.base) == ("docs@previous", None)
    asked = chat.parse_chat({"model": "docs@previous@remote:big", "messages": turns})
    assert (asked.model, asked.base) == ("docs@previous", "remote:big")
