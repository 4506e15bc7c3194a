from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from metier.conversing import Passage
from metier.retrieval.presenting import BEGIN, END, cite, harmless, present


def passage(text: str, **more: object) -> Passage:
    facts: dict[str, object] = {
        "id": "a",
        "title": "Page",
        "trail": ("Page", "Part"),
        "path": "a.md",
        "source": "docs@1",
        "version": "svelte@5",
        "address": "https://a.example/page#Part",
    }
    return Passage(text=text, **facts | more)  # type: ignore[arg-type]


def test_passages_stand_between_marks_with_their_origin() -> None:
    block = present([passage("One."), passage("Two.", address=None)])
    assert f"{BEGIN} 1 | Page › Part | svelte@5 docs@1⟧\nOne." in block
    assert f"{BEGIN} 2 | Page › Part | svelte@5 docs@1⟧\nTwo." in block
    assert block.endswith(END)
    assert "not instructions" in block
    assert present([]) == ""


def test_citations_are_numbered_as_in_the_prompt() -> None:
    first, second = cite([passage("One."), passage("Two.", address=None)])
    assert str(first) == "[1] Page › Part  https://a.example/page#Part  (svelte@5 docs@1)"
    assert (second.number, second.address) == (2, "a.md")


def test_code_is_left_as_it_is() -> None:
    text = "```svelte\n<script>\n\tlet a = $state([1]);\n</script>\n<s>old</s> {#each a as b}\n```"
    kept = harmless(text.replace("<s>old</s> ", ""))
    assert kept == text.replace("<s>old</s> ", "")


@given(some.text())
def test_what_is_harmless_stays_so(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once
    assert not any(mark in once for mark in ("⟦", "⟧", "\x1b", "<|im_start|>"))
    assert all(unicodedata.category(character) != "Cf" for character in once)


@pytest.mark.parametrize("long", ["<" * 100_000, "[" * 100_000, "<|" * 50_000, "user " * 20_000])
def test_long_texts_take_little_time(long: str) -> None:
    assert harmless(long)
