from __future__ import annotations

import json

import pytest

from metier.retrieval.chunking import HUGE, LONG, Chunk, PackSource, chunks_of

WORDS = "All of these words stand here so that the section is not small. " * 5


def source(text: str, **more: object) -> PackSource:
    settings = {"version": "a@1", "address": "https://a.example/docs/{name}", "dialect": "svelte"}
    return PackSource({"02-part/07-page.md": text}, "a/docs@12345678", **settings | more)  # type: ignore[arg-type]


def test_a_chunk_knows_where_it_stands() -> None:
    text = f"---\ntitle: Page\n---\n\n{WORDS}\n\n## Above\n\n{WORDS}\n\n### `$one.two`\n\nShort.\n"
    first, second, third = chunks_of(source(text))
    assert first.id == "a@1/02-part/07-page.md"
    assert first.address == "https://a.example/docs/page"
    assert second.trail == ("Page", "Above")
    assert third.id == "a@1/02-part/07-page.md#Above-$one.two"
    assert third.address == "https://a.example/docs/page#Above-$one.two"
    assert third.trail == ("Page", "Above", "$one.two")
    assert (third.source, third.version) == ("a/docs@12345678", "a@1")
    assert third.passage(0.5).score == 0.5


def test_small_sections_stand_with_the_one_before_and_are_named() -> None:
    text = f"# Page\n\n{WORDS}\n\n## Returns\n\nNothing.\n\n## Caveats\n\nNone.\n"
    (chunk,) = chunks_of(source(text))
    assert chunk.covers == ("Page", "Returns", "Caveats")
    assert "## Returns\n\nNothing." in chunk.text


def test_an_identifier_stands_alone_however_small() -> None:
    text = "# Errors\n\n### bind_not_bindable\n\nShort.\n\n### each_key_duplicate\n\nShort.\n"
    assert [chunk.covers[-1] for chunk in chunks_of(source(text))] == [
        "bind_not_bindable",
        "each_key_duplicate",
    ]


def test_a_heading_without_words_is_in_the_trail_of_what_is_below() -> None:
    (chunk,) = chunks_of(source(f"# Page\n\n## Above\n\n### Below\n\n{WORDS}"))
    assert chunk.trail == ("Page", "Above", "Below")
    assert chunk.covers == ("Page", "Above", "Below")


def test_a_long_section_is_cut_at_blocks_and_fences_stay_whole() -> None:
    fence = "```js\n" + "let a = 1;\n" * 150 + "```"
    text = f"# Page\n\n{WORDS * 4}\n\nLike this:\n\n{fence}\n\n{WORDS * 4}"
    chunks = list(chunks_of(source(text)))
    assert [chunk.id.partition("~")[2] for chunk in chunks] == [
        "",
        *map(str, range(2, len(chunks) + 1)),
    ]
    assert sum(fence in chunk.text for chunk in chunks) == 1
    assert all(chunk.text.count("```") % 2 == 0 for chunk in chunks)
    assert all("Like this:" not in chunk.text or fence in chunk.text for chunk in chunks)


def test_a_fence_over_every_limit_is_cut_and_opened_again() -> None:
    fence = "```js\n" + "let a = 1;\n" * 2_000 + "```"
    chunks = list(chunks_of(source(f"# Page\n\n{fence}")))
    assert len(chunks) > 2
    assert all(chunk.text.startswith("```js\n") and chunk.text.endswith("```") for chunk in chunks)
    assert sum(chunk.text.count("let a") for chunk in chunks) == 2_000


def test_one_endless_line_is_cut() -> None:
    chunks = list(chunks_of(source("x" * 100_000)))
    assert max(len(chunk.text) for chunk in chunks) <= max(LONG, HUGE)
    assert sum(chunk.text.count("x") for chunk in chunks) == 100_000


@pytest.mark.parametrize("text", ["", "---\ntitle: A\n---\n", "# Only a heading\n", "\n\n\n"])
def test_a_document_without_words_has_no_chunks(text: str) -> None:
    assert list(chunks_of(source(text))) == []


def test_lines_of_the_file_are_the_chunks_again() -> None:
    for chunk in chunks_of(source(f"# Page ⟦\u2028\n\n{WORDS}\n\n## Two\n\n{WORDS}")):
        line = chunk.as_line()
        assert line.count(b"\n") == 1
        assert Chunk.from_line(line) == chunk
        assert json.loads(line)["path"] == "02-part/07-page.md"


def test_equal_headings_have_different_ids() -> None:
    text = f"# Page\n\n## Same\n\n{WORDS}\n\n## Same\n\n{WORDS}\n"
    ids = [chunk.id for chunk in chunks_of(source(text))]
    assert len(ids) == len(set(ids)) == 2
