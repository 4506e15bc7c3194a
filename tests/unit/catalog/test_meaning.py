"""Meaning: signs find what exact search finds, within filters, and odd vectors do no harm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metier.catalog import meaning

RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> meaning.Meaning:
    folder = tmp_path_factory.mktemp("meaning")
    centres = RNG.standard_normal((50, 100))
    vectors = centres[RNG.integers(0, 50, 20_000)] + RNG.standard_normal((20_000, 100))
    meaning.build(folder, meaning.unit(vectors).astype(np.float16))
    return meaning.Meaning.open(folder)


def test_recall_against_exact_search(stored: meaning.Meaning) -> None:
    everything = stored.halves.astype(np.float32)
    found = 0
    queries = everything[RNG.integers(0, 20_000, 20)]
    for query in queries:
        exact = set(np.argsort(-(everything @ query))[:10].tolist())
        found += len(exact & {place for place, _ in stored.nearest(query, 10)})
    assert found >= 0.9 * 10 * len(queries)


def test_a_filter_is_kept(stored: meaning.Meaning) -> None:
    allowed = np.zeros(20_000, bool)
    allowed[::7] = True
    query = stored.halves[7].astype(np.float32)
    places = [place for place, _ in stored.nearest(query, 50, allowed)]
    assert places[0] == 7
    assert all(place % 7 == 0 for place in places)
    few = np.zeros(20_000, bool)
    few[[3, 9]] = True
    assert {place for place, _ in stored.nearest(query, 50, few)} == {3, 9}
    assert stored.nearest(query, 50, np.zeros(20_000, bool)) == []


def test_signs_of_a_width_that_fills_no_word() -> None:
    signs = meaning.signs_of(np.array([[1.0, -1.0, 1.0] * 30, [-1.0] * 90]))
    assert signs.shape == (2, 2)
    assert int(np.bitwise_count(signs[:, 0]).sum()) == 60
    assert int(np.bitwise_count(signs[:, 1]).sum()) == 0


def test_vectors_that_are_none_become_zero() -> None:
    found = meaning.unit(np.array([[np.nan, 1.0], [0.0, 0.0], [np.inf, 1.0], [3.0, 4.0]]))
    assert found[:3].tolist() == [[0, 0]] * 3
    assert found[3].tolist() == pytest.approx([0.6, 0.8])


def test_nothing_is_found_in_nothing(tmp_path: Path) -> None:
    meaning.build(tmp_path, np.zeros((0, 4), np.float16))
    assert meaning.Meaning.open(tmp_path).nearest(np.ones(4, np.float32), 3) == []
