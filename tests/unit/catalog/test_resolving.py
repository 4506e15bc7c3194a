"""Resolving: what a word of a query is taken for, given what the entries have."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_entries import entry, library
from metier.catalog.resolving import known, resolve
from metier.catalog.stock import Library
from metier.catalog.words import Meant, words


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library(
        Path(tmp_path_factory.mktemp("kept")),
        entry("a/svelte-coder", description="Detecting text in text-to-SQL."),
        entry("b/sveltekit"),
        entry("c/bge-m3"),
        entry("d/qwen2.5"),
    )


def meant(kept: Library, text: str) -> list[Meant]:
    volumes = list(kept.volumes().values())
    return list(resolve(words(text)[0], volumes, kept.records)[0])


def corrected(kept: Library, text: str) -> tuple[tuple[str, str], ...]:
    return resolve(words(text)[0], list(kept.volumes().values()), kept.records)[1]


def test_a_word_its_stem_and_its_endings(kept: Library) -> None:
    (one,) = meant(kept, "detect")
    assert "~detect" in one.terms
    (one,) = meant(kept, "svelt")
    assert one.terms[0] == "svelte"
    (one,) = meant(kept, "svelte")
    assert set(one.terms) >= {"svelte", "sveltekit", "sveltecoder"}
    (one,) = meant(kept, "svelte ")
    assert "sveltekit" not in one.terms


def test_pieces(kept: Library) -> None:
    (one,) = meant(kept, "text-to-sql ")
    assert one.terms[0] == "texttosql"
    assert one.all_of == ("text", "to", "sql")
    (one,) = meant(kept, "bge-small ")
    assert (one.terms, one.all_of, one.instead) == ((), ("bge",), "bge")
    one, two = meant(kept, "svelte kit ")
    assert "sveltekit" in one.terms
    assert "sveltekit" in two.terms


def test_what_nobody_has_is_corrected_and_told(kept: Library) -> None:
    assert corrected(kept, "svelet ") == (("svelet", "svelte"),)
    assert corrected(kept, "codersvelte ") == (("codersvelte", "coder svelte"),)
    assert corrected(kept, "svelt ") == (("svelt", "svelte"),)
    assert corrected(kept, "zzzzzz ") == ()
    assert meant(kept, "zzzzzz ")[0].terms == ()
    assert corrected(kept, "qwen9 ") == (("qwen9", "qwen"),)


def test_known(kept: Library) -> None:
    volumes = list(kept.volumes().values())
    assert known("svelte", volumes) == 2
    assert known("svelet", volumes) == 0
