"""Verdicts on columns: distance, evidence, the policy and earlier windows together."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.drift.detection import detect, findings
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.errors import BaselineError
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.results import FeatureDrift, Verdict, Window
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, baseline_profile, schema_of, window_profile

_HOUR = timedelta(hours=1)
_START = datetime(2026, 3, 1, tzinfo=UTC)
_FLAG = schema_of(flag=ColumnType.INTEGRAL)


def _window(number: int) -> Window:
    return Window(start=_START + number * _HOUR, end=_START + (number + 1) * _HOUR)


def _flags(ones: int, rows: int) -> dict[str, Values]:
    return {"flag": np.repeat([0, 1], [rows - ones, ones])}


@pytest.fixture(scope="module")
def baseline() -> DatasetProfile:
    """A flag that is 1 in one row of five."""
    return baseline_profile(_flags(2_000, 10_000), _FLAG)


def _judge(
    baseline: DatasetProfile, ones: int, rows: int, policy: AlarmPolicy, *, history: list[WindowFindings] | None = None
) -> FeatureDrift:
    past = history or []
    current = window_profile(_flags(ones, rows), baseline.anchors)
    (feature,) = detect(baseline, current, policy=policy, history=past, window=_window(len(past)))
    return feature


def test_a_flag_from_a_fifth_to_four_fifths_is_a_violation(baseline: DatasetProfile) -> None:
    """The distance is 0.6, with every figure in place."""
    found = _judge(baseline, 800, 1_000, AlarmPolicy())
    assert found.verdict is Verdict.VIOLATION
    assert found.distance == pytest.approx(0.6)
    assert found.distance_error == pytest.approx(0, abs=1e-12)
    assert found.p_value == found.q_value
    assert (found.baseline_rows, found.current_rows, found.windows, found.since) == (10_000, 1_000, 1, _START)
    assert found.wasserstein == pytest.approx(0.6 / 0.4)
    assert found.population_stability_index is not None
    assert found.population_stability_index > 1


@pytest.mark.parametrize(
    ("ones", "rows", "verdict"),
    [
        (20, 99, Verdict.INSUFFICIENT_DATA),
        (0, 0, Verdict.INSUFFICIENT_DATA),
        (28, 100, Verdict.OK),  # 0.08 may be chance
        (2_400, 10_000, Verdict.OK),  # 0.04 is certain, and too little to matter
        (2_600, 10_000, Verdict.VIOLATION),
    ],
)
def test_an_alarm_needs_data_evidence_and_effect(
    baseline: DatasetProfile, ones: int, rows: int, verdict: Verdict
) -> None:
    """Each of the three alone keeps the monitor silent."""
    found = _judge(baseline, ones, rows, AlarmPolicy())
    assert found.verdict is verdict
    assert (found.distance is None) == (verdict is Verdict.INSUFFICIENT_DATA)


def test_columns_have_their_own_floors(baseline: DatasetProfile) -> None:
    """A threshold that a customer set for one column is kept."""
    policy = AlarmPolicy(column_effect_floors={"flag": 0.03})
    found = _judge(baseline, 2_400, 10_000, policy)
    assert (found.verdict, found.effect_floor) == (Verdict.VIOLATION, 0.03)


def test_a_floor_of_one_means_never() -> None:
    """A column that nobody wants compared stays silent even if nothing in the window is as it was."""
    known = baseline_profile(_flags(0, 1_000), _FLAG)
    found = _judge(known, 1_000, 1_000, AlarmPolicy(column_effect_floors={"flag": 1.0}))
    assert (found.distance, found.verdict, found.stands_out) == (1.0, Verdict.OK, False)


def test_a_violation_needs_as_many_windows_as_the_policy_says(baseline: DatasetProfile) -> None:
    """Two of three: the first hit is noted, the second within three windows is a violation and knows since when."""
    policy = AlarmPolicy(windows_to_alarm=2, windows=3)
    history: list[WindowFindings] = []
    seen = []
    for number, ones in enumerate((500, 200, 500, 500, 200, 200, 500)):
        found = _judge(baseline, ones, 1_000, policy, history=history)
        history.append(findings([found], window=_window(number)))
        seen.append((found.verdict is Verdict.VIOLATION, found.stands_out, found.windows, found.since))
    start = [_window(number).start for number in range(7)]
    assert seen == [
        (False, True, 1, start[0]),
        (False, False, 0, None),
        (True, True, 1, start[2]),
        (True, True, 2, start[2]),
        (False, False, 0, None),
        (False, False, 0, None),
        (False, True, 1, start[6]),
    ]


def test_a_window_without_enough_data_neither_prolongs_nor_ends_a_run(baseline: DatasetProfile) -> None:
    """A quiet night does not hide that the drift goes on."""
    policy = AlarmPolicy(windows_to_alarm=2, windows=2)
    history: list[WindowFindings] = []
    for number, (ones, rows) in enumerate(((500, 1_000), (5, 10))):
        found = _judge(baseline, ones, rows, policy, history=history)
        history.append(findings([found], window=_window(number)))
    assert history[1].judged == frozenset()
    found = _judge(baseline, 500, 1_000, policy, history=history)
    assert (found.verdict, found.windows, found.since) == (Verdict.VIOLATION, 2, _START)


def test_many_columns_share_one_false_discovery_rate() -> None:
    """What is evidence for one column alone is none for the best of two hundred."""
    names = [f"c{number}" for number in range(200)]
    schema = schema_of(**dict.fromkeys(names, ColumnType.INTEGRAL))
    known = baseline_profile({name: np.repeat([0, 1], [8_000, 2_000]) for name in names}, schema)
    current = {name: np.repeat([0, 1], [400, 100]) for name in names} | {"c7": np.repeat([0, 1], [351, 149])}
    alone = detect(
        baseline_profile({"c7": np.repeat([0, 1], [8_000, 2_000])}, schema_of(c7=ColumnType.INTEGRAL)),
        window_profile({"c7": current["c7"]}, known.anchors),
        policy=AlarmPolicy(),
    )
    together = detect(known, window_profile(current, known.anchors), policy=AlarmPolicy())
    assert alone[0].verdict is Verdict.VIOLATION
    assert [feature.feature for feature in together] == names
    assert not any(feature.stands_out for feature in together)
    assert together[7].p_value == alone[0].p_value


def test_only_present_values_are_compared() -> None:
    """Nulls, NaN and texts in a numeric column change the number of rows, not the distance."""
    known = baseline_profile({"x": np.arange(1_000.0)}, schema_of(x=ColumnType.FRACTIONAL))
    values = [*map(str, range(1_000)), *["nan"] * 300, *["broken"] * 300, *[None] * 300]
    (found,) = detect(known, window_profile({"x": pa.array(values)}, known.anchors), policy=AlarmPolicy())
    assert (found.distance, found.current_rows, found.verdict) == (0.0, 1_000, Verdict.OK)


@pytest.mark.parametrize(
    "values", [np.full(500, np.inf), np.full(500, 1e308), np.full(500, -np.inf), np.full(500, 3.0)]
)
def test_extreme_values_are_drift_and_no_error(values: Values) -> None:
    """Infinities and the largest doubles are values like others."""
    known = baseline_profile({"x": np.random.default_rng(1).normal(size=5_000)}, schema_of(x=ColumnType.FRACTIONAL))
    (found,) = detect(known, window_profile({"x": values}, known.anchors), policy=AlarmPolicy())
    assert found.verdict is Verdict.VIOLATION
    assert found.distance is not None
    assert found.distance > 0.99


def test_columns_that_were_or_are_empty_cannot_be_judged() -> None:
    """All null in the baseline or in the window."""
    schema = schema_of(x=ColumnType.FRACTIONAL, s=ColumnType.STRING)
    nothing = {"x": pa.nulls(500, pa.float64()), "s": pa.nulls(500, pa.string())}
    something = {"x": np.arange(500.0), "s": pa.array(["a"] * 500)}
    for baseline_columns, current_columns in ((nothing, something), (something, nothing), (nothing, nothing)):
        known = baseline_profile(baseline_columns, schema)
        features = detect(known, window_profile(current_columns, known.anchors), policy=AlarmPolicy())
        assert [feature.verdict for feature in features] == [Verdict.INSUFFICIENT_DATA] * 2


def test_a_profile_of_other_columns_is_refused(baseline: DatasetProfile) -> None:
    """Comparing against the wrong baseline is an error, not a drift."""
    other = baseline_profile({"x": np.arange(10.0)}, schema_of(x=ColumnType.FRACTIONAL))
    with pytest.raises(BaselineError, match="flag"):
        detect(baseline, other, policy=AlarmPolicy())


def _mixed(generator: np.random.Generator, rows: int, *, shifted: bool) -> dict[str, Values]:
    """Twelve columns of all kinds; three of them can be shifted by a distance of 0.1."""
    move = 0.1 if shifted else 0.0
    zipf = 1 / np.arange(1, 501)
    gaps = generator.uniform(size=rows)
    return {
        "normal": generator.normal(2.507 * move, 1, rows),
        "skewed": generator.lognormal(0, 1, rows),
        "bimodal": np.where(generator.random(rows) < 0.5, -3, 3) + generator.normal(0, 1, rows),
        "zeros": np.where(generator.random(rows) < 0.7, 0, generator.exponential(1, rows)),
        "gaps": pa.array(gaps, mask=gaps < 0.3),
        "cents": np.round(generator.gamma(2, 10, rows), 2),
        "count": generator.poisson(3, rows),
        "flag": (generator.random(rows) < 0.2 + move).astype(np.int64),
        "few": pa.array(generator.choice(["a", "b", "c"], rows, p=[0.5 + move, 0.3 - move, 0.2]).tolist()),
        "many": pa.array(generator.choice(500, rows, p=zipf / zipf.sum()).astype(str).tolist()),
        "even": pa.array(generator.integers(0, 300, rows).astype(str).tolist()),
        "rare": pa.array(generator.random(rows) < 0.03),
    }


def test_stationary_windows_are_silent_and_shifts_are_found() -> None:
    """False alarms in at most 5 % of the windows and at least 95 % of the shifts found, from fixed seeds.

    benchmarks/ has the simulation with many more; this guards the defaults of the policy.
    """
    generator = np.random.default_rng(20_260_301)
    text = {"few", "many", "even", "rare"}
    columns = _mixed(generator, 20_000, shifted=False)
    schema = schema_of(**{name: ColumnType.STRING if name in text else ColumnType.FRACTIONAL for name in columns})
    known = baseline_profile(columns, schema)
    false_alarms, found = 0, 0
    for _ in range(40):
        for rows in (100, 1_000):
            window = window_profile(_mixed(generator, rows, shifted=False), known.anchors)
            false_alarms += any(feature.stands_out for feature in detect(known, window, policy=AlarmPolicy()))
        window = window_profile(_mixed(generator, 1_000, shifted=True), known.anchors)
        hits = {feature.feature for feature in detect(known, window, policy=AlarmPolicy()) if feature.stands_out}
        found += len(hits & {"normal", "flag", "few"})
    assert false_alarms <= 0.05 * 80
    assert found >= 0.95 * 120
