from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import InputError
from metier.generating import Constraint, Message, ToolCall
from metier.server import ollama_reading as reading

PICTURE = b"\x89PNG\r\n\x1a\n picture"
ENCODED = base64.b64encode(PICTURE).decode()
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}
WEATHER = {"function": {"name": "weather", "parameters": {"type": "object"}}}


def chat(**fields: Any) -> reading.Asked:
    return reading.parse_chat({"model": "tiny", "messages": [{"role": "user"}], **fields})


def generate(**fields: Any) -> reading.Asked:
    return reading.parse_generate({"model": "tiny", "prompt": "Once", **fields})


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("tiny", "tiny"),
        ("tiny:latest", "tiny"),
        ("tiny:2", "tiny:2"),
        ("library/tiny", "tiny"),
        ("registry.ollama.ai/library/tiny:latest", "tiny"),
        ("registry.ollama.ai/team/tiny", "team/tiny"),
        ("team/tiny:v1", "team/tiny:v1"),
        ("hf.co/owner/name:Q8_0", "hf.co/owner/name:Q8_0"),
        ("localhost:5000/team/tiny", "localhost:5000/team/tiny"),
        ("https://hf.co/owner/name", "hf.co/owner/name"),
        ("sveltekit@remote:gpt", "sveltekit@remote:gpt"),
    ],
)
def test_a_name_loses_ollamas_default_parts(name: str, stored: str) -> None:
    assert reading.stored_name(name) == stored


@pytest.mark.parametrize(
    "name",
    ["", " ", ".x", "-x", "a b", "a/b/c/d", "a.b/c", "a:", "/a", "a//b", "x" * 81, "a:" + "t" * 81],
)
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        reading.stored_name(name)
    assert caught.value.code == "bad_name"


def test_the_older_field_name_is_read() -> None:
    assert reading.model_of({"name": "tiny"}) == "tiny"
    assert reading.model_of({"model": "a", "name": "b"}) == "a"
    for asked in ({}, {"model": ""}, {"model": None, "name": None}):
        with pytest.raises(InputError, match="model is required"):
            reading.model_of(asked)


def test_streaming_is_the_default() -> None:
    assert chat().stream
    assert generate(stream=None).stream
    assert not chat(stream=False).stream


def test_a_chat_is_read() -> None:
    asked = chat(
        messages=[
            {"role": "SYSTEM", "content": "Be brief."},
            {"role": "User", "content": "Look.", "images": [ENCODED]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "Hm.",
                "tool_calls": [
                    {"id": "c1", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}
                ],
            },
            {"role": "tool", "content": "7", "tool_name": "f", "tool_call_id": "c1"},
        ],
        tools=[WEATHER],
        format=SCHEMA,
        options={"temperature": 0},
        think="low",
        logprobs=True,
        top_logprobs=3,
        keep_alive="1m",
    )
    assert asked.question.messages == (
        Message("system", "Be brief."),
        Message("user", "Look.", pictures=(PICTURE,)),
        Message("assistant", "", thinking="Hm.", tool_calls=(ToolCall("f", {"a": 1}, "c1"),)),
        Message("tool", "7", tool_name="f", tool_call_id="c1"),
    )
    assert asked.question.tools == ({**WEATHER, "type": "function"},)
    assert asked.question.constraint == Constraint("schema", SCHEMA)
    assert asked.question.options.temperature == 0
    assert asked.question.think == "low"
    assert (asked.question.logprobs, asked.question.top_logprobs) == (True, 3)
    assert asked.keep_alive == 60


def test_a_picture_may_be_a_data_url() -> None:
    asked = generate(images=[f"data:image/png;base64,{ENCODED}", ENCODED])
    assert asked.question.messages[-1].pictures == (PICTURE, PICTURE)


def test_arguments_as_text_are_read_as_the_object_they_are() -> None:
    call = {"function": {"name": "f", "arguments": '{"a": 1}'}}
    asked = chat(messages=[{"role": "assistant", "tool_calls": [call]}])
    assert asked.question.messages[0].tool_calls[0].arguments == {"a": 1}


@pytest.mark.parametrize("format_", ["", None])
def test_an_empty_format_constrains_nothing(format_: Any) -> None:
    assert chat(format=format_).question.constraint is None
    assert chat(format="json").question.constraint == Constraint("json")


def test_a_prompt_is_a_turn_of_the_user() -> None:
    asked = generate(system="Be brief.", context=[1, 2], template="{{ .Prompt }}")
    assert asked.question.messages == (Message("system", "Be brief."), Message("user", "Once"))
    assert asked.question.context == (1, 2)
    assert (asked.question.template, asked.question.template_language) == ("{{ .Prompt }}", "go")
    assert asked.question.prompt is None


def test_a_raw_prompt_goes_as_it_is() -> None:
    asked = generate(raw=True, suffix="ignored")
    assert asked.raw
    assert (asked.question.prompt, asked.question.suffix, asked.question.messages) == (
        "Once",
        None,
        (),
    )
    for field in ({"system": "s"}, {"template": "t"}, {"context": [1]}, {"images": [ENCODED]}):
        with pytest.raises(InputError):
            generate(raw=True, **field)


def test_a_suffix_asks_for_the_middle() -> None:
    asked = generate(suffix="the end")
    assert (asked.question.prompt, asked.question.suffix) == ("Once", "the end")


def test_nothing_asked_is_empty() -> None:
    assert generate(prompt="").empty
    assert generate(prompt=None).empty
    assert chat(messages=[]).empty
    assert chat(messages=None).empty
    assert not chat().empty


def test_a_long_conversation_may_be_cut_and_says_so_but_nothing_shifts_unasked() -> None:
    assert chat().question.truncate
    assert not chat(truncate=False).question.truncate
    assert not chat().question.shift
    assert chat(shift=True).question.shift


def test_ollama_python_sends_empty_tools_and_litellm_empty_images_and_options() -> None:
    asked = chat(tools=[], images=[], options={}, format=None, keep_alive=None, think=None)
    assert asked.question.tools == ()


def test_unknown_fields_and_nulls_are_ignored() -> None:
    asked = {"model": "tiny", "messages": [{"role": "user", "content": None, "x": 1}], "y": {}}
    nulls = dict.fromkeys(("stream", "raw", "suffix", "template", "logprobs", "truncate", "shift"))
    assert reading.parse_chat(asked).question.messages == (Message("user", ""),)
    assert generate(**nulls).question.messages == (Message("user", "Once"),)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": {}}, "messages"),
        ({"messages": [1]}, "messages[0]"),
        ({"messages": [{"role": "wizard"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "images": ["§"]}]}, "messages[0].images[0]"),
        ({"messages": [{"role": "user", "images": [1]}]}, "messages[0].images[0]"),
        ({"messages": [{"role": "user", "images": "x"}]}, "messages[0].images"),
        ({"messages": [{"role": "user", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]"),
        (
            {
                "messages": [
                    {"role": "user", "tool_calls": [{"function": {"name": "f", "arguments": "["}}]}
                ]
            },
            "messages[0].tool_calls[0]",
        ),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"format": "yaml"}, "format"),
        ({"format": 7}, "format"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": -1}, "top_logprobs"),
        ({"top_logprobs": "3"}, "top_logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"model": 7}, "model"),
    ],
)
def test_a_wrong_field_of_a_chat_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as caught:
        chat(**fields)
    assert named in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [{"context": [-1]}, {"context": ["a"]}, {"context": 1}, {"prompt": 7}, {"images": [""]}],
)
def test_a_wrong_field_of_a_prompt_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        generate(**fields)
    assert next(iter(fields)) in caught.value.message


def test_texts_to_embed_are_one_or_many() -> None:
    def texts(**fields: Any) -> tuple[str, ...]:
        return reading.parse_embed({"model": "tiny", **fields}).texts

    assert texts(input="a") == ("a",)
    assert texts(input=["a", "b"]) == ("a", "b")
    assert texts(input="") == texts() == texts(input=[]) == ()
    for wrong in (7, [7], {"a": 1}):
        with pytest.raises(InputError, match="invalid input type"):
            texts(input=wrong)
    older = reading.parse_embeddings({"model": "tiny", "prompt": "a", "keep_alive": 5})
    assert (older.texts, older.keep_alive) == (("a",), 5)


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InputError) as caught:
        reading.parse_body(body)
    assert caught.value.code == "not_json"


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert reading.parse_body(rb'{"a": "x\ud800y", "b": "\ud83d\ude00"}') == {
        "a": "x�y",
        "b": "😀",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
FIELDS = [
    *("model", "messages", "tools", "format", "options", "think", "prompt", "suffix", "system"),
    *("template", "context", "raw", "images", "stream", "truncate", "shift", "logprobs"),
    *("top_logprobs", "keep_alive", "input", "dimensions", "name"),
]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_request_is_read_or_refused(asked: dict[str, Any]) -> None:
    again = {"model": "tiny", **asked}
    for parse in (
        reading.parse_chat,
        reading.parse_generate,
        reading.parse_embed,
        reading.parse_embeddings,
    ):
        try:
            parse(again)
        except InputError as error:
            json.dumps(error.as_dict())


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("library/docs@previous", "docs@previous"),
        ("docs:latest@previous@remote:big", "docs@previous@remote:big"),
        ("docs:2@rejected-0123abcd", "docs:2@rejected-0123abcd"),
    ],
)
def test_what_a_hop_put_aside_keeps_its_name(asked: str, stored: str) -> None:
    assert reading.stored_name(asked) == stored
