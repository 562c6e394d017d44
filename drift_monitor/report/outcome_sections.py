"""Model quality, bias and attributions in the report."""

from collections.abc import Iterator, Mapping, Sequence

from drift_monitor.profile.numeric import FloatArray
from drift_monitor.quality.constraints import OUTSIDE
from drift_monitor.report.drift_section import KEY
from drift_monitor.report.markup import (
    NOTHING,
    Html,
    badge,
    duration,
    figure,
    folded,
    joined,
    paragraph,
    percent,
    range_text,
    section,
    several,
    table,
)
from drift_monitor.report.plots import error_plot, limit_plot, ranking_plot, share_bar
from drift_monitor.results import (
    AttributionDrift,
    BiasMetric,
    Interval,
    LabelCoverage,
    ModelQuality,
    QualityMetric,
    Verdict,
)

_ESTIMATED = (
    "There are too few labels to measure it: these figures are estimated from the model's own probabilities. They show "
    "what other requests do to the quality, but not a change of what the right answers are."
)


def quality_section(quality: ModelQuality | None, errors: FloatArray | None) -> Html | None:
    """None if model quality was not asked for. `errors` in percent, of a regression model."""
    if quality is None:
        return None
    head = (
        "figure",
        "",
        "in this window",
        "95 % interval",
        "on the holdout",
        "limit",
        "(ring: holdout, dashes: limit)",
    )
    return section(
        "How good the answers were",
        paragraph(_ESTIMATED, style="unsure") if quality.estimated else None,
        _coverage(quality.coverage),
        table(head, map(_metric, quality.metrics)),
        _errors(errors),
        _confusion(quality.confusion),
    )


def attribution_section(drift: AttributionDrift | None) -> Html | None:
    """None if attributions were not asked for."""
    if drift is None:
        return None
    if drift.ndcg is None:
        return section("What the model looks at", paragraph(badge(drift.verdict)), paragraph(drift.reason))
    observed = Interval(value=drift.ndcg, low=drift.ndcg_low, high=drift.ndcg_high)
    text = (
        f": NDCG {figure(drift.ndcg)} (95 % {range_text(observed)}), where 1 is the order of training and less than "
        f"{drift.threshold:g} a violation; {drift.method}, {drift.rows} rows."
    )
    plot = Html(ranking_plot(drift.baseline, drift.current))
    return section("What the model looks at", paragraph(joined(badge(drift.verdict), text)), KEY, plot)


def bias_section(metrics: Sequence[BiasMetric]) -> Html | None:
    """Violations first, what could not be judged folded away; None if bias was not asked for."""
    if not metrics:
        return None
    head = ("metric", "", "group", "value", "95 % interval", "in the baseline", "allowed", "rows (group, others)")
    judged = [metric for metric in metrics if metric.observed.value is not None]
    judged.sort(key=lambda metric: metric.verdict is not Verdict.VIOLATION)
    unknown = [metric for metric in metrics if metric.observed.value is None]
    reasons = table(("metric", "group", "why"), ((one.description, _group(one), one.reason) for one in unknown))
    return section(
        "Whether groups are treated alike",
        table(head, map(_bias, judged)) if judged else paragraph("No metric could be computed."),
        folded(f"{several(len(unknown), 'metric')} without a value", reasons) if unknown else None,
    )


def _coverage(coverage: LabelCoverage) -> Html:
    late = ""
    if coverage.lateness_seconds_p50 is not None:
        half, most = (duration(seconds) for seconds in (coverage.lateness_seconds_p50, coverage.lateness_seconds_p95))
        late = f" Half of the labels came within {half}, 95 % within {most}."
    strange = f" {coverage.unmatched_labels:,} labels are of other events." if coverage.unmatched_labels else ""
    text = (
        f"{coverage.labelled:,} of {coverage.predictions:,} predictions have a label "
        f"({percent(coverage.share)}).{late}{strange}"
    )
    bar = Html(share_bar(coverage.share)) if coverage.share is not None else Html()
    return joined(paragraph(text), bar)


def _metric(metric: QualityMetric) -> Sequence[object]:
    return (
        metric.name,
        badge(metric.verdict) if metric.operator or metric.verdict is Verdict.INSUFFICIENT_DATA else None,
        figure(metric.observed.value),
        range_text(metric.observed),
        figure(metric.baseline),
        _limit(metric),
        Html(limit_plot(metric)),
    )


def _limit(metric: QualityMetric) -> str:
    if metric.limit is None or metric.operator is None:
        return NOTHING
    if metric.operator == OUTSIDE:
        return f"{figure(-metric.limit)} to {figure(metric.limit)}"
    return f"at {'most' if metric.operator.startswith('Greater') else 'least'} {figure(metric.limit)}"


def _errors(errors: FloatArray | None) -> Html | None:
    if errors is None:
        return None
    mean = float(errors.mean())
    side = "too low" if mean < 0 else "too high"
    text = f"Single errors in percent of the actual value; on average the answers are {abs(mean):.1f} % {side}:"
    return joined(paragraph(text), Html(error_plot(errors)))


def _confusion(confusion: Mapping[str, Mapping[str, int]]) -> Html | None:
    if not confusion:
        return None
    names = list(next(iter(confusion.values())))
    rows: Iterator[Sequence[object]] = (
        (actual, *(f"{row.get(name, 0):,}" for name in names)) for actual, row in confusion.items()
    )
    return folded("confusion matrix", table(("actual \\ predicted", *names), rows))


def _bias(metric: BiasMetric) -> Sequence[object]:
    allowed = f"{figure(metric.allowed[0])} to {figure(metric.allowed[1])}" if metric.allowed else None
    return (
        f"{metric.description}, {metric.stage.replace('_', '-')}",
        badge(metric.verdict),
        _group(metric),
        figure(metric.observed.value),
        range_text(metric.observed),
        figure(metric.baseline),
        allowed,
        f"{metric.group_rows:,}, {metric.other_rows:,}",
    )


def _group(metric: BiasMetric) -> str:
    return f"{metric.facet} = {metric.facet_value}"
