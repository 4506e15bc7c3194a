"""Which marks a template's text shows."""

from __future__ import annotations

import pytest

from metier.engines.prompting.dialects import HARMONY_MARKS, dialect_of


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("{{ '<tool_call>' }}", "<tool_call>"),
        ("[TOOL_CALLS]", "[TOOL_CALLS]"),
        ("<|tool_call|>", "<|tool_call|>"),
        ("<|START_ACTION|>", "<|START_ACTION|>"),
        ("<|python_tag|>", "<|python_tag|>"),
        ("<function=name>", "<function="),
        ("<minimax:tool_call>", "<minimax:tool_call>"),
        ("<seed:tool_call>", "<seed:tool_call>"),
        ("<|tool_call_start|>", "<|tool_call_start|>"),
        ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁begin｜>"),
        ("<|tool_calls_section_begin|>", "<|tool_calls_section_begin|>"),
    ],
)
def test_calls(text: str, opening: str) -> None:
    assert [notation.opening for notation in dialect_of(text).notations] == [opening, ""]


def test_one_mark_with_two_endings_is_read_once() -> None:
    granite, phi = dialect_of("<|tool_call|>"), dialect_of("<|tool_call|>x<|/tool_call|>")
    assert granite.notations[0].closing == ""
    assert phi.notations[0].closing == "<|/tool_call|>"
    assert len(phi.notations) == 2


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("content.split('</think>')", ("<think>", "</think>")),
        ("[THINK]", ("[THINK]", "[/THINK]")),
        ("<seed:think>", ("<seed:think>", "</seed:think>")),
        ("<|START_THINKING|>", ("<|START_THINKING|>", "<|END_THINKING|>")),
        ("<|channel>thought\n", ("<|channel>thought\n", "<channel|>")),
    ],
)
def test_thoughts(text: str, pair: tuple[str, str]) -> None:
    dialect = dialect_of(text)
    assert dialect.thinks
    assert dialect.thoughts[0] == pair


def test_nothing_shown() -> None:
    dialect = dialect_of("plain")
    assert not dialect.thinks
    assert dialect.marks == ("<think>", "</think>", "<thinking>", "</thinking>")


def test_harmony() -> None:
    dialect = dialect_of("<|channel|>analysis<|message|>")
    assert dialect.harmony
    assert dialect.marks == HARMONY_MARKS


def test_inner_marks_are_preserved_too() -> None:
    assert {"[TOOL_CALLS]", "[ARGS]"} <= set(dialect_of("[TOOL_CALLS]").marks)
