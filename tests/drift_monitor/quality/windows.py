"""Small helpers of the quality tests."""

from drift_monitor.results import Interval, LabelCoverage, ModelQuality, QualityMetric


def coverage(rows: int, *, predictions: int | None = None) -> LabelCoverage:
    """So many labels for so many predictions, all of them labelled if nothing else is said."""
    return LabelCoverage(predictions=predictions or rows, labelled=rows, unmatched_labels=0)


def metric(quality: ModelQuality, name: str) -> QualityMetric:
    """One metric by name."""
    return next(item for item in quality.metrics if item.name == name)


def value(quality: ModelQuality, name: str) -> float:
    """Value of a metric that has one."""
    found = metric(quality, name).observed.value
    assert found is not None
    return found


def holds(interval: Interval, number: float) -> bool:
    """Whether an interval exists and contains a number."""
    return interval.low is not None and interval.high is not None and interval.low <= number <= interval.high
