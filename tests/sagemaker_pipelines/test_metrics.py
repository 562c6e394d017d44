"""Metrics against values worked out by hand, and what the bootstrap must keep."""

import numpy as np
import pytest

from sagemaker_pipelines.metrics import bootstrap_metrics, group_metrics, paired_difference, regression_metrics

ACTUAL = np.array([10.0, 20.0, 40.0])
PREDICTED = np.array([11.0, 18.0, 44.0])


def test_metrics_have_their_textbook_values() -> None:
    """Errors of +1, -2 and +4 on 10, 20 and 40."""
    metrics = regression_metrics(ACTUAL, PREDICTED)

    assert metrics["mae"] == pytest.approx(7 / 3)
    assert metrics["mse"] == pytest.approx(7.0)
    assert metrics["rmse"] == pytest.approx(7.0**0.5)
    assert metrics["mape"] == pytest.approx(10.0)
    assert metrics["bias"] == pytest.approx(10 / 3)
    assert metrics["r2"] == pytest.approx(1 - 21 / (1400 / 3))


def test_bias_is_negative_for_a_model_that_estimates_too_low() -> None:
    """The sign says in which direction a price is wrong."""
    assert regression_metrics(ACTUAL, ACTUAL * 0.9)["bias"] == pytest.approx(-10.0)


def test_equal_prices_have_no_variance_to_explain() -> None:
    """R2 is 0 then, not a division by zero."""
    assert regression_metrics(np.array([5.0, 5.0]), np.array([4.0, 6.0]))["r2"] == 0


def test_intervals_are_the_same_in_every_run_and_hold_the_value() -> None:
    """The resamples are seeded."""
    actual = np.linspace(10, 100, 200)
    predicted = actual * np.where(np.arange(200) % 2, 1.1, 0.95)

    first, second = bootstrap_metrics(actual, predicted), bootstrap_metrics(actual, predicted)

    assert first == second
    for metric in first.values():
        assert metric.low <= metric.value <= metric.high


def test_the_paired_difference_is_sharper_than_the_metrics_themselves() -> None:
    """Both models err on the same hard cars; the pairing takes that out."""
    hard = np.random.default_rng(1).exponential(1000, size=300)

    difference = paired_difference(hard, hard + 10)

    assert difference.value == pytest.approx(-10.0)
    assert (difference.low, difference.high) == pytest.approx((-10.0, -10.0))


def test_small_groups_are_left_out() -> None:
    """Three cars say nothing about a make."""
    groups = group_metrics(ACTUAL, PREDICTED, ["Audi", "Audi", "Kia"], minimum_size=2)

    assert list(groups) == ["Audi"]
    assert groups["Audi"]["rows"] == 2
    assert groups["Audi"]["mae"] == pytest.approx(1.5)
