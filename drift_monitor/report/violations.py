"""What of an analysis is a violation, in sentences: the one list behind the report, the files and the messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from drift_monitor.files.documents import Document
from drift_monitor.quality.constraints import OUTSIDE
from drift_monitor.report.markup import figure
from drift_monitor.results import (
    Analysis,
    AttributionDrift,
    BiasMetric,
    DataCheck,
    FeatureDrift,
    Interval,
    QualityMetric,
    Verdict,
)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One violation: `analysis` as in metric_names.ANALYSES, `subject` a feature or metric, `entry` as Model Monitor's
    constraint_violations.json has it."""

    analysis: str
    subject: str
    description: str
    entry: Document


def find_violations(analysis: Analysis) -> tuple[Violation, ...]:
    """All violations; drifted features first, those that matter most to the model before others."""
    return tuple(_found(analysis))


def by_weight(features: tuple[FeatureDrift, ...]) -> list[FeatureDrift]:
    """Violations first, then what stands out, then by distance times importance (or distance where that is unknown)."""

    def rank(feature: FeatureDrift) -> tuple[bool, bool, float, float]:
        distance = feature.distance or 0.0
        return feature.verdict is Verdict.VIOLATION, feature.stands_out, weight(feature) or 0.0, distance

    return sorted(features, key=rank, reverse=True)


def weight(feature: FeatureDrift) -> float | None:
    """Distance times importance; the distance of a column that the model does not read, such as its answer."""
    if feature.distance is None:
        return None
    return feature.distance if feature.importance is None else feature.distance * feature.importance


def time_text(moment: datetime) -> str:
    """A moment as the files have it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def interval_text(interval: Interval) -> str:
    """A value with its interval."""
    if interval.value is None:
        return "unknown"
    if interval.low is None or interval.high is None:
        return figure(interval.value)
    return f"{figure(interval.value)} (95 % {figure(interval.low)} to {figure(interval.high)})"


def _found(analysis: Analysis) -> Iterator[Violation]:
    for feature in by_weight(analysis.features):
        if feature.verdict is Verdict.VIOLATION:
            yield _drift(feature)
    for check in analysis.checks:
        if check.verdict is Verdict.VIOLATION:
            yield _check(check)
    if analysis.quality is not None and analysis.quality.verdict is Verdict.VIOLATION:
        yield from (_quality(one) for one in analysis.quality.metrics if one.verdict is Verdict.VIOLATION)
    yield from (_bias(metric) for metric in analysis.bias if metric.verdict is Verdict.VIOLATION)
    if analysis.attribution is not None and analysis.attribution.verdict is Verdict.VIOLATION:
        yield _attribution(analysis.attribution)


def _drift(feature: FeatureDrift) -> Violation:
    judged = f"drift is {feature.effect_floor:g} or more; q = {feature.q_value or 0:.2g}, {feature.current_rows} values"
    text = (
        f"{feature.feature}: the distance to the baseline is {feature.distance or 0:.3f} ({judged}){_lasting(feature)}"
    )
    return _of_feature(feature.feature, "baseline_drift_check", text)


def _check(check: DataCheck) -> Violation:
    return _of_feature(
        check.feature, check.check, f"{check.feature}: {check.description.removesuffix('.')}{_lasting(check)}."
    )


def _lasting(found: FeatureDrift | DataCheck) -> str:
    lasting = f", for {found.windows} windows in a row" if found.windows > 1 else ""
    return lasting + (f" since {time_text(found.since)}" if found.since else "")


def _of_feature(name: str, check: str, text: str) -> Violation:
    entry = {"feature_name": name, "constraint_check_type": check, "description": text}
    return Violation(analysis="data_quality", subject=name, description=text, entry=entry)


def _quality(metric: QualityMetric) -> Violation:
    limit, operator = metric.limit or 0.0, metric.operator or ""
    allowed = f"{figure(-limit)} to {figure(limit)}" if operator == OUTSIDE else figure(limit)
    word = "outside of" if operator == OUTSIDE else "above" if operator.startswith("Greater") else "below"
    baseline = f"; on the holdout it was {figure(metric.baseline)}" if metric.baseline is not None else ""
    text = f"{metric.name} is {interval_text(metric.observed)}, {word} its limit {allowed}{baseline}"
    entry = {
        "constraint_check_type": operator,
        "description": f"Metric {metric.name} with {metric.observed.value} +/- {_deviation(metric)} was "
        f"{operator} {limit}",
        "metric_name": metric.name,
    }
    return Violation(analysis="model_quality", subject=metric.name, description=text, entry=entry)


def _deviation(metric: QualityMetric) -> float | str:
    return "NaN" if metric.standard_deviation is None else metric.standard_deviation


def _bias(metric: BiasMetric) -> Violation:
    low, high = metric.allowed or (0.0, 0.0)
    text = (
        f"{metric.name} of {metric.facet} = {metric.facet_value} ({metric.stage.replace('_', '-')}) is "
        f"{interval_text(metric.observed)}, allowed is {figure(low)} to {figure(high)}"
    )
    entry = {
        "facet": metric.facet,
        "facet_value": metric.facet_value,
        "metric_name": metric.name,
        "constraint_check_type": "bias_drift_check",
        "description": f"Metric value {metric.observed.value} doesn't meet the baseline constraint requirement "
        f"{metric.baseline}",
    }
    return Violation(analysis="bias", subject=f"{metric.facet}.{metric.name}", description=text, entry=entry)


def _attribution(drift: AttributionDrift) -> Violation:
    observed = Interval(value=drift.ndcg, low=drift.ndcg_low, high=drift.ndcg_high)
    text = (
        f"the model uses its inputs in another order than in training: NDCG {interval_text(observed)} over "
        f"{drift.rows} rows, at least {drift.threshold:g} is expected"
    )
    entry = {
        "label": "label0",
        "metric_name": "shap",
        "constraint_check_type": "feature_attribution_drift_check",
        "description": f"Feature attribution drift {drift.ndcg} exceeds threshold {drift.threshold}",
    }
    return Violation(analysis="attribution", subject="ndcg", description=text, entry=entry)
