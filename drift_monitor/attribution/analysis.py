"""Whether the model still uses its inputs as it did in training. Must not read a model or files.

Clarify alarms on NDCG < 0.90 of one point value; here the whole 95 % interval over the window's rows must be below, so
that features of nearly equal importance which swap places by chance do not raise an alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drift_monitor.attribution.contributions import Explainer, global_attribution
from drift_monitor.attribution.ndcg import ndcg
from drift_monitor.attribution.trees import Contributions, FloatMatrix
from drift_monitor.baseline import AttributionBaseline
from drift_monitor.errors import SettingsError
from drift_monitor.quality.resampling import bootstrap_means, percentile_interval
from drift_monitor.results import AttributionDrift, Interval, Verdict

UNUSED_BASELINE = "the baseline attributes nothing to any feature: the model gives everybody the same answer"


@dataclass(frozen=True, kw_only=True)
class AttributionPolicy:
    """An NDCG below `threshold` (0 to 1) is a violation; below `minimum_rows` nothing is said."""

    threshold: float = 0.90
    minimum_rows: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1 or self.minimum_rows < 1:
            raise SettingsError("the threshold of NDCG should be between 0 and 1 and minimum_rows at least 1")


def attribution_baseline(
    explained: Explainer, background: FloatMatrix, *, features: Sequence[str]
) -> AttributionBaseline:
    """What the baseline keeps: mean absolute contributions over the background rows, shape (rows, features)."""
    return AttributionBaseline(
        method=explained.method,
        values=global_attribution(explained.contributions(background), features),
        expected_value=explained.expected_value,
    )


def importance(baseline: AttributionBaseline) -> dict[str, float]:
    """Each feature's share of all attribution, 0 to 1: what drift is weighed by; all 0 if nothing is attributed."""
    total = sum(baseline.values.values())
    return {name: value / total if total else 0.0 for name, value in baseline.values.items()}


def analyse(
    contributions: Contributions,
    *,
    features: Sequence[str],
    baseline: Mapping[str, float],
    method: str,
    policy: AttributionPolicy | None = None,
) -> AttributionDrift:
    """Attribution of a window from contributions of shape (rows, features), against the baseline's mean sizes.

    A feature that only one side has counts as 0 on the other.
    """
    limits = policy or AttributionPolicy()
    rows, current = len(contributions), global_attribution(contributions, features)
    names = sorted(baseline.keys() | current.keys())
    before = np.array([baseline.get(name, 0.0) for name in names])
    observed, reason = Interval(value=None), f"{rows} rows, at least {limits.minimum_rows} are needed"
    if rows >= limits.minimum_rows:
        columns = {name: np.abs(contributions[:, index]) for index, name in enumerate(features)}
        resampled = bootstrap_means(np.stack([columns.get(name, np.zeros(rows)) for name in names], axis=1))
        point = float(ndcg(before, np.array([[current.get(name, 0.0) for name in names]]))[0])
        observed, reason = percentile_interval(point, ndcg(before, resampled)), UNUSED_BASELINE
    return AttributionDrift(
        verdict=_verdict(observed.high, limits.threshold),
        ndcg=observed.value,
        threshold=limits.threshold,
        rows=rows,
        method=method,
        baseline=dict(baseline),
        current=current,
        ndcg_low=observed.low,
        ndcg_high=observed.high,
        reason=reason if observed.value is None else None,
    )


def _verdict(high: float | None, threshold: float) -> Verdict:
    if high is None:
        return Verdict.INSUFFICIENT_DATA
    return Verdict.VIOLATION if high < threshold else Verdict.OK
