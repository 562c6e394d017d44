"""One window against the baseline of its model version: composes all analyses, each of them optional.

Odd or missing data is an answer (INSUFFICIENT_DATA, with the reason), never an error. Must not read or write files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from drift_monitor.attribution.analysis import AttributionPolicy, analyse
from drift_monitor.attribution.contributions import explainer, sample_rows
from drift_monitor.attribution.encoding import encode_table
from drift_monitor.attribution.served_model import ServedModel
from drift_monitor.bias.measure import BiasSettings, measure
from drift_monitor.drift.checks import run_checks
from drift_monitor.drift.detection import detect
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.errors import MonitorError
from drift_monitor.metric_names import ANALYSES
from drift_monitor.monitored_model import MonitoredModel, ProblemType
from drift_monitor.outcomes import judge_window, numbers
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.quality.constraints import QualityPolicy
from drift_monitor.quality.resampling import Vector
from drift_monitor.readers.ground_truth import LABEL
from drift_monitor.results import (
    Analysis,
    AttributionDrift,
    BiasMetric,
    CaptureHealth,
    DataCheck,
    FeatureDrift,
    ModelQuality,
    Subject,
    Verdict,
    Window,
)
from drift_monitor.window import Collected, LabelledRows, Wanted, WindowData, collect


@dataclass(frozen=True, kw_only=True)
class AnalysisRequest:
    """What is asked for: `analyses` of metric_names.ANALYSES; `history`: earlier windows, oldest first."""

    subject: Subject
    window: Window | None = None
    analyses: frozenset[str] = frozenset(ANALYSES)
    policy: AlarmPolicy = field(default_factory=AlarmPolicy)
    history: Sequence[WindowFindings] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class AnalysedWindow:
    """The findings and what plots need beside them. `errors`: of a regression model's predictions in percent of the
    label, shape (labelled rows,), None without any."""

    analysis: Analysis
    profile: DatasetProfile
    errors: Vector | None = None


def analyse_window(
    data: WindowData,
    model: MonitoredModel,
    request: AnalysisRequest,
    *,
    served: ServedModel | None = None,
    labelled: LabelledRows | None = None,
) -> AnalysedWindow:
    """All analyses that were asked for, in one pass over the data.

    `served`: the model itself, for attributions. `labelled` takes the rows that have a label. Raises ReaderError if
    the data cannot be read at all, SettingsError for settings of the bias analysis that cannot be.
    """
    collected = collect(data, wanted(model, request, served), labelled=labelled)
    judged = judge(collected, model, request, served=served)
    errors = _errors(collected, model) if judged.quality is not None else None
    return AnalysedWindow(analysis=replace(judged, health=_health(data)), profile=collected.profile, errors=errors)


def judge(
    collected: Collected, model: MonitoredModel, request: AnalysisRequest, *, served: ServedModel | None = None
) -> Analysis:
    """All analyses of what was collected of a window with `wanted`; nothing is said about the reading."""
    features, checks = _data_quality(collected.profile, model, request)
    analysis = Analysis(
        subject=request.subject,
        window=request.window,
        rows=collected.profile.rows,
        verdict=Verdict.INSUFFICIENT_DATA,
        features=features,
        checks=checks,
        quality=_quality(collected, model, request),
        bias=_bias(collected, model, request),
        attribution=_attribution(collected, model, request, served),
    )
    return replace(analysis, verdict=overall(analysis))


def overall(analysis: Analysis) -> Verdict:
    """VIOLATION if any part is one; INSUFFICIENT_DATA if no part could be judged."""
    verdicts = {feature.verdict for feature in analysis.features} | {check.verdict for check in analysis.checks}
    verdicts |= {metric.verdict for metric in analysis.bias}
    verdicts |= {part.verdict for part in (analysis.quality, analysis.attribution) if part is not None}
    if Verdict.VIOLATION in verdicts:
        return Verdict.VIOLATION
    return Verdict.OK if Verdict.OK in verdicts else Verdict.INSUFFICIENT_DATA


def effective_policy(policy: AlarmPolicy, model: MonitoredModel) -> AlarmPolicy:
    """The policy with the floors that the baseline's constraints set for columns; its own come first."""
    floors = {
        column.feature: column.effect_floor
        for column in model.baseline.constraints.columns
        if column.effect_floor is not None
    }
    return replace(policy, column_effect_floors={**floors, **policy.column_effect_floors})


def wanted(model: MonitoredModel, request: AnalysisRequest, served: ServedModel | None) -> Wanted:
    """What the analyses need of the rows of a window."""
    baseline = model.baseline
    columns: list[str] = []
    if request.analyses & {"model_quality", "bias"}:
        columns = [name for name in (model.answers.prediction, model.answers.probability) if name]
    if "bias" in request.analyses and model.bias_settings is not None:
        columns += _compared(model.bias_settings)
    explained = "attribution" in request.analyses and served is not None and model.background is not None
    return Wanted(
        schema=baseline.schema,
        anchors=baseline.profile.anchors,
        columns=columns,
        sampled=[column.name for column in baseline.schema.inputs] if explained else (),
    )


def _compared(settings: BiasSettings) -> list[str]:
    group = [settings.group_variable] if settings.group_variable else []
    return [*(facet.column for facet in settings.facets), *group, *settings.features]


def _data_quality(
    profile: DatasetProfile, model: MonitoredModel, request: AnalysisRequest
) -> tuple[tuple[FeatureDrift, ...], tuple[DataCheck, ...]]:
    if "data_quality" not in request.analyses:
        return (), ()
    baseline, policy = model.baseline, effective_policy(request.policy, model)
    features = detect(
        baseline.profile,
        profile,
        policy=policy,
        history=request.history,
        window=request.window,
        importance=baseline.importance,
    )
    checks = run_checks(baseline.constraints, profile, policy=policy, history=request.history, window=request.window)
    return features, checks


def _quality(collected: Collected, model: MonitoredModel, request: AnalysisRequest) -> ModelQuality | None:
    if "model_quality" not in request.analyses:
        return None
    policy = QualityPolicy(minimum_rows=request.policy.minimum_rows)
    return judge_window(collected.table, model, coverage=collected.coverage, policy=policy)


def _bias(collected: Collected, model: MonitoredModel, request: AnalysisRequest) -> tuple[BiasMetric, ...]:
    if "bias" not in request.analyses or model.bias_settings is None:
        return ()
    return measure(collected.table, model.bias_settings, baseline=model.baseline.bias or ())


def _attribution(
    collected: Collected, model: MonitoredModel, request: AnalysisRequest, served: ServedModel | None
) -> AttributionDrift | None:
    if "attribution" not in request.analyses:
        return None
    policy, baseline = AttributionPolicy(minimum_rows=request.policy.minimum_rows), model.baseline.attribution
    unknown = AttributionDrift(
        verdict=Verdict.INSUFFICIENT_DATA,
        ndcg=None,
        threshold=policy.threshold,
        rows=0,
        method=baseline.method if baseline else "none",
        baseline=baseline.values if baseline else {},
        current={},
    )
    if baseline is None or model.background is None:
        return replace(unknown, reason="the baseline of this version has no attributions")
    if served is None:
        return replace(unknown, reason="the model artifact was not given, so its contributions cannot be computed")
    if collected.sample is None:
        return replace(unknown, reason="the window has no rows")
    try:
        matrix = sample_rows(encode_table(collected.sample, served.spec))
        explained = explainer(served.onnx, score=served.score, background=model.background)
        contributions = explained.contributions(matrix)
    except MonitorError as error:
        return replace(unknown, reason=str(error))
    names = served.spec.names
    return analyse(contributions, features=names, baseline=baseline.values, method=explained.method, policy=policy)


def _errors(collected: Collected, model: MonitoredModel) -> Vector | None:
    if model.answers.problem_type is not ProblemType.REGRESSION:
        return None
    actual, predicted = (numbers(collected.table, name) for name in (LABEL, model.answers.prediction))
    with np.errstate(all="ignore"):
        errors: Vector = 100 * (predicted - actual) / np.abs(actual)
    errors = errors[np.isfinite(errors)]
    return errors if len(errors) else None


def _health(data: WindowData) -> CaptureHealth:
    health = data.health.result()
    if data.labels is None or not data.labels.unequal:
        return health
    reason = "a label has another number of values than its event has rows"
    return replace(health, problems={**health.problems, reason: data.labels.unequal})
