from __future__ import annotations

import math

import numpy as np
import pytest

from metier.retrieval.lexical import (
    ARRAYS,
    K1,
    WORDS,
    B,
    build_lexicon,
    lexicon_parts,
    read_lexicon,
)

TEXTS = [["a", "b", "b"], ["b", "c"], ["d"], []]
HEADINGS = [["x"], ["a"], ["y"], ["z"]]


def test_scores_are_those_of_the_formula() -> None:
    lexicon = build_lexicon(TEXTS, [[] for _ in TEXTS[:-1]] + [["only"]])
    mean = np.mean([len(words) for words in TEXTS])
    rarity = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    length = 1 - B + B * 3 / mean
    # Robertson and Zaragoza 2009, in the form of Lucene: idf · tf / (tf + k1 · length).
    assert lexicon.search(["b"])[0] == pytest.approx(rarity * 2 / (2 + K1 * length), rel=1e-5)


def test_headings_are_a_field_of_their_own() -> None:
    lexicon = build_lexicon(TEXTS, HEADINGS)
    assert lexicon.search(["a"])[1] > 0
    assert lexicon.search(["z"])[3] > 0
    assert lexicon.search(["nowhere"]).tolist() == [0, 0, 0, 0]


def test_a_rare_word_tells_more() -> None:
    lexicon = build_lexicon(TEXTS, HEADINGS)
    assert lexicon.rarity("c") > lexicon.rarity("b") > lexicon.rarity("nowhere") == 0


def test_the_files_are_the_lexicon_again_and_always_the_same() -> None:
    lexicon = build_lexicon(TEXTS, HEADINGS)
    parts = lexicon_parts(lexicon)
    assert lexicon_parts(build_lexicon(TEXTS, HEADINGS)) == parts
    again = read_lexicon(parts.__getitem__)
    assert again.words == lexicon.words
    assert again.search(["b", "a"]).tolist() == lexicon.search(["b", "a"]).tolist()


@pytest.mark.parametrize(
    "harm", ["fewer words", "wild row", "wild column", "not safetensors", "no words"]
)
def test_files_that_do_not_fit_are_refused(harm: str) -> None:
    from safetensors.numpy import load, save

    parts = lexicon_parts(build_lexicon(TEXTS, HEADINGS))
    arrays = {name: array.copy() for name, array in load(parts[ARRAYS]).items()}
    if harm == "fewer words":
        parts[WORDS] = b'{"count": 4, "words": ["a"]}'
    elif harm == "wild row":
        arrays["chunks"][0] = 1_000_000
        parts[ARRAYS] = save(arrays)
    elif harm == "wild column":
        arrays["starts"][1] = -5
        parts[ARRAYS] = save(arrays)
    elif harm == "not safetensors":
        parts[ARRAYS] = b"\x80\x04pickle"
    else:
        parts[WORDS] = b"{}"
    with pytest.raises((ValueError, KeyError)):
        read_lexicon(parts.__getitem__)


def test_a_field_without_words_adds_nothing() -> None:
    lexicon = build_lexicon([["a"], []], [[], []])
    assert lexicon.search(["a"])[0] > 0
    assert build_lexicon([[]], [[]]).search(["a"]).tolist() == [0]
