"""OpenAI's fields as values: what is read, and the sentence that refuses the rest."""

from __future__ import annotations

import base64

import pytest

from metier.errors import InputError
from metier.generating import Constraint, Message, ToolCall
from metier.server import openai_fields as fields

PNG = base64.b64encode(b"\x89PNG picture").decode()
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def said(content: object, role: str = "user", **more) -> dict:
    return {"messages": [{"role": role, "content": content, **more}]}


def test_temperature_and_top_p_are_one_unless_said() -> None:
    unsaid = fields.options({}, most_tokens=None)
    assert (unsaid.temperature, unsaid.top_p, unsaid.num_predict) == (1.0, 1.0, None)
    spoken = fields.options({"temperature": 0, "top_p": 0.5}, most_tokens=7)
    assert (spoken.temperature, spoken.top_p, spoken.num_predict) == (0.0, 0.5, 7)


def test_every_way_of_sampling_is_read() -> None:
    found = fields.options(
        {
            "seed": 4,
            "stop": "END",
            "presence_penalty": 0.5,
            "frequency_penalty": -0.5,
            "logit_bias": {"17": -100},
            "top_k": 3,
            "min_p": 0.1,
            "repeat_penalty": 1.1,
        },
        most_tokens=None,
    )
    assert (found.seed, found.stop, found.logit_bias) == (4, ("END",), {17: -100.0})
    assert (found.presence_penalty, found.frequency_penalty) == (0.5, -0.5)
    assert (found.top_k, found.min_p, found.repeat_penalty) == (3, 0.1, 1.1)
    assert fields.options({"stop": ["a", "b"]}, most_tokens=None).stop == ("a", "b")


@pytest.mark.parametrize("seed", [2**40 + 5, -(2**63), 2**32 - 1, -2])
def test_any_seed_becomes_one_that_the_engine_takes(seed: int) -> None:
    found = fields.options({"seed": seed}, most_tokens=None).seed
    assert found is not None
    assert 0 <= found < 2**32 - 1
    assert found == fields.options({"seed": seed}, most_tokens=None).seed


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"seed": 1.5}, "seed"),
        ({"stop": [1]}, "stop"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": "\ud800"}, "stop"),
        ({"logit_bias": {"a": 1}}, "logit_bias"),
        ({"logit_bias": []}, "logit_bias"),
    ],
)
def test_what_cannot_be_sampled_with_is_refused_by_name(asked: dict, param: str) -> None:
    with pytest.raises(InputError) as caught:
        fields.options(asked, most_tokens=None)
    assert caught.value.details["param"] == param


def test_the_newer_limit_of_tokens_goes_before_the_older() -> None:
    names = ("max_completion_tokens", "max_tokens")
    assert fields.most_tokens({"max_tokens": 5, "max_completion_tokens": 6}, *names) == 6
    assert fields.most_tokens({"max_tokens": 5}, *names) == 5
    assert fields.most_tokens({"max_tokens": -1}, *names) == -1
    assert fields.most_tokens({"max_tokens": None}, *names) is None
    with pytest.raises(InputError):
        fields.most_tokens({"max_tokens": 0}, *names)


@pytest.mark.parametrize(
    ("effort", "think"),
    [
        ("none", False),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "max"),
        ("ultra", "max"),
        ("max", "max"),
    ],
)
def test_the_effort_of_reasoning(effort: str, think: object) -> None:
    assert fields.think({"reasoning_effort": effort}) == think
    assert fields.think({"reasoning": {"effort": effort}}) == think


@pytest.mark.parametrize(
    "asked", [{"reasoning_effort": "much"}, {"reasoning": 3}, {"reasoning": {"effort": 1}}]
)
def test_an_unknown_effort_is_refused(asked: dict) -> None:
    with pytest.raises(InputError):
        fields.think(asked)


def test_no_effort_leaves_thinking_to_the_model() -> None:
    assert fields.think({}) is None
    assert fields.think({"reasoning": {}}) is None


def test_the_form_of_an_answer() -> None:
    def form(value: object) -> Constraint | None:
        return fields.constraint({"response_format": value})

    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert form({"type": "text"}) is None
    assert form({"type": "json_object"}) == Constraint("json")
    assert form({"type": "json_object", "schema": schema}) == Constraint("schema", schema)
    named = {"name": "x", "strict": True, "schema": schema}
    assert form({"type": "json_schema", "json_schema": named}) == Constraint("schema", schema)
    assert form({"type": "json_schema", "json_schema": {"name": "x"}}) == Constraint("json")
    grammar = fields.constraint({"grammar": 'root ::= "a"'})
    assert grammar == Constraint("grammar", 'root ::= "a"')


@pytest.mark.parametrize(
    "asked",
    [
        {"response_format": {"type": "xml"}},
        {"response_format": "json"},
        {"response_format": {"type": "json_schema", "json_schema": {"strict": True}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": 1}}},
        {"grammar": 1},
        {"grammar": "root", "response_format": {"type": "text"}},
    ],
)
def test_an_unknown_form_is_refused(asked: dict) -> None:
    with pytest.raises(InputError) as caught:
        fields.constraint(asked)
    assert caught.value.details["param"] in ("response_format", "grammar")


def test_tools_and_the_choice_among_them() -> None:
    offered = fields.tools({"tools": [TOOL]})
    assert offered == (TOOL,)
    assert fields.tools({"tools": []}) == ()
    assert fields.tool_choice({}, offered) == "auto"
    for choice in ("auto", "none", "required"):
        assert fields.tool_choice({"tool_choice": choice}, offered) == choice
    named = {"type": "function", "function": {"name": "look"}}
    assert fields.tool_choice({"tool_choice": named}, offered) == "look"


@pytest.mark.parametrize(
    "asked",
    [
        {"tools": {}},
        {"tools": [1]},
        {"tools": [{"type": "function", "function": {}}]},
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]},
        {"functions": []},
        {"function_call": "auto"},
    ],
)
def test_tools_that_are_none_are_refused(asked: dict) -> None:
    with pytest.raises(InputError):
        fields.tools(asked)


@pytest.mark.parametrize(
    ("choice", "offered"),
    [("must", [TOOL]), ("required", []), ({"function": {"name": "b"}}, [TOOL]), (1, [TOOL])],
)
def test_a_choice_that_cannot_be_made_is_refused(choice: object, offered: list) -> None:
    with pytest.raises(InputError) as caught:
        fields.tool_choice({"tool_choice": choice}, offered)
    assert caught.value.details["param"] == "tool_choice"


def test_a_conversation_with_calls_is_read_whole() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
    asked = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": None, "tool_calls": [call], "reasoning": "hm"},
            {"role": "tool", "content": "found", "tool_call_id": "c1"},
        ]
    }
    assert fields.messages(asked) == (
        Message("system", "Be brief."),
        Message("user", "Hello"),
        Message("assistant", "", thinking="hm", tool_calls=(ToolCall("look", {"a": 1}, "c1"),)),
        Message("tool", "found", tool_name="look", tool_call_id="c1"),
    )


def test_parts_are_joined_and_pictures_decoded() -> None:
    parts = [
        {"type": "text", "text": "What"},
        {"type": "input_text", "text": "is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
    ]
    (message,) = fields.messages(said(parts))
    assert message.text == "What\nis this?"
    assert message.pictures == (b"\x89PNG picture",) * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "https://example.com/a.png",
        "file:///etc/passwd",
        "data:image/png,plain",
        "data:image/png;base64,***",
        "data:image/png;base64,",
        "data:image/png;base64",
        3,
    ],
)
def test_a_picture_from_elsewhere_is_refused(url: object) -> None:
    with pytest.raises(InputError) as caught:
        fields.messages(said([{"type": "image_url", "image_url": {"url": url}}]))
    assert caught.value.details["param"] == "messages[0].content[0]"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"messages": []},
        {"messages": [1]},
        {"messages": [{"role": "nobody", "content": ""}]},
        said(None),
        said(3),
        said([3]),
        said([{"type": "input_audio"}]),
        said("\ud800"),
        said("", "assistant", tool_calls={}),
        said("", "assistant", tool_calls=[{"function": {}}]),
        said("", "assistant", tool_calls=[{"function": {"name": "a", "arguments": "[1]"}}]),
        said("", "assistant", tool_calls=[{"function": {"name": "a", "arguments": "{"}}]),
        said("", "tool", tool_call_id=3),
        {"messages": [{"role": "user", "content": "a"}] * 2001},
    ],
)
def test_a_conversation_that_is_none_is_refused(asked: dict) -> None:
    with pytest.raises(InputError) as caught:
        fields.messages(asked)
    assert caught.value.details["param"].startswith("messages")


def test_the_usage_is_wanted_only_if_it_is_said() -> None:
    assert fields.wants_usage({"stream_options": {"include_usage": True}})
    assert not fields.wants_usage({"stream_options": {}})
    assert not fields.wants_usage({})
    with pytest.raises(InputError):
        fields.wants_usage({"stream_options": True})
