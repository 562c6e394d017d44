"""The commands: from a table to a baseline, to an analysis, to a replay; and how they end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from drift_monitor.cli.commands import run
from drift_monitor.files.baseline_folder import read_baseline, write_baseline
from drift_monitor.metric_names import ANALYSES
from drift_monitor.monitored_model import ProblemType
from drift_monitor.schema import Column, ColumnType
from tests.drift_monitor.sold_cars import HOUR, cars, monitored_model, write_window

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "monitor-report.schema.json").read_text())


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """A baseline folder."""
    write_baseline(tmp_path / "baseline", monitored_model())
    return tmp_path / "baseline"


def _table(path: Path, batch: pa.RecordBatch) -> str:
    table = pa.Table.from_batches([batch])
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return str(path)


def _report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "monitor_report.json").read_text())
    jsonschema.validate(report, SCHEMA)
    return report


def test_from_a_table_to_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Baseline from CSV, analysis of Parquet: quality on the data itself, types from the data, the verdict printed."""
    train = _table(tmp_path / "train.csv", cars(3000, seed=1))
    folder = tmp_path / "baseline"
    bias = tmp_path / "bias.json"
    facet = {"name_or_index": "make", "value_or_threshold": ["ford"]}
    bias.write_text(json.dumps({"facet": [facet], "label_values_or_threshold": [30000]}))
    assert run(["baseline", train, "--output", str(folder), "--label", "price", "--bias", str(bias)]) == 0
    model = read_baseline(folder)
    assert model.baseline.schema.inputs == (
        Column("year", ColumnType.INTEGRAL),
        Column("power", ColumnType.FRACTIONAL),
        Column("make", ColumnType.STRING),
    )
    assert model.answers.label == "price"
    assert "also: model quality, bias" in capsys.readouterr().out

    window = _table(tmp_path / "new.parquet", cars(800, seed=5, power=180, dearer=1.3))
    arguments = ["analyze", window, "--baseline", str(folder), "--output", str(tmp_path / "result")]
    assert run(arguments) == 0
    printed = capsys.readouterr().out
    assert "power       violation" in printed
    assert "800 rows: violation" in printed
    report = _report(tmp_path / "result")
    assert {one["analysis"] for one in report["violations"]} == {"data_quality", "model_quality"}
    assert run([*arguments, "--fail-on-violation"]) == 3
    assert run([*arguments, "--set", "effect_floor=0.9", "--analyses", "data_quality", "--fail-on-violation"]) == 0


def test_a_classifier_and_its_codes(tmp_path: Path) -> None:
    """Predicted classes are categories whatever they look like, as are columns that are said to be codes."""
    flags = [0, 1] * 300
    shares = [0.2, 0.9] * 300
    batch = pa.record_batch({"code": [1, 2, 3] * 200, "class": flags, "score": shares, "truth": flags})
    arguments = ["--prediction", "class", "--probability", "score", "--label", "truth", "--category", "code"]
    data = _table(tmp_path / "train.parquet", batch)
    folder = tmp_path / "baseline"
    assert run(["baseline", data, "--output", str(folder), "--problem-type", "BinaryClassification", *arguments]) == 0
    model = read_baseline(folder)
    assert model.answers.problem_type is ProblemType.BINARY
    assert [column.type for column in model.baseline.schema.columns] == ["String", "Fractional", "String"]
    assert model.baseline.model_quality is not None
    assert model.baseline.model_quality.metrics["accuracy"].value == 1.0
    assert model.calibration is not None

    unlabelled = _table(tmp_path / "window.parquet", batch.drop_columns(["truth"]))
    assert run(["analyze", unlabelled, "--baseline", str(folder), "--output", str(tmp_path / "result")]) == 0
    quality = _report(tmp_path / "result")["quality"]
    assert quality["estimated"]
    assert quality["coverage"]["labelled"] == 0


def test_captured_requests_with_history(tmp_path: Path, baseline: Path) -> None:
    """A folder of captured hours with its labels, a window of it, and the report of the window before."""
    data = tmp_path / "data"
    write_window(data, cars(400, seed=5, power=180))
    arguments = ["analyze", str(data), "--baseline", str(baseline), "--set", "windows_to_alarm=2", "--set", "windows=2"]
    halves = [("12:00", "12:30", "first"), ("12:30", "13:00", "second")]
    history: list[str] = []
    for start, end, name in halves:
        times = ["--start", f"2026-11-26T{start}:00Z", "--end", f"2026-11-26T{end}:00Z"]
        past = ["--history", *history] if history else []
        assert run([*arguments, *times, "--output", str(tmp_path / name), *past]) == 0
        history.append(str(tmp_path / name / "monitor_report.json"))
    first, second = (_report(tmp_path / name) for _, _, name in halves)
    assert (first["verdict"], first["rows"]) == ("ok", 200)
    assert {one["subject"] for one in second["violations"]} == {"power", "prediction"}
    assert second["quality"]["coverage"]["share"] == 1.0


def test_an_import_gives_a_usable_baseline(tmp_path: Path, baseline: Path) -> None:
    """Model Monitor's two files alone; which of its features the model answers with is an option."""
    for name in ("statistics.json", "constraints.json"):
        document = json.loads((baseline / name).read_text())
        del document["monitored_model"]
        (tmp_path / name).write_text(json.dumps(document))
    folder = tmp_path / "imported"
    files = [str(tmp_path / name) for name in ("statistics.json", "constraints.json")]
    assert run(["import", *files, "--output", str(folder), "--outputs", "prediction"]) == 0
    assert [column.name for column in read_baseline(folder).baseline.schema.outputs] == ["prediction"]

    window = _table(tmp_path / "new.parquet", cars(800, seed=5, power=180))
    assert run(["analyze", window, "--baseline", str(folder), "--output", str(tmp_path / "result")]) == 0
    subjects = {one["subject"] for one in _report(tmp_path / "result")["violations"]}
    assert subjects >= {"power", "prediction"}


def test_a_replay_of_requests_and_of_results(
    tmp_path: Path, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hours of requests, and the same hours from the results of their analyses, also merged to a day."""
    for hour in range(4):
        start = HOUR.start + timedelta(hours=hour)
        window = type(HOUR)(start=start, end=start + timedelta(hours=1))
        data = tmp_path / "data" / str(hour)
        write_window(data, cars(300, seed=hour, power=150 if hour < 2 else 190), window=window, labelled=False)
        times = ["--start", start.isoformat(), "--end", window.end.isoformat(), "--analyses", "data_quality"]
        result = str(tmp_path / "results" / str(hour))
        assert run(["analyze", str(data), "--baseline", str(baseline), "--output", result, *times]) == 0
    capsys.readouterr()

    printed = []
    for source in ("data", "results"):
        assert run(["replay", str(tmp_path / source), "--baseline", str(baseline)]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "2026-11-26T14:00:00Z   300       4  prediction, power  prediction, power" in printed[0]
    assert "4 windows, 2 with an alarm (365.2 a month)" in printed[0]
    assert "2 of 2 windows  1 (182.6 a month)" in printed[0]

    assert run(["replay", str(tmp_path / "results"), "--baseline", str(baseline), "--every", "1d"]) == 0
    merged = capsys.readouterr().out
    assert "2026-11-26T00:00:00Z  1,200" in merged
    assert "1 window, 1 with an alarm (30.4 a month)" in merged


def test_a_replay_of_a_table_by_model_year(tmp_path: Path, baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers are windows of their own, without a length in time; the column itself is not judged."""
    data = _table(tmp_path / "past.csv", cars(3000, seed=1))
    assert run(["replay", data, "--baseline", str(baseline), "--time-column", "year"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:11]] == [str(year) for year in range(2001, 2011)]
    assert "year" not in "".join(lines[1:11])
    assert "a month" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["analyze", "{tmp}/nothing", "--output", "{tmp}/r", "--baseline", "{tmp}/baseline"], "nothing does not exist"),
        (["analyze", "{tmp}", "--output", "{tmp}/r", "--baseline", "{tmp}"], "is no baseline folder"),
        (["replay", "{tmp}/baseline", "--baseline", "{tmp}/baseline"], "has no results"),
        (["baseline", "{tmp}/nothing.csv", "--output", "{tmp}/b"], "nothing.csv does not exist"),
        (["baseline", "{tmp}/t.csv", "--output", "{tmp}/b", "--category", "colour"], "has no column colour"),
        (["replay", "{tmp}/t.csv", "--baseline", "{tmp}/baseline", "--time-column", "day"], "no column 'day'"),
        (
            ["replay", "{tmp}/t.csv", "--baseline", "{tmp}/baseline", "--time-column", "year", "--set", "windows=x"],
            "write NAME=VALUE",
        ),
        (["import", "{tmp}/t.csv", "--output", "{tmp}/b"], "is not JSON"),
        (["import", "{tmp}/baseline/statistics.json", "{tmp}/c.json", "--output", "{tmp}/b"], "c.json does not exist"),
        (
            ["import", "{tmp}/baseline/statistics.json", "--output", "{tmp}/b", "--outputs", "score"],
            "has no feature score; it has prediction, year",
        ),
        (["baseline", "{tmp}/t.csv", "--output", "{tmp}/b", "--label", "prize"], "has no column prize; it has year"),
        (["baseline", "{tmp}/t.csv", "--output", "{tmp}/t.csv"], "t.csv cannot be written"),
        (["analyze", "{tmp}/t.csv", "--output", "{tmp}/t.csv", "--baseline", "{tmp}/baseline"], "cannot be written"),
        (
            ["analyze", "{tmp}/t.csv", "--output", "{tmp}/r", "--baseline", "{tmp}/baseline", "--start", "2026-11-26"],
            "give --start and --end",
        ),
        (["replay", "{tmp}/t.csv", "--baseline", "{tmp}/baseline"], "--time-column"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], reason: str, tmp_path: Path, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1 and one line, no trace."""
    _table(tmp_path / "t.csv", cars(10, seed=1))
    assert run([argument.format(tmp=tmp_path) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert reason in error
    assert error.count("\n") == 1


def test_records_of_json_lines_are_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Baseline and window of JSON Lines; what could not be read is told; a column that was ignored is no new one."""
    lines = [json.dumps({**row, "id": number}) for number, row in enumerate(cars(600, seed=1).to_pylist())]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    (tmp_path / "new.jsonl").write_text("\n".join([*lines[:200], lines[0][:40], *lines[200:]]))
    folder = str(tmp_path / "baseline")
    assert (
        run(["baseline", str(tmp_path / "train.jsonl"), "--output", folder, "--label", "price", "--ignore", "id"]) == 0
    )
    result = str(tmp_path / "result")
    assert run(["analyze", str(tmp_path / "new.jsonl"), "--baseline", folder, "--output", result]) == 0
    printed = capsys.readouterr().out
    assert "a line is no JSON object: 1 time, the first in 'new.jsonl, line 201: {" in printed
    assert "0.2 % of the rows could not be used" in printed
    assert "600 rows: ok" in printed
    assert _report(tmp_path / "result")["quality"]["coverage"]["labelled"] == 600


def test_every_analysis_is_made_unless_asked_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names them; unknown commands are argparse's to refuse."""
    with pytest.raises(SystemExit) as caught:
        run(["analyze", "--help"])
    assert caught.value.code == 0
    assert ",".join(ANALYSES) in capsys.readouterr().out
