"""OpenAI's chat dialect for models that write: questions in, completions and chunks out."""

from __future__ import annotations

import json

import pytest

from metier.errors import InputError
from metier.generating import Message, Piece, Taken, ToolCall, Written
from metier.server import openai_chat
from stand_in.models import chance

HELLO = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
CALLS = (ToolCall("look", {"at": "a"}), ToolCall("look", {"at": "b"}, "c7"))


def events(said: bytes) -> list[dict]:
    return [json.loads(line[6:]) for line in said.decode().split("\n\n") if line]


def whole(*answers: Written, one_call: bool = False) -> dict:
    return openai_chat.completion(
        answers, id="chatcmpl-1", created=7, model="tiny", one_call=one_call
    )


def test_a_plain_request_is_one_question() -> None:
    asked = openai_chat.parse(HELLO)
    (question,) = asked.questions
    assert question.messages == (Message("user", "Hello"),)
    assert (asked.model, asked.stream, asked.usage, asked.one_call) == ("tiny", False, False, False)
    assert not question.truncate, "a prompt that is too long is refused, never cut"


def test_several_choices_are_several_questions_with_seeds_counted_up() -> None:
    asked = openai_chat.parse({**HELLO, "n": 3, "seed": 40})
    assert [question.options.seed for question in asked.questions] == [40, 41, 42]
    assert len(openai_chat.parse({**HELLO, "n": 2}).questions) == 2


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"model": ""}, "model"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": 3}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(more: dict, param: str) -> None:
    with pytest.raises(InputError) as caught:
        openai_chat.parse({**HELLO, **more})
    assert caught.value.details["param"] == param


def test_what_changes_nothing_is_left_alone() -> None:
    more = {"user": "u", "store": False, "metadata": {}, "service_tier": "auto", "seed": None}
    plain = openai_chat.parse(HELLO)
    assert openai_chat.parse({**HELLO, **more}) == plain
    assert openai_chat.parse({**HELLO, "keep_alive": 5, "options": {"num_ctx": 9}}) == plain


def test_a_completion_has_openais_shape() -> None:
    written = Written(
        "Hi.", finish="length", taken=Taken(tokens_in=9, tokens_cached=4, tokens_out=2)
    )
    body = whole(written)
    assert (body["object"], body["created"]) == ("chat.completion", 7)
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi."},
            "logprobs": None,
            "finish_reason": "length",
        }
    ]
    assert body["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_the_prompt_of_several_choices_is_counted_once() -> None:
    taken = Taken(tokens_in=9, tokens_out=2)
    usage = whole(Written("a", taken=taken), Written("b", taken=taken))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (9, 4)


def test_arguments_of_calls_are_text_and_every_call_has_an_id() -> None:
    choice = whole(Written("", tool_calls=CALLS))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    first, second = choice["message"]["tool_calls"]
    assert first["function"] == {"name": "look", "arguments": '{"at":"a"}'}
    assert first["id"].startswith("call_")
    assert second["id"] == "c7"


def test_one_call_is_kept_if_calls_are_not_to_be_parallel() -> None:
    choice = whole(Written("", tool_calls=CALLS), one_call=True)["choices"][0]
    assert len(choice["message"]["tool_calls"]) == 1


def test_reasoning_has_both_names_that_clients_read() -> None:
    message = whole(Written("4", thinking="2+2"))["choices"][0]["message"]
    assert message["reasoning"] == message["reasoning_content"] == "2+2"


def test_logprobs_have_bytes_and_alternatives_and_no_infinity() -> None:
    token = chance("a", -0.5, chance("a", -0.5), chance("b", float("-inf")))
    (found,) = whole(Written("a", chances=(token,)))["choices"][0]["logprobs"]["content"]
    assert (found["token"], found["logprob"], found["bytes"]) == ("a", -0.5, [97])
    assert [top["logprob"] for top in found["top_logprobs"]] == [-0.5, -9999.0]


def test_a_stream_opens_with_the_role_and_ends_with_an_empty_delta() -> None:
    chunks = openai_chat.Chunks("chatcmpl-1", 7, "tiny")
    said = chunks.opening() + chunks.piece(0, Piece("Hi")) + chunks.piece(0, Piece())
    said += chunks.finish(0, Written("Hi")) + chunks.usage([Taken(tokens_in=3, tokens_out=1)])
    first, text, last, usage = events(said)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert text["choices"][0]["delta"] == {"content": "Hi"}
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 4
    heads = {(one["id"], one["created"], one["object"]) for one in (first, text, last, usage)}
    assert heads == {("chatcmpl-1", 7, "chat.completion.chunk")}


def test_a_stream_of_calls_counts_them_and_says_so_at_the_end() -> None:
    chunks = openai_chat.Chunks("i", 7, "tiny")
    said = b"".join(chunks.piece(0, Piece(tool_calls=(call,))) for call in CALLS)
    first, second, last = events(said + chunks.finish(0, Written("", tool_calls=CALLS)))
    assert first["choices"][0]["delta"]["tool_calls"][0]["index"] == 0
    assert second["choices"][0]["delta"]["tool_calls"][0]["index"] == 1
    assert second["choices"][0]["delta"]["tool_calls"][0]["id"] == "c7"
    assert last["choices"][0]["finish_reason"] == "tool_calls"


def test_a_stream_keeps_one_call_if_calls_are_not_to_be_parallel() -> None:
    chunks = openai_chat.Chunks("i", 7, "tiny", one_call=True)
    said = b"".join(chunks.piece(0, Piece(tool_calls=(call,))) for call in CALLS)
    assert len(events(said)) == 1


def test_choices_of_a_stream_keep_their_places() -> None:
    chunks = openai_chat.Chunks("i", 7, "tiny", count=2)
    said = events(chunks.opening() + chunks.piece(1, Piece(thinking="so")))
    assert [one["choices"][0]["index"] for one in said] == [0, 1, 1]
    assert said[2]["choices"][0]["delta"]["reasoning"] == "so"
