"""Backtest of an alarm policy: which past windows it would have raised an alarm for, and how often in a month.

Only drift of the data is replayed: it follows from profiles, which are small enough to be kept for years. Must not read
files: see windows.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median

from drift_monitor.drift.detection import detect, findings
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.results import Verdict, Window

MONTH = timedelta(days=365.25 / 12)
EFFECT_FLOORS = (0.02, 0.05, 0.1)
WINDOWS_TO_ALARM = (1, 2, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class PastWindow:
    """The profile of a past window; `window` is None where its place in time is only an order (a model year)."""

    name: str
    window: Window | None
    profile: DatasetProfile


@dataclass(frozen=True, kw_only=True)
class ReplayedWindow:
    """What a policy says of a past window: columns that stood out, and those that it raises an alarm for."""

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


def replay(baseline: DatasetProfile, past: Sequence[PastWindow], *, policy: AlarmPolicy) -> Replay:
    """Go through windows in their order, each with those before it as its history."""
    history: list[WindowFindings] = []
    replayed = []
    for one in past:
        features = detect(baseline, one.profile, policy=policy, history=history, window=one.window)
        found = findings(features, window=one.window)
        history.append(found)
        replayed.append(
            ReplayedWindow(
                name=one.name,
                rows=one.profile.rows,
                judged=len(found.judged),
                stood_out=tuple(feature.feature for feature in features if feature.stands_out),
                alarms=tuple(feature.feature for feature in features if feature.verdict is Verdict.VIOLATION),
            )
        )
    alarms = sum(bool(window.alarms) for window in replayed)
    rate = windows_per_month(past)
    return Replay(
        policy=policy,
        windows=tuple(replayed),
        alarms=alarms,
        per_month=None if rate is None else alarms / len(past) * rate,
    )


def compare(baseline: DatasetProfile, past: Sequence[PastWindow], *, policy: AlarmPolicy) -> list[list[Replay]]:
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
