"""An analysis with something in every part, some of it hostile."""

from datetime import UTC, datetime

from drift_monitor.results import (
    Analysis,
    AttributionDrift,
    BiasMetric,
    CaptureHealth,
    DataCheck,
    FeatureDrift,
    Interval,
    LabelCoverage,
    ModelQuality,
    QualityMetric,
    Subject,
    Verdict,
    Window,
)

HOSTILE = "<script>alert('x')</script>&\"'"
START = datetime(2026, 11, 26, 12, tzinfo=UTC)


def feature(name: str, distance: float | None, **members: object) -> FeatureDrift:
    """A drifted numeric column, or one with too little data."""
    verdict = Verdict.INSUFFICIENT_DATA if distance is None else Verdict.VIOLATION
    given = {"verdict": verdict, "stands_out": distance is not None, "kind": "numeric", **members}
    return FeatureDrift(
        feature=name,
        baseline_rows=1000,
        current_rows=500,
        distance=distance,
        distance_error=0.0002,
        p_value=None if distance is None else 1e-9,
        q_value=None if distance is None else 2e-9,
        effect_floor=0.05,
        **given,  # type: ignore[arg-type]
    )


def full_analysis(name: str = "power") -> Analysis:
    """Violations of all kinds; `name` is used for everything that comes from outside."""
    return Analysis(
        subject=Subject(monitor=name, endpoint=name, variant=name, model_package_arn=name),
        window=Window(start=START, end=START.replace(hour=13)),
        rows=500,
        verdict=Verdict.VIOLATION,
        features=(
            feature("small", 0.9, importance=0.01),
            feature(name, 0.3, importance=0.8, since=START, windows=3),
            feature("thin", None),
        ),
        checks=(
            DataCheck(
                feature=name,
                check="range_check",
                verdict=Verdict.VIOLATION,
                observed=0.5,
                expected=1.0,
                description=name,
            ),
        ),
        quality=_quality(name),
        bias=(_bias(name, Interval(value=0.4, low=0.3, high=0.5)), _bias(name, Interval(value=None))),
        attribution=AttributionDrift(
            verdict=Verdict.VIOLATION,
            ndcg=0.5,
            threshold=0.9,
            rows=300,
            method=name,
            baseline={name: 0.7, "other": 0.3},
            current={name: 0.1, "other": 0.9},
            ndcg_low=0.4,
            ndcg_high=0.6,
        ),
        health=CaptureHealth(
            files=1,
            events=490,
            rows=500,
            unreadable_lines=10,
            empty_hours=("2026-11-26T12:00:00Z",),
            problems={name: 10},
            examples={name: name},
        ),
    )


def _quality(name: str) -> ModelQuality:
    metric = QualityMetric(
        name=name,
        verdict=Verdict.VIOLATION,
        observed=Interval(value=30.0, low=28.0, high=32.0),
        baseline=10.0,
        limit=12.0,
        operator="GreaterThanThreshold",
        standard_deviation=0.5,
    )
    return ModelQuality(
        problem_type="BinaryClassification",
        verdict=Verdict.VIOLATION,
        rows=400,
        coverage=LabelCoverage(
            predictions=500,
            labelled=400,
            unmatched_labels=3,
            lateness_seconds_p50=7200.0,
            lateness_seconds_p95=90_000.0,
        ),
        metrics=(metric,),
        confusion={name: {name: 10, "other": 2}, "other": {name: 1, "other": 20}},
        curves={"precision_recall_curve": {"precisions": (1.0, 0.5), "recalls": (0.0, 1.0)}},
    )


def _bias(name: str, observed: Interval) -> BiasMetric:
    return BiasMetric(
        stage="post_training",
        name="DPPL",
        description=name,
        facet=name,
        facet_value=name,
        verdict=Verdict.INSUFFICIENT_DATA if observed.value is None else Verdict.VIOLATION,
        observed=observed,
        baseline=0.1,
        allowed=(-0.2, 0.2),
        group_rows=100,
        other_rows=400,
        reason=name if observed.value is None else None,
    )
