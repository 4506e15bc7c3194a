"""The numpy forward agrees with the paper and shows what enters each product."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tiny_bert
from metier.conversion.arithmetic import last_states
from metier.conversion.upstream import read_upstream


def test_pooled_states_follow_the_paper(tmp_path: Path) -> None:
    upstream = read_upstream(tiny_bert.make_folder(tmp_path))
    texts = np.array([[2, 10, 11, 12, 3], [2, 30, 31, 45, 3]])
    pooled = last_states(upstream, texts).mean(axis=1)
    for row, ids in zip(pooled, texts, strict=True):
        expected = tiny_bert.forward(tiny_bert.make_weights(), list(ids))
        np.testing.assert_allclose(row / np.linalg.norm(row), expected, atol=1e-5)


def test_every_product_is_seen_once(tmp_path: Path) -> None:
    upstream = read_upstream(tiny_bert.make_folder(tmp_path))
    seen = []
    last_states(
        upstream,
        np.array([[2, 10, 3]]),
        lambda place, layer, rows: seen.append((place, layer, rows.shape)),
    )
    narrow = {"narrow": tiny_bert.WIDE}
    assert seen == [
        (place, layer, (3, narrow.get(place, tiny_bert.HIDDEN)))
        for layer in range(tiny_bert.LAYERS)
        for place in ("attention", "context", "wide", "narrow")
    ]
