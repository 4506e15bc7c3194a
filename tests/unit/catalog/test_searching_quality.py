"""Search over the curated index by words alone: what people ask for is in the first three.

With the encoder it gets better; without it, it has to be good enough.
"""

from __future__ import annotations

import pytest

from metier.catalog.curated import entries
from metier.catalog.records import Fresh
from metier.catalog.searching import Sources, search
from metier.catalog.stock import Library
from metier.finding import Entry, Query

JAPANESE = "LiquidAI/LFM2-350M-PII-Extract-JP"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    library = Library(tmp_path_factory.mktemp("curated"))
    library.renew({"curated": "1"}, lambda _: [Fresh(one) for one in entries()], wait=True)
    return Sources(library.records, library.volumes())


def first(sources: Sources, words: str, count: int = 3) -> list[Entry]:
    ids = [one.row.id for one, _ in search(Query(words=words), sources).hits[:count]]
    kept = sources.records.kept(ids)
    return [kept[identity].entry for identity in ids]


@pytest.mark.parametrize(
    ("words", "domain"),
    [
        ("svelte", "svelte"),
        ("svelt kit", "svelte"),
        ("sveltkit", "svelte"),
        ("react components", "react"),
        ("translate question to SQL", "sql"),
        ("text to sql", "sql"),
        ("text2sql", "sql"),
        ("slq", "sql"),
        ("detect personal data", "pii"),
        ("PII", "pii"),
        ("find personaly identifiable information", "pii"),
        ("math", "maths"),
        ("maths problems", "maths"),
        ("python code", "python"),
        ("sentiment", "sentiment"),
        ("find personal data in text", "pii"),
        ("a model that is really good at SvelteKit", "svelte"),
        ("translate a question to SQL", "sql"),
        ("best small model for React", "react"),
    ],
)
def test_the_domain_that_is_meant_is_in_the_first_three(
    sources: Sources, words: str, domain: str
) -> None:
    assert domain in [one.domain for one in first(sources, words)]


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ("rerank search results", "rerank"),
        ("reranker", "rerank"),
        ("embeddings", "embed"),
        ("multilingual embeddings", "embed"),
        ("named entities", "entities"),
        ("extract structured data from documents", "extract"),
        ("describe a picture", "describe-image"),
        ("image classification", "classify-image"),
        ("zero-shot classification", "classify"),
    ],
)
def test_the_task_that_is_meant_comes_first(sources: Sources, words: str, task: str) -> None:
    assert first(sources, words, 1)[0].task == task


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("qwen2.5-coder", "Qwen2.5-Coder"),
        ("Qwen2.5 coder 1.5B", "Qwen2.5-Coder-1.5B"),
        ("bge-small", "bge-small"),
        ("all-minilm", "all-MiniLM"),
        ("svelte-coder", "svelte-coder"),
        ("gliner", "gliner"),
        ("NuExtract", "NuExtract"),
        ("sqlcoder", "sqlcoder"),
        ("bge small", "bge-small"),
    ],
)
def test_a_name_in_part_is_enough(sources: Sources, words: str, name: str) -> None:
    names = [one.name for one in first(sources, words)]
    assert any(name.casefold() in one.casefold() for one in names), names


def test_words_that_hold_a_sentence_together_find_nothing(sources: Sources) -> None:
    found = search(Query(words="find personal data in text"), sources)
    assert found.total < 10
    assert not search(Query(words="find me the best xqzzyq"), sources).total


def test_what_is_for_another_language_stands_below_unless_it_is_named(sources: Sources) -> None:
    names = [one.name for one in first(sources, "find personal data in text")]
    assert names.index("urchade/gliner_multi_pii-v1") < names.index(JAPANESE)
    assert first(sources, "personal data in Japanese", 1)[0].name == JAPANESE
