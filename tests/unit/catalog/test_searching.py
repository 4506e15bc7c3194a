"""Searching: words, corrections, meaning, filters and pages over several volumes."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog_entries import encode, entry, evidence
from metier.catalog import searching
from metier.catalog.meaning import unit
from metier.catalog.records import Fresh
from metier.catalog.searching import Ranked, Sources, search
from metier.catalog.stock import Library
from metier.finding import Proof, Query

ENTRIES = {
    "here": [
        entry(
            "banking-intents", task="classify", domain="banking", size_bytes=1000, also=("card",)
        ),
        entry("sveltekit", domain="svelte", description="Answers on SvelteKit."),
    ],
    "curated": [
        entry("rocky/svelte-coder", domain="svelte", licence="Apache-2.0", size_bytes=9 << 30),
        entry("Qwen/Qwen2.5-Coder-7B", domain="code", description="Writes code, SQL too."),
        entry("sentence-transformers/all-MiniLM-L6-v2", task="embed", size_bytes=90 << 20),
        entry("acme/sqlcoder", domain="sql", description="Questions to queries.", size_bytes=5),
        entry("acme/auto", domain="vehicles", description="automobile", released="2026-02-01"),
        entry("acme/privacy", task="entities", domain="pii", also=("personal data", "PII")),
        entry("acme/data", description="General data, detecting nothing.", released="2025-02-01"),
    ],
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    library = Library(tmp_path_factory.mktemp("library"))
    stamps = dict.fromkeys(ENTRIES, "1")
    library.renew(stamps, lambda origin: [Fresh(one) for one in ENTRIES[origin]], wait=True)
    library.learn("test", encode)
    installed = dict(ids_of(library)["here"])
    return Sources(
        library.records, library.volumes(), encoder="test", encode=vector, installed=installed
    )


def ids_of(library: Library) -> dict[str, list[tuple[int, str]]]:
    found = {}
    for origin in ENTRIES:
        with library.records.snapshot(origin) as (_, rows):
            found[origin] = [(row.id, row.name) for row in rows()]
    return found


def vector(text: str) -> NDArray[np.float32] | None:
    found = unit(encode([text]))[0]
    return found if found.any() else None


def names(ranked: Ranked) -> list[str]:
    return [one.row.name.rpartition("/")[2] for one, _ in ranked.hits]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("svelte", {"sveltekit", "svelte-coder"}),
        ("SVELTE", {"sveltekit", "svelte-coder"}),
        ("svelt kit", {"sveltekit"}),
        ("svelte kit", {"sveltekit"}),
        ("sve", {"sveltekit", "svelte-coder"}),
        ("qwen2.5-coder", {"Qwen2.5-Coder-7B"}),
        ("Qwen/Qwen2.5-Coder-7B", {"Qwen2.5-Coder-7B"}),
        ("qwen coder", {"Qwen2.5-Coder-7B"}),
        ("all-MiniLM", {"all-MiniLM-L6-v2"}),
        ("minilm", {"all-MiniLM-L6-v2"}),
        ("sql coder", {"sqlcoder"}),
        ("personal data", {"privacy"}),
        ("detect personal data", {"privacy"}),
        ("personel data", {"privacy"}),
        ("cards", {"banking-intents"}),
        ("car", {"auto", "banking-intents"}),
        ('"svelte" AND NOT (react*) OR', {"sveltekit", "svelte-coder"}),
    ],
)
def test_what_comes_first(sources: Sources, words: str, first: set[str]) -> None:
    found = names(search(Query(words=words), sources))
    assert set(found[: len(first)]) == first


def test_corrections_are_told(sources: Sources) -> None:
    assert search(Query(words="personel data"), sources).corrected == (("personel", "personal"),)
    assert search(Query(words="bankng "), sources).corrected == (("bankng", "banking"),)
    assert search(Query(words="svelte"), sources).corrected == ()


def test_meaning_finds_what_no_word_does(sources: Sources) -> None:
    found = search(Query(words="cars "), sources)
    (hit,) = [one for one, _ in found.hits if one.row.name == "acme/auto"]
    assert hit.matches == ()
    assert (hit.cosine or 0) > 0.3
    alone = search(Query(words="cars ", meaning=False), sources)
    assert "auto" not in names(alone)


def test_everything_without_words(sources: Sources) -> None:
    found = search(Query(), sources)
    assert found.total == 9
    assert found.facets["origin"] == {"curated": 7, "here": 2}
    assert found.facets["task"]["chat"] == 6
    pages = [names(search(Query(limit=4, offset=start), sources)) for start in (0, 4, 8)]
    assert list(chain.from_iterable(pages)) == names(found)


def test_filters_narrow_words_and_facets(sources: Sources) -> None:
    found = search(Query(words="svelte", licence="apache-2.0"), sources)
    assert names(found) == ["svelte-coder"]
    assert found.facets["domain"] == {"svelte": 1}
    assert names(search(Query(words="svelte", origin="here"), sources)) == ["sveltekit"]
    assert names(search(Query(words="svelte", here=True), sources)) == ["sveltekit"]
    assert names(search(Query(words="coder", most_bytes=1000), sources)) == ["sqlcoder"]
    assert names(search(Query(origin="nobody"), sources)) == []
    assert names(search(Query(words="acme", since="2026-01-01"), sources)) == ["auto"]
    assert names(search(Query(words="svelte", verdict="WIN"), sources)) == []
    assert names(search(Query(words="svelte", verdict="no such"), sources)) == []
    assert search(Query(words="sql", proved=True), sources).total == 0


def test_what_fits(sources: Sources) -> None:
    def only_sqlcoder(ids):  # type: ignore[no-untyped-def]
        kept = sources.records.kept(ids)
        return {one.id for one in kept.values() if one.entry.name == "acme/sqlcoder"}

    fitting = replace(sources, fits=only_sqlcoder)
    assert names(search(Query(fits=True), fitting)) == ["sqlcoder"]
    assert names(search(Query(words="coder", fits=True), fitting)) == ["sqlcoder"]
    assert names(search(Query(words="banking", fits=True), fitting)) == []


def test_plain_orders_have_every_word(sources: Sources) -> None:
    assert names(search(Query(words="acme ", order="newest"), sources))[:2] == ["auto", "data"]
    assert names(search(Query(words="coder", order="smallest"), sources))[0] == "sqlcoder"
    by_name = names(search(Query(order="name"), sources))
    assert by_name[0] == "auto"
    assert len(by_name) == 9
    assert names(search(Query(words="coder svelte", order="name"), sources)) == ["svelte-coder"]
    fallen_back = search(Query(words="coder banking", order="name"), sources)
    assert {"sqlcoder", "banking-intents"} <= set(names(fallen_back))


def test_a_proof_lifts_among_the_comparable_only(sources: Sources) -> None:
    proof = Proof(evidence(), "here", "2027-01-01")
    ids = {row.name: row.id for row in sources.records.rows_of(range(1, 100)).values()}
    plain = names(search(Query(words="svelte"), sources))
    assert plain[:2] == ["svelte-coder", "sveltekit"] or plain[:2] == ["sveltekit", "svelte-coder"]
    for name in ("sveltekit", "rocky/svelte-coder"):
        proved = replace(sources, proofs={ids[name]: proof})
        assert names(search(Query(words="svelte"), proved))[0] == name.rpartition("/")[2]
    proved = replace(sources, proofs={ids["acme/data"]: proof})
    found = search(Query(words="personal data"), proved)
    assert names(found)[0] == "privacy"
    assert names(search(Query(), proved))[0] == "data"
    assert names(search(Query(proved=True), proved)) == ["data"]


def test_no_words_to_look_for(sources: Sources) -> None:
    found = search(Query(words="🤖 ()"), replace(sources, encode=None))
    assert found.total == 0
    assert "no word" in found.notes[0]


HOSTILE = [
    "AND OR NOT", '"', "((((", "a" * 100_000, "* *", "field:value", "\x00\x1b[2J", "ﷺ" * 50,
    "‮abc", "- -a +b ~c^9", "{!lucene}x", "'; DROP TABLE entries; --", "\ud800", "[1 TO 5]",
    "~svelt",
]  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("order", ["best", "name"])
def test_no_text_is_an_operator(sources: Sources, words: str, order: str) -> None:
    began = time.perf_counter()
    search(Query(words=words, order=order), sources)  # type: ignore[arg-type]
    assert time.perf_counter() - began < 5.0
    assert search(Query(), sources).total == 9


@pytest.mark.parametrize("field", ["task", "licence", "base", "origin", "since", "verdict"])
@pytest.mark.parametrize("value", ["\ud800", "x" * 200_000, '"', "'); --"])
def test_hostile_filters_find_nothing(sources: Sources, field: str, value: str) -> None:
    for words in ("", "svelte"):
        asked = Query(words=words, **{field: value})  # type: ignore[arg-type]
        found = search(asked, sources)
        assert found.total == (0 if field != "since" else found.total)


def test_numbers_out_of_range(sources: Sources) -> None:
    for asked in (
        Query(limit=-1),
        Query(limit=10**9, offset=-5),
        Query("svelte", offset=10**9),
        Query("svelte", limit=0),
    ):
        search(asked, sources)
    assert search(Query(most_bytes=-1), sources).total == 0
    assert search(Query(least_context=-1), sources).total >= 0


@given(st.text(max_size=80), st.integers(0, 30), st.integers(1, 30))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered(sources: Sources, words: str, offset: int, limit: int) -> None:
    found = search(Query(words=words, offset=offset, limit=limit), sources)
    assert len(found.hits) <= limit
    assert found.total >= len(found.hits)


def test_many_entries_page_by_page(tmp_path: Path) -> None:
    library = Library(tmp_path)
    entries = [entry(f"m{n:03}", description="common" + " rare" * (n == 250)) for n in range(400)]
    library.renew({"acme": "1"}, lambda _: [Fresh(one) for one in entries], wait=True)
    sources = Sources(library.records, library.volumes())
    pages = [
        names(search(Query(words="common ", limit=50, offset=start), sources))
        for start in range(0, 400, 50)
    ]
    flat = list(chain.from_iterable(pages))
    assert len(flat) == len(set(flat)) == 400
    found = search(Query(words="common rare"), sources)
    assert names(found)[0] == "m250"
    assert found.total == 400
    assert found.facets["task"] == {"chat": 400}
    assert search(Query(words="common ", order="name"), sources).total == 400


def test_where_there_are_very_many_the_filters_count_the_best(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = search(Query(words="coder ", limit=9), sources)
    monkeypatch.setattr(searching, "LARGE", 5)
    monkeypatch.setattr(searching, "LARGE_WINDOW", 2)
    found = search(Query(words="coder ", limit=9), sources)
    assert set(names(found)) >= {"svelte-coder", "sqlcoder"}
    assert found.facets["origin"]["curated"] >= 3
    assert sum(found.facets["task"].values()) <= 5
    assert "filters count the best" in found.notes[0]
    assert found.total == everything.total or found.total >= 3
