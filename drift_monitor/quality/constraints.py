"""When a figure of model quality is a violation, and which limits a baseline suggests.

Mirrors https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html and the constraints
of Model Monitor (threshold and comparison operator per metric). Model Monitor compares the bare figure with the
baseline's own value, so that half of all windows without any change are violations; here the whole 95 % interval must
be beyond a limit that leaves a margin. Computes no figure itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drift_monitor.baseline import MetricLimit, ModelQualityBaseline
from drift_monitor.errors import SettingsError
from drift_monitor.quality.resampling import Figure
from drift_monitor.results import Interval, LabelCoverage, ModelQuality, QualityMetric, Verdict

GREATER = "GreaterThanThreshold"
LESS = "LessThanThreshold"
OUTSIDE = "LessThanLowerOrGreaterThanUpperThreshold"
"""Of the operators, OUTSIDE is for a signed figure: it may not be beyond the limit on either side of 0."""

# Direction in which each metric gets worse. What a constant classifier reaches says nothing about the model.
_WORSE = {
    **dict.fromkeys(("mae", "mse", "rmse", "mape", "false_positive_rate", "false_negative_rate"), GREATER),
    **dict.fromkeys(("r2", "accuracy", "recall", "precision", "auc", "f0_5", "f1", "f2"), LESS),
    **dict.fromkeys(("true_positive_rate", "true_negative_rate"), LESS),
    **dict.fromkeys((f"weighted_{name}" for name in ("recall", "precision", "f0_5", "f1", "f2")), LESS),
    "bias": OUTSIDE,
}


@dataclass(frozen=True, kw_only=True)
class QualityPolicy:
    """Below `minimum_rows` labelled rows or this share of labelled predictions (0 to 1) nothing is said."""

    minimum_rows: int = 100
    minimum_label_coverage: float = 0.1

    def __post_init__(self) -> None:
        if self.minimum_rows < 1 or not 0 <= self.minimum_label_coverage <= 1:
            raise SettingsError("minimum_rows should be at least 1 and minimum_label_coverage between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the window is held against: the baseline's figures by metric name, the limits, and the policy."""

    figures: Mapping[str, float | None] = field(default_factory=dict)
    limits: Mapping[str, MetricLimit] = field(default_factory=dict)
    policy: QualityPolicy = field(default_factory=QualityPolicy)


def is_sufficient(rows: int, coverage: LabelCoverage, policy: QualityPolicy) -> bool:
    """True with enough labelled rows that are also a large enough part of the window's predictions.

    Few labels are seldom a fair sample: the first to arrive are the easy cases.
    """
    return rows >= policy.minimum_rows and (coverage.share or 0.0) >= policy.minimum_label_coverage


def judge(observed: Interval, limit: MetricLimit) -> Verdict:
    """VIOLATION if the whole interval is beyond the limit; INSUFFICIENT_DATA for a figure that is not defined.

    Raises SettingsError for an operator that is none of the three.
    """
    if limit.operator not in (GREATER, LESS, OUTSIDE):
        raise SettingsError(f"the comparison operator '{limit.operator}' is not {GREATER}, {LESS} or {OUTSIDE}")
    if observed.value is None or observed.low is None or observed.high is None:
        return Verdict.INSUFFICIENT_DATA
    above = limit.operator in (GREATER, OUTSIDE) and observed.low > limit.threshold
    lower_limit = -limit.threshold if limit.operator == OUTSIDE else limit.threshold
    below = limit.operator in (LESS, OUTSIDE) and observed.high < lower_limit
    return Verdict.VIOLATION if above or below else Verdict.OK


def judge_all(
    figures: Mapping[str, Figure], expectation: Expectation, *, sufficient: bool
) -> tuple[Verdict, tuple[QualityMetric, ...]]:
    """The verdict of the window and each metric's own; without `sufficient` data no metric is judged."""
    metrics = []
    for name, figure in figures.items():
        limit = expectation.limits.get(name)
        verdict = judge(figure.observed, limit) if limit else Verdict.OK
        metrics.append(
            QualityMetric(
                name=name,
                verdict=verdict if sufficient else Verdict.INSUFFICIENT_DATA,
                observed=figure.observed,
                baseline=expectation.figures.get(name),
                limit=limit.threshold if limit else None,
                operator=limit.operator if limit else None,
                standard_deviation=figure.standard_deviation,
            )
        )
    if not sufficient:
        return Verdict.INSUFFICIENT_DATA, tuple(metrics)
    violated = any(metric.verdict is Verdict.VIOLATION for metric in metrics)
    return Verdict.VIOLATION if violated else Verdict.OK, tuple(metrics)


def suggest_constraints(
    baseline: ModelQuality, *, margin: float = 0.1, bias_margin: float = 3.0
) -> dict[str, MetricLimit]:
    """Limits for the metrics of a baseline, as Model Monitor's baselining suggests them, with room for chance.

    A limit is the worse end of the baseline's interval and then `margin` (a share: 0.1 is a tenth of the figure)
    worse; of `mse` the margin counts for its root, or it would always be the first to alarm. `bias` gets one limit for
    both sides, its larger end and `bias_margin` percentage points: it may well be 0 in the baseline, so that a share of
    it says nothing. Raises SettingsError for a negative margin.
    """
    if min(margin, bias_margin) < 0:
        raise SettingsError("the margins of the suggested constraints should be at least 0")
    limits = {}
    for metric in baseline.metrics:
        operator = _WORSE.get(metric.name)
        low, high = metric.observed.low, metric.observed.high
        if operator is None or low is None or high is None:
            continue
        if operator == OUTSIDE:
            limit = max(abs(low), abs(high)) + bias_margin
        else:
            worse = (1 + margin) ** (2 if metric.name == "mse" else 1)
            limit = high * worse if operator == GREATER else low - margin * abs(low)
        limits[metric.name] = MetricLimit(threshold=limit, operator=operator)
    return limits


def quality_baseline(quality: ModelQuality, limits: Mapping[str, MetricLimit]) -> ModelQualityBaseline:
    """What the baseline keeps of the approved model's quality on its holdout."""
    return ModelQualityBaseline(
        problem_type=quality.problem_type,
        rows=quality.rows,
        metrics={metric.name: metric.observed for metric in quality.metrics},
        limits=limits,
        confusion=quality.confusion,
    )


def expectation_of(baseline: ModelQualityBaseline | None, policy: QualityPolicy) -> Expectation:
    """The expectation that a baseline stands for; without one, figures are given and none is judged."""
    if baseline is None:
        return Expectation(policy=policy)
    figures = {name: interval.value for name, interval in baseline.metrics.items()}
    return Expectation(figures=figures, limits=baseline.limits, policy=policy)
