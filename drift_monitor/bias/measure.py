"""Bias of labels and predictions in a window, against what the baseline allows.

Clarify's metrics and its rule for "worse": farther from the value without bias, whatever the sign. Its guide promises
an interval against an allowed range, its monitor compares bare values; here a violation needs the whole 95 % interval
outside the range, and groups that are too small are not judged. Must not read files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drift_monitor.baseline import BiasFigure
from drift_monitor.bias.definitions import (
    CONDITIONAL,
    DESCRIPTIONS,
    POST_TRAINING,
    POST_TRAINING_METRICS,
    PRE_TRAINING,
    PRE_TRAINING_METRICS,
    neutral,
)
from drift_monitor.bias.flip_test import flips
from drift_monitor.bias.groups import Facet, Flags, Group, column_of, group_codes
from drift_monitor.bias.intervals import flip_interval, intervals
from drift_monitor.bias.metrics import Counts, error_metrics, pre_training_metrics, prediction_metrics
from drift_monitor.errors import SettingsError
from drift_monitor.results import BiasMetric, Interval, Verdict

UNDEFINED = "division by zero: a count that the metric divides by is 0"


@dataclass(frozen=True, kw_only=True)
class BiasSettings:
    """What is compared. `positive` says which labels and predictions are the favourable ones; a number predicted by a
    regression model is one above a threshold. `label` is None for a window that has no labels at all. `features` are
    the inputs for the flip test, which is left out without them, as the conditional metrics are without a group
    variable.

    `allowed_drift`: how much farther than the baseline a metric may be from its value without bias; AWS's guide has
    DPPL between -0.1 and 0.1 as its example. `allowed`: ranges
    by metric name that hold whatever the baseline says.
    """

    positive: Group
    facets: tuple[Facet, ...]
    predicted: str = "prediction"
    label: str | None = "_label"
    group_variable: str | None = None
    features: tuple[str, ...] = ()
    minimum_group_rows: int = 30
    allowed_drift: float = 0.1
    allowed: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.minimum_group_rows < 1 or self.allowed_drift < 0:
            raise SettingsError("minimum_group_rows should be at least 1 and allowed_drift at least 0")
        if unknown := self.allowed.keys() - DESCRIPTIONS.keys():
            raise SettingsError(
                f"there is no bias metric {', '.join(sorted(unknown))}; known: {', '.join(DESCRIPTIONS)}"
            )


@dataclass(frozen=True)
class _Sides:
    """Positive labels and predictions of the rows, and which rows have one."""

    label: Flags
    labelled: Flags
    predicted: Flags
    answered: Flags


@dataclass(frozen=True)
class _Found:
    """Metrics of one facet over the same rows."""

    stage: str
    observed: Mapping[str, Interval]
    facet_rows: int
    other_rows: int


def measure(table: Any, settings: BiasSettings, *, baseline: Sequence[BiasFigure] = ()) -> tuple[BiasMetric, ...]:
    """Every metric of every facet, pre-training ones first, from an Arrow table or batch.

    Raises SettingsError if a column is missing. Rows without a value of the facet do not count for it.
    """
    sides = _sides(table, settings)
    expected = {(item.stage, item.facet, item.facet_value, item.name): item.value for item in baseline}
    measured = []
    for facet in settings.facets:
        members, known = facet.group.members(column_of(table, facet.column, role="facet"))
        for found in _find(table, settings, sides, members=members, known=known):
            measured += [
                _judged(name, interval, found, facet=facet, settings=settings, baseline=expected)
                for name, interval in found.observed.items()
            ]
    return tuple(sorted(measured, key=lambda metric: (metric.stage != PRE_TRAINING, metric.facet, metric.facet_value)))


def bias_figures(metrics: Sequence[BiasMetric]) -> tuple[BiasFigure, ...]:
    """What the baseline keeps of the bias that `measure` found in the training data."""
    return tuple(
        BiasFigure(
            stage=metric.stage,
            name=metric.name,
            facet=metric.facet,
            facet_value=metric.facet_value,
            value=metric.observed.value,
            description=metric.description,
        )
        for metric in metrics
    )


def _sides(table: Any, settings: BiasSettings) -> _Sides:
    predicted, answered = settings.positive.members(column_of(table, settings.predicted, role="prediction"))
    if settings.label is None:
        nothing = np.zeros(len(predicted), dtype=np.bool_)
        return _Sides(nothing, nothing, predicted, answered)
    label, labelled = settings.positive.members(column_of(table, settings.label, role="label"))
    return _Sides(label, labelled, predicted, answered)


def _find(table: Any, settings: BiasSettings, sides: _Sides, *, members: Flags, known: Flags) -> Iterator[_Found]:
    """The metrics of one facet, by the rows that they need."""
    column = settings.group_variable
    groups = group_codes(column_of(table, column, role="group variable") if column else None, len(members))
    pre_training = [name for name in PRE_TRAINING_METRICS if column or name not in CONDITIONAL]
    without_labels = [name for name in ("CDDPL", "DI", "DPPL") if column or name not in CONDITIONAL]
    errors = [name for name in POST_TRAINING_METRICS if name not in ("CDDPL", "DI", "DPPL", "FT")]
    for stage, rows, calculate, names in (
        (PRE_TRAINING, known & sides.labelled, pre_training_metrics, pre_training),
        (POST_TRAINING, known & sides.answered, prediction_metrics, without_labels),
        (POST_TRAINING, known & sides.answered & sides.labelled, error_metrics, errors),
    ):
        counts = _count(groups[rows], members[rows], sides.label[rows], sides.predicted[rows])
        facet_rows, other_rows = (int(counts[:, side].sum()) for side in (1, 0))
        enough = min(facet_rows, other_rows) >= settings.minimum_group_rows
        values = intervals(counts, calculate) if enough else {}
        yield _Found(stage, {name: values.get(name, Interval(value=None)) for name in names}, facet_rows, other_rows)
    if settings.features:
        yield _flip_test(table, settings, sides, members=members, rows=known & sides.answered)


def _flip_test(table: Any, settings: BiasSettings, sides: _Sides, *, members: Flags, rows: Flags) -> _Found:
    facet_rows, other_rows = int((members & rows).sum()), int((~members & rows).sum())
    interval = Interval(value=None)
    if min(facet_rows, other_rows) >= settings.minimum_group_rows:
        kept = np.flatnonzero(rows)
        columns = [column_of(table, name, role="feature").take(kept) for name in settings.features]
        interval = flip_interval(flips(columns, in_facet=members[rows], predicted=sides.predicted[rows]))
    return _Found(POST_TRAINING, {"FT": interval}, facet_rows, other_rows)


def _count(groups: Any, members: Flags, label: Flags, predicted: Flags) -> Counts:
    """Counts of shape (groups, 2, 2, 2) as metrics.py has them."""
    codes = ((groups * 2 + members) * 2 + label) * 2 + predicted
    cells = 8 * (int(groups.max(initial=0)) + 1)
    return np.bincount(codes, minlength=cells).astype(np.float64).reshape(-1, 2, 2, 2)


def _judged(
    name: str,
    observed: Interval,
    found: _Found,
    *,
    facet: Facet,
    settings: BiasSettings,
    baseline: Mapping[tuple[str, str, str, str], float | None],
) -> BiasMetric:
    expected = baseline.get((found.stage, facet.column, facet.group.text, name))
    allowed = settings.allowed.get(name) or _range(name, expected, settings.allowed_drift)
    return BiasMetric(
        stage=found.stage,
        name=name,
        description=DESCRIPTIONS[name],
        facet=facet.column,
        facet_value=facet.group.text,
        verdict=_verdict(observed, allowed),
        observed=observed,
        baseline=expected,
        allowed=allowed,
        group_rows=found.facet_rows,
        other_rows=found.other_rows,
        reason=None if observed.value is not None else _reason(found, settings.minimum_group_rows),
    )


def _range(name: str, expected: float | None, drift: float) -> tuple[float, float] | None:
    """As far from the value without bias as the baseline, and `drift` more, in both directions."""
    if expected is None:
        return None
    distance = abs(expected - neutral(name)) + drift
    return neutral(name) - distance, neutral(name) + distance


def _verdict(observed: Interval, allowed: tuple[float, float] | None) -> Verdict:
    if observed.value is None or observed.low is None or observed.high is None:
        return Verdict.INSUFFICIENT_DATA
    outside = allowed is not None and (observed.low > allowed[1] or observed.high < allowed[0])
    return Verdict.VIOLATION if outside else Verdict.OK


def _reason(found: _Found, minimum: int) -> str:
    if found.facet_rows + found.other_rows == 0:
        return "no row of the window has what the metric needs; are there labels?"
    if min(found.facet_rows, found.other_rows) < minimum:
        return (
            f"the group has {found.facet_rows} rows and everybody else {found.other_rows}; "
            f"at least {minimum} are needed on each side"
        )
    return UNDEFINED
