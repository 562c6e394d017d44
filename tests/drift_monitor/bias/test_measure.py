"""Bias of a window: verdicts, missing labels, small groups, and the groups themselves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.baseline import BiasFigure
from drift_monitor.bias.flip_test import flips
from drift_monitor.bias.groups import Facet, Group, parse_group
from drift_monitor.bias.measure import BiasSettings, bias_figures, measure
from drift_monitor.errors import SettingsError
from drift_monitor.results import BiasMetric, Verdict

SETTINGS = BiasSettings(
    positive=Group(values=("1",)), facets=(Facet(column="sex", group=Group(values=("f",))),), group_variable="town"
)


def _people(seed: int, *, rows: int = 2000, share: float = 0.3, gap: float = 0.0) -> Any:
    """A window in which the facet is accepted less often by `gap`, with labels that know no sex."""
    generator = np.random.default_rng(seed)
    female = generator.random(rows) < share
    score = generator.random(rows)
    return pa.table(
        {
            "sex": np.where(female, "f", "m"),
            "town": generator.choice(["a", "b", "c"], rows),
            "income": score + generator.normal(0, 0.05, rows),
            "prediction": (score - gap * female > 0.5).astype(np.float64),
            "_label": (score + generator.normal(0, 0.2, rows) > 0.5).astype(np.int64).astype(str),
        }
    )


def _baseline() -> tuple[BiasFigure, ...]:
    return bias_figures(measure(_people(1, rows=20_000), SETTINGS))


def _by_name(metrics: Sequence[BiasMetric]) -> dict[str, BiasMetric]:
    return {metric.name: metric for metric in metrics}


def test_windows_like_the_baseline_are_silent_and_a_gap_is_found() -> None:
    """Where Clarify's rule of comparing values would raise some alarm in every window."""
    baseline = _baseline()
    quiet = [measure(_people(seed), SETTINGS, baseline=baseline) for seed in range(2, 8)]
    biased = _by_name(measure(_people(9, gap=0.3), SETTINGS, baseline=baseline))

    assert {metric.verdict for metrics in quiet for metric in metrics} == {Verdict.OK}
    for metrics in quiet:
        farther = [
            metric
            for metric in metrics
            if metric.name not in ("DI", "GE")
            and metric.baseline is not None
            and abs(metric.observed.value or 0) > abs(metric.baseline)
        ]
        assert farther, "every window has a value farther from 0 than the baseline's"
    assert {name for name, metric in biased.items() if metric.verdict is Verdict.VIOLATION} >= {"DPPL", "DI", "RD"}
    assert biased["DPL"].verdict is Verdict.OK
    assert biased["DPPL"].allowed == pytest.approx((-0.1, 0.1), abs=0.03)


def test_intervals_hold_their_values_and_are_repeatable() -> None:
    """Every metric has an interval; the draws are seeded."""
    settings = replace(SETTINGS, features=("income",))
    first, second = (measure(_people(3), settings) for _ in range(2))

    assert first == second
    assert len(first) == 21
    for metric in first:
        low, value, high = metric.observed.low, metric.observed.value, metric.observed.high
        assert low is not None
        assert value is not None
        assert high is not None
        assert low <= value <= high


def test_without_labels_only_what_needs_them_is_missing() -> None:
    """A window whose labels have not come yet, and a column in which some are null."""
    table = _people(3)
    none = _by_name(measure(table.drop_columns("_label"), replace(SETTINGS, label=None)))
    late = table.set_column(4, "_label", pa.array([None] * 2000, pa.string()))

    assert {name for name, metric in none.items() if metric.observed.value is not None} == {"DPPL", "DI", "CDDPL"}
    assert none == _by_name(measure(late, SETTINGS))
    assert "are there labels?" in str(none["RD"].reason)
    assert none["RD"].verdict is Verdict.INSUFFICIENT_DATA


def test_a_small_group_is_not_judged() -> None:
    """29 of 30 rows: no value, and the reason says how many there are."""
    table = _people(3, gap=0.5)
    female = np.flatnonzero(np.asarray(table["sex"].to_pylist()) == "f")
    few = table.take(np.sort(np.concatenate([female[:29], np.setdiff1d(np.arange(2000), female)])))

    metrics = measure(few, SETTINGS, baseline=_baseline())

    assert {metric.verdict for metric in metrics} == {Verdict.INSUFFICIENT_DATA}
    assert "29 rows" in str(metrics[0].reason)


@pytest.mark.parametrize("prediction", [0.0, 1.0])
def test_a_constant_prediction_gives_reasons_instead_of_infinity(prediction: float) -> None:
    """Clarify answers infinity or 0 where it divides by nobody."""
    table = _people(3).set_column(3, "prediction", pa.array(np.full(2000, prediction)))
    metrics = _by_name(measure(table, SETTINGS))

    undefined = {name for name, metric in metrics.items() if metric.observed.value is None}
    assert undefined == ({"DI", "DAR", "DCA", "TE", "CDDPL"} if prediction == 0 else {"DCR", "DRR", "CDDPL"})
    assert {metrics[name].reason for name in undefined} == {"division by zero: a count that the metric divides by is 0"}


def test_numbers_are_split_by_thresholds() -> None:
    """A price is favourable above 15,000, a car is of the facet above 200 horsepower; missing counts nowhere."""
    power = pa.array([100.0, 300.0, None, 300.0, 100.0])
    table = pa.table({"power": power, "prediction": [1e4, 2e4, 2e4, 1e4, 2e4], "_label": [1e4, 2e4, 2e4, 1e4, 1e4]})
    settings = BiasSettings(
        positive=Group(threshold=15_000.0),
        facets=(Facet(column="power", group=Group(threshold=200.0)),),
        minimum_group_rows=1,
    )

    metrics = _by_name(measure(table, settings))

    assert metrics["DPPL"].observed.value == 0.0
    assert metrics["AD"].observed.value == -0.5
    assert (metrics["AD"].group_rows, metrics["AD"].other_rows) == (2, 2)
    assert metrics["AD"].facet_value == "(200, inf)"
    assert "CDDPL" not in metrics


def test_the_flip_test_asks_the_nearest_of_the_others() -> None:
    """Ten others are accepted above 50 only: of the facet's four rows two would be accepted, one refused, one stays."""
    others = list(range(0, 100, 10))
    income, town = pa.array([*others, 71, 82, 13, 94]), pa.array(["x"] * 14)
    predicted = np.array([value > 50 for value in others] + [False, False, True, True])

    flipped = flips([income, town], in_facet=np.arange(14) >= 10, predicted=predicted)

    assert flipped.tolist() == [1, 1, -1, 0]


def test_distances_do_not_depend_on_units() -> None:
    """A column in millions does not drown one in units, and text counts as same or another."""
    generator = np.random.default_rng(1)
    income, town = generator.random(400), generator.choice(["a", "b"], 400)
    predicted, in_facet = generator.random(400) < 0.5, np.arange(400) < 100

    small = flips([pa.array(income), pa.array(town)], in_facet=in_facet, predicted=predicted)
    large = flips([pa.array(income * 1e6), pa.array(town)], in_facet=in_facet, predicted=predicted)

    assert small.tolist() == large.tolist()


def test_groups_of_clarifys_configuration_follow_the_columns_type() -> None:
    """One number for a numeric column is a threshold; a code is text, also when JSON has it as a number."""
    assert parse_group([40], numeric=True) == Group(threshold=40.0)
    assert parse_group([1.0, "b"], numeric=False) == Group(values=("1", "b"))
    with pytest.raises(SettingsError, match="should be a number"):
        parse_group(["old"], numeric=True)


def test_settings_that_cannot_be_used_are_refused() -> None:
    """The message names the column or the metric."""
    with pytest.raises(SettingsError, match="facet 'sex'"):
        measure(_people(1).drop_columns("sex"), SETTINGS)
    with pytest.raises(SettingsError, match="bias metric DPX"):
        replace(SETTINGS, allowed={"DPX": (0.0, 1.0)})
    with pytest.raises(SettingsError, match="column of numbers"):
        measure(_people(1), replace(SETTINGS, facets=(Facet(column="sex", group=Group(threshold=1.0)),)))
    with pytest.raises(SettingsError, match="either values or a threshold"):
        Group()
