"""An analysis as metrics: CloudWatch's embedded metric format for the job's log, and Model Monitor's own file.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Names come from metric_names, which alarms are checked against. Per feature only the most drifted few: each series costs
money, and the rest stands in the report.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from drift_monitor import metric_names as names
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.report.violations import find_violations, time_text
from drift_monitor.results import Analysis, Verdict

TOP_FEATURES = 10
_MOST_PER_LINE = 100
_PERCENT = (names.UNUSABLE_CAPTURE_PERCENT, names.LABEL_COVERAGE_PERCENT)
_COUNTS = (
    names.ROWS,
    names.DATA_QUALITY_VIOLATIONS,
    names.DRIFTED_FEATURES,
    names.MODEL_QUALITY_VIOLATIONS,
    names.BIAS_VIOLATIONS,
    names.ATTRIBUTION_VIOLATIONS,
)


def metric_lines(analysis: Analysis, analyses: Iterable[str], *, now: datetime) -> list[str]:
    """Log lines, one JSON object each; CloudWatch makes metrics of them. The time is `now`, that of the judgement."""
    subject = analysis.subject
    own = {names.ENDPOINT_DIMENSION: subject.endpoint or "none", names.MONITOR_DIMENSION: subject.monitor}
    lines = [_line(own, _figures(analysis, frozenset(analyses)), now=now)]
    quality = _quality_figures(analysis)
    if quality:
        variant = {**own, names.VARIANT_DIMENSION: subject.variant} if subject.variant else own
        sets = [list(own), [names.ENDPOINT_DIMENSION, names.VARIANT_DIMENSION]] if subject.variant else [list(own)]
        lines.append(_line(variant, quality, now=now, sets=sets))
    for name, distance in _largest_distances(analysis):
        lines.append(_line({**own, names.FEATURE_DIMENSION: name}, {names.FEATURE_DISTANCE: distance}, now=now))
    return lines


def model_monitor_lines(analysis: Analysis, profile: DatasetProfile, *, schedule: str) -> list[str]:
    """Lines of cloudwatch_metrics.jsonl, which SageMaker publishes in its own namespaces for a monitoring schedule.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-cloudwatch.html
    """
    dimensions = dict(zip(names.MODEL_MONITOR_DIMENSIONS, (analysis.subject.endpoint or "none", schedule), strict=True))
    moment = time_text(analysis.window.end) if analysis.window else None
    return [
        json.dumps(
            {
                "MetricName": metric.pop("name"),
                **({"Timestamp": moment} if moment else {}),
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                **metric,
            },
            allow_nan=False,
        )
        for metric in _model_monitor_metrics(analysis, profile)
    ]


def _figures(analysis: Analysis, analyses: frozenset[str]) -> dict[str, float | None]:
    found = Counter(violation.analysis for violation in find_violations(analysis))
    health, quality, drift = analysis.health, analysis.quality, analysis.attribution
    share = health.unusable_share if health else None
    figures: dict[str, float | None] = {
        names.ROWS: analysis.rows,
        names.UNUSABLE_CAPTURE_PERCENT: None if share is None else 100 * share,
        names.INSUFFICIENT_DATA: int(analysis.verdict is Verdict.INSUFFICIENT_DATA),
    }
    distances = [feature.distance for feature in analysis.features if feature.distance is not None]
    coverage = quality.coverage.share if quality else None
    of_analysis: dict[str, dict[str, float | None]] = {
        "data_quality": {
            names.DATA_QUALITY_VIOLATIONS: found["data_quality"],
            names.DRIFTED_FEATURES: sum(feature.stands_out for feature in analysis.features),
            names.LARGEST_DISTANCE: max(distances, default=None),
        },
        "model_quality": {
            names.MODEL_QUALITY_VIOLATIONS: found["model_quality"],
            names.LABEL_COVERAGE_PERCENT: None if coverage is None else 100 * coverage,
        },
        "bias": {names.BIAS_VIOLATIONS: found["bias"]},
        "attribution": {
            names.ATTRIBUTION_VIOLATIONS: found["attribution"],
            names.ATTRIBUTION_NDCG: drift.ndcg if drift else None,
        },
    }
    for name in sorted(analyses & of_analysis.keys()):
        figures |= of_analysis[name]
    return figures


def _quality_figures(analysis: Analysis) -> dict[str, float | None]:
    """Nothing for a window with too few labels: an alarm on noise would roll a release back."""
    quality = analysis.quality
    if quality is None or quality.estimated or quality.verdict is Verdict.INSUFFICIENT_DATA:
        return {}
    return {f"{names.MODEL_QUALITY_PREFIX}{metric.name}": metric.observed.value for metric in quality.metrics}


def _largest_distances(analysis: Analysis) -> list[tuple[str, float]]:
    known = [(one.feature, one.distance) for one in analysis.features if one.distance is not None]
    return sorted(known, key=lambda item: -item[1])[:TOP_FEATURES]


def _line(
    dimensions: Mapping[str, str],
    figures: Mapping[str, float | None],
    *,
    now: datetime,
    sets: Sequence[Sequence[str]] | None = None,
) -> str:
    given = {name: value for name, value in list(figures.items())[:_MOST_PER_LINE] if value is not None}
    directive = {
        "Namespace": names.NAMESPACE,
        "Dimensions": sets if sets is not None else [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in given],
    }
    about = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, **dimensions, **given}, allow_nan=False)


def _unit(name: str) -> str:
    return "Percent" if name in _PERCENT else "Count" if name in _COUNTS else "None"


def _model_monitor_metrics(analysis: Analysis, profile: DatasetProfile) -> Iterator[dict[str, Any]]:
    if analysis.features:
        for name, column in profile.columns.items():
            yield {"name": f"{names.FEATURE_NON_NULL}{name}", "Value": float(column.present), "Unit": "Count"}
            if isinstance(column, NumericProfile) and column.moments.count:
                moments = column.moments
                values = {"SampleCount": moments.count, "Sum": moments.total}
                limits = {"Minimum": moments.minimum, "Maximum": moments.maximum}
                yield {"name": f"{names.FEATURE_DATA}{name}", "StatisticValues": {**values, **limits}}
        for feature in analysis.features:
            if feature.distance is not None:
                yield {"name": f"{names.FEATURE_DRIFT}{feature.feature}", "Value": feature.distance}
    for metric in analysis.quality.metrics if analysis.quality else ():
        if metric.observed.value is not None:
            yield {"name": metric.name, "Value": metric.observed.value}
    for bias in analysis.bias:
        if bias.observed.value is not None:
            yield {"name": f"bias_metric_{bias.name}", "Value": bias.observed.value}
    if analysis.attribution is not None:
        for name, value in analysis.attribution.current.items():
            yield {"name": f"feature_{name}", "Value": value}
