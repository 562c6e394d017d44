"""Rules about single columns, and the baseline that they come from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from drift_monitor.baseline import Baseline, DataConstraints, build_baseline
from drift_monitor.drift.checks import run_checks
from drift_monitor.drift.detection import findings
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.errors import BaselineError
from drift_monitor.results import DataCheck, Verdict, Window
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import Values, batch, schema_of, window_profile

_SCHEMA = schema_of(price=ColumnType.FRACTIONAL, doors=ColumnType.INTEGRAL, make=ColumnType.STRING)
_PATIENT = AlarmPolicy(windows_to_alarm=2, windows=3)
_START, _HOUR = datetime(2026, 11, 26, tzinfo=UTC), timedelta(hours=1)


def _columns(rows: int, **changed: Values) -> dict[str, Values]:
    steps = np.arange(rows)
    columns: dict[str, Values] = {
        "price": 1_000.0 + steps % 997,
        "doors": 2 + steps % 4,
        "make": pa.array(["Audi", "Ford", "Kia"]).take(pa.array(steps % 3)),
    }
    return columns | changed


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    """Five thousand complete rows."""
    return build_baseline([batch(_columns(5_000))], schema=_SCHEMA)


def _violations(
    baseline: Baseline,
    columns: Mapping[str, Values],
    constraints: DataConstraints | None = None,
    *,
    policy: AlarmPolicy | None = None,
) -> dict[tuple[str, str], DataCheck]:
    current = window_profile(columns, baseline.profile.anchors)
    checks = run_checks(constraints or baseline.constraints, current, policy=policy or AlarmPolicy())
    return {(check.feature, check.check): check for check in checks if check.verdict is Verdict.VIOLATION}


def _with(values: Values, odd: object, count: int) -> list[object]:
    """The values as a list, the last `count` of them replaced."""
    plain = values.to_pylist() if isinstance(values, pa.Array) else np.asarray(values).tolist()
    return [*plain[: len(plain) - count], *[odd] * count]


def test_data_like_the_baseline_meets_every_rule(baseline: Baseline) -> None:
    """Each rule is reported with what was observed and expected."""
    current = window_profile(_columns(300), baseline.profile.anchors)
    checks = run_checks(baseline.constraints, current, policy=AlarmPolicy())
    assert {check.verdict for check in checks} == {Verdict.OK}
    assert {(check.feature, check.check) for check in checks} == {
        ("price", "completeness_check"),
        ("price", "data_type_check"),
        ("price", "range_check"),
        ("doors", "completeness_check"),
        ("doors", "data_type_check"),
        ("doors", "range_check"),
        ("make", "completeness_check"),
        ("make", "categorical_values_check"),
    }
    assert {(check.observed, check.expected) for check in checks} == {(1.0, 1.0)}


@pytest.mark.parametrize(
    ("column", "odd", "check"),
    [
        ("price", None, "completeness_check"),
        ("price", -5.0, "range_check"),
        ("price", float("inf"), "range_check"),
        ("doors", 2.5, "data_type_check"),
        ("doors", 77, "range_check"),
        ("make", None, "completeness_check"),
    ],
)
def test_one_odd_value_in_a_hundred_is_no_alarm_but_many_are(
    baseline: Baseline, column: str, odd: object, check: str
) -> None:
    """Model Monitor raises at the first one."""
    values = _columns(100)[column]
    for count, expected in ((1, set()), (12, {(column, check)})):
        changed = pa.array(_with(values, odd, count))
        assert set(_violations(baseline, _columns(100, **{column: changed}))) == expected


def test_new_categories_need_as_much_as_drift_does(baseline: Baseline) -> None:
    """A make that one car in thirty has is new in every market; a quarter of the cars is another market."""
    rows, makes = 3_000, _columns(3_000)["make"]
    for count, expected in ((100, set()), (750, {("make", "categorical_values_check")})):
        changed = _columns(rows, make=pa.array(_with(makes, "Lada", count)))
        assert set(_violations(baseline, changed)) == expected
        own_floor = AlarmPolicy(column_effect_floors={"make": 0.5})
        assert set(_violations(baseline, changed, policy=own_floor)) == set()
        not_compared = AlarmPolicy(column_effect_floors={"make": 1.0})
        assert set(_violations(baseline, changed, policy=not_compared)) == expected


@pytest.mark.parametrize(
    ("column", "odd", "check"),
    [
        ("price", None, "completeness_check"),
        ("doors", 2.5, "data_type_check"),
        ("doors", 77, "range_check"),
        ("make", "Lada", "categorical_values_check"),
    ],
)
def test_what_may_be_chance_has_to_last(baseline: Baseline, column: str, odd: object, check: str) -> None:
    """A fifth of odd values stands out at once, and is an alarm in the second of three windows; the run is told."""
    odd_window = _columns(400, **{column: pa.array(_with(_columns(400)[column], odd, 80))})
    verdicts, history = [], list[WindowFindings]()
    for number, columns in enumerate((odd_window, _columns(400), odd_window, odd_window, _columns(50), odd_window)):
        window = Window(start=_START + number * _HOUR, end=_START + (number + 1) * _HOUR)
        current = window_profile(columns, baseline.profile.anchors)
        checks = run_checks(baseline.constraints, current, policy=_PATIENT, history=history, window=window)
        history.append(findings((), checks, window=window))
        (found,) = [one for one in checks if (one.feature, one.check) == (column, check)]
        verdicts.append((found.verdict, found.stands_out, found.windows, found.since))
    assert verdicts == [
        (Verdict.OK, True, 1, _START),
        (Verdict.OK, False, 0, None),
        (Verdict.VIOLATION, True, 1, _START + 2 * _HOUR),
        (Verdict.VIOLATION, True, 2, _START + 2 * _HOUR),
        (Verdict.INSUFFICIENT_DATA, False, 0, None),
        (Verdict.VIOLATION, True, 3, _START + 2 * _HOUR),
    ]


@pytest.mark.parametrize(
    ("column", "odd", "expected"),
    [
        ("price", None, {("price", "completeness_check")}),
        ("doors", 2.5, {("doors", "data_type_check")}),
        ("doors", 77, set()),
        ("make", "Lada", set()),
    ],
)
def test_a_column_that_is_lost_is_an_alarm_at_once(
    baseline: Baseline, column: str, odd: object, expected: set[tuple[str, str]]
) -> None:
    """Most values are missing, or of another type; other values are a matter of distribution, and have to last."""
    columns = _columns(200, **{column: pa.array(_with(_columns(200)[column], odd, 150))})
    assert set(_violations(baseline, columns, policy=_PATIENT)) == expected
    del columns["price"]
    assert ("price", "missing_column_check") in _violations(baseline, columns, policy=_PATIENT)


def test_a_sparse_column_proves_as_much_as_it_has_values() -> None:
    """Of five thousand rows a hundred have a value: the range of those says little about the next two hundred."""

    def sparse(rows: int, *, most: float) -> pa.Array:
        values = np.linspace(0.0, most, rows)
        return pa.array(values, mask=np.arange(rows) % 50 > 0)

    known = build_baseline([batch(_columns(5_000, price=sparse(5_000, most=100.0)))], schema=_SCHEMA)
    for most, expected in ((105.0, set()), (200.0, {("price", "range_check")})):
        assert set(_violations(known, _columns(10_000, price=sparse(10_000, most=most)))) == expected


def test_a_share_within_the_tolerance_is_no_alarm_however_certain(baseline: Baseline) -> None:
    """Half a percent of gaps in a large window is surely more than none, and too little to matter."""
    rows = 60_000
    for gaps, expected in ((300, set()), (1_200, {("price", "completeness_check")})):
        price = pa.array(_with(_columns(rows)["price"], None, gaps))
        assert set(_violations(baseline, _columns(rows, price=price))) == expected


def test_a_small_baseline_proves_less() -> None:
    """No gap in 120 rows does not say that there are none: seven in the next 120 may be as it always was."""
    changed = _columns(120, make=pa.array(_with(_columns(120)["make"], None, 7)))
    small, large = (build_baseline([batch(_columns(rows))], schema=_SCHEMA) for rows in (120, 5_000))
    assert _violations(small, changed) == {}
    assert set(_violations(large, changed)) == {("make", "completeness_check")}


def test_texts_among_numbers_are_of_the_wrong_type(baseline: Baseline) -> None:
    """A numeric column that arrives as text is read, and what does not parse is reported with its share."""
    texts = [*(f"{1_000 + step % 997}" for step in range(450)), *["1.299,00 EUR"] * 50]
    found = _violations(baseline, _columns(500, price=pa.array(texts)))
    assert set(found) == {("price", "data_type_check")}
    check = found["price", "data_type_check"]
    assert check.observed == pytest.approx(0.9)
    assert "Fractional" in check.description
    assert "90.0000%" in check.description


def test_new_categories_are_named(baseline: Baseline) -> None:
    """The most frequent first, so that a renamed one is recognised."""
    makes = _with(_with(_columns(500)["make"], "Seat", 90), "Lada", 60)
    found = _violations(baseline, _columns(500, make=pa.array(makes)))
    assert "new are 'Lada', 'Seat'" in found["make", "categorical_values_check"].description


def test_too_few_rows_are_not_judged(baseline: Baseline) -> None:
    """Ninety-nine rows, all of them broken."""
    current = window_profile({"price": [None] * 99, "extra": [1] * 99}, baseline.profile.anchors)
    checks = run_checks(baseline.constraints, current, policy=AlarmPolicy())
    assert {check.verdict for check in checks} == {Verdict.INSUFFICIENT_DATA}
    empty = window_profile(_columns(0), baseline.profile.anchors)
    assert run_checks(baseline.constraints, empty, policy=AlarmPolicy()) == ()


def test_columns_that_are_missing_or_new_are_reported(baseline: Baseline) -> None:
    """The monitor's own columns are not the data's."""
    columns = _columns(200, colour=["red"] * 200, _event_id=["x"] * 200)
    del columns["doors"]
    assert set(_violations(baseline, columns)) == {("doors", "missing_column_check"), ("colour", "extra_column_check")}


def test_the_baselines_own_gaps_are_expected() -> None:
    """A column that was half empty in training may be half empty, and no more than that."""
    generator = np.random.default_rng(3)

    def gaps(rows: int, share: float) -> pa.Array:
        values = generator.normal(size=rows)
        return pa.array(values, mask=generator.random(rows) < share)

    known = build_baseline([batch(_columns(5_000, price=gaps(5_000, 0.5)))], schema=_SCHEMA)
    assert ("price", "completeness_check") not in _violations(known, _columns(2_000, price=gaps(2_000, 0.5)))
    assert ("price", "completeness_check") in _violations(known, _columns(2_000, price=gaps(2_000, 0.6)))


def test_identifiers_are_new_every_time() -> None:
    """Categories that occurred once predict that others will come; that is no violation."""
    known = build_baseline(
        [batch(_columns(5_000, make=pa.array([f"id {step}" for step in range(5_000)])))], schema=_SCHEMA
    )
    current = _columns(1_000, make=pa.array([f"other {step}" for step in range(1_000)]))
    assert _violations(known, current) == {}


def test_constraints_that_someone_edited_are_kept(baseline: Baseline) -> None:
    """A looser completeness lets gaps pass, a wider domain lets a new make pass, None switches a rule off."""
    price, doors, make = baseline.constraints.columns
    edited = DataConstraints(
        columns=(
            replace(price, completeness=0.5, bounds=None),
            replace(doors, type_share=None, bounds=(0.0, 10.0)),
            replace(make, domain=("Audi", "Ford", "Kia", "Lada")),
        )
    )
    rows = 400
    columns = _columns(
        rows,
        price=pa.array(_with(_columns(rows)["price"], None, 150)),
        doors=pa.array(_with(_columns(rows)["doors"], 7.5, 100)),
        make=pa.array(_with(_columns(rows)["make"], "Lada", 100)),
    )
    assert set(_violations(baseline, columns)) == {
        ("price", "completeness_check"),
        ("doors", "data_type_check"),
        ("doors", "range_check"),
        ("make", "categorical_values_check"),
    }
    assert _violations(baseline, columns, edited) == {}


def test_a_baseline_describes_its_constraints() -> None:
    """Completeness, type, domain, range and sign come from the data."""
    rows = 1_000
    columns = _columns(rows, price=pa.array(_with(_columns(rows)["price"], None, 100)))
    known = build_baseline([batch(columns).slice(0, 600), batch(columns).slice(600)], schema=_SCHEMA)
    price, doors, make = known.constraints.columns
    assert (price.completeness, price.bounds, price.non_negative) == (0.9, (1_000.0, 1_899.0), True)
    assert (doors.type_share, doors.completeness, doors.bounds) == (1.0, 1.0, (2.0, 5.0))
    assert (make.domain, make.type_share) == (("Audi", "Ford", "Kia"), None)
    assert known.constraints.rows == known.profile.rows == rows


def test_a_baseline_needs_rows_and_columns() -> None:
    """An empty file or one of another data set is refused with the reason."""
    with pytest.raises(BaselineError, match="no rows"):
        build_baseline([], schema=_SCHEMA)
    with pytest.raises(BaselineError, match="none of the columns price, doors, make"):
        build_baseline([batch({"weight": [1.0]})], schema=_SCHEMA)
