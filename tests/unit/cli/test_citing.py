"""Passages in a terminal: an excerpt, where it stands, and nothing that a terminal would obey."""

from __future__ import annotations

from metier.cli.citing import (
    EXCERPT_LINES,
    citation_lines,
    passage_document,
    passage_lines,
)
from metier.conversing import Passage


def passage(text: str = "Call `sorted`.", **more: str | None) -> Passage:
    return Passage(
        id="a#b", text=text, title="Lists", trail=("Lists", "Sorting"), path="lists.md",
        source="notes", version="notes@1", address=more.get("address"),
    )  # fmt: skip


def test_a_passage_has_its_trail_version_excerpt_and_place() -> None:
    lines = [line.plain for line in passage_lines([passage(address="https://x/lists")], 80)]
    assert lines == [
        "[1] Lists › Sorting  notes@1",
        "    Call `sorted`.",
        "    https://x/lists",
    ]
    (line,) = citation_lines([passage()])
    assert line.plain == "[1] Lists › Sorting  notes@1  notes, lists.md"


def test_prose_is_wrapped_and_code_is_not() -> None:
    text = f"{'word ' * 30}\n\n```js\n{'x' * 100}\n```"
    lines = [line.plain for line in passage_lines([passage(text)], 60)]
    assert max(len(line) for line in lines if "x" * 100 not in line) <= 60
    assert any("x" * 100 in line for line in lines)


def test_a_long_passage_is_cut_with_a_sign() -> None:
    lines = passage_lines([passage("line\n\n" * 60)], 80)
    assert len(lines) <= EXCERPT_LINES + 4
    assert "…" in {line.plain.strip() for line in lines}


def test_control_characters_are_shown_and_not_obeyed() -> None:
    hostile = passage("\x1b]0;owned\x07 red \x1b[31m \u202eback")
    told = "\n".join(line.plain for line in passage_lines([hostile], 80))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "red" in told


def test_a_passage_is_a_document() -> None:
    document = passage_document(passage())
    assert document["trail"] == ["Lists", "Sorting"]
    assert document["address"] is None
