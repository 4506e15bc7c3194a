"""Answers on a terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from metier.cli.speaking import Speaking, Wrapping, timing_lines
from metier.cli.terminal import UNICODE, Terminal
from metier.generating import Piece, Taken, ToolCall, Written


def shown(width: int, *pieces: str) -> str:
    wrapping = Wrapping(width)
    return "".join(wrapping.feed(piece) for piece in pieces) + wrapping.finish()


def screen(width: int = 20) -> tuple[Terminal, io.StringIO]:
    stream = io.StringIO()
    return Terminal(Console(file=stream, width=width, markup=False), width, True, UNICODE), stream


def test_lines_break_at_spaces_however_the_text_comes():
    text = "one two three four"
    assert shown(9, text) == "one two\nthree\nfour"
    assert shown(9, *text) == "one two\nthree\nfour"


def test_code_and_unbroken_lines_stay_as_they_are():
    fenced = "```\nlet quite_a_long_line = 1 + 2 + 3\n```\n"
    assert shown(9, fenced) == fenced
    assert shown(0, "one two three four") == "one two three four"


@given(st.lists(st.text(alphabet="ab \n`"), max_size=8))
def test_nothing_is_lost_but_spaces_at_a_break(pieces: list[str]):
    whole = "".join(pieces)
    assert shown(5, *pieces).split() == whole.split()
    assert shown(5, *pieces) == shown(5, whole)


def test_thinking_is_set_apart_and_calls_are_shown():
    terminal, stream = screen(80)
    speaking = Speaking(terminal)
    speaking.piece(Piece(thinking="so, "))
    speaking.piece(Piece(thinking="yes"))
    speaking.piece(Piece(text="Yes."))
    speaking.piece(Piece(tool_calls=(ToolCall("add", {"a": 1}),)))
    speaking.finish()
    assert "Thinking…\nso, yes\n…done thinking.\n\n" in stream.getvalue()
    assert "add(a=1)" in stream.getvalue()


def test_thinking_can_be_left_out():
    terminal, stream = screen()
    speaking = Speaking(terminal, thinking=False)
    speaking.piece(Piece(thinking="so"))
    speaking.piece(Piece(text="Yes."))
    speaking.finish()
    assert stream.getvalue() == "Yes.\n"


def test_a_models_words_are_no_commands_of_the_terminal():
    terminal, stream = screen()
    speaking = Speaking(terminal)
    speaking.piece(Piece(text="\x1b]0;owned\x07\x9b31m\u202eevil"))
    speaking.finish()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(stream.getvalue())


@pytest.mark.parametrize("cached", [0, 30])
def test_what_it_took_leaves_cached_tokens_out(cached: int):
    taken = Taken(2.0, 0.5, 0.5, 1.0, tokens_in=80, tokens_cached=cached, tokens_out=20)
    lines = timing_lines(Written("x", taken=taken))
    assert f"prompt           {80 - cached} tokens in 0.50 s" in "\n".join(lines)
    assert lines[-1] == "answer           20 tokens in 1.00 s, 20.0 tokens/s"
    assert any("cache" in line for line in lines) is bool(cached)
