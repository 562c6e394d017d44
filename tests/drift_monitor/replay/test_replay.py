"""A replay raises what production has raised: judged from requests, from a table, and from the results of the runs."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drift_monitor.analysis import AnalysisRequest
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.errors import ReaderError
from drift_monitor.job.dataset import captured_window, find_dataset, table_window
from drift_monitor.metric_names import ANALYSES
from drift_monitor.replay.backtest import PastWindow, replay
from drift_monitor.replay.windows import HOUR, Judging, captured_windows, kept_windows, table_windows
from drift_monitor.results import Subject, Window
from tests.drift_monitor.job.container import Container
from tests.drift_monitor.sold_cars import HOUR as FIRST
from tests.drift_monitor.sold_cars import cars, monitored_model, write_request, write_window

_POLICY = AlarmPolicy(windows_to_alarm=2, windows=3)
_ANALYSES = {"inputs": "data_quality", "outcomes": "model_quality,bias"}


def _hour(number: int) -> Window:
    return Window(start=FIRST.start + number * HOUR, end=FIRST.start + (number + 1) * HOUR)


def _hours() -> dict[int, pa.RecordBatch]:
    """Eight hours, of which one is empty and one is thin: drift, new makes, gaps, dearer cars, and nothing at all."""
    return {
        0: cars(400, seed=10, power=190),
        1: _with(cars(400, seed=11), make="lada", share=0.3),
        3: _with(cars(400, seed=12, power=190), make="lada", share=0.3),
        4: cars(60, seed=13, power=190),
        5: cars(400, seed=14, dearer=1.4),
        6: _with(cars(400, seed=15, power=190), make="", share=0.9),
        7: cars(400, seed=16),
    }


def _with(batch: pa.RecordBatch, *, make: str, share: float) -> pa.RecordBatch:
    """The cars, of which so many have another make."""
    makes = np.array(batch.column("make").to_pylist(), object)
    makes[: round(share * len(makes))] = make
    return batch.set_column(2, "make", pa.array(makes.tolist(), pa.string()))


def _judging(*analyses: str) -> Judging:
    request = AnalysisRequest(
        subject=Subject(monitor="replay"), analyses=frozenset(analyses or ANALYSES), policy=_POLICY
    )
    return Judging(model=monitored_model(), request=request)


def _alarms(past: Sequence[PastWindow], policy: AlarmPolicy = _POLICY) -> list[set[str]]:
    return [set(window.alarms) for window in replay(monitored_model().baseline, past, policy=policy).windows]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The folder with all requests and labels and with the results of both monitors, each hour judged by the job as
    its schedule has it judged; and the reports of the monitor of inputs."""
    base = tmp_path_factory.mktemp("production")
    reports: list[dict[str, Any]] = []
    for number in range(8):
        batch = _hours().get(number, cars(0, seed=0))
        write_window(base / "data" / str(number), batch, window=_hour(number), prefix=f"{number}-")
        window = {"start": f"{_hour(number).start:%FT%TZ}", "end": f"{_hour(number).end:%FT%TZ}"}
        for monitor, analyses in _ANALYSES.items():
            container = Container(base / monitor / str(number))
            container.baseline()
            write_window(container.window, batch, window=_hour(number), prefix=f"{number}-")
            history = [{"window": one["window"], **one["findings"]} for one in reports[-2:]]
            write_request(container.window, policy={"windows_to_alarm": 2, "windows": 3}, history=history)
            times = {"start_time": window["start"], "end_time": window["end"]}
            assert container.run(analyses=analyses, sagemaker_monitoring_schedule_name=monitor, **times) == 0
        reports.append(
            json.loads((base / "inputs" / str(number) / "processing/result/monitor_report.json").read_text())
        )
    return base, reports


def test_a_replay_of_requests_raises_what_the_monitor_raised(
    production: tuple[Path, list[dict[str, Any]]],
) -> None:
    """Hour by hour, drift and checks, with as much patience; an hour without requests is one of the windows."""
    base, reports = production
    data = captured_window(find_dataset(base / "data"), monitored_model(), window=None, with_labels=False)
    past = captured_windows(data, _judging("data_quality"), length=HOUR, source=base)
    expected = [
        {
            f"{entry['feature_name']}{_rule(entry['constraint_check_type'])}"
            for entry in json.loads(
                (base / "inputs" / str(number) / "processing/result/constraint_violations.json").read_text()
            )["violations"]
        }
        for number in range(len(reports))
    ]
    assert _alarms(past) == expected
    assert expected[1] == set()
    assert "make (completeness)" in expected[6]
    assert "make (categorical values)" in expected[3]
    assert _alarms(kept_windows(base / "inputs", monitored_model(), length=None)) == expected
    result = replay(monitored_model().baseline, past, policy=_POLICY)
    assert result.per_month == pytest.approx(result.alarms / 8 * 365.25 / 12 * 24)


def _rule(check: str) -> str:
    return "" if check == "baseline_drift_check" else f" ({check.removesuffix('_check').replace('_', ' ')})"


def test_with_labels_quality_is_replayed_too(production: tuple[Path, list[dict[str, Any]]]) -> None:
    """The hour of the dearer cars, from the requests with their labels and from the results of the runs."""
    base, _ = production
    data = captured_window(find_dataset(base / "data"), monitored_model(), window=None, with_labels=True)
    past = captured_windows(data, _judging("model_quality", "bias"), length=HOUR, source=base)
    kept = kept_windows(base / "outcomes", monitored_model(), length=None)
    assert _alarms(past) == _alarms(kept)
    assert [number for number, alarms in enumerate(_alarms(past)) if "mape" in alarms] == [5]


def test_results_of_two_monitors_are_no_sequence_of_windows(production: tuple[Path, list[dict[str, Any]]]) -> None:
    """Their windows lie upon each other."""
    base, _ = production
    with pytest.raises(ReaderError, match="of the monitors inputs, outcomes; name the folder of one"):
        kept_windows(base, monitored_model(), length=None)


def test_a_table_is_replayed_with_its_label(tmp_path: Path) -> None:
    """By a column of times, which the model does not know and which is no strange column once it is left out."""
    parts = [
        batch.append_column("sold", pa.array([f"{_hour(number).start:%FT%TZ}"] * batch.num_rows))
        for number, batch in _hours().items()
    ]
    pq.write_table(pa.Table.from_batches(parts), tmp_path / "sales.parquet")
    data = table_window(tmp_path, monitored_model())
    past = table_windows(data, _judging(), time_column="sold", length=HOUR, source=tmp_path)
    alarms = _alarms(past)
    assert len(alarms) == 8
    assert "mape" in alarms[5]
    assert [number for number, found in enumerate(alarms) if "sold (extra column)" in found] == [0, 1, 3, 5, 6, 7]


def test_a_wrong_time_does_not_make_a_million_windows(tmp_path: Path) -> None:
    """One row of 1970 among those of today is told."""
    batch = cars(10, seed=1).append_column("sold", pa.array([*["2026-11-26"] * 9, "1970-01-01"]))
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "sales.parquet")
    data = table_window(tmp_path, monitored_model())
    with pytest.raises(ReaderError, match=r"from 1970-01-01T00:00:00Z to 2026-11-26.*--every"):
        table_windows(data, _judging(), time_column="sold", length=timedelta(hours=1), source=tmp_path)
