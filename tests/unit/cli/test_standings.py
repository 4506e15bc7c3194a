"""A standing as one word, one line, one field."""

from __future__ import annotations

from metier.cli.standings import standing_document, standing_lines, state_word, with_states
from stand_in.watching import standing


def test_one_word_says_the_state_or_that_it_is_suspect() -> None:
    assert state_word(None).plain == ""
    assert state_word(standing("a")).plain == "DEMOTED"
    assert state_word(standing("a", suspect=True)).plain == "DEMOTED"
    assert state_word(standing("a", state="PROMOTED", suspect=True)).plain == "suspect"


def test_a_column_is_there_once_somebody_looked() -> None:
    rows = [["name", "task"], ["a", "classify"], ["b", "chat"]]
    assert with_states(rows, {}) == rows  # type: ignore[arg-type]
    title, first, second = with_states(rows, {"a": standing("a")})  # type: ignore[arg-type]
    assert [str(row[-1]) for row in (title, first, second)] == ["watch", "DEMOTED", ""]


def test_a_line_and_a_field() -> None:
    assert standing_lines(None, 80) == []
    lines = standing_lines(standing("a", why="a \x1b[31mred\x1b[0m reason"), 80)
    assert str(lines[0]).startswith("Watch: DEMOTED since 12 Nov 2026: a ")
    assert "\x1b" not in str(lines[0])
    assert standing_document(None) == {"watch": None}
    assert standing_document(standing("a"))["watch"]["state"] == "DEMOTED"
