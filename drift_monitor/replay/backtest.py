"""Backtest of an alarm policy: which past windows it would have raised an alarm for, and how often in a month.

Drift and checks of the data are judged again: they follow from profiles, which are small enough to be kept for years.
Other violations of a window do not depend on the policy. Must not read files: see windows.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median

from drift_monitor.baseline import Baseline
from drift_monitor.drift.checks import run_checks
from drift_monitor.drift.detection import detect, findings
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.results import DataCheck, FeatureDrift, Verdict, Window

MONTH = timedelta(days=365.25 / 12)
EFFECT_FLOORS = (0.02, 0.05, 0.1)
WINDOWS_TO_ALARM = (1, 2, 3)
# As lambdas/start_monitoring: an older window is not among the last ones, however many have been judged since.
_REACH = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class PastWindow:
    """The profile of a past window; `window` is None where its place in time is only an order (a model year).

    `others`: subjects of its violations of quality, bias and attribution. Without `data_quality` the data was not
    judged.
    """

    name: str
    window: Window | None
    profile: DatasetProfile
    others: tuple[str, ...] = ()
    data_quality: bool = True


@dataclass(frozen=True, kw_only=True)
class ReplayedWindow:
    """What a policy says of a past window: what stood out, and what it raises an alarm for, each a column, a column
    with a rule, or a figure; `judged`: columns with enough data."""

    name: str
    rows: int
    judged: int
    stood_out: tuple[str, ...]
    alarms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A policy over all windows. `per_month`: windows with an alarm, None where windows have no length in time."""

    policy: AlarmPolicy
    windows: tuple[ReplayedWindow, ...]
    alarms: int
    per_month: float | None


def replay(baseline: Baseline, past: Sequence[PastWindow], *, policy: AlarmPolicy) -> Replay:
    """Go through windows in their order, each with as many before it as its history as production hands over."""
    history: list[WindowFindings] = []
    replayed = []
    for one in past:
        features, checks = _judged(baseline, one, policy=policy, history=_recent(history, one.window, policy))
        found = findings(features, checks, window=one.window)
        history.append(found)
        items: list[FeatureDrift | DataCheck] = [*features, *checks]
        replayed.append(
            ReplayedWindow(
                name=one.name,
                rows=one.profile.rows,
                judged=len(found.judged),
                stood_out=tuple(_subject(item) for item in items if item.stands_out),
                alarms=(*(_subject(item) for item in items if item.verdict is Verdict.VIOLATION), *one.others),
            )
        )
    alarmed = sum(bool(window.alarms) for window in replayed)
    rate = windows_per_month(past)
    return Replay(
        policy=policy,
        windows=tuple(replayed),
        alarms=alarmed,
        per_month=None if rate is None else alarmed / len(past) * rate,
    )


def compare(baseline: Baseline, past: Sequence[PastWindow], *, policy: AlarmPolicy) -> list[list[Replay]]:
    """Variants of a policy: a row for each number of windows to alarm, a column for each effect floor."""
    floors = sorted({*EFFECT_FLOORS, policy.effect_floor})
    return [
        [
            replay(baseline, past, policy=replace(policy, windows_to_alarm=count, windows=span, effect_floor=floor))
            for floor in floors
        ]
        for count, span in ((count, max(policy.windows, count)) for count in WINDOWS_TO_ALARM)
    ]


def windows_per_month(past: Sequence[PastWindow]) -> float | None:
    """How many windows of the usual length a month has; None if they have none."""
    lengths = [(one.window.end - one.window.start).total_seconds() for one in past if one.window is not None]
    return MONTH.total_seconds() / median(lengths) if lengths else None


def _judged(
    baseline: Baseline, one: PastWindow, *, policy: AlarmPolicy, history: Sequence[WindowFindings]
) -> tuple[tuple[FeatureDrift, ...], tuple[DataCheck, ...]]:
    if not one.data_quality or not one.profile.rows:
        return (), ()
    features = detect(baseline.profile, one.profile, policy=policy, history=history, window=one.window)
    checks = run_checks(baseline.constraints, one.profile, policy=policy, history=history, window=one.window)
    return features, checks


def _recent(history: Sequence[WindowFindings], window: Window | None, policy: AlarmPolicy) -> list[WindowFindings]:
    """The last windows, with or without data, as the function that starts a monitor finds them."""
    count = policy.windows - 1
    recent = history[len(history) - min(count, len(history)) :]
    if window is None:
        return list(recent)
    oldest = window.end - _REACH * count * (window.end - window.start)
    return [past for past in recent if past.window is None or past.window.end >= oldest]


def _subject(item: FeatureDrift | DataCheck) -> str:
    if isinstance(item, FeatureDrift):
        return item.feature
    return f"{item.feature} ({item.check.removesuffix('_check').replace('_', ' ')})"
