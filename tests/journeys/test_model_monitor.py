"""A stage whose monitor is a schedule of SageMaker Model Monitor: from drift to the next version and its baseline."""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drift_monitor import metric_names
from sagemaker_pipelines.car_prices.settings import contract
from tests.journeys.deployed_app import DeployedApp, csv_of, deploy_by_cli
from tests.journeys.releases import Releases
from tests.journeys.retraining import OPERATORS, Loop
from tests.lambdas.schemas import check_event
from tests.running_cloud import start_cloud
from tests.sagemaker_pipelines.cars import car_year
from tests.synthesized import synthesized_assembly
from tests.waiting import wait_for

_SETTINGS = """
[monitoring]
engine = "model-monitor"

[monitoring.monitors.inputs]
analyses = ["data_quality"]
window_minutes = 60

[monitoring.monitors.outcomes]
analyses = ["model_quality", "bias"]
window_minutes = 1440
label_delay_minutes = 1440

[retraining]
cooldown_hours = 0
timeout_hours = 72

# A busy machine should roll nothing back.
[endpoint.alarms]
latency_p99_ms = 60000

[release]
latency_budget_ms = 60000

[logs]
removal = "destroy"
"""
_TRAINED, _LATER = range(2001, 2011), 2011
_SCHEDULE = "car-prices-dev-inputs"
# An hour takes 7 s: long enough for a job, short enough for a test.
_WAIT_SCALE = 0.002
_TRIES = 4
_ENDED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
Row = list[str]


@dataclass(frozen=True)
class Judged:
    """One execution of the schedule: its summary, its processing job, and the files that the job left."""

    summary: dict[str, Any]
    job: dict[str, Any]
    files: dict[str, Any]

    @property
    def report(self) -> dict[str, Any]:
        """Our own report, which lies beside Model Monitor's files."""
        report: dict[str, Any] = self.files["monitor_report.json"]
        return report

    @property
    def start(self) -> datetime:
        """Of the window."""
        return datetime.fromisoformat(self.job["Environment"]["start_time"])

    @property
    def end(self) -> datetime:
        """Of the window, to which it does not belong."""
        return datetime.fromisoformat(self.job["Environment"]["end_time"])

    def baselines(self) -> list[str]:
        """URIs of the baseline's files that the job read."""
        inputs = {one["InputName"]: one["S3Input"]["S3Uri"] for one in self.job["ProcessingInputs"]}
        return [inputs["baseline"], inputs["constraints"]]


class Schedule:
    """The schedule as a user of SageMaker sees it."""

    def __init__(self, releases: Releases) -> None:
        self.app, self._releases = releases.app, releases
        self._sagemaker = releases.app.cloud.client("sagemaker")

    def judge(self, rows: Sequence[Row]) -> Judged:
        """Ask for the prices of cars in one request, and wait for the execution that judges it.

        An execution that lasts longer than its hour costs the next one its run; then the cars are asked for again.
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        for _ in range(_TRIES):
            asked = datetime.now(UTC).replace(microsecond=0)
            self._releases.runtime.invoke_endpoint(
                EndpointName=self._releases.endpoint, ContentType="text/csv", Body=text.getvalue()
            )
            first = wait_for(partial(self._first_after, asked), what=f"an execution on the requests after {asked}")
            if first.start <= asked:
                return first
        raise AssertionError(f"{_TRIES} times the execution was left out that was to judge {len(rows)} cars")

    def _first_after(self, moment: datetime) -> Judged | None:
        """The first execution that has ended on a window that ends after `moment`."""
        listed = self._sagemaker.list_monitoring_executions(
            MonitoringScheduleName=_SCHEDULE, SortBy="ScheduledTime", SortOrder="Ascending", ScheduledTimeAfter=moment
        )
        for one in listed["MonitoringExecutionSummaries"]:
            if one["MonitoringExecutionStatus"] in _ENDED and "ProcessingJobArn" in one:
                judged = self._judged(one)
                if judged.end > moment:
                    return judged
        return None

    def _judged(self, summary: dict[str, Any]) -> Judged:
        name = summary["ProcessingJobArn"].rpartition("/")[2]
        job = self._sagemaker.describe_processing_job(ProcessingJobName=name)
        (output,) = job["ProcessingOutputConfig"]["Outputs"]
        bucket, prefix = output["S3Output"]["S3Uri"].removeprefix("s3://").split("/", 1)
        listed = self.app.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")
        files = {
            entry["Key"].rpartition("/")[2]: json.loads(self.app.object(f"s3://{bucket}/{entry['Key']}"))
            for entry in listed.get("Contents", ())
            if entry["Key"].endswith(".json")
        }
        return Judged(summary, job, files)


@dataclass(frozen=True)
class Story:
    """What is left at the end: two versions, what the schedule made of three requests, and the training in answer."""

    loop: Loop
    versions: list[dict[str, Any]]
    judged: list[Judged]
    answer: str

    @property
    def app(self) -> DeployedApp:
        """The app, whose second version is live."""
        return self.loop.app


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Cars as in training, then much stronger ones; then a second version goes live and is asked the same."""
    folder = tmp_path_factory.mktemp("model-monitor")
    with start_cloud(folder, wait_scale=_WAIT_SCALE) as cloud:
        assembly = shutil.copytree(synthesized_assembly(settings=_SETTINGS), folder / "cdk.out")
        app = deploy_by_cli(cloud, Path(assembly))
        loop, releases = Loop(app), Releases(app)
        schedule = Schedule(releases)
        trainings = [app.train("history.csv", csv_of(*_TRAINED))]
        # Trains while the first version is released.
        app.upload("later.csv", csv_of(_LATER))
        first = app.package(trainings[0])
        releases.bring_live(first["ModelPackageArn"])
        trainings.append(app.started(besides=trainings))
        app.finished(trainings[1])
        loop.hear_of_new_data(heard=False)
        app.upload("latest.csv", csv_of(_LATER + 1))
        same = schedule.judge(_cars())
        stronger = schedule.judge(_cars(power=300))
        answer = app.started(besides=trainings)
        second = app.package(trainings[1])
        releases.bring_live(second["ModelPackageArn"])
        later = schedule.judge(_cars())
        yield Story(loop, [first, second], [same, stronger, later], answer)


def test_an_execution_is_our_analyzer_in_the_container_contract(story: Story) -> None:
    """Model Monitor starts our image on the hour's requests, and its three files lie where it puts them."""
    same, *_ = story.judged
    job = same.job

    assert same.summary["MonitoringType"] == "DataQuality"
    assert job["AppSpecification"]["ContainerEntrypoint"] == ["python", "-m", "drift_monitor.job"]
    assert job["MonitoringScheduleArn"].endswith(f":monitoring-schedule/{_SCHEDULE}")
    assert job["Environment"]["sagemaker_endpoint_name"] == story.app.outputs["CarPricesProductionEndpointName"]
    assert {"statistics.json", "constraints.json", "constraint_violations.json"} <= same.files.keys()
    assert same.files["statistics.json"]["dataset"]["item_count"] >= len(_cars())


def test_only_what_differs_from_training_is_a_violation(story: Story) -> None:
    """Cars as in training complete; stronger ones complete with violations, which name the column."""
    same, stronger, _ = story.judged

    assert same.summary["MonitoringExecutionStatus"] == "Completed"
    assert same.files["constraint_violations.json"] == {"violations": []}
    assert stronger.summary["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert stronger.job["ExitMessage"].startswith("CompletedWithViolations: ")
    found = stronger.files["constraint_violations.json"]["violations"]
    assert "engine_hp" in {violation["feature_name"] for violation in found}


def test_a_violation_reaches_the_loop_and_a_mail(story: Story) -> None:
    """The same event, alarm and training as with our own engine, and one only: what a release tries is no violation."""
    states, first = story.app.cloud.client("stepfunctions"), story.versions[0]["ModelPackageArn"]
    heard = [json.loads(states.describe_execution(executionArn=one)["input"]) for one in story.loop.executions()]
    found = [event for event in heard if event.get("detail-type") == "Violation Found"]
    (event,) = [event for event in found if event["detail"]["modelPackageArn"] == first]
    mail = story.loop.mails(OPERATORS, about=metric_names.DATA_QUALITY_VIOLATIONS)[0]

    check_event(event["source"], event["detail-type"], event["detail"])
    assert event["detail"]["windowEnd"] == story.judged[1].report["window"]["end"]
    assert "engine_hp" in event["detail"]["features"]
    assert mail.subject.startswith("ALARM")
    assert story.answer in story.app.executions()


def test_the_containers_metrics_are_in_cloudwatch(story: Story) -> None:
    """SageMaker sends what the container left of every column, by endpoint and schedule."""
    sent = (
        story.app.cloud.client("cloudwatch")
        .get_paginator("list_metrics")
        .paginate(Namespace=metric_names.MODEL_MONITOR_NAMESPACE)
    )
    metrics = [metric for page in sent for metric in page["Metrics"]]
    names = {metric["MetricName"] for metric in metrics}
    columns = {column.name for column in contract().features} | {metric_names.ANSWER}

    assert names >= {f"{metric_names.FEATURE_NON_NULL}{column}" for column in columns}
    assert names >= {f"{metric_names.FEATURE_DATA}engine_hp", f"{metric_names.FEATURE_DRIFT}engine_hp"}
    endpoint = story.app.outputs["CarPricesProductionEndpointName"]
    assert {_dimensions(metric) for metric in metrics} == {(("Endpoint", endpoint), ("MonitoringSchedule", _SCHEDULE))}


def test_every_alarm_on_the_schedule_has_had_a_value(story: Story) -> None:
    """No alarm waits for a metric that the job does not emit."""
    cloudwatch = story.app.cloud.client("cloudwatch")
    watched = [
        (alarm["MetricName"], _dimensions(alarm))
        for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
        if ("Monitor", _SCHEDULE) in _dimensions(alarm)
    ]
    emitted = [
        (metric["MetricName"], _dimensions(metric))
        for metric in cloudwatch.list_metrics(Namespace=metric_names.NAMESPACE)["Metrics"]
    ]

    assert {name for name, _ in watched} == {metric_names.DATA_QUALITY_VIOLATIONS, metric_names.ROWS}
    assert set(watched) <= set(emitted)


def test_the_next_execution_reads_the_baseline_of_the_version_that_went_live(story: Story) -> None:
    """A release brings its baseline with it; before, it was the first version's."""
    first, second = (version["DriftCheckBaselines"]["ModelDataQuality"] for version in story.versions)

    for judged, baseline in zip(story.judged, (first, first, second), strict=True):
        assert judged.baselines() == [baseline["Statistics"]["S3Uri"], baseline["Constraints"]["S3Uri"]]
    assert first != second
    assert story.judged[-1].report["subject"]["model_package_arn"] == story.versions[1]["ModelPackageArn"]


def test_nothing_of_it_was_refused(story: Story) -> None:
    """Schedule, jobs and functions got by with the rights that the templates give them."""
    assert story.app.cloud.page("status")["refused"] == []


def _dimensions(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Of a metric or an alarm, in order."""
    return tuple(sorted((one["Name"], one["Value"]) for one in item["Dimensions"]))


def _cars(*, power: int = 0) -> list[Row]:
    """The cars of the training as callers send them, with more power if asked for."""
    rows = []
    for year in _TRAINED:
        table = car_year(year)
        column = table.columns.index("engine_hp")
        for row in table.rows:
            inputs = list(row[:-1])
            if inputs[column]:
                inputs[column] = str(int(inputs[column]) + power)
            rows.append(inputs)
    return rows
