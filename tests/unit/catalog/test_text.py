"""The words of a volume: BM25 over weighted fields, filters, completions, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from metier.catalog.text import Document, TextIndex, Wanted, build, stem_of, stems
from metier.catalog.words import Meant, Word

ANY = Wanted({})
TEXTS = ["svelte svelte svelte kit", "svelte react react", "sql query ~queri", "svelta"]


def document(terms: str, place: int) -> Document:
    return Document(
        terms=terms,
        facets={"task": "chat" if place % 2 else "embed", "domain": "code", "licence": ""},
        base="qwen",
        numbers={"size": place * 10, "context": 100, "released": 20260101 + place},
        ranks=dict.fromkeys(("standing", "newest", "smallest", "name"), 3 - place),
    )


@pytest.fixture
def index(tmp_path: Path) -> TextIndex:
    assert build(tmp_path, (document(text, n) for n, text in enumerate(TEXTS))) == len(TEXTS)
    return TextIndex.open(tmp_path)


def meant(*terms: str, all_of: Sequence[str] = ()) -> Meant:
    return Meant(Word(terms[0] if terms else "x", terms[0] if terms else "x"), terms, tuple(all_of))


def places(found: list[tuple[int, float]]) -> list[int]:
    return [place for place, _ in found]


def test_weight_by_repetition(index: TextIndex) -> None:
    assert places(index.search([meant("svelte")], ANY, 9)) == [0, 1]
    assert places(index.search([meant("svelte"), meant("react")], ANY, 9))[0] == 1


def test_every_word_or_any(index: TextIndex) -> None:
    both = [meant("svelte"), meant("react")]
    assert places(index.search(both, ANY, 9, every=True)) == [1]
    assert index.count_all(both, ANY) == 2
    assert index.count_all([meant(all_of=("svelte", "kit"))], ANY) == 1


def test_filters(index: TextIndex) -> None:
    one = [meant("svelte", "sql", "svelta")]
    assert index.count_all(one, Wanted({"task": "chat"})) == 2
    assert index.count_all(one, Wanted({}, base="llama")) == 0
    assert places(index.search(one, Wanted({}, most_bytes=10), 9)) == [1], "0 bytes is not known"
    assert index.count_all(one, Wanted({}, since=20260103)) == 2
    assert index.count_all(one, Wanted({}, least_context=101)) == 0


def test_plain_orders_and_facets(index: TextIndex) -> None:
    assert index.ordered([meant("svelte")], ANY, "newest", 9) == [1, 0]
    assert index.facets([meant("svelte")], ANY)["task"] == {"embed": 1, "chat": 1}
    assert index.facets([meant("svelte")], ANY)["licence"] == {}


def test_completions_leave_stems_out(index: TextIndex) -> None:
    assert index.completions("sve") == ["svelte", "svelta"]
    assert index.completions("")[0] == "svelte"
    assert not [term for term in index.completions("~") if term]


def test_a_mistyped_word_is_found(index: TextIndex) -> None:
    def terms_at(found: Sequence[int]) -> Sequence[str]:
        return [TEXTS[place] for place in found]

    assert index.near("svelet", terms_at) == "svelte"
    assert index.near("raect", terms_at) == "react"
    assert index.near("zzzzzz", terms_at) == ""


def test_stems() -> None:
    assert stems(["detecting", "sql"]) == ["~detect"]
    assert stem_of("detects") == "~detect"
    assert stems([]) == []
