"""Values come back as they were sent; lines are cut wherever the pipe cuts them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from metier.engines.llamacpp import wire
from metier.errors import InputError, InternalError, MetierError, UnavailableError
from metier.generating import (
    Constraint,
    Message,
    Options,
    Piece,
    Question,
    Taken,
    TokenChance,
    ToolCall,
    Voice,
    Written,
)

CALL = ToolCall("weather", {"city": "Rome"}, "1")
CHANCE = TokenChance("é", -0.5, b"\xc3", (TokenChance("a", -1.0, b"a"),))
OPTIONS = Options(temperature=0.0, stop=("a", "b"), seed=3, logit_bias={5: -1.0})


def travelled(plain: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(wire.pack({"value": plain}))["value"]
    return found


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question(prompt="", suffix="", context=(1, 2), logprobs=True, top_logprobs=3),
        Question(
            messages=(
                Message("user", "a\nb😀", pictures=(b"\x00\xff",)),
                Message("assistant", "", thinking="hm", tool_calls=(CALL,)),
                Message("tool", "warm", tool_name="weather", tool_call_id="1"),
            ),
            tools=({"type": "function", "function": {"name": "weather"}},),
            tool_choice="required",
            constraint=Constraint("schema", {"type": "object"}),
            think="high",
            options=OPTIONS,
            template="{{ .Prompt }}",
            truncate=True,
            shift=True,
            cache_prompt=False,
        ),
    ],
)
def test_questions(question: Question) -> None:
    assert wire.to_question(travelled(wire.from_question(question))) == question


def test_voices() -> None:
    voice = Voice({"sha256:a": 0.5}, "{{ x }}", "go", OPTIONS)
    assert wire.to_voice(travelled(wire.from_voice(voice))) == voice
    assert wire.from_voice(Voice()) == {}
    assert wire.to_voice({}) == Voice()


def test_pieces_and_answers() -> None:
    piece = Piece("text", "thought", (CALL,), (CHANCE,))
    assert wire.to_piece(travelled(wire.from_piece(piece))) == piece
    assert wire.from_piece(Piece()) == {}
    written = Written(
        "t", "h", (CALL,), (CHANCE,), "length", True, (1, 2), Taken(1, 2, 3, 4, 5, 6, 7)
    )
    assert wire.to_written(travelled(wire.from_written(written))) == written


def test_errors_keep_their_kind_code_remedy_and_details() -> None:
    for error in (
        InputError("no", code="prompt_too_long", remedy="less", details={"tokens": 5}),
        UnavailableError("later", code="engine_failed", retryable=True),
    ):
        back = wire.to_error(travelled(wire.from_error(error)))
        assert type(back) is type(error)
        assert back.as_dict() == error.as_dict()


@pytest.mark.parametrize("kind", ["annotations", "Nothing", "MetierError"])
def test_an_unknown_kind_is_ours(kind: str) -> None:
    back = wire.to_error({**MetierError("x").as_dict(), "kind": kind})
    assert type(back) is (MetierError if kind == "MetierError" else InternalError)


@given(some.lists(some.binary(max_size=20).map(lambda data: data.replace(b"\n", b""))), some.data())
def test_lines_are_cut_wherever_the_pipe_cuts_them(
    lines: list[bytes], data: some.DataObject
) -> None:
    sent = b"".join(line + b"\n" for line in lines)
    cutter, found = wire.Lines(), []
    while sent:
        length = data.draw(some.integers(1, len(sent)))
        found += cutter.add(sent[:length])
        sent = sent[length:]
    assert found == lines


def test_half_a_character_travels_too() -> None:
    assert json.loads(wire.pack({"a": "\ud800"})) == {"a": "\ud800"}
