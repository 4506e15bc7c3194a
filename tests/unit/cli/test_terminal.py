"""Terminals: width, colour and characters follow the stream; columns line up."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from metier.cli.terminal import ASCII, UNICODE, Terminal, aligned, beside, shortened, wrapped

WORDS = st.text("ab,é日本-", min_size=1, max_size=12)


def stream(encoding: str) -> tuple[io.BytesIO, io.TextIOWrapper]:
    raw = io.BytesIO()
    return raw, io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", newline="\n")


def test_plain_output_has_no_colour_and_no_cut() -> None:
    raw, text = stream("utf-8")
    screen = Terminal.of(text)
    screen.write([Text("bold", style="bold red"), "x" * 300], cut=True)
    text.flush()
    assert raw.getvalue().decode() == f"bold\n{'x' * 300}\n"
    assert not screen.interactive
    assert screen.width == 80
    assert screen.signs is UNICODE


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_other_encodings_get_ascii(encoding: str) -> None:
    raw, text = stream(encoding)
    screen = Terminal.of(text)
    assert screen.signs is ASCII
    screen.write(["91 ± 2 … ≥ 3 × 4"])
    text.flush()
    assert raw.getvalue() == b"91 +/- 2 ~ >= 3 x 4\n"


def test_ascii_signs_are_ascii() -> None:
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__slots__)
    assert all(len(getattr(ASCII, name)) == 1 for name in ASCII.__slots__)


def test_columns_line_up_and_end_without_spaces() -> None:
    lines = aligned([["name", "n"], ["a", "1,000"], ["日本", "7"]], "lr")
    assert [line.plain for line in lines] == ["name      n", "a     1,000", "日本      7"]
    assert {line.cell_len for line in lines} == {11}
    assert aligned([["a", ""], ["b", "x"]], "ll")[0].plain == "a"


@given(st.lists(WORDS, min_size=1, max_size=30), st.integers(10, 80))
def test_wrapping_loses_no_word_and_fits(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width)
    assert " ".join(line.plain for line in lines).split() == " ".join(words).split()
    longest = max(Text(word).cell_len for word in words)
    assert all(line.cell_len <= max(width, longest) for line in lines)


@given(st.text(max_size=50), st.integers(2, 40))
def test_a_cut_line_fits_and_shows_the_cut(text: str, width: int) -> None:
    line = Text(text.replace("\n", " "))
    cut = shortened(line, width, UNICODE)
    assert cut.cell_len <= width
    assert cut.plain == line.plain or cut.plain.endswith("…")


def test_blocks_stand_side_by_side_only_if_they_fit() -> None:
    left, right = [Text("ab"), Text("c")], [Text("1"), Text("2"), Text("3")]
    assert [line.plain for line in beside(left, right, 20)] == ["ab   1", "c    2", "     3"]
    assert [line.plain for line in beside(left, right, 5)] == ["ab", "c", "", "1", "2", "3"]
    assert beside(left, [], 20) == left
