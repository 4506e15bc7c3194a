"""Metier's own dialect: what /v1/classify reads, what it writes, and that both are as described."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from metier.card import Verdict
from metier.errors import InputError
from metier.messages import Progress
from metier.server import native
from metier.server.limits import Limits
from stand_in.cards import banking
from stand_in.metier import predict

LIMITS = Limits(texts=4, text_characters=50, top=9)


def parse(value: Any) -> native.Question:
    return native.parse_question(json.dumps(value).encode(), LIMITS)


@pytest.mark.parametrize("field", ["input", "texts", "text"])
def test_one_text_or_many_under_each_name(field: str) -> None:
    assert parse({"model": "m", field: "a"}) == native.Question("m", ("a",), 5, True)
    assert parse({"model": "m", field: ["a", "b"], "top": 2}).texts == ("a", "b")


def test_unknown_fields_and_nulls_are_ignored() -> None:
    asked = {"model": "m", "input": "a", "top": None, "texts": None, "user": {"x": 1}}
    assert parse(asked) == native.Question("m", ("a",), 5, True)


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"input": "a"}, "model", "bad_request"),
        ({"model": 3, "input": "a"}, "model", "bad_request"),
        ({"model": "m"}, "input", "bad_request"),
        ({"model": "m", "input": 7}, "input", "bad_request"),
        ({"model": "m", "input": {"a": 1}}, "input", "bad_request"),
        ({"model": "m", "input": []}, "input", "bad_request"),
        ({"model": "m", "input": ["a", 3]}, "input[1]", "bad_request"),
        ({"model": "m", "input": ["a", " \n"]}, "input[1]", "bad_request"),
        ({"model": "m", "texts": ["a"] * 5}, "texts", "too_large"),
        ({"model": "m", "text": "a" * 51}, "text", "too_large"),
        ({"model": "m", "input": "\ud800"}, "input", "bad_request"),
        ({"model": "m", "input": "a", "top": 0}, "top", "bad_request"),
        ({"model": "m", "input": "a", "top": 10}, "top", "bad_request"),
        ({"model": "m", "input": "a", "top": True}, "top", "bad_request"),
        ({"model": "m", "input": "a", "top": "5"}, "top", "bad_request"),
    ],
)
def test_a_wrong_field_is_named_with_a_remedy(asked: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(asked)
    assert caught.value.details["param"] == param
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_json"),
        (b'"a"', "not_json"),
        (b"\xff\xfe{", "bad_encoding"),
        (b"[" * 100_000, "not_json"),
        (b'{"model": ' + b"9" * 5000 + b"}", "not_json"),
    ],
)
def test_what_is_not_a_json_object_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        native.parse_question(body, LIMITS)
    assert caught.value.code == code


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(body: bytes) -> None:
    try:
        native.parse_question(body, LIMITS)
    except InputError as error:
        assert error.message  # noqa: PT017  either outcome is fine, a crash is not


json_values = st.sampled_from(
    [
        None,
        True,
        0,
        3,
        99,
        1.5,
        "",
        "a",
        " ",
        "m",
        [],
        ["a"],
        ["a", "b"],
        ["a", 1],
        [[]],
        {},
        {"a": 1},
    ]
)


@given(
    st.fixed_dictionaries(
        {},
        optional={"model": json_values, "input": json_values, "top": json_values},
    )
)
def test_what_the_parser_takes_fits_the_description(asked: dict[str, Any]) -> None:
    try:
        question = parse(asked)
    except InputError:
        return
    described = native.ClassifyRequest.model_validate(
        {name: value for name, value in asked.items() if value is not None}
    )
    assert question.model == described.model


def test_the_description_refuses_what_the_parser_refuses() -> None:
    with pytest.raises(ValidationError):
        native.ClassifyRequest.model_validate({"model": "m"})


def test_a_reply_is_what_the_description_says() -> None:
    labels = banking().labels
    for texts, single in ((("where is my card",), True), (("OUT", "a"), False)):
        question = native.Question("m", texts, 3, single)
        predictions = [predict(labels, text, 3) for text in texts]
        body = json.loads(native.reply(question, predictions, 1.25))
        reply = native.ClassifyReply.model_validate(body)
        assert len(reply.results) == len(texts)
        assert len(reply.results[0].scores) == 3
        assert ("label" in body) is single
        assert reply.usage.milliseconds == 1.25
    assert body["results"][0]["label"] is None
    assert body["results"][0]["out_of_scope"] is True


def test_a_probability_that_is_no_number_never_leaves() -> None:
    broken = predict(("a", "b"), "abc", 2)
    object.__setattr__(broken, "probability", float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        native.reply(native.Question("m", ("a",), 2, True), [broken], 1.0)


def test_plain_turns_every_value_of_ours_into_json() -> None:
    value = {
        "card": banking(),
        "verdict": Verdict.NOT_WORSE,
        "set": {1},
        "progress": Progress("rung", "x", data={"a": (1, 2)}),
    }
    plain = native.plain(value)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["verdict"] == "NOT WORSE"
    assert plain["progress"]["data"] == {"a": [1, 2]}
