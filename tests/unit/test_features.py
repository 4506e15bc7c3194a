from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.features import (
    MAX_CHARACTERS,
    FeatureSpec,
    fold,
    hash_ngrams,
    hashed_counts,
    hashed_row,
)

MASK = 0xFFFFFFFF
WORDS = FeatureSpec(words=(1,), characters=())
PLAIN = st.text("abc dé,.", max_size=40)


def finalised(value: int) -> int:
    """MurmurHash3's finaliser, one number at a time."""
    value ^= value >> 16
    value = value * 0x85EBCA6B & MASK
    value ^= value >> 13
    value = value * 0xC2B2AE35 & MASK
    return value ^ value >> 16


def polynomial(text: str) -> int:
    """FNV's prime as the base of a polynomial over UTF-16 units."""
    value = 0
    for unit in np.frombuffer(text.encode("utf-16-le"), "<u2").tolist():
        value = (value * 0x01000193 + unit) & MASK
    return value


def slow_counts(text: str, spec: FeatureSpec) -> Counter[int]:
    """The buckets of one text as the documentation says, one n-gram at a time."""
    padded = f" {' '.join(text.lower().split())} "
    found: list[int] = []
    words = [polynomial(word) for word in re.findall(r"\w+", padded)]
    if 1 in spec.words:
        found += [word + 0x9E3779B1 for word in words]
    if 2 in spec.words:
        found += [
            first * 0x85EBCA77 + second * 0xC2B2AE3D + 0x27D4EB2F
            for first, second in itertools.pairwise(words)
        ]
    for order in spec.characters:
        for word in padded.split():
            bounded = f" {word} "
            grams = [bounded[i : i + order] for i in range(len(bounded) - order + 1)]
            found += [
                polynomial(gram) + order * 0x165667B1 for gram in grams if gram.strip() or order > 1
            ]
    return Counter(finalised(value & MASK) % spec.buckets for value in found)


@given(PLAIN, st.sampled_from([WORDS, FeatureSpec(words=(1, 2), characters=())]))
def test_words_are_counted_as_documented(text: str, spec: FeatureSpec) -> None:
    row = hashed_counts([text], spec)
    assert dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) == slow_counts(
        text, spec
    )


@given(st.text("abc ", max_size=30), st.integers(2, 5))
def test_characters_are_counted_as_documented(text: str, order: int) -> None:
    spec = FeatureSpec(words=(), characters=(order,))
    row = hashed_counts([text], spec)
    assert dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) == slow_counts(
        text, spec
    )


@given(st.lists(st.text(max_size=30), max_size=6))
def test_a_row_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    spec = FeatureSpec(buckets=1 << 12)
    together = hashed_counts(texts, spec)
    assert together.shape == (len(texts), spec.buckets)
    assert together.dtype == np.float32
    for index, text in enumerate(texts):
        assert (together[index] != hashed_counts([text], spec)).nnz == 0


@given(st.text(max_size=60))
def test_case_and_spaces_do_not_change_a_row(text: str) -> None:
    spaced = f"  {text}\t\n"
    assert (hashed_counts([text], WORDS) != hashed_counts([spaced], WORDS)).nnz == 0


def test_an_empty_text_has_an_empty_row() -> None:
    assert hashed_counts(["", "a", " \n", ""], FeatureSpec()).getnnz(axis=1).tolist() == [
        0,
        4,
        0,
        0,
    ]
    assert hashed_counts([], WORDS).shape == (0, WORDS.buckets)


def test_a_long_text_costs_no_more_than_its_cut() -> None:
    long = "a b " * MAX_CHARACTERS
    assert hashed_counts([long], WORDS).sum() <= MAX_CHARACTERS
    assert "tail" not in long
    with_tail = hashed_counts([long + "tail"], WORDS)
    assert with_tail.nnz == hashed_counts([long], WORDS).nnz + 1


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_takes_case_and_punctuation_away() -> None:
    assert fold("  Straße, “ＯＫ”?! ") == "strasse ok"


def test_hashes_of_a_text_are_sorted_and_unique() -> None:
    hashes = hash_ngrams("banana banana", (3, 4))
    assert np.all(np.diff(hashes.astype(np.int64)) > 0)
    assert np.array_equal(hashes, hash_ngrams("Banana", (3, 4)))


@pytest.mark.parametrize(
    "fields",
    [
        {"buckets": 3},
        {"buckets": 1},
        {"words": (), "characters": ()},
        {"words": (3,)},
        {"characters": (9,)},
        {"characters": (0,)},
    ],
)
def test_a_specification_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|needs|orders"):
        FeatureSpec(**fields)  # type: ignore[arg-type]


@given(st.text(max_size=60) | st.text("ab .é", max_size=400))
def test_one_row_is_the_row_of_the_matrix(text: str) -> None:
    spec = FeatureSpec(buckets=1 << 8)
    matrix = hashed_counts([text], spec)
    buckets, counts = hashed_row(text, spec)
    assert buckets.tolist() == matrix.indices.tolist()
    assert counts.tolist() == matrix.data.tolist()
