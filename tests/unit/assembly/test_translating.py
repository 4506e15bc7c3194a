"""Questions become turns and turns become questions; what cannot be said is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.assembly.translating import draft_of, question_of, turns_of, written_of
from metier.conversing import Reply, Sampling, Turn
from metier.errors import InputError
from metier.generating import Constraint, Message, Options, Question, Taken, ToolCall, Written

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
}


def test_an_agents_loop_passes_through() -> None:
    turns = [
        Turn("system", "Be kind."),
        Turn("assistant", "", {"tool_calls": [CALL]}),
        Turn("tool", "12 degrees", {"tool_call_id": "c1", "name": "weather"}),
    ]
    sampling = Sampling(
        temperature=0.0, top_p=0.9, max_tokens=5, seed=3, stop=("END",),
        extra={
            "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "frequency_penalty": 0.5, "logit_bias": {"7": -100}, "user": "somebody",
        },
    )  # fmt: skip
    question = question_of(turns, sampling)
    assert question.messages[1].tool_calls == (ToolCall("weather", {"city": "Paris"}, "c1"),)
    assert question.messages[2].tool_call_id == "c1"
    assert question.messages[2].tool_name == "weather"
    assert question.tools == (TOOL,)
    assert question.tool_choice == "weather"
    assert question.options == Options(
        temperature=0.0, top_p=0.9, num_predict=5, seed=3, stop=("END",),
        frequency_penalty=0.5, logit_bias={7: -100.0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "constraint"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, Constraint("json")),
        (
            {"type": "json_schema", "json_schema": {"schema": {"type": "string"}}},
            Constraint("schema", {"type": "string"}),
        ),
        ({"type": "grammar", "grammar": "root ::= x"}, Constraint("grammar", "root ::= x")),
    ],
)
def test_formats_become_constraints(wanted: Any, constraint: Constraint | None) -> None:
    question = question_of([Turn("user", "x")], Sampling(extra={"response_format": wanted}))
    assert question.constraint == constraint


@pytest.mark.parametrize(
    ("effort", "think"),
    [("none", False), ("minimal", "low"), ("low", "low"), ("high", "high"), ("default", True)],
)
def test_effort_becomes_thinking(effort: str, think: bool | str) -> None:
    question = question_of([Turn("user", "x")], Sampling(extra={"reasoning_effort": effort}))
    assert question.think == think


@pytest.mark.parametrize(
    "extra",
    [
        {"tools": 7},
        {"tools": ["x"]},
        {"tool_choice": 7},
        {"tool_choice": {"type": "function"}},
        {"response_format": "json"},
        {"response_format": {"type": "xml"}},
        {"reasoning_effort": 7},
        {"logit_bias": [1]},
        {"logit_bias": {"x": 1}},
    ],
)
def test_a_wrong_shape_is_named(extra: dict[str, Any]) -> None:
    with pytest.raises(InputError) as told:
        question_of([Turn("user", "x")], Sampling(extra=extra))
    assert told.value.code == "bad_sampling"
    assert repr(next(iter(extra))) in told.value.message


def test_a_question_becomes_turns_and_sampling() -> None:
    question = Question(
        messages=(Message("user", "hi"), Message("tool", "3", tool_name="f", tool_call_id="c")),
        tools=(TOOL,),
        tool_choice="weather",
        constraint=Constraint("schema", {"type": "object"}),
        think="high",
        options=Options(temperature=0.3, num_predict=-1, seed=-1, top_k=5, stop=("x",)),
    )
    turns, sampling = turns_of(question)
    assert turns[1] == Turn("tool", "3", {"name": "f", "tool_call_id": "c"})
    assert sampling.max_tokens is None
    assert sampling.seed is None
    assert sampling.extra["top_k"] == 5
    assert sampling.extra["reasoning_effort"] == "high"
    again = question_of(turns, sampling)
    assert again.tools == question.tools
    assert again.tool_choice == "weather"
    assert again.constraint == question.constraint
    assert again.think == "high"
    assert again.messages == question.messages


@pytest.mark.parametrize(
    "question",
    [
        Question(messages=(Message("user", "see", pictures=(b"x",)),)),
        Question(prompt="a", suffix="b"),
        Question(prompt="a", context=(1,)),
        Question(prompt="a", logprobs=True),
        Question(prompt="a", template="{{ .Prompt }}"),
    ],
)
def test_what_a_specialist_cannot_do_is_refused(question: Question) -> None:
    with pytest.raises(InputError) as told:
        turns_of(question)
    assert told.value.code == "no_capability"


def test_pictures_do_not_reach_a_base_through_turns() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:"}}]
    with pytest.raises(InputError) as told:
        question_of([Turn("user", "see", {"content": parts})], Sampling())
    assert told.value.code == "no_capability"


def test_answers_keep_calls_thoughts_and_ends() -> None:
    call = ToolCall("f", {"a": 1})
    taken = Taken(total=2.0, tokens_in=3, tokens_out=4)
    draft = draft_of(Written("", thinking="hm", tool_calls=(call,), taken=taken))
    assert draft.finish == "tool_calls"
    assert draft.extra["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 1}'}
    assert (draft.tokens_in, draft.tokens_out, draft.seconds) == (3, 4, 2.0)
    assert draft_of(Written("x", finish="length")).finish == "length"
    reply = Reply("", extra=draft.extra, finish="budget", tokens_in=3, tokens_out=4, seconds=2.0)
    written = written_of(reply)
    assert written.tool_calls == (ToolCall("f", {"a": 1}, "call_0"),)
    assert written.thinking == "hm"
    assert written.finish == "length"
    assert written.taken == taken


@given(
    arguments=st.dictionaries(
        st.text(max_size=5), st.one_of(st.text(max_size=5), st.integers(), st.none()), max_size=3
    ),
    name=st.text(min_size=1, max_size=9),
)
def test_calls_survive_the_way_there_and_back(arguments: dict[str, Any], name: str) -> None:
    message = Message("assistant", "", tool_calls=(ToolCall(name, arguments, "id"),))
    turns, sampling = turns_of(Question(messages=(message,)))
    assert question_of(turns, sampling).messages == (message,)


def test_arguments_that_are_no_object_stay_readable() -> None:
    broken = {"id": "c", "function": {"name": "f", "arguments": "{oops"}}
    question = question_of([Turn("assistant", "", {"tool_calls": [broken]})], Sampling())
    assert question.messages[0].tool_calls[0].arguments == {"arguments": "{oops"}
