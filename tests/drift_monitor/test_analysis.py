"""A window against its baseline: what is composed, beyond what the parts do by themselves."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from drift_monitor.analysis import AnalysedWindow, AnalysisRequest, analyse_window
from drift_monitor.baseline import DataConstraints
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import Subject, Verdict
from drift_monitor.sampling import RowSample
from drift_monitor.window import WindowData
from tests.drift_monitor.sold_cars import cars, monitored_model


def _analysed(
    batches: Sequence[pa.RecordBatch],
    *analyses: str,
    model: MonitoredModel | None = None,
    policy: AlarmPolicy | None = None,
) -> AnalysedWindow:
    request = AnalysisRequest(
        subject=Subject(monitor="m"), analyses=frozenset(analyses), policy=policy or AlarmPolicy()
    )
    data = WindowData(batches=batches, health=HealthCounter(), label_column="price")
    return analyse_window(data, model or monitored_model(), request)


def _with_floor(floor: float) -> MonitoredModel:
    model = monitored_model()
    columns = tuple(replace(one, effect_floor=floor) for one in model.baseline.constraints.columns)
    return replace(model, baseline=replace(model.baseline, constraints=DataConstraints(columns=columns, rows=4000)))


def test_a_threshold_in_the_constraints_is_kept_to() -> None:
    """An imported comparison threshold is the column's floor, unless the policy names the column itself."""
    window, model = [cars(1000, seed=5, power=180)], _with_floor(0.9)
    assert _analysed(window, "data_quality", model=model).analysis.verdict is Verdict.OK
    policy = AlarmPolicy(column_effect_floors={"power": 0.1})
    found = _analysed(window, "data_quality", model=model, policy=policy).analysis
    assert [one.feature for one in found.features if one.verdict is Verdict.VIOLATION] == ["power"]


def test_only_what_was_asked_for_is_made() -> None:
    """Other parts are empty, not insufficient."""
    analysis = _analysed([cars(500, seed=6)], "model_quality").analysis
    assert (analysis.features, analysis.checks, analysis.bias, analysis.attribution) == ((), (), (), None)
    assert analysis.verdict is Verdict.OK


def test_files_of_a_window_may_differ_in_their_columns() -> None:
    """Types, order, a column that lacks in one of them, one that is new: one window all the same."""
    whole = cars(600, seed=6)
    first = whole.slice(0, 300).select(["price", "make", "power", "year", "prediction"])
    encoded = whole.slice(300, 150).set_column(2, "make", whole.slice(300, 150).column("make").dictionary_encode())
    lacking = whole.slice(450, 150).drop_columns(["make"]).append_column("colour", pa.array(["red"] * 150))
    analysed = _analysed([first, encoded, lacking], "data_quality", "model_quality", "bias")
    assert analysed.analysis.rows == 600
    found = {(check.feature, check.check) for check in analysed.analysis.checks if check.verdict is Verdict.VIOLATION}
    assert found == {("make", "completeness_check"), ("colour", "extra_column_check")}
    assert analysed.analysis.quality is not None
    assert analysed.analysis.quality.coverage.share == 1.0
    assert analysed.errors is not None
    assert len(analysed.errors) == 600


def test_labels_that_are_no_numbers_do_not_count() -> None:
    """A regression model's label that cannot be read is left out of the figures."""
    batch = cars(300, seed=6)
    texts = pa.array(
        ["n/a" if number % 3 == 0 else str(price) for number, price in enumerate(batch.column("price").to_pylist())]
    )
    analysed = _analysed([batch.set_column(4, "price", texts)], "model_quality")
    assert analysed.analysis.quality is not None
    assert analysed.analysis.quality.rows == 200


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_a_sample_is_the_same_however_the_rows_come(size: int) -> None:
    """Evenly spread, bounded, and independent of the sizes of the batches."""
    sample = RowSample(["x"], rows=50)
    rows = 3001 if size == 1 else 10_007
    whole = pa.record_batch({"x": list(range(rows)), "y": ["unused"] * rows})
    for start in range(0, rows, size):
        sample.add(whole.slice(start, size))
    table = sample.table()
    assert table is not None
    kept = table.column("x").to_pylist()
    (step,) = {after - before for before, after in itertools.pairwise(kept)}
    assert kept[0] == 0
    assert rows - kept[-1] <= step
    assert 50 <= len(kept) <= 200
