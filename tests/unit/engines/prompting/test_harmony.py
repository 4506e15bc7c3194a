"""Answers in channels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.engines.prompting.dialects import HARMONY_MARKS
from metier.engines.prompting.harmony import HarmonyParser
from metier.generating import Piece, ToolCall

TOOLS = ({"type": "function", "function": {"name": "look", "parameters": {}}},)
PROMPT = "<|start|>user<|message|>q<|end|><|start|>assistant"


def parted(
    text: str, size: int = 10_000, prompt: str = PROMPT
) -> tuple[str, str, tuple[ToolCall, ...]]:
    parser = HarmonyParser(TOOLS, prompt)
    pieces: list[Piece] = []
    for start in range(0, len(text), size):
        pieces += parser.feed(text[start : start + size])
    pieces += parser.finish()
    return (
        "".join(piece.text for piece in pieces),
        "".join(piece.thinking for piece in pieces),
        tuple(call for piece in pieces for call in piece.tool_calls),
    )


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize(
    ("text", "spoken", "thought", "arguments"),
    [
        (
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final"
                "<|message|>yes<|return|>"
            ),
            "yes",
            "hm",
            [],
        ),
        (
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary "
                'to=functions.look <|constrain|>json<|message|>{"at": 1}<|call|>'
            ),
            "",
            "hm",
            [{"at": 1}],
        ),
        (
            '<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{"at": 2}',
            "",
            "",
            [{"at": 2}],
        ),
        ("<|channel|>commentary<|message|>I will look.<|end|>", "I will look.", "", []),
        ("<|channel|>commentary to=functions.look<|message|>{bad<|call|>", "{bad", "", []),
        ("no channel at all", "no channel at all", "", []),
        ("<|channel|>final<|message|>a <|en b", "a <|en b", "", []),
        ("<|channel|>fin", "<|channel|>fin", "", []),
        ("<|channel|>analysis<|message|>cut", "", "cut", []),
    ],
)
def test_channels(
    text: str, spoken: str, thought: str, arguments: list[dict[str, int]], size: int
) -> None:
    result = parted(text, size)
    assert result[:2] == (spoken, thought)
    assert [dict(call.arguments) for call in result[2]] == arguments


def test_a_message_that_the_prompt_has_opened() -> None:
    opened = PROMPT + "<|channel|>analysis<|message|>"
    assert parted("hm<|end|>", prompt=opened) == ("", "hm", ())
    half = PROMPT + "<|channel|>"
    assert parted("final<|message|>a", prompt=half) == ("a", "", ())


FRAGMENTS = st.one_of(
    st.integers(0, 99).map(lambda n: f"w{n}."),
    st.sampled_from(
        [*HARMONY_MARKS, "<|channel|>analysis", "<|channel|>final<|message|>", " to=functions.look"]
    ),
    st.sampled_from([" ", "\n", "{", "}", '{"at": 1}', "<|", "|>", "assistant"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map("".join), st.integers(1, 9))
def test_cuts_change_nothing(text: str, size: int) -> None:
    assert parted(text, size) == parted(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["<|channel|>final<|message|>", "<|end|>", "a.", "b ", "<|"])))
def test_no_word_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    spoken, thought, _ = parted(text, 3)
    for word in ("a.", "b"):
        assert (spoken + thought).count(word) >= text.count(word)
