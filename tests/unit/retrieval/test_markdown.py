from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as some

from metier.retrieval.markdown import parse, plain_heading


def test_a_document_in_sections_with_their_trails() -> None:
    parsed = parse(
        "---\ntitle: 'A `b`'\nrank: 3\n---\n\nOpening.\n\n## One\n\nText.\n\n### `two()` {/*t*/}\n"
        "\n```js\n# no heading\n```\n\nUnderlined\n---\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"
    )
    assert parsed.title == "A b"
    assert parsed.fields["rank"] == "3"
    shown = [(item.level, item.trail, item.heading, item.anchor) for item in parsed.sections]
    assert shown == [
        (0, (), "", None),
        (2, (), "One", None),
        (3, ("One",), "two()", "t"),
        (2, (), "Underlined", None),
    ]
    assert [block.kind for item in parsed.sections for block in item.blocks] == [
        "prose",
        "prose",
        "code",
        "table",
    ]


def test_the_first_heading_is_the_title_where_nothing_else_says_it() -> None:
    assert parse("# The *title*\n\nText").title == "The title"
    assert parse("").title == ""


def test_headings_lose_their_marks_and_keep_code() -> None:
    assert (
        plain_heading("**Bold** `{@html ...}` [link](x) \\$types") == "Bold {@html ...} link $types"
    )
    assert plain_heading("snake_case_name") == "snake_case_name"


def test_headings_in_quotes_and_lists_are_text() -> None:
    parsed = parse("> # quoted\n\n- # listed\n")
    assert len(parsed.sections) == 1


def test_deep_nesting_is_text_in_good_time() -> None:
    begin = time.process_time()
    parsed = parse(
        ">" * 5_000 + " deep\n\n" + "\n".join("  " * deep + "- x" for deep in range(500))
    )
    assert parsed.sections[0].blocks
    assert time.process_time() - begin < 5


@given(some.text(alphabet=some.sampled_from("#`~-=>|[]{}*/ \n\tab1<!"), max_size=200))
def test_any_text_is_a_document_and_no_word_is_lost(text: str) -> None:
    parsed = parse(text)
    kept = " ".join(
        [item.heading for item in parsed.sections]
        + [block.text for item in parsed.sections for block in item.blocks]
        + list(parsed.fields)
        + list(parsed.fields.values())
    )
    if not text.startswith("---"):
        assert text.count("ab1") <= kept.count("ab1") + text.count("{/*") + text.count("](")
