"""Metrics of an analysis: bounded in number, and silent where nothing can be said."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drift_monitor import metric_names
from drift_monitor.metrics import TOP_FEATURES, metric_lines
from drift_monitor.results import Analysis, Verdict
from tests.drift_monitor.report.made_up import feature, full_analysis

NOW = datetime(2026, 11, 26, 14, tzinfo=UTC)


def _lines(analysis: Analysis, *analyses: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in metric_lines(analysis, analyses, now=NOW)]


def test_only_the_most_drifted_columns_cost_a_series() -> None:
    """Of forty columns the ten with the largest distances; what has no distance has no metric."""
    features = tuple(feature(f"f{number:02}", number / 100 or None) for number in range(40))
    lines = _lines(replace(full_analysis(), features=features), "data_quality")
    shown = [line["Feature"] for line in lines if "Feature" in line]
    assert shown == [f"f{number}" for number in range(39, 39 - TOP_FEATURES, -1)]
    assert lines[0]["LargestDistance"] == 0.39
    assert lines[0]["DriftedFeatures"] == 39


def test_each_analysis_that_was_asked_for_has_its_metrics() -> None:
    """And no other: an alarm on one that is not run has no data, instead of reassuring zeros."""
    analysis = full_analysis()
    for name, expected in metric_names.ANALYSES.items():
        line = _lines(analysis, name)[0]
        others = {metric for other, metrics in metric_names.ANALYSES.items() if other != name for metric in metrics}
        assert set(line) >= {*expected, *metric_names.ALWAYS}, name
        assert not others & set(line), name
        assert line["_aws"]["Timestamp"] == NOW.timestamp() * 1000


def test_violations_are_counted_by_analysis() -> None:
    """Drifted columns and broken rules together; coverage and lost events in percent."""
    line = _lines(full_analysis(), *metric_names.ANALYSES)[0]
    expected = {
        "DataQualityViolations": 3,
        "ModelQualityViolations": 1,
        "BiasViolations": 1,
        "AttributionViolations": 1,
        "LabelCoveragePercent": 80.0,
        "UnusableCapturePercent": 2.0,
        "AttributionNdcg": 0.5,
        "InsufficientData": 0,
    }
    assert expected.items() <= line.items()


def test_quality_that_cannot_be_judged_is_not_published() -> None:
    """An alarm on the noise of few labels, or on an estimate, would roll a good release back."""
    analysis = full_analysis()
    assert analysis.quality is not None
    for quality in (
        replace(analysis.quality, verdict=Verdict.INSUFFICIENT_DATA),
        replace(analysis.quality, estimated=True),
    ):
        lines = _lines(replace(analysis, quality=quality), "model_quality")
        assert not any(name.startswith(metric_names.MODEL_QUALITY_PREFIX) for line in lines for name in line)
    (line,) = (line for line in _lines(analysis, "model_quality") if "ModelQuality/power" in line)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [
        ["EndpointName", "Monitor"],
        ["EndpointName", "VariantName"],
    ]
