"""The monitoring job in its container contract: what it writes, says and answers."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from drift_monitor import metric_names
from drift_monitor.analysis import AnalysedWindow
from drift_monitor.job.run import exit_message
from drift_monitor.metric_names import VARIANT_DIMENSION
from tests.drift_monitor.files.documented import (
    CONSTRAINTS,
    REGRESSION_CONSTRAINTS,
    REGRESSION_STATISTICS,
    STATISTICS,
    VIOLATIONS,
    check,
)
from tests.drift_monitor.job.container import Container
from tests.drift_monitor.report.made_up import full_analysis
from tests.drift_monitor.sold_cars import cars, explained_model, monitored_model, write_request, write_window

ROOT = Path(__file__).resolve().parents[3]
REPORT_SCHEMA = json.loads((ROOT / "docs" / "monitor-report.schema.json").read_text())
FINDING = {"judged": ["power"], "stood_out": ["power"]}
HOUR_BEFORE = {"start": "2026-11-26T11:00:00Z", "end": "2026-11-26T12:00:00Z"}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    """An empty container."""
    return Container(tmp_path)


def _metrics(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_a_window_with_drift(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    """Stronger and dearer cars: violations of data and quality in all files, in the message, and the exit status 0."""
    container.baseline(explained_model())
    write_window(container.window, cars(1000, seed=5, power=180, dearer=1.3))
    write_request(
        container.window, policy={"windows_to_alarm": 2, "windows": 3}, history=[{"window": HOUR_BEFORE, **FINDING}]
    )

    assert container.run() == 0

    report = container.result()
    jsonschema.validate(report, REPORT_SCHEMA)
    assert report["verdict"] == "violation"
    assert (report["rows"], report["health"]["unreadable_lines"], report["health"]["problems"]) == (1000, 0, {})
    assert report["subject"]["model_package_arn"].endswith("cars/3")
    assert {one["analysis"] for one in report["violations"]} == {"data_quality", "model_quality"}
    power = next(feature for feature in report["features"] if feature["feature"] == "power")
    assert (power["verdict"], power["windows"], power["since"]) == ("violation", 2, "2026-11-26T11:00:00Z")
    assert power["importance"] == 0.7
    prediction = next(feature for feature in report["features"] if feature["feature"] == "prediction")
    assert (prediction["verdict"], prediction["stands_out"]) == ("ok", True)
    assert report["findings"]["stood_out"] == ["power", "prediction"]
    bias = next(metric for metric in report["quality"]["metrics"] if metric["name"] == "bias")
    assert bias["observed"]["value"] == pytest.approx(-22.7, abs=1.0)
    assert report["attribution"]["reason"].startswith("the model artifact was not given")
    assert container.message.startswith("CompletedWithViolations: Job completed successfully with 7 violations. power:")
    for name, schema in (
        ("statistics.json", STATISTICS),
        ("constraints.json", CONSTRAINTS),
        ("constraint_violations.json", VIOLATIONS),
        ("model_quality_statistics.json", REGRESSION_STATISTICS),
        ("model_quality_constraints.json", REGRESSION_CONSTRAINTS),
    ):
        check(container.result(name), schema)
    entry = container.result("constraint_violations.json")["violations"][0]
    assert (entry["feature_name"], entry["constraint_check_type"]) == ("power", "baseline_drift_check")
    assert {line["Monitor"] for line in _metrics(capsys.readouterr().out)} == {"outcomes"}


def test_a_window_without_drift_is_silent(container: Container) -> None:
    """Nothing but time has passed: no violation in any file."""
    container.baseline()
    write_window(container.window, cars(1000, seed=6))

    assert container.run(analyses="data_quality,model_quality,bias") == 0

    assert container.result()["verdict"] == "ok"
    assert container.result("constraint_violations.json") == {"violations": []}
    assert container.message == "Completed: Job completed successfully with no violations."


def test_only_metrics_that_are_known_are_published(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, namespace and dimensions are those that alarms are checked against; all values are numbers."""
    container.baseline()
    write_window(container.window, cars(400, seed=5, dearer=1.3))
    assert container.run(analyses="data_quality,model_quality,bias") == 0

    lines = _metrics(capsys.readouterr().out)
    allowed = {
        *metric_names.ALWAYS,
        metric_names.FEATURE_DISTANCE,
        *(n for names in metric_names.ANALYSES.values() for n in names),
    }
    by_dimensions: dict[tuple[str, ...], dict[str, float]] = {}
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == metric_names.NAMESPACE
        names = [metric["Name"] for metric in directive["Metrics"]]
        assert all(name in allowed or name.startswith(metric_names.MODEL_QUALITY_PREFIX) for name in names)
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(line[name], str) for name in dimensions)
            by_dimensions.setdefault(tuple(dimensions), {}).update({name: line[name] for name in names})
    endpoint, monitor = metric_names.ENDPOINT_DIMENSION, metric_names.MONITOR_DIMENSION
    whole = by_dimensions[endpoint, monitor]
    assert (whole["Rows"], whole["LabelCoveragePercent"], whole["InsufficientData"]) == (400, 100.0, 0)
    assert whole["ModelQualityViolations"] > 0
    assert by_dimensions[endpoint, VARIANT_DIMENSION]["ModelQuality/mape"] == pytest.approx(22, abs=3)
    assert by_dimensions[endpoint, monitor, metric_names.FEATURE_DIMENSION].keys() == {"FeatureDistance"}
    file = container.base / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl"
    published = [json.loads(line) for line in file.read_text().splitlines()]
    assert {"feature_non_null_make", "feature_data_power", "feature_baseline_drift_power", "mae"} <= {
        metric["MetricName"] for metric in published
    }
    assert {metric["Timestamp"] for metric in published} == {"2026-11-26T13:00:00Z"}


def test_the_message_fits_what_sagemaker_keeps() -> None:
    """However much there is to say, and wherever a character of several bytes is cut."""
    analysis = full_analysis("\N{SNOWMAN}" * 300)
    analysed = AnalysedWindow(analysis=analysis, profile=monitored_model().baseline.profile)
    message = exit_message(analysed)
    assert message.startswith("CompletedWithViolations: ")
    assert 1020 <= len(message.encode()) <= 1024


def test_labelled_rows_are_kept_for_the_next_training(container: Container) -> None:
    """Inputs as they came and the label under its own name; only rows of the window, and no file without labels."""
    container.baseline()
    batch = cars(150, seed=6)
    write_window(container.window, batch)
    assert container.run() == 0

    (file,) = container.labelled()
    assert file.name == "outcomes-20261126T130000Z.csv"
    rows = list(csv.DictReader(file.open()))
    assert list(rows[0]) == ["year", "power", "make", "price"]
    assert [(row["year"], row["make"], float(row["power"]), float(row["price"])) for row in rows] == [
        (str(one["year"]), one["make"], one["power"], one["price"]) for one in batch.to_pylist()
    ]


def test_without_labels_there_is_coverage_and_no_verdict(container: Container) -> None:
    """No ground truth has arrived: quality is not judged, and no file for training is written."""
    container.baseline()
    write_window(container.window, cars(300, seed=6), labelled=False)
    assert container.run(analyses="model_quality") == 0

    report = container.result()
    assert report["verdict"] == "insufficient_data"
    assert report["quality"]["coverage"]["share"] == 0.0
    assert container.message.endswith("There is too little data to judge: 300 rows.")
    assert not container.labelled()


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_too_little_traffic_is_an_answer(container: Container, rows: int) -> None:
    """An empty hour, one request, a few: INSUFFICIENT_DATA, whatever they say."""
    container.baseline()
    write_request(container.window)
    write_window(container.window, cars(rows, seed=5, power=500, dearer=9.0))
    assert container.run() == 0

    report = container.result()
    jsonschema.validate(report, REPORT_SCHEMA)
    assert (report["verdict"], report["rows"], report["violations"]) == ("insufficient_data", rows, [])


def test_a_missing_window_is_an_empty_one(container: Container) -> None:
    """SageMaker may not even create the folder."""
    container.baseline()
    assert container.run() == 0
    assert container.result()["health"]["empty_hours"] == ["2026-11-26T12:00:00Z"]


_TORN = '{"captureData":{"endpointInput":{"data":"2005,1'
_SIDES = '"endpointInput":{"data":%s,"encoding":"CSV"},"endpointOutput":{"data":"20000","encoding":"CSV"}'
_EVENT = '{"captureData":{' + _SIDES + '},"eventMetadata":{"eventId":"x","inferenceTime":"2026-11-26T12:30:00Z"}}'


@pytest.mark.parametrize(
    "line",
    [
        _TORN,
        "\xff\xfe broken",
        "[]",
        _EVENT % '"2005,150,ford,extra,columns"',
        _EVENT % '",,"',
        _EVENT % '"2005,1e308,ford"',
        _EVENT % '"2005,-1e308,ford"',
        _EVENT % '"2026-11-26,12:30,ford"',
        _EVENT % '"nan,inf,\\u0000"',
        '{"captureData":{},"eventMetadata":{"eventId":"x"}}',
    ],
    ids=["torn", "encoding", "no-event", "columns", "null", "huge", "tiny", "dates", "odd", "empty"],
)
def test_bad_lines_never_end_a_job(container: Container, line: str) -> None:
    """Forty of them among good ones: the rest is judged, the report is valid, nothing is infinite."""
    container.baseline()
    write_window(container.window, cars(300, seed=6))
    bad = container.window / "capture" / "prices" / "AllTraffic" / "2026" / "11" / "26" / "12" / "bad.jsonl"
    bad.write_bytes((line + "\n").encode("latin-1") * 40)
    assert container.run(analyses="data_quality,model_quality,bias") == 0

    report = container.result()
    jsonschema.validate(report, REPORT_SCHEMA)
    assert 300 <= report["rows"] <= 340
    assert report["features"][1]["distance"] is not None
    assert not re.search(r"Infinity|NaN", json.dumps(report))


def test_a_column_that_is_always_missing_is_found(container: Container) -> None:
    """Completeness is a rule of its own, for there is nothing to compare."""
    container.baseline()
    batch = cars(300, seed=6)
    lines = [_EVENT % json.dumps(f"{row['year']},,{row['make']}") for row in batch.to_pylist()]
    write_request(container.window)
    (container.window / "all.jsonl").write_text("\n".join(lines))
    assert container.run(analyses="data_quality") == 0

    checks = {one["subject"]: one["description"] for one in container.result()["violations"]}
    assert "of the values are present" in checks["power"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"baseline_statistics": "/opt/ml/processing/nowhere/statistics.json"}, "statistics.json does not exist"),
        ({"baseline_statistics": None, "baseline_constraints": None}, "no baseline files"),
        ({"dataset_source": None}, "dataset_source is not set"),
        ({"dataset_format": "{"}, "dataset_format is {"),
        ({"analyses": "data_quality,astrology"}, "no analysis astrology"),
        ({"start_time": "yesterday"}, "'yesterday' is no time"),
        ({"end_time": "2026-11-26T12:00:00Z"}, "has no length"),
    ],
)
def test_a_job_that_cannot_run_says_why(container: Container, changes: dict[str, str | None], reason: str) -> None:
    """One sentence in the failure file, exit status 1, and no message."""
    container.baseline()
    write_window(container.window, cars(1, seed=1))
    assert container.run(**changes) == 1
    assert reason in container.failure
    assert "\n" not in container.failure
    assert not (container.base / "output" / "message").exists()


@pytest.mark.parametrize(
    ("request_members", "reason"),
    [
        ({"policy": {"effect_flor": 1}}, "unknown setting effect_flor"),
        ({"policy": {"minimum_rows": 0}}, "minimum_rows is 0"),
        ({"history": [{"judged": 1}]}, "an entry of history is malformed"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(
    container: Container, request_members: dict[str, Any], reason: str
) -> None:
    """A policy with a misspelled field must not silently be the default one."""
    container.baseline()
    write_request(container.window, **request_members)
    assert container.run() == 1
    assert reason in container.failure


def test_a_bug_points_to_the_log(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no MonitorError is a bug: one line for SageMaker, the trace for the log."""

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("drift_monitor.job.run.write_results", broken)
    container.baseline()
    assert container.run() == 1
    assert container.failure == "bug in the monitor, ZeroDivisionError: oops; see the job's log"


def test_times_are_read_leniently_and_the_window_is_kept_to(container: Container) -> None:
    """The documentation's own sample has blanks in its times; what lies outside of the window is not counted."""
    container.baseline()
    write_window(container.window, cars(600, seed=6))
    assert container.run(start_time="2026-11-26T12: 00: 00Z", end_time="2026-11-26T12: 30: 00Z") == 0
    assert container.result()["rows"] == 300
    assert container.result()["health"]["outside_window"] == 300


@pytest.mark.parametrize("given", ['{"Csv":{"Header":true}}', '{"json":{"line":true}}'])
def test_a_table_is_a_window_too(container: Container, given: str) -> None:
    """Batch transform's data: CSV or JSON Lines with the label in a column."""
    container.baseline()
    container.window.mkdir(parents=True)
    rows = cars(500, seed=5, dearer=1.3).to_pylist()
    if "json" in given:
        (container.window / "batch.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        with (container.window / "batch.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    assert container.run(dataset_format=given, analyses="data_quality,model_quality") == 0
    report = container.result()
    assert {one["analysis"] for one in report["violations"]} == {"model_quality"}
    assert (report["rows"], report["health"]["unusable_share"]) == (500, 0.0)


@pytest.mark.parametrize(("kept", "lost"), [("endpointOutput", "inputs"), ("endpointInput", "outputs")])
@pytest.mark.parametrize("share", [1, 2])
def test_a_side_that_is_not_captured_is_not_missing(container: Container, kept: str, lost: str, share: int) -> None:
    """Of all requests, or of every second: nothing is lost, what is there is judged, the page says what is not."""
    container.baseline()
    write_window(container.window, cars(600, seed=5, power=180), labelled=False)
    for file in container.window.rglob("*.jsonl"):
        events = [json.loads(line) for line in file.read_text().splitlines()]
        for event in events[::share]:
            event["captureData"] = {kept: event["captureData"][kept]}
        file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert container.run(analyses="data_quality") == 0

    report = container.result()
    jsonschema.validate(report, REPORT_SCHEMA)
    drifted = {"endpointOutput": {"prediction"}, "endpointInput": {"power"}}[kept] if share == 1 else None
    assert {one["subject"] for one in report["violations"]} == (drifted or {"power", "prediction"})
    assert {one["verdict"] for one in report["checks"] if one["check"] == "completeness_check"} <= {
        "ok",
        "insufficient_data",
    }
    assert (report["rows"], report["health"]["unusable_share"]) == (600, 0.0)
    page = (container.base / "processing" / "result" / "report.html").read_text()
    assert (f"nothing is said about the {lost}" in page) == (share == 1)


def test_copies_of_files_do_not_count(container: Container) -> None:
    """An hour that somebody has copied beside itself; another file of the same name is none."""
    container.baseline()
    write_window(container.window, cars(300, seed=5))
    captured = container.window / "capture"
    shutil.copytree(captured, container.window / "copy")
    (other,) = (container.window / "copy").rglob("*.jsonl")
    (container.window / "b").mkdir()
    shutil.copy(other, container.window / "b" / other.name)
    text = other.read_text()
    other.write_text(text.replace('"e0"', '"x0"'))
    assert container.run() == 0
    report = container.result()
    assert (report["rows"], report["health"]["repeated_files"], report["health"]["files"]) == (600, 1, 2)
    assert report["quality"]["coverage"]["labelled"] == 599


def test_the_entry_point_runs(container: Container) -> None:
    """`python -m drift_monitor.job`, as the pipeline starts it."""
    container.baseline()
    write_window(container.window, cars(150, seed=6))
    environment = {**container.environment(), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "drift_monitor.job"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == container.message
