"""Estimates without labels against what the labels then show, and where none is given."""

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.errors import BaselineError
from drift_monitor.quality.binary import evaluate_binary
from drift_monitor.quality.calibration import Calibration, fit_calibration, parse_calibration
from drift_monitor.quality.estimate import estimate_binary, estimate_multiclass, estimate_quality
from drift_monitor.quality.resampling import Vector
from tests.drift_monitor.quality.windows import coverage, holds, metric, value


def _window(seed: int, *, shift: float = 0.0, rows: int = 4000) -> tuple[Vector, Vector]:
    """Labels, and a score that ranks rightly but is no probability: its square is."""
    generator = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-2 * generator.normal(shift, 1, rows)))
    return (generator.random(rows) < probability).astype(np.float64), np.sqrt(probability)


def _calibration() -> Calibration:
    actual, score = _window(1, rows=20_000)
    fitted = fit_calibration(score, actual == 1)
    assert fitted is not None
    return fitted


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_estimate_is_what_the_labels_show_later(shift: float) -> None:
    """Also under covariate drift, which changes the figures themselves by several points."""
    actual, score = _window(2, shift=shift)
    predicted = pa.array(score > 0.7)

    estimate = estimate_binary(predicted, score, calibration=_calibration())
    measured = evaluate_binary(pa.array(actual), predicted, probability=score, coverage=coverage(len(actual)))

    assert estimate.estimated
    for name in ("accuracy", "precision", "recall", "f1", "auc"):
        assert value(estimate, name) == pytest.approx(value(measured, name), abs=0.02)


def test_the_expected_auc_is_that_of_all_pairs() -> None:
    """The sum over sorted runs against the sum over every pair of rows, ties included."""
    score = np.array([0.1, 0.4, 0.4, 0.4, 0.7, 0.9])
    calibration = Calibration((0.0, 1.0), (0.0, 1.0))
    pairs = in_order = 0.0
    for i, first in enumerate(score):
        for j, second in enumerate(score):
            weight = first * (1 - second) * (i != j)
            pairs += weight
            in_order += weight * ((first > second) + 0.5 * (first == second))

    estimate = estimate_binary(pa.array(score > 0.5), score, calibration=calibration)

    assert value(estimate, "auc") == pytest.approx(in_order / pairs)


def test_multiclass_accuracy_is_the_mean_confidence() -> None:
    """The interval holds what labels drawn by the confidence show."""
    generator = np.random.default_rng(4)
    confidence = generator.uniform(0.4, 1.0, 1000)
    right = generator.random(1000) < confidence

    estimate = estimate_multiclass(confidence, calibration=Calibration((0.0, 1.0), (0.0, 1.0)))

    assert value(estimate, "accuracy") == pytest.approx(confidence.mean())
    assert holds(metric(estimate, "accuracy").observed, right.mean())


def test_no_estimate_is_given_where_none_is_sound() -> None:
    """A regression, a classifier without probabilities, and one whose scores were never held against labels."""
    score, predicted, calibration = np.array([0.2, 0.8]), pa.array([0, 1]), Calibration((0.0, 1.0), (0.0, 1.0))

    assert estimate_quality("Regression", predicted=predicted, probability=score, calibration=calibration) is None
    assert (
        estimate_quality("BinaryClassification", predicted=predicted, probability=None, calibration=calibration) is None
    )
    assert estimate_quality("BinaryClassification", predicted=predicted, probability=score, calibration=None) is None
    assert fit_calibration(score, np.array([False, True])) is None


def test_a_window_without_usable_probabilities_says_nothing() -> None:
    """NaN does not count, and no row is left."""
    estimate = estimate_binary(pa.array([1, 0]), np.array([np.nan, np.nan]), calibration=_calibration())

    assert estimate.rows == 0
    assert {item.observed.value for item in estimate.metrics} == {None}


def test_a_calibration_never_falls_and_survives_its_file() -> None:
    """Isotonic, also for a score that has two values only."""
    generator = np.random.default_rng(1)
    coarse = fit_calibration(np.repeat([0.2, 0.8], 200), generator.random(400) < np.repeat([0.1, 0.6], 200))

    for calibration in (_calibration(), coarse):
        assert calibration is not None
        assert (np.diff(calibration.shares) >= 0).all()
        assert parse_calibration(calibration.to_json()) == calibration
    with pytest.raises(BaselineError, match="malformed"):
        parse_calibration({"scores": [0.5]})
