"""Linear heads: from rows of features to calibrated probabilities, and back to a decision.

It knows matrices: logits, softmax, temperature, energy, quantisation, thresholds. It knows no
text, no label name and no file. Methods: temperature scaling, Guo et al. 2017, "On Calibration
of Modern Neural Networks" §4; energy score, Liu et al. 2020, "Energy-based Out-of-distribution
Detection" §3; TF-IDF with sublinear counts, Manning et al. 2008, §6.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

FloatArray = NDArray[np.float32]
ABSENT = -30.0
"""The logit bias of a label that a head has never seen: never chosen, never infinite."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """``logits = rows @ weights + bias``.

    Attributes:
        weights: float32, shape (features, labels).
        bias: float32, shape (labels,).
    """

    weights: FloatArray
    bias: FloatArray

    def logits(self, rows: FloatArray | sparse.csr_matrix) -> FloatArray:
        """Logits, float32, shape (rows, labels)."""
        if sparse.issparse(rows):
            assert isinstance(rows, sparse.csr_matrix)  # what issparse cannot tell the checker
            if rows.shape[0] == 1:
                # One text: gathering its few rows is ten times faster than a sparse product.
                picked = self.weights[rows.indices]
                return np.asarray((rows.data @ picked + self.bias)[None, :], dtype=np.float32)
            return np.asarray(rows @ self.weights + self.bias, dtype=np.float32)
        logits: FloatArray = np.asarray(rows, dtype=np.float32) @ self.weights + self.bias
        return logits


def inverse_document_frequency(counts: sparse.csr_matrix) -> FloatArray:
    """Smoothed idf of each bucket, ``log((1 + n) / (1 + df)) + 1``, float32."""
    document_frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1.0 + counts.shape[0]) / (1.0 + document_frequency)) + 1.0
    return np.asarray(idf, dtype=np.float32)


def weigh(counts: sparse.csr_matrix, idf: FloatArray) -> sparse.csr_matrix:
    """Rows of ``(1 + log count) * idf``, scaled to unit length; empty rows stay empty."""
    data = (1.0 + np.log(counts.data)) * idf[counts.indices]
    lengths = np.diff(counts.indptr)
    row_of = np.repeat(np.arange(counts.shape[0]), lengths)
    norm = np.sqrt(np.bincount(row_of, weights=data * data, minlength=counts.shape[0]))
    data = (data / np.maximum(norm, 1e-12)[row_of]).astype(np.float32)
    weighted = sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)
    weighted.has_sorted_indices = True
    return weighted


def quantise(weights: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Symmetric int8 per label: ``weights ≈ quantised * scale``; shapes (f, k) and (k,)."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-12) / 127.0
    quantised = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
    return quantised, scale.astype(np.float32)


def dequantise(quantised: NDArray[np.int8], scale: FloatArray) -> FloatArray:
    """The float32 weights of ``quantise``'s output."""
    return quantised.astype(np.float32) * scale


def mix(logits: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """The members' logits, weighted and added: a log-linear pool of their probabilities."""
    mixed = np.zeros_like(logits[0])
    for member, weight in zip(logits, weights, strict=True):
        mixed += np.float32(weight) * member
    return mixed


def log_softmax(logits: FloatArray) -> FloatArray:
    """Row-wise log-probabilities, float32."""
    return np.asarray(logits - energy(logits)[:, None], dtype=np.float32)


def energy(logits: FloatArray) -> FloatArray:
    """Log-sum-exp of each row: higher is more in scope (Liu et al. 2020, eq. 4, negated)."""
    # Written out: scipy's general logsumexp takes longer than all else that one text needs.
    highest = logits.max(axis=1)
    total = np.exp(logits - highest[:, None]).sum(axis=1)
    return np.asarray(highest + np.log(total), dtype=np.float32)


def fit_mixture(
    logits: Sequence[FloatArray], labels: NDArray[np.int64], *, most_rows: int = 20_000
) -> tuple[float, ...]:
    """Positive weights, one per member, that minimise the log-loss on held-out logits.

    With one member this is temperature scaling (the weight is 1 / T); with several it weighs and
    calibrates them together. Only the first ``most_rows`` rows are used: it is one number each.
    """
    stack = np.stack([member[:most_rows] for member in logits]).astype(np.float64)
    truth = labels[:most_rows]
    rows = np.arange(truth.size)
    chosen = stack[:, rows, truth]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.exp(parameters)
        mixed = np.tensordot(weights, stack, axes=1)
        normaliser = logsumexp(mixed, axis=1)
        probability = np.exp(mixed - normaliser[:, None])
        gradient = np.array([(probability * member).sum(axis=1).mean() for member in stack])
        gradient -= chosen.mean(axis=1)
        value = float((normaliser - weights @ chosen).mean())
        return value, gradient * weights

    start = np.zeros(len(logits))
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-5.0, 6.0)] * start.size)
    return tuple(float(np.float32(np.exp(value))) for value in solution.x)


def abstain_threshold(
    probabilities: FloatArray, correct: NDArray[np.bool_], target_accuracy: float
) -> tuple[float, float, float]:
    """The lowest probability at which the answers given reach the target.

    Args:
        probabilities: Of the best label, on unseen rows, shape (n,).
        correct: Whether the best label is right, shape (n,).
        target_accuracy: Accuracy wanted of the answers given.

    Returns:
        Threshold, accuracy of the answers given, coverage (share answered). If no threshold
        reaches the target, the one with the best accuracy among those that answer at least a
        tenth of the rows.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked = correct[order].astype(np.float64)
    given = np.arange(1, ranked.size + 1)
    accuracy = np.cumsum(ranked) / given
    # Ties answer together: only the last row of each run of equal probabilities is a cut.
    sorted_probability = probabilities[order]
    cuts = np.flatnonzero(np.append(sorted_probability[1:] != sorted_probability[:-1], True))
    good = cuts[accuracy[cuts] >= target_accuracy]
    if good.size:
        cut = int(good[-1])
    else:
        enough = cuts[given[cuts] >= 0.1 * ranked.size]
        cut = int(enough[np.argmax(accuracy[enough])])
    threshold = 0.0 if cut == ranked.size - 1 else float(sorted_probability[cut])
    return threshold, float(accuracy[cut]), float(given[cut] / ranked.size)
