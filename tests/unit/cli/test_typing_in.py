"""Typing: lines, many lines, Ctrl-C, the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from metier.cli.typing_in import MORE, PROMPT, entries, keyboard


def typed(lines: Sequence[str | type[BaseException]]) -> tuple[list[str], list[str]]:
    left, prompts = list(lines), []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        line = left.pop(0) if left else EOFError
        if isinstance(line, str):
            return line
        raise line

    return list(entries(read)), prompts


def test_one_line_is_one_entry():
    assert typed(["hello", "", "again"]) == (["hello", "", "again"], [PROMPT] * 4)


def test_three_quotation_marks_hold_many_lines():
    found, prompts = typed(['"""one', "two", 'three"""', '/set system """a', 'b"""', '"""x"""'])
    assert found == ["one\ntwo\nthree", "/set system a\nb", "x"]
    assert prompts[:3] == [PROMPT, MORE, MORE]


def test_quotation_marks_in_the_middle_are_words():
    assert typed(['say """hello""" twice'])[0] == ['say """hello""" twice']


def test_ctrl_c_drops_what_was_typed():
    assert typed(['"""one', KeyboardInterrupt, "two"])[0] == ["two"]


def test_the_keyboard_remembers_lines_in_a_private_file(tmp_path: Path):
    history = tmp_path / "home" / "history"
    with create_pipe_input() as source, create_app_session(input=source, output=DummyOutput()):
        read = keyboard(history, ["/set x", "/bye"])
        source.send_text("first\n")
        assert read(PROMPT) == "first"
        source.send_text("\x10\n")
        assert read(PROMPT) == "first"
    assert "first" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_a_long_history_is_shortened(tmp_path: Path):
    history = tmp_path / "history"
    history.write_text("+line\n" * 300_000)
    with create_pipe_input() as source, create_app_session(input=source, output=DummyOutput()):
        keyboard(history, [])
    assert history.stat().st_size == 10_000 * len("+line\n")
