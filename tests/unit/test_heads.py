"""Linear heads: logits, calibration, quantisation and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from metier.heads import (
    LinearHead,
    abstain_threshold,
    dequantise,
    energy,
    fit_mixture,
    inverse_document_frequency,
    log_softmax,
    mix,
    quantise,
    weigh,
)


def random_head(features: int = 30, labels: int = 4, seed: int = 0) -> LinearHead:
    chance = np.random.default_rng(seed)
    return LinearHead(
        chance.normal(size=(features, labels)).astype(np.float32),
        chance.normal(size=labels).astype(np.float32),
    )


def test_one_sparse_row_many_rows_and_dense_rows_give_the_same_logits() -> None:
    head = random_head()
    dense = np.random.default_rng(1).random((6, 30), dtype=np.float32)
    dense[dense < 0.7] = 0
    rows = sparse.csr_matrix(dense)
    expected = dense @ head.weights + head.bias
    np.testing.assert_allclose(head.logits(dense), expected, rtol=1e-5)
    np.testing.assert_allclose(head.logits(rows), expected, rtol=1e-5, atol=1e-6)
    for number in range(6):
        np.testing.assert_allclose(
            head.logits(rows[number])[0], expected[number], rtol=1e-5, atol=1e-6
        )


def test_log_softmax_and_energy_agree_with_scipy() -> None:
    logits = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32) * 8
    np.testing.assert_allclose(np.exp(log_softmax(logits)), softmax(logits, axis=1), rtol=1e-4)
    np.testing.assert_allclose(energy(logits), np.log(np.exp(logits).sum(axis=1)), rtol=1e-5)


def test_weighted_rows_have_unit_length_and_empty_rows_stay_empty() -> None:
    counts = sparse.csr_matrix(np.array([[1, 2, 0], [0, 0, 0], [3, 0, 1]], np.float32))
    weighted = weigh(counts, inverse_document_frequency(counts))
    lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1)).A1
    np.testing.assert_allclose(lengths, [1, 0, 1], rtol=1e-6)


def test_a_bucket_in_fewer_rows_weighs_more() -> None:
    counts = sparse.csr_matrix(np.array([[1, 1], [1, 0], [1, 0]], np.float32))
    idf = inverse_document_frequency(counts)
    assert idf[1] > idf[0]
    assert idf[0] == pytest.approx(1.0)


@given(st.integers(0, 2**31))
def test_quantised_weights_are_within_half_a_step(seed: int) -> None:
    weights = random_head(seed=seed).weights
    quantised, scale = quantise(weights)
    assert quantised.dtype == np.int8
    assert np.all(np.abs(dequantise(quantised, scale) - weights) <= scale / 2 + 1e-6)


def test_quantising_nothing_but_zeros_gives_zeros() -> None:
    quantised, scale = quantise(np.zeros((3, 2), np.float32))
    assert not dequantise(quantised, scale).any()


def test_the_mixture_calibrates_overconfident_logits() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 5)).astype(np.float32)
    truth = np.array([chance.choice(5, p=row) for row in softmax(logits, axis=1)])
    (weight,) = fit_mixture([logits * 6], truth)
    assert weight == pytest.approx(1 / 6, rel=0.1)


def test_the_mixture_trusts_the_better_member() -> None:
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 3, 3000)
    good = np.eye(3, dtype=np.float32)[truth] * 2 + chance.normal(size=(3000, 3)).astype(np.float32)
    noise = chance.normal(size=(3000, 3)).astype(np.float32)
    weights = fit_mixture([noise, good], truth)
    assert weights[1] > 10 * weights[0]
    assert (mix([noise, good], weights).argmax(1) == truth).mean() > 0.8


def test_abstaining_buys_the_accuracy_that_was_asked_for() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32)
    correct = np.array([True, True, True, False, False])
    threshold, accuracy, coverage = abstain_threshold(probabilities, correct, 1.0)
    assert (threshold, accuracy, coverage) == (pytest.approx(0.7), 1.0, 0.6)


def test_no_abstaining_where_all_answers_together_reach_the_target() -> None:
    probabilities = np.array([0.9, 0.8], np.float32)
    assert abstain_threshold(probabilities, np.array([True, True]), 0.9) == (0.0, 1.0, 1.0)


def test_a_target_that_cannot_be_reached_gives_the_best_there_is() -> None:
    probabilities = np.linspace(0.9, 0.1, 20).astype(np.float32)
    correct = np.array([False, True] * 10)
    _, accuracy, coverage = abstain_threshold(probabilities, correct, 0.99)
    assert coverage >= 0.1
    assert accuracy < 0.99


def test_equal_probabilities_answer_together() -> None:
    probabilities = np.array([0.9, 0.5, 0.5, 0.5], np.float32)
    correct = np.array([True, True, False, True])
    threshold, _, coverage = abstain_threshold(probabilities, correct, 1.0)
    assert threshold == pytest.approx(0.9)
    assert coverage == 0.25
