"""Fitting: heads that separate, the same bytes each time, labels that were not seen."""

from __future__ import annotations

import numpy as np
import pytest

import made_up
from metier.errors import InputError
from metier.features import FeatureSpec, hashed_counts
from metier.heads import ABSENT, inverse_document_frequency, weigh
from metier.training.fitting import cross_validate, fit_hinge, fit_logistic, fit_whole


def clusters(number: int = 300, labels: int = 3, seed: int = 0):
    chance = np.random.default_rng(seed)
    classes = chance.integers(0, labels, number)
    centres = np.eye(labels, 8, dtype=np.float32)
    rows = centres[classes] + chance.normal(scale=0.2, size=(number, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, classes


@pytest.mark.parametrize("fit", [fit_logistic, fit_hinge])
@pytest.mark.parametrize("labels", [2, 3, 5])
def test_a_head_tells_separate_classes_apart(fit, labels) -> None:
    rows, classes = clusters(labels=labels)
    head = fit_whole(fit, rows, classes, labels, 0)
    assert head.weights.shape == (8, labels)
    assert head.weights.dtype == np.float32
    assert (head.logits(rows).argmax(1) == classes).mean() > 0.95


def test_two_classes_have_the_solvers_own_probability() -> None:
    from sklearn.linear_model import LogisticRegression

    rows, classes = clusters(labels=2)
    head = fit_whole(fit_logistic, rows, classes, 2, 0)
    theirs = LogisticRegression(C=20.0, max_iter=500).fit(rows, classes).predict_proba(rows)
    logits = head.logits(rows)
    ours = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    np.testing.assert_allclose(ours, theirs[:, 1], atol=1e-4)


def test_hashed_words_of_messages_are_told_apart() -> None:
    content = made_up.rows(60, noise=0.0)
    names = sorted(made_up.SAID)
    counts = hashed_counts([row["text"] for row in content], FeatureSpec(1 << 14))
    rows = weigh(counts, inverse_document_frequency(counts))
    classes = np.array([names.index(row["label"]) for row in content])
    folds = np.arange(classes.size) % 3
    logits = cross_validate(
        fit_hinge, rows, classes, labels=4, folds=folds, seed=0, workers=2, stopped=lambda: False
    )
    assert logits is not None
    assert (logits.argmax(1) == classes).mean() > 0.95


@pytest.mark.parametrize("fit", [fit_logistic, fit_hinge])
def test_the_same_rows_give_the_same_bytes_with_any_number_of_workers(fit) -> None:
    rows, classes = clusters()
    folds = np.arange(classes.size) % 4
    results = [
        cross_validate(
            fit,
            rows,
            classes,
            labels=3,
            folds=folds,
            seed=0,
            workers=workers,
            stopped=lambda: False,
        )
        for workers in (1, 2)
    ]
    assert results[0] is not None
    assert results[1] is not None
    assert results[0].tobytes() == results[1].tobytes()


def test_out_of_fold_logits_do_not_know_their_own_label() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(400, 30)).astype(np.float32)
    classes = chance.integers(0, 2, 400)
    logits = cross_validate(
        fit_logistic,
        rows,
        classes,
        labels=2,
        folds=np.arange(400) % 5,
        seed=0,
        workers=1,
        stopped=lambda: False,
    )
    assert logits is not None
    assert 0.35 < (logits.argmax(1) == classes).mean() < 0.65


def test_a_label_that_was_never_seen_is_never_chosen() -> None:
    rows, classes = clusters(labels=3)
    head = fit_whole(fit_logistic, rows, np.where(classes == 1, 3, classes), 4, 0)
    assert head.bias[1] == ABSENT
    assert 1 not in head.logits(rows).argmax(1)


def test_stopping_between_folds_gives_nothing() -> None:
    rows, classes = clusters()
    stopped = cross_validate(
        fit_logistic,
        rows,
        classes,
        labels=3,
        folds=np.arange(classes.size) % 3,
        seed=0,
        workers=1,
        stopped=lambda: True,
    )
    assert stopped is None


@pytest.mark.parametrize("fit", [fit_logistic, fit_hinge])
def test_one_class_is_refused_with_a_remedy(fit) -> None:
    rows, classes = clusters()
    with pytest.raises(InputError) as caught:
        fit_whole(fit, rows, np.zeros_like(classes), 3, 0)
    assert caught.value.code == "one_class"
    assert caught.value.remedy
