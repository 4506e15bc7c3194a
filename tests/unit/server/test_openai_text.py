"""OpenAI's completions: prompts of every kind, and the older shape of log-probabilities."""

from __future__ import annotations

import json

import pytest

from metier.errors import InputError
from metier.generating import Piece, Taken, Written
from metier.server import openai_text
from stand_in.models import chance

ONCE = {"model": "tiny", "prompt": "Once"}


def events(said: bytes) -> list[dict]:
    return [json.loads(line[6:]) for line in said.decode().split("\n\n") if line]


def test_a_prompt_is_continued_for_sixteen_tokens_unless_said() -> None:
    (question,) = openai_text.parse(ONCE).questions
    assert (question.prompt, question.messages, question.suffix) == ("Once", (), None)
    assert question.options.num_predict == 16
    (longer,) = openai_text.parse({**ONCE, "max_tokens": 99}).questions
    assert longer.options.num_predict == 99


def test_a_suffix_makes_a_gap() -> None:
    (question,) = openai_text.parse({**ONCE, "suffix": " end"}).questions
    assert question.suffix == " end"


def test_prompts_may_be_several_and_may_be_tokens() -> None:
    two = openai_text.parse({**ONCE, "prompt": ["a", "b"], "n": 2, "best_of": 2})
    assert [question.prompt for question in two.questions] == ["a", "a", "b", "b"]
    (tokens,) = openai_text.parse({**ONCE, "prompt": [1, 2]}).questions
    assert (tokens.prompt, tokens.context) == ("", (1, 2))
    mixed = openai_text.parse({**ONCE, "prompt": [[1, 2], [3]]})
    assert [question.context for question in mixed.questions] == [(1, 2), (3,)]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt[0]"),
        ({"prompt": ["a"] * 65}, "prompt"),
        ({"prompt": [[-1]]}, "prompt[0]"),
        ({"suffix": 3}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 21}, "logprobs"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"echo": True, "prompt": [1]}, "echo"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(more: dict, param: str) -> None:
    with pytest.raises(InputError) as caught:
        openai_text.parse({**ONCE, **more})
    assert caught.value.details["param"] == param


def test_a_completion_has_openais_shape_and_echoes_if_asked() -> None:
    asked = openai_text.parse({**ONCE, "echo": True})
    taken = Taken(tokens_in=2, tokens_out=3)
    body = openai_text.completion(asked, [Written(" upon", taken=taken)], id="cmpl-1", created=7)
    assert body["object"] == "text_completion"
    assert body["choices"] == [
        {"index": 0, "text": "Once upon", "logprobs": None, "finish_reason": "stop"}
    ]
    assert body["usage"]["total_tokens"] == 5


def test_each_prompt_is_counted_once() -> None:
    asked = openai_text.parse({**ONCE, "prompt": ["a", "b"], "n": 2})
    taken = [Taken(tokens_in=place, tokens_out=1) for place in (5, 5, 7, 7)]
    total = openai_text.total(asked, taken)
    assert (total["prompt_tokens"], total["completion_tokens"]) == (12, 4)


def test_logprobs_have_offsets_into_the_answer() -> None:
    found = openai_text.logprobs([chance("ab", -1.0, chance("x", -2.0)), chance("c", -0.5)])
    assert found == {
        "tokens": ["ab", "c"],
        "token_logprobs": [-1.0, -0.5],
        "top_logprobs": [{"x": -2.0}, {}],
        "text_offset": [0, 2],
    }


def test_chunks_of_a_stream_go_on_counting_offsets() -> None:
    asked = openai_text.parse({**ONCE, "echo": True, "stream": True})
    chunks = openai_text.Chunks(asked, "cmpl-1", 7)
    said = chunks.opening() + chunks.piece(0, Piece("ab", chances=(chance("ab", -1.0),)))
    said += chunks.piece(0, Piece("c", chances=(chance("c", -1.0),))) + chunks.piece(0, Piece())
    said += chunks.finish(0, Written("abc")) + chunks.usage([Taken(tokens_in=1, tokens_out=2)])
    echo, first, second, last, usage = events(said)
    assert echo["choices"][0]["text"] == "Once"
    assert first["choices"][0]["logprobs"]["text_offset"] == [0]
    assert second["choices"][0]["logprobs"]["text_offset"] == [2]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 3)
