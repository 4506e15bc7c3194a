"""Common words weigh less; the table is the encoder's own embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import tiny_bert
from metier.conversion.static_table import token_weights, write_static
from metier.conversion.upstream import read_upstream


def test_weights_rise_with_rarity() -> None:
    words = ["[PAD]", "[CLS]", "!", "a", "the", "of", "##s", *(f"word{n}x" for n in range(9000))]
    vocabulary = {token: number for number, token in enumerate(words)}
    vocabulary["rare"] = len(vocabulary)
    weights = token_weights(vocabulary, len(vocabulary))
    assert weights.dtype == np.float32
    assert weights[0] == weights[3] == weights[4]
    assert (np.diff(weights[4:]) > 0).all()
    assert 0 < weights[4] < 0.01
    assert 0.8 < weights[-1] < 1


def test_rows_are_weighted_embeddings(tmp_path: Path) -> None:
    upstream = read_upstream(tiny_bert.make_folder(tmp_path))
    write_static(upstream, tmp_path / "static.safetensors")
    parts = load_file(tmp_path / "static.safetensors")
    vocabulary = {token: number for number, token in enumerate(tiny_bert.VOCABULARY)}
    weights = token_weights(vocabulary, len(vocabulary))
    expected = tiny_bert.make_weights()["embeddings.word_embeddings.weight"] * weights[:, None]
    rows = parts["table"] * parts["scales"][:, None]
    assert parts["table"].dtype == np.int8
    np.testing.assert_allclose(rows, expected, atol=np.abs(expected).max() / 127)
