"""Which columns of a window have drifted from the baseline, and since when.

Distances, tests and the policy meet here. Must not read data or files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from drift_monitor.drift import distances
from drift_monitor.drift.distances import Distance
from drift_monitor.drift.persistence import persistence
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.drift.significance import adjusted, category_p_value, ks_p_value
from drift_monitor.errors import BaselineError
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.dataset import ColumnProfile, DatasetProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.results import DataCheck, FeatureDrift, Verdict, Window


def detect(
    baseline: DatasetProfile,
    current: DatasetProfile,
    *,
    policy: AlarmPolicy,
    history: Sequence[WindowFindings] = (),
    window: Window | None = None,
    importance: Mapping[str, float] | None = None,
) -> tuple[FeatureDrift, ...]:
    """Drift of every column, in the baseline's order; `history` is oldest first and without this window.

    Columns are compared by their present values; how many are missing is a check of its own (drift/checks.py).
    Raises BaselineError if the window was counted against another baseline.
    """
    weights = importance or {}
    measured = [
        replace(_measured(name, column, _current(current, name), policy=policy), importance=weights.get(name))
        for name, column in baseline.columns.items()
    ]
    judged = [feature for feature in measured if feature.p_value is not None]
    q_values = adjusted([feature.p_value for feature in judged if feature.p_value is not None])
    q_value_of = {feature.feature: q_value for feature, q_value in zip(judged, q_values, strict=True)}
    return tuple(
        _with_verdict(feature, q_value_of.get(feature.feature), policy=policy, history=history, window=window)
        for feature in measured
    )


def findings(
    features: Iterable[FeatureDrift], checks: Iterable[DataCheck] = (), *, window: Window | None
) -> WindowFindings:
    """What to keep of a window as the history of later ones."""
    judged = [feature for feature in features if feature.verdict is not Verdict.INSUFFICIENT_DATA]
    judged_checks = [check for check in checks if check.verdict is not Verdict.INSUFFICIENT_DATA]
    return WindowFindings(
        window=window,
        judged=frozenset(feature.feature for feature in judged),
        stood_out=frozenset(feature.feature for feature in judged if feature.stands_out),
        checks_judged=frozenset((check.feature, check.check) for check in judged_checks),
        checks_stood_out=frozenset((check.feature, check.check) for check in judged_checks if check.stands_out),
    )


def _current(current: DatasetProfile, name: str) -> ColumnProfile:
    column = current.columns.get(name)
    if column is None:
        raise BaselineError(f"the window's profile lacks column {name}: it was counted against another baseline")
    return column


def _measured(name: str, baseline: ColumnProfile, current: ColumnProfile, *, policy: AlarmPolicy) -> FeatureDrift:
    """Distances and the p-value; the verdict is not yet given. Too little data: neither distance nor p-value."""
    unmeasured = FeatureDrift(
        feature=name,
        kind="numeric" if isinstance(baseline, NumericProfile) else "categorical",
        verdict=Verdict.INSUFFICIENT_DATA,
        stands_out=False,
        baseline_rows=baseline.present,
        current_rows=current.present,
        distance=None,
        distance_error=0.0,
        p_value=None,
        q_value=None,
        effect_floor=policy.floor(name),
    )
    if min(baseline.present, current.present) < policy.minimum_rows:
        return unmeasured
    if isinstance(baseline, NumericProfile) and isinstance(current, NumericProfile):
        return _measured_numbers(unmeasured, baseline, current)
    if isinstance(baseline, CategoricalProfile) and isinstance(current, CategoricalProfile):
        return _measured_categories(unmeasured, baseline, current)
    raise BaselineError(f"column {name} is numeric on one side and categorical on the other")


def _measured_numbers(feature: FeatureDrift, baseline: NumericProfile, current: NumericProfile) -> FeatureDrift:
    distance = distances.kolmogorov_smirnov(baseline, current)
    p_value = ks_p_value(
        distance,
        baseline_rows=baseline.present,
        current_rows=current.present,
        rank_error=baseline.rank_error + current.rank_error,
    )
    measured = _with_distance(feature, distance, p_value, distances.numeric_cells(baseline, current))
    return replace(measured, wasserstein=distances.wasserstein(baseline, current))


def _measured_categories(
    feature: FeatureDrift, baseline: CategoricalProfile, current: CategoricalProfile
) -> FeatureDrift:
    distance = distances.largest_share_difference(baseline, current)
    p_value = category_p_value(distances.category_counts(baseline, current))
    return _with_distance(feature, distance, p_value, distances.category_cells(baseline, current))


def _with_distance(feature: FeatureDrift, distance: Distance, p_value: float, cells: distances.Cells) -> FeatureDrift:
    return replace(
        feature,
        distance=distance.value,
        distance_error=distance.error,
        p_value=p_value,
        population_stability_index=distances.population_stability_index(cells),
        jensen_shannon=distances.jensen_shannon(cells),
    )


def _with_verdict(
    feature: FeatureDrift,
    q_value: float | None,
    *,
    policy: AlarmPolicy,
    history: Sequence[WindowFindings],
    window: Window | None,
) -> FeatureDrift:
    if q_value is None or feature.distance is None:
        return feature
    # No distance exceeds 1, but one can reach it: a floor of 1 says that a column is not compared.
    far = feature.effect_floor < 1 and feature.distance >= feature.effect_floor
    stands_out = q_value <= policy.false_discovery_rate and far
    if not stands_out:
        return replace(feature, q_value=q_value, verdict=Verdict.OK)
    judged = [(past.window, feature.feature in past.stood_out) for past in history if feature.feature in past.judged]
    past = persistence(judged, windows=policy.windows)
    own_start = window.start if window else None
    return replace(
        feature,
        q_value=q_value,
        stands_out=True,
        verdict=Verdict.VIOLATION if past.hits + 1 >= policy.windows_to_alarm else Verdict.OK,
        windows=past.run + 1,
        since=past.since or own_start,
    )
