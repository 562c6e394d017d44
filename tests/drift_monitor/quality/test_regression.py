"""Regression quality against scikit-learn, and the verdicts that a drifting price must and must not bring."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from drift_monitor.quality.constraints import (
    Expectation,
    QualityPolicy,
    expectation_of,
    quality_baseline,
    suggest_constraints,
)
from drift_monitor.quality.regression import METRICS, evaluate_regression
from drift_monitor.quality.resampling import Vector, bootstrap_means
from drift_monitor.results import Verdict
from tests.drift_monitor.quality.windows import coverage, holds, metric, value


def _window(seed: int, *, rows: int = 400, factor: float = 1.0) -> tuple[Vector, Vector]:
    """Actual prices and what a model predicts that is right but for noise, when prices have risen by a factor."""
    generator = np.random.default_rng(seed)
    predicted = np.exp(generator.normal(10.2, 0.5, rows))
    return predicted * factor * np.exp(generator.normal(0, 0.1, rows)), predicted


def test_metrics_are_those_of_scikit_learn() -> None:
    """Five of the six have an oracle there; bias is worked out by hand."""
    actual, predicted = _window(1)
    quality = evaluate_regression(actual, predicted, coverage=coverage(400))

    assert value(quality, "mae") == pytest.approx(oracle.mean_absolute_error(actual, predicted))
    assert value(quality, "mse") == pytest.approx(oracle.mean_squared_error(actual, predicted))
    assert value(quality, "rmse") == pytest.approx(oracle.root_mean_squared_error(actual, predicted))
    assert value(quality, "r2") == pytest.approx(oracle.r2_score(actual, predicted))
    assert value(quality, "mape") == pytest.approx(100 * oracle.mean_absolute_percentage_error(actual, predicted))
    assert value(quality, "bias") == pytest.approx(100 * float(np.mean((predicted - actual) / actual)))
    assert all(holds(item.observed, item.observed.value or 0.0) for item in quality.metrics)


def test_the_sign_of_the_bias_survives_negative_labels() -> None:
    """Predicting too low is a negative bias, whatever the sign of the label."""
    quality = evaluate_regression(np.array([-10.0, 10.0]), np.array([-11.0, 9.0]), coverage=coverage(2))

    assert value(quality, "bias") == pytest.approx(-10.0)


def test_a_risen_price_level_is_a_violation_of_the_bias_and_the_same_level_is_not() -> None:
    """Limits suggested from a baseline stay silent on windows like it, and see a level that is 25 % higher."""
    holdout = evaluate_regression(*_window(1), coverage=coverage(400))
    expectation = expectation_of(quality_baseline(holdout, suggest_constraints(holdout)), QualityPolicy())

    same = [
        evaluate_regression(*_window(seed), coverage=coverage(400), expectation=expectation) for seed in range(2, 7)
    ]
    risen = evaluate_regression(*_window(9, factor=1.25), coverage=coverage(400), expectation=expectation)

    assert [quality.verdict for quality in same] == [Verdict.OK] * 5
    assert risen.verdict is Verdict.VIOLATION
    assert metric(risen, "bias").verdict is Verdict.VIOLATION
    assert value(risen, "bias") < -15
    assert metric(risen, "bias").baseline == value(holdout, "bias")


def test_a_few_rows_or_few_labels_are_insufficient_data() -> None:
    """However wrong the predictions are, nothing is said about them."""
    actual, predicted = _window(9, factor=3.0)
    expectation = Expectation(
        limits=suggest_constraints(evaluate_regression(*_window(1), coverage=coverage(400))),
        policy=QualityPolicy(minimum_rows=50, minimum_label_coverage=0.2),
    )

    few_rows = evaluate_regression(actual[:49], predicted[:49], coverage=coverage(49), expectation=expectation)
    few_labels = evaluate_regression(
        actual, predicted, coverage=coverage(400, predictions=2001), expectation=expectation
    )

    for quality in (few_rows, few_labels):
        assert quality.verdict is Verdict.INSUFFICIENT_DATA
        assert {item.verdict for item in quality.metrics} == {Verdict.INSUFFICIENT_DATA}


def test_the_deviation_is_model_monitors_and_starts_at_200_rows() -> None:
    """Five samples of 80 % vary by about a quarter of the standard error of half as many rows."""
    actual, predicted = _window(1)
    error = np.abs(predicted - actual)

    below = evaluate_regression(actual[:199], predicted[:199], coverage=coverage(199))
    above = evaluate_regression(actual, predicted, coverage=coverage(400))
    again = evaluate_regression(actual, predicted, coverage=coverage(400))

    assert metric(below, "mae").standard_deviation is None
    # Sampling without replacement: variance s^2 / m * (1 - m / n); five samples estimate it within a factor of 3.
    expected = error.std(ddof=1) / np.sqrt(320) * np.sqrt(1 - 320 / 400)
    assert expected / 3 < (metric(above, "mae").standard_deviation or 0) < expected * 3
    assert above == again


def test_resampled_groups_vary_as_resampled_rows_do() -> None:
    """Beyond 1,000 rows groups are resampled: the spread of a mean must stay s / sqrt(n)."""
    column = np.random.default_rng(3).exponential(size=(25_000, 1))

    means = bootstrap_means(column)

    assert means.std() == pytest.approx(column.std() / np.sqrt(len(column)), rel=0.1)
    assert means.mean() == pytest.approx(column.mean(), rel=0.002)


@pytest.mark.parametrize(
    ("actual", "predicted", "undefined"),
    [
        ([], [], set(METRICS)),
        ([np.nan, 1.0], [1.0, np.nan], set(METRICS)),
        ([5.0, 5.0, 5.0], [4.0, 5.0, 6.0], {"r2"}),
        ([0.0, 0.0], [1.0, 2.0], {"r2", "mape", "bias"}),
        ([1e308, -1e308], [-1e308, 1e308], {"mse", "rmse", "r2", "mae"}),
    ],
    ids=["no rows", "no pair", "equal labels", "zeros", "beyond float64"],
)
def test_what_cannot_be_said_is_none(actual: list[float], predicted: list[float], undefined: set[str]) -> None:
    """Degenerate windows give None, never a crash, an infinity or a NaN."""
    quality = evaluate_regression(
        np.array(actual, dtype=np.float64), np.array(predicted, dtype=np.float64), coverage=coverage(len(actual))
    )

    assert {item.name for item in quality.metrics if item.observed.value is None} >= undefined
    values = [item.observed.value for item in quality.metrics if item.observed.value is not None]
    assert np.isfinite(values).all()
    assert quality.verdict is Verdict.INSUFFICIENT_DATA
