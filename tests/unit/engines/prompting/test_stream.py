"""Parting a stream: the same result however it is cut, and nothing lost."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.engines.prompting.dialects import Dialect, dialect_of
from metier.engines.prompting.stream import MarkParser, held_back, kinds_of, merged
from metier.generating import Piece, ToolCall

TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "look",
            "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
        },
    },
)
FAMILIES = {
    "hermes": "<tool_call> <think>",
    "xml": "<tool_call><function=",
    "functionary": "<function=",
    "mistral": "[TOOL_CALLS] [THINK]",
    "granite": "<|tool_call|>",
    "phi": "<|tool_call|><|/tool_call|>",
    "command": "<|START_ACTION|> <|START_THINKING|>",
    "deepseek": "<｜tool▁calls▁begin｜> </think>",
    "kimi": "<|tool_calls_section_begin|>",
    "llama": "<|python_tag|>",
    "plain": "",
}
CALL = '{"name": "look", "arguments": {"at": "%s"}}'


def parted(
    text: str, dialect: Dialect, cuts: list[int] | None = None, closing: str = ""
) -> tuple[str, str, tuple[ToolCall, ...]]:
    """Text, thinking and calls of an answer that comes in pieces of these lengths, repeated."""
    parser = MarkParser(dialect, TOOLS, closing)
    pieces: list[Piece] = []
    position = 0
    lengths = cuts or [max(1, len(text))]
    index = 0
    while position < len(text):
        size = lengths[index % len(lengths)]
        pieces += parser.feed(text[position : position + size])
        position += size
        index += 1
    pieces += parser.finish()
    return (
        "".join(piece.text for piece in pieces),
        "".join(piece.thinking for piece in pieces),
        tuple(call for piece in pieces for call in piece.tool_calls),
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("family", "text", "spoken", "thought", "calls"),
    [
        ("plain", "Hello <b> & { [", "Hello <b> & { [", "", []),
        ("plain", " \n lead", " \n lead", "", []),
        ("hermes", "<think>\n hm, </thi \n</think>\n\nYes.", "Yes.", "hm, </thi", []),
        ("hermes", "<think>cut off", "", "cut off", []),
        ("hermes", "<think></think>a", "a", "", []),
        ("hermes", "a <think>b</think>", "a <think>b</think>", "", []),
        ("hermes", "Sure.\n<tool_call>\n%s\n</tool_call>" % (CALL % "x"), "Sure.", "", ["x"]),
        (
            "hermes",
            "<tool_call>{}</tool_call>\n<tool_call>{}</tool_call>".format(CALL % "x", CALL % "y"),
            "",
            "",
            ["x", "y"],
        ),
        ("hermes", "<tool_call>%s" % (CALL % "x"), "", "", ["x"]),
        ("hermes", "<tool_call>%s</tool_call>" % (CALL % "</tool_call>"), "", "", ["</tool_call>"]),
        ("hermes", "a <tool_call>{bad}</tool_call> b", "a <tool_call>{bad}</tool_call> b", "", []),
        ("hermes", "a <tool_call>{unfinished", "a <tool_call>{unfinished", "", []),
        (
            "hermes",
            '<tool_call>{"name": "look"</tool_call><tool_call>%s</tool_call>' % (CALL % "x"),
            '<tool_call>{"name": "look"</tool_call>',
            "",
            ["x"],
        ),
        ("hermes", "a <tool_cal", "a <tool_cal", "", []),
        (
            "xml",
            (
                "<tool_call>\n<function=look>\n<parameter=at>\n x\ny\n</parameter>\n</function>\n"
                "</tool_call>"
            ),
            "",
            "",
            [" x\ny"],
        ),
        ("functionary", 'So: <function=look>{"at": "x"}</function>', "So:", "", ["x"]),
        ("mistral", "[TOOL_CALLS] [%s]" % (CALL % "x]"), "", "", ["x]"]),
        (
            "mistral",
            '[TOOL_CALLS]look[ARGS]{"at": "x"}[TOOL_CALLS]look[CALL_ID]ab1[ARGS]{"at": "y"}',
            "",
            "",
            ["x", "y"],
        ),
        ("mistral", "[THINK]a[/THINK]b [TOOL_CALLS] c", "b [TOOL_CALLS] c", "a", []),
        ("granite", "<|tool_call|>[%s]" % (CALL % "x"), "", "", ["x"]),
        ("phi", "<|tool_call|>[%s]<|/tool_call|>" % (CALL % "x"), "", "", ["x"]),
        (
            "command",
            (
                "<|START_THINKING|>a<|END_THINKING|><|START_ACTION|>[\n"
                '{"tool_call_id": "0", "tool_name": "look", "parameters": {"at": "x"}}]'
                "<|END_ACTION|>"
            ),
            "",
            "a",
            ["x"],
        ),
        (
            "deepseek",
            (
                "a<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n"
                '{"at": "x"}\n```<｜tool▁call▁end｜>\n'
                '<｜tool▁call▁begin｜>look<｜tool▁sep｜>{"at": "y"}'
                "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
            ),
            "a",
            "",
            ["x", "y"],
        ),
        (
            "kimi",
            (
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.look:0"
                '<|tool_call_argument_begin|>{"at": "x"}<|tool_call_end|><|tool_calls_section_end|>'
            ),
            "",
            "",
            ["x"],
        ),
        ("llama", '{"name": "look", "parameters": {"at": "x"}}', "", "", ["x"]),
        (
            "llama",
            ' {"name": "look", "parameters": {"at": "x"}}; %s' % (CALL % "y"),
            "",
            "",
            ["x", "y"],
        ),
        ("llama", '<|python_tag|>look.call(at="x")', "", "", ["x"]),
        (
            "llama",
            '{"name": "other", "parameters": {}} x',
            '{"name": "other", "parameters": {}} x',
            "",
            [],
        ),
        ("llama", '{"answer": 1} x', '{"answer": 1} x', "", []),
        ("llama", '{"name": "lo', '{"name": "lo', "", []),
    ],
)
def test_families(
    family: str, text: str, spoken: str, thought: str, calls: list[str], size: int
) -> None:
    result = parted(text, dialect_of(FAMILIES[family]), [size])
    assert result[:2] == (spoken, thought)
    assert [call.arguments for call in result[2]] == [{"at": at} for at in calls]
    assert {call.name for call in result[2]} <= {"look"}


def test_thoughts_that_the_prompt_has_opened() -> None:
    assert parted("a\n</think>\nb", Dialect(), [1], "</think>") == ("b", "a", ())


def test_text_comes_as_soon_as_it_is_certain() -> None:
    parser = MarkParser(dialect_of(FAMILIES["hermes"]), TOOLS)
    assert parser.feed("Hello") == [Piece(text="Hello")]
    assert parser.feed(" <tool") == []
    assert parser.feed("box> b") == [Piece(text=" <toolbox> b")]


def test_without_tools_marks_of_calls_are_text() -> None:
    parser = MarkParser(dialect_of(FAMILIES["hermes"]))
    text = "<tool_call>%s</tool_call>" % (CALL % "x")
    assert parser.feed(text) == [Piece(text=text)]


MARKS = sorted(
    {mark for text in FAMILIES.values() for mark in dialect_of(text).marks}
    | {"<function=", "</function>", "<parameter=at>", "</parameter>", "<function=look>", "```"}
)
FRAGMENTS = st.one_of(
    st.integers(0, 999).map(lambda n: f"w{n}."),
    st.sampled_from([" ", "\n", "\n\n", "{", "}", "[", "]", '"', "\\", "<", "|", ",", ";", ":"]),
    st.sampled_from(MARKS),
    st.sampled_from(MARKS).flatmap(
        lambda mark: st.integers(0, len(mark)).map(lambda end: mark[:end])
    ),
    st.integers(0, 999).map(lambda n: CALL % f"w{n}."),
    st.integers(0, 999).map(lambda n: CALL.replace("arguments", "parameters") % f"w{n}."),
    st.integers(0, 999).map(lambda n: "<tool_call>%s</tool_call>" % (CALL % f"w{n}.")),
    st.integers(0, 999).map(lambda n: "[TOOL_CALLS] [%s]" % (CALL % f"w{n}.")),
    st.integers(0, 999).map(lambda n: "[TOOL_CALLS]look[ARGS]" + json.dumps({"at": f"w{n}."})),
)
ANSWERS = st.lists(FRAGMENTS, max_size=14).map("".join)


@settings(max_examples=400, deadline=None)
@given(
    text=ANSWERS,
    family=st.sampled_from(sorted(FAMILIES)),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    opened=st.booleans(),
)
def test_cuts_change_nothing(text: str, family: str, cuts: list[int], opened: bool) -> None:
    dialect = dialect_of(FAMILIES[family])
    closing = dialect.thoughts[0][1] if opened else ""
    whole = parted(text, dialect, None, closing)
    assert parted(text, dialect, cuts, closing) == whole
    assert parted(text, dialect, [1], closing) == whole


@settings(max_examples=400, deadline=None)
@given(text=ANSWERS, family=st.sampled_from(sorted(FAMILIES)))
def test_no_word_is_lost(text: str, family: str) -> None:
    spoken, thought, calls = parted(text, dialect_of(FAMILIES[family]), [5])
    kept = spoken + thought + "".join(json.dumps(dict(c.arguments)) + c.name for c in calls)
    for word in {part for part in text.replace('"', " ").split() if part.startswith("w")}:
        name = word.partition(".")[0] + "."
        assert text.count(name) <= kept.count(name) or name not in text
    opened = any(pair[0] in text for pair in dialect_of(FAMILIES[family]).thoughts)
    if not calls and not opened:
        assert spoken == text


@settings(max_examples=200, deadline=None)
@given(text=st.text(), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_any_text_passes(text: str, cuts: list[int]) -> None:
    dialect = dialect_of(" ".join(FAMILIES.values()))
    assert parted(text, dialect, cuts) == parted(text, dialect)


def test_a_flood_of_marks_is_borne() -> None:
    for flood in ("<tool_call>{" + "</tool_call>" * 2000, "<tool_call>" * 3000, "{" * 20_000):
        start = time.thread_time()
        parted(flood, dialect_of(FAMILIES["hermes"]), [4])
        assert time.thread_time() - start < 3


def test_held_back() -> None:
    assert held_back("abc<to", ("<tool>",)) == 3
    assert held_back("abc", ("<tool>",)) == 3
    assert held_back("<<", ("<tool>",)) == 1
    assert held_back("abc", ()) == 3


def test_kinds_of_odd_tools() -> None:
    odd = ({}, {"function": 3}, {"function": {"name": "a", "parameters": []}}, {"name": "b"})
    assert kinds_of(odd) == {"": {}, "a": {}, "b": {}}


def test_merged() -> None:
    call = Piece(tool_calls=(ToolCall("a", {}),))
    pieces = [
        Piece(text="a"),
        Piece(text="b"),
        Piece(),
        call,
        Piece(thinking="c"),
        Piece(thinking="d"),
    ]
    assert merged(pieces) == [Piece(text="ab"), call, Piece(thinking="cd")]
