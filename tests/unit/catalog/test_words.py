"""Words: names of models are found whole and by their pieces, and no text is an operator."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.catalog.words import (
    LONGEST_TERM,
    MOST_WORDS,
    distance,
    edits_allowed,
    fold,
    mistyped,
    terms,
    unicode_only,
    words,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SvelteKit", {"sveltekit", "svelte", "kit"}),
        ("Qwen2.5-Coder-7B", {"qwen25coder7b", "qwen2.5", "qwen", "coder", "7b"}),
        ("all-MiniLM-L6-v2", {"allminilml6v2", "all", "minilm", "mini", "l6", "v2"}),
        ("GLiNER", {"gliner", "ner"}),
        ("text-to-SQL", {"texttosql", "text", "to", "sql"}),
        ("sqlcoder", {"sqlcoder", "sql", "coder"}),
        ("modernbert-base", {"modernbertbase", "modernbert", "modern", "bert", "base"}),
        ("encoder", {"encoder"}),
        ("owner/name", {"owner", "name"}),
        ("C++ und C#", {"c++", "und", "c#"}),
        ("Café ÜBER straße", {"cafe", "uber", "strasse"}),
        ("日本語 モデル", {"日本語", "モテル"}),
        ("🤖 !!! ()", set()),
    ],
)
def test_terms(text: str, found: set[str]) -> None:
    assert set(terms(text)) == found


def test_the_last_word_is_open_until_a_space_follows() -> None:
    assert [word.open for word in words("svelte co")[0]] == [False, True]
    assert [word.open for word in words("svelte co ")[0]] == [False, False]


def test_words_that_say_nothing_are_left_out_where_others_stand() -> None:
    assert [word.term for word in words("the best model for SQL")[0]] == ["sql"]
    assert [word.term for word in words("the model")[0]] == ["the", "model"]


def test_long_texts_are_cut_and_it_is_said() -> None:
    began = time.perf_counter()
    found, notes = words("word " * 20_000)
    assert len(found) == 1
    assert "1,000 characters" in notes[0]
    found, notes = words(" ".join(f"w{number}" for number in range(100)))
    assert len(found) == MOST_WORDS
    assert "24 words" in notes[0]
    assert time.perf_counter() - began < 1.0


def test_one_chunk_of_a_hundred_thousand_letters() -> None:
    assert all(len(term) <= LONGEST_TERM for term in terms("aB" * 50_000))


@pytest.mark.parametrize(
    ("one", "two", "apart"),
    [("svelt", "svelte", 1), ("recat", "react", 1), ("a", "a", 0), ("abc", "xyz", 3), ("", "a", 1)],
)
def test_distance(one: str, two: str, apart: int) -> None:
    assert distance(one, two, 2) == apart


def test_how_many_edits() -> None:
    assert [edits_allowed(word) for word in ("js", "sql", "svelte", "classify", "qwen2")] == [
        0, 1, 1, 2, 0,
    ]  # fmt: skip
    assert mistyped("slq", "sql")
    assert not mistyped("data", "date")
    assert mistyped("detact", "detect")


def test_half_characters_are_replaced() -> None:
    assert unicode_only("a\ud800b") == "a?b"
    assert unicode_only("äß🤖") == "äß🤖"


@given(st.text(max_size=300))
def test_any_text_has_terms_without_spaces(text: str) -> None:
    for term in terms(text):
        assert term
        assert not any(mark.isspace() for mark in term)
        assert len(term) <= LONGEST_TERM
    assert fold(fold(text)) == fold(text) or not text.isascii()


@given(st.text(alphabet="abcdé", max_size=8), st.text(alphabet="abcdé", max_size=8))
def test_distance_is_symmetric(one: str, two: str) -> None:
    assert distance(one, two, 8) == distance(two, one, 8)
    assert (distance(one, two, 8) == 0) == (one == two)
