"""The drift benchmark measures what it says: its shifts are as large as stated, and both kinds of data agree."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.drift import alarms, events, ours, rare_values, rules
from benchmarks.drift.children import Measured
from benchmarks.drift.columns import ANSWERS, table_schema
from benchmarks.drift.speed import check_distances
from benchmarks.drift.tables import SHIFTABLE, table
from benchmarks.measure import BenchmarkError


@pytest.mark.parametrize("distance", [0.08, 0.12])
def test_a_shifted_column_is_at_the_stated_distance_and_no_other_column_moves(distance: float) -> None:
    """The power that is reported is for these distances, so they have to be true ones."""
    known = table(100_000, seed=1)
    shifted = table(100_000, seed=2, shifts=dict.fromkeys(SHIFTABLE, distance))
    measured = {name: rules.distance(name, known, shifted) for name in known.schema.names}

    assert known.schema.names == [column.name for column in table_schema().inputs]
    for name, value in measured.items():
        assert value == pytest.approx(distance if name in SHIFTABLE else 0.0, abs=0.012), name


def test_the_simulation_tells_a_rule_that_cries_wolf_from_one_that_does_not() -> None:
    """At 100 rows a threshold without a test raises false alarms and ours does not; at 1,000 ours finds shifts."""
    simulation = alarms.simulate(4, sizes=(100, 1_000))

    assert simulation.of(alarms.OURS, 100).alarmed == 0
    assert simulation.of(alarms.MODEL_MONITOR, 100).false > 50
    assert simulation.of(alarms.OURS, 1_000).power > 90
    assert simulation.of(alarms.MODEL_MONITOR, 1_000).power < 90


def test_rare_values_raise_nothing_and_broken_columns_are_found() -> None:
    """What a baseline lacks by chance is no alarm of ours, but one of comparing shares as they are."""
    simulation = rare_values.simulate(2, sizes=(300,))

    for known in rare_values.BASELINE_ROWS:
        ours_, theirs = (simulation.of(rule, known, 300) for rule in (rare_values.IN_TWO, rare_values.MODEL_MONITOR))
        assert (ours_.judged, ours_.by_any, theirs.by_checks) == (2, 0, 2)
        assert ours_.found == ours_.broken


def test_events_have_the_same_distances_as_the_table_that_they_carry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CSV and JSON payloads are read to the same columns, all events are counted, and the drift is found."""
    monkeypatch.setattr(events, "CACHE", tmp_path)
    baseline, profile = tmp_path / "baseline.parquet", tmp_path / "profile.npz"
    pq.write_table(pa.Table.from_batches([table(5_000, seed=0)]), baseline)
    ours.run("baseline", baseline, profile)
    csv = ours.run("capture", profile, events.event_folder(2_000, form="csv", files=7))
    json = ours.run("capture", profile, events.event_folder(2_000, form="json", files=1))

    assert csv["rows"] == json["rows"] == 2_000
    assert csv["distances"] == json["distances"]
    assert set(csv["drifted"]) >= {"normal", "category_8"}
    assert not set(csv["distances"]) & set(ANSWERS)


def test_a_wrong_distance_ends_the_benchmark() -> None:
    """Speed without exactness would be worth nothing."""

    def answer(distance: object) -> Measured:
        return Measured(cpu=1, import_cpu=0, peak_mb=1, rows=1, answer={"distances": {"normal": distance}})

    assert check_distances(answer([0.1, 0.01]), answer(0.105)) == pytest.approx(0.005)
    with pytest.raises(BenchmarkError, match="normal"):
        check_distances(answer([0.1, 0.01]), answer(0.12))
