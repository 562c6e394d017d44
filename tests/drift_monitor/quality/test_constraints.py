"""Verdicts of single figures, and the limits that a baseline suggests."""

import pytest

from drift_monitor.baseline import MetricLimit
from drift_monitor.errors import SettingsError
from drift_monitor.quality.constraints import GREATER, LESS, OUTSIDE, QualityPolicy, judge, suggest_constraints
from drift_monitor.results import Interval, LabelCoverage, ModelQuality, QualityMetric, Verdict


def _limit(operator: str) -> MetricLimit:
    return MetricLimit(threshold=10.0, operator=operator)


@pytest.mark.parametrize(
    ("operator", "low", "high", "verdict"),
    [
        (GREATER, 10.1, 12.0, Verdict.VIOLATION),
        (GREATER, 9.9, 12.0, Verdict.OK),
        (LESS, 8.0, 9.9, Verdict.VIOLATION),
        (LESS, 8.0, 10.1, Verdict.OK),
        (OUTSIDE, -14.0, -10.1, Verdict.VIOLATION),
        (OUTSIDE, 10.1, 14.0, Verdict.VIOLATION),
        (OUTSIDE, -14.0, -9.9, Verdict.OK),
        (OUTSIDE, -14.0, 14.0, Verdict.OK),
    ],
)
def test_a_violation_needs_the_whole_interval_beyond_the_limit(
    operator: str, low: float, high: float, verdict: Verdict
) -> None:
    """The limit is 10, or 10 to both sides of 0."""
    assert judge(Interval(value=(low + high) / 2, low=low, high=high), _limit(operator)) is verdict


def test_a_figure_without_interval_is_not_judged() -> None:
    """An undefined value can neither keep nor break a limit."""
    assert judge(Interval(value=None), _limit(LESS)) is Verdict.INSUFFICIENT_DATA
    assert judge(Interval(value=1.0), _limit(LESS)) is Verdict.INSUFFICIENT_DATA


def test_settings_that_cannot_be_used_are_refused() -> None:
    """The message names what is wrong."""
    with pytest.raises(SettingsError, match="'Above' is not"):
        judge(Interval(value=1.0), _limit("Above"))
    with pytest.raises(SettingsError, match="between 0 and 1"):
        QualityPolicy(minimum_label_coverage=10)


def _measured(name: str, low: float, high: float) -> QualityMetric:
    observed = Interval(value=(low + high) / 2, low=low, high=high)
    return QualityMetric(name=name, verdict=Verdict.OK, observed=observed, baseline=None, limit=None, operator=None)


def test_the_squared_error_alarms_when_its_root_does() -> None:
    """The same margin for both would let the square of the error alarm at half the change."""
    quality = ModelQuality(
        problem_type="Regression",
        verdict=Verdict.OK,
        rows=100,
        coverage=LabelCoverage(predictions=100, labelled=100, unmatched_labels=0),
        metrics=(_measured("rmse", 9.0, 10.0), _measured("mse", 81.0, 100.0)),
    )

    limits = suggest_constraints(quality, margin=0.1)

    assert limits["rmse"].threshold == pytest.approx(11.0)
    assert limits["mse"].threshold == pytest.approx(11.0**2)
