"""Model Monitor's statistics.json and constraints.json of a model's quality, from figures and back.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
Further keys are ours: intervals beside the values, the calibration of a classifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drift_monitor.baseline import MetricLimit, ModelQualityBaseline
from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, number, or_nan
from drift_monitor.files.model_key import ModelKey, model_key_document
from drift_monitor.quality.calibration import Calibration, parse_calibration
from drift_monitor.results import Interval, ModelQuality

_PREFIXES = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}
_CONFUSION = "confusion_matrix"
_LOW, _HIGH = "interval_95_low", "interval_95_high"


@dataclass(frozen=True, kw_only=True)
class QualityFigures:
    """What the statistics say; `deviations` are standard deviations by metric."""

    problem_type: str
    rows: int
    metrics: Mapping[str, Interval]
    deviations: Mapping[str, float] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    calibration: Calibration | None = None


def figures_of_window(quality: ModelQuality) -> QualityFigures:
    """The figures of a window."""
    deviations = {metric.name: metric.standard_deviation for metric in quality.metrics}
    return QualityFigures(
        problem_type=quality.problem_type,
        rows=quality.rows,
        metrics={metric.name: metric.observed for metric in quality.metrics},
        deviations={name: value for name, value in deviations.items() if value is not None},
        confusion=quality.confusion,
        curves=quality.curves,
    )


def quality_statistics_document(figures: QualityFigures, key: ModelKey) -> Document:
    """statistics.json of a model's quality."""
    metrics: Document = {
        name: _metric(interval, figures.deviations.get(name)) for name, interval in figures.metrics.items()
    }
    if figures.confusion:
        metrics[_CONFUSION] = {actual: dict(row) for actual, row in figures.confusion.items()}
    metrics |= {name: {axis: list(points) for axis, points in curve.items()} for name, curve in figures.curves.items()}
    calibration = {} if figures.calibration is None else {"calibration": figures.calibration.to_json()}
    return {
        "version": 0.0,
        "dataset": {"item_count": figures.rows},
        f"{_PREFIXES[figures.problem_type]}_metrics": metrics,
        **calibration,
        **model_key_document(key),
    }


def parse_quality_statistics(document: Mapping[str, Any]) -> QualityFigures:
    """The figures of statistics.json, without its curves; raises BaselineError if it has none."""
    problem_type = next((kind for kind, prefix in _PREFIXES.items() if f"{prefix}_metrics" in document), None)
    if problem_type is None:
        raise BaselineError("these are no statistics of a model's quality: they have no *_metrics")
    metrics = member(document, f"{_PREFIXES[problem_type]}_metrics")
    given = {name: member(metrics, name) for name in metrics if "value" in member(metrics, name)}
    deviations = {name: number(metric.get("standard_deviation")) for name, metric in given.items()}
    calibration = member(document, "calibration")
    return QualityFigures(
        problem_type=problem_type,
        rows=int(number(member(document, "dataset").get("item_count")) or 0),
        metrics={name: _interval(metric) for name, metric in given.items()},
        deviations={name: value for name, value in deviations.items() if value is not None},
        confusion={
            actual: {name: int(count) for name, count in row.items()}
            for actual, row in member(metrics, _CONFUSION).items()
        },
        calibration=parse_calibration(calibration) if calibration else None,
    )


def quality_constraints_document(limits: Mapping[str, MetricLimit], *, problem_type: str, key: ModelKey) -> Document:
    """constraints.json of a model's quality."""
    return {
        "version": 0.0,
        f"{_PREFIXES[problem_type]}_constraints": {
            name: {
                "threshold": limit.threshold,
                "comparison_operator": limit.operator,
                "additional_properties": None,
            }
            for name, limit in limits.items()
        },
        **model_key_document(key),
    }


def parse_quality_constraints(document: Mapping[str, Any]) -> tuple[str, dict[str, MetricLimit]]:
    """Problem type and limits of constraints.json; raises BaselineError if it has none."""
    problem_type = next((kind for kind, prefix in _PREFIXES.items() if f"{prefix}_constraints" in document), None)
    if problem_type is None:
        raise BaselineError("these are no constraints of a model's quality: they have no *_constraints")
    limits = {}
    constraints = member(document, f"{_PREFIXES[problem_type]}_constraints")
    for name in constraints:
        threshold = number(member(constraints, name).get("threshold"))
        if threshold is not None:
            operator = str(member(constraints, name).get("comparison_operator"))
            limits[name] = MetricLimit(threshold=threshold, operator=operator)
    return problem_type, limits


def quality_baseline_of(figures: QualityFigures, limits: Mapping[str, MetricLimit]) -> ModelQualityBaseline:
    """The baseline that both files together are."""
    return ModelQualityBaseline(
        problem_type=figures.problem_type,
        rows=figures.rows,
        metrics=figures.metrics,
        limits=limits,
        confusion=figures.confusion,
    )


def _metric(interval: Interval, deviation: float | None) -> Document:
    metric: Document = {"value": or_nan(interval.value), "standard_deviation": or_nan(deviation)}
    if interval.low is not None and interval.high is not None:
        metric |= {_LOW: interval.low, _HIGH: interval.high}
    return metric


def _interval(metric: Mapping[str, Any]) -> Interval:
    return Interval(value=number(metric["value"]), low=number(metric.get(_LOW)), high=number(metric.get(_HIGH)))
