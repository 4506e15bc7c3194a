"""Ranges cover what was seen; words become pieces as BERT's tokenizer would make them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import tiny_bert
from metier.conversion.calibration import (
    SENTENCES,
    Ranges,
    observe_ranges,
    read_vocabulary,
    word_pieces,
)
from metier.conversion.upstream import read_upstream
from metier.errors import InputError


def test_word_pieces() -> None:
    vocabulary = {token: number for number, token in enumerate(tiny_bert.VOCABULARY)}
    assert word_pieces("The payment, LOST!", vocabulary) == [
        "the",
        "pay",
        "##ment",
        ",",
        "lost",
        "!",
    ]
    assert word_pieces("late ~ cab", vocabulary) == ["late", "[UNK]", "c", "##a", "##b"]
    assert word_pieces("", vocabulary) == []


def test_ranges_join() -> None:
    first = Ranges(np.float32([-1, 0]), np.float32([2, 3]))
    second = Ranges(np.float32([0, -5]), np.float32([4, 1]))
    joined = first.joined(second)
    np.testing.assert_array_equal(joined.lowest, [-1, -5])
    np.testing.assert_array_equal(joined.highest, [4, 3])
    np.testing.assert_array_equal(joined.largest, [4, 5])


def test_every_place_of_every_layer_has_ranges(tmp_path: Path) -> None:
    ranges = observe_ranges(read_upstream(tiny_bert.make_folder(tmp_path)))
    assert len(ranges) == 4 * tiny_bert.LAYERS
    for (place, _layer), seen in ranges.items():
        width = tiny_bert.WIDE if place == "narrow" else tiny_bert.HIDDEN
        assert seen.lowest.shape == seen.highest.shape == (width,)
        assert (seen.lowest <= seen.highest).all()
    assert ranges["narrow", 0].lowest.min() >= -0.17001  # Gelu's minimum is -0.16997.


def test_the_sentences_are_many_and_short() -> None:
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(set(lines)) >= 70
    assert all(line.strip() for line in lines)


def test_a_vocabulary_that_is_not_berts(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "Unigram", "vocab": [["a", -1.0]]}}))
    with pytest.raises(InputError, match="vocabulary"):
        read_vocabulary(path)
