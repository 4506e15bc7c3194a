"""Calibration error and AUROC, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from metier.stats import auroc, expected_calibration_error


def test_calibration_error_by_hand() -> None:
    # Two bins of two: |.55 - .5| and |.9 - 1|.
    assert expected_calibration_error([0.9, 0.5, 0.6, 0.9], [1, 0, 1, 1], bins=2) == pytest.approx(
        0.5 * 0.05 + 0.5 * 0.1
    )


def test_sure_and_right_has_no_error_and_sure_and_wrong_the_whole() -> None:
    assert expected_calibration_error([1.0] * 40, [1] * 40) == 0.0
    assert expected_calibration_error([1.0] * 40, [0] * 40) == 1.0


def test_calibrated_confidences_have_a_small_error_and_shifted_ones_a_large() -> None:
    generator = np.random.default_rng(0)
    confidences = generator.uniform(0.3, 1.0, 20_000)
    correct = generator.random(20_000) < confidences
    assert expected_calibration_error(confidences, correct) < 0.02
    assert expected_calibration_error(confidences * 0.7, correct) > 0.15


def test_fewer_items_than_bins() -> None:
    assert expected_calibration_error([0.8, 0.6], [1, 0]) == pytest.approx(0.5 * 0.2 + 0.5 * 0.6)


def test_bad_confidences_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        expected_calibration_error([1.2], [1])
    with pytest.raises(ValueError, match="2 confidences were given for 1"):
        expected_calibration_error([0.2, 0.3], [1])


def test_auroc_is_scikit_learns() -> None:
    generator = np.random.default_rng(1)
    high = np.round(generator.normal(1, 1, 300), 1)
    low = np.round(generator.normal(0, 1, 700), 1)
    truth = np.concatenate([np.ones(300), np.zeros(700)])
    expected = roc_auc_score(truth, np.concatenate([high, low]))
    assert auroc(high, low) == pytest.approx(expected)
    assert auroc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auroc([1.0], [1.0]) == 0.5
