"""Fitting linear heads: hinge loss on hashed words, logistic loss on vectors.

It knows scikit-learn's solvers and gives back plain arrays; it chooses no method and measures
nothing. Everything is deterministic for a given seed: solvers run on one thread each, so that a
remake on the same class of processor gives the same bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from metier.errors import InputError
from metier.heads import ABSENT, FloatArray, LinearHead

Rows = FloatArray | sparse.csr_matrix
Fit = Callable[[Rows, NDArray[np.int64], int, int], LinearHead]
"""``fit(rows, classes, number of labels, seed)``."""

_INVERSE_REGULARISATION = 20.0
"""C of the logistic loss on unit vectors; 10 to 30 are equal within .3 points (docs/log.md)."""


def fit_hinge(rows: Rows, classes: NDArray[np.int64], labels: int, seed: int) -> LinearHead:
    """One-against-rest linear support vectors (liblinear's dual solver, squared hinge, C = 1)."""
    from sklearn.svm import LinearSVC

    present = np.unique(classes)
    _needs_two(present)
    model = LinearSVC(C=1.0, tol=1e-2, random_state=seed, max_iter=2_000)
    model.fit(rows, classes)
    return _whole(np.asarray(model.coef_), np.asarray(model.intercept_), present, labels, 1.0)


def fit_logistic(rows: Rows, classes: NDArray[np.int64], labels: int, seed: int) -> LinearHead:  # noqa: ARG001  the solver has no randomness
    """Multinomial logistic regression (L-BFGS, L2)."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(classes)
    _needs_two(present)
    model = LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=500, tol=1e-4)
    model.fit(rows, classes)
    return _whole(np.asarray(model.coef_), np.asarray(model.intercept_), present, labels, 0.5)


def cross_validate(
    fit: Fit,
    rows: Rows,
    classes: NDArray[np.int64],
    *,
    labels: int,
    folds: NDArray[np.int64],
    seed: int,
    workers: int,
    stopped: Callable[[], bool],
) -> FloatArray | None:
    """Out-of-fold logits: each row is answered by a head that has not seen its fold.

    Returns:
        float32, shape (rows, labels), or ``None`` when ``stopped()`` became true between folds.
    """
    logits = np.zeros((classes.size, labels), np.float32)

    def one(fold: int) -> bool:
        if stopped():
            return False
        held_out = folds == fold
        head = fit(rows[~held_out], classes[~held_out], labels, seed)
        logits[held_out] = head.logits(rows[held_out])
        return True

    numbers: Sequence[int] = [int(fold) for fold in np.unique(folds)]
    with _solver_settings(), ThreadPoolExecutor(max_workers=at_once(fit, workers)) as pool:
        finished = list(pool.map(one, numbers))
    return logits if all(finished) else None


def at_once(fit: Fit, workers: int) -> int:
    """How many fits of this kind may run side by side.

    liblinear draws from one generator for the whole process: two fits at once would share it, and
    no fit could be repeated.
    """
    return 1 if fit is fit_hinge else max(1, workers)


def fit_whole(
    fit: Fit, rows: Rows, classes: NDArray[np.int64], labels: int, seed: int
) -> LinearHead:
    """One head over all rows, on one thread."""
    with _solver_settings():
        return fit(rows, classes, labels, seed)


@contextmanager
def _solver_settings() -> Iterator[None]:
    """One thread for each solver, and no advice on iterations: the held-out score is the judge.

    Set once around the pool, because warning filters belong to the whole process.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Few examples of many labels is what this is for, not a mistaken regression.
        warnings.filterwarnings("ignore", message="The number of unique classes is greater")
        yield


def _needs_two(present: NDArray[np.int64]) -> None:
    if present.size < 2:
        raise InputError(
            "Without the rows that are held out for a check, the training rows hold one label "
            "only, so nothing can be told apart.",
            code="one_class",
            remedy="Each label needs two or more different texts, in two or more groups if there "
            "are groups.",
        )


def _whole(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    present: NDArray[np.int64],
    labels: int,
    binary_share: float,
) -> LinearHead:
    """Spread a solver's coefficients over all labels; unseen labels get ``ABSENT``.

    With two classes solvers give one column for the second class; ``binary_share`` of it, with
    both signs, gives two columns whose softmax is the solver's own probability.
    """
    if weights.shape[0] == 1:
        weights = np.concatenate([-weights, weights]) * binary_share
        bias = np.concatenate([-bias, bias]) * binary_share
    full_weights = np.zeros((weights.shape[1], labels), np.float32)
    full_bias = np.full(labels, ABSENT, np.float32)
    full_weights[:, present] = weights.T.astype(np.float32)
    full_bias[present] = bias.astype(np.float32)
    return LinearHead(full_weights, full_bias)
