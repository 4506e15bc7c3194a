"""Prompts: where documents stand, what is searched for, and what a base is told of its answer."""

from __future__ import annotations

import pytest

from metier.answer.prompting import (
    MOST_DIAGNOSTICS,
    QUERY_CHARACTERS,
    fitting,
    in_tool_loop,
    prompted,
    query_of,
    repair_request,
    with_documents,
)
from metier.coding import Diagnostic, SourceFile
from metier.conversing import Sampling, Turn
from metier.errors import InputError
from small_tool import passage

TALK = [
    Turn("user", "How do I use snippets in Svelte, with parameters and defaults?"),
    Turn("assistant", "Like this."),
    Turn("user", "And with two?"),
]


def test_a_short_question_leans_on_the_one_before() -> None:
    assert query_of(TALK) == f"And with two?\n{TALK[0].text}"
    long = Turn("user", "How do I load data on the server before a page is shown?")
    assert query_of([*TALK, long]) == long.text


def test_code_is_searched_for_after_the_words() -> None:
    code = "```svelte\n<p>{#snippet}</p>\n```"
    asked = Turn("user", f"Why does this component not compile in Svelte 5?\n{code}\nPlease.")
    words = "Why does this component not compile in Svelte 5? Please."
    assert query_of([asked]) == f"{words}\n{code}"
    assert len(query_of([Turn("user", "word " * 10_000 + code)])) <= QUERY_CHARACTERS


def test_what_follows_the_last_question_changes_nothing() -> None:
    later = [*TALK, Turn("assistant", "", {"tool_calls": [{}]}), Turn("tool", "results")]
    assert query_of(later) == query_of(TALK)


def test_there_must_be_a_question() -> None:
    with pytest.raises(InputError):
        query_of([Turn("system", "You are.")])


@pytest.mark.parametrize(
    ("turns", "extra", "loop"),
    [
        (TALK, {}, False),
        (TALK, {"tools": []}, False),
        (TALK, {"tools": [{"type": "function"}]}, True),
        (TALK, {"functions": [{}]}, True),
        ([*TALK, Turn("assistant", "", {"tool_calls": [{}]})], {}, True),
        ([*TALK, Turn("tool", "x")], {}, True),
        ([*TALK, Turn("user", "x", {"tool_call_id": "c"})], {}, True),
    ],
)
def test_who_drives(turns, extra, loop) -> None:
    assert in_tool_loop(turns, Sampling(extra=extra)) is loop


def test_one_system_turn_stands_first() -> None:
    turns = [Turn("user", "a"), Turn("system", "theirs"), Turn("user", "b")]
    asked = prompted(turns, "ours", "DOCS")
    assert asked == (Turn("system", "ours\n\ntheirs"), Turn("user", "a"), Turn("user", "DOCS\n\nb"))
    assert prompted(turns[:1], "", "") == (Turn("user", "a"),)


def test_documents_stand_before_parts_too() -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    (turn,) = with_documents([Turn("user", "b", {"content": parts})], "DOCS")
    assert turn.extra["content"] == [{"type": "text", "text": "DOCS"}, *parts]
    assert parts[0]["text"] == "b"


def test_passages_fit_whole_or_not_at_all() -> None:
    passages = [passage(1, "a" * 60), passage(2, "b" * 60), passage(3, "c" * 40)]
    assert [item.id for item in fitting(passages, 100)] == ["p1", "p3"]
    assert fitting(passages, 10) == ()


def test_a_base_is_told_where_and_what() -> None:
    files = [SourceFile("A.svelte", "<script>\n  let a = $state(;\n</script>")]
    wrong = Diagnostic("js_parse_error", "Unexpected token", path="A.svelte", line=2)
    told = repair_request(files, [wrong], "step 2: expected 8")
    assert "A.svelte, line 2: js_parse_error: Unexpected token" in told
    assert "let a = $state(;" in told
    assert "step 2: expected 8" in told


def test_a_base_is_not_told_everything() -> None:
    many = [Diagnostic("x", f"wrong {number}", path="A", line=999) for number in range(50)]
    told = repair_request([SourceFile("A", "one line")], many)
    assert told.count("wrong") == MOST_DIAGNOSTICS
    assert f"and {50 - MOST_DIAGNOSTICS} more" in told
