"""Model Monitor: schedules start real processing jobs in the documented container contract."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_cloud.sagemaker.monitoring.windows import Delayed, offset, pace_of, window_of
from local_cloud.service import ServiceError
from tests.local_cloud.sagemaker.fakes import FakeCloud
from tests.local_cloud.sagemaker.jobs.requests import processing_request, run_processing
from tests.local_cloud.sagemaker.monitoring.requests import (
    ENDPOINT,
    LAST_DAY,
    RECORD,
    capture,
    definition,
    ended,
    executions,
    label,
    schedule,
    seen,
)
from tests.waiting import wait_for

SAY = "(base/'output/message').write_text('{}')"


LEAVE_METRICS = """
folder = base/'output/metrics/cloudwatch'
folder.mkdir(parents=True)
(folder/'cloudwatch_metrics.jsonl').write_text('''{}''')
"""


@pytest.fixture
def fast_cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    """An engine whose hours take less than a second."""
    made = FakeCloud(tmp_path, wait_scale=0.0002)
    yield made
    made.close()


def test_an_execution_is_a_processing_job_in_the_container_contract(cloud: FakeCloud) -> None:
    """Captured data, baseline and environment are where the contract says; results go where SageMaker puts them."""
    capture(cloud, "a", "b")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, RECORD))
    schedule(cloud)
    (run,) = ended(cloud)

    assert run["MonitoringExecutionStatus"] == "Completed", run
    given = seen(cloud)
    assert [line["eventMetadata"]["eventId"] for line in given["lines"]] == ["a", "b"]
    assert {"processing/baseline/constraints/constraints.json", "processing/baseline/stats/statistics.json"} <= set(
        given["files"]
    )
    assert any(path.startswith(f"processing/input/{ENDPOINT}/AllTraffic/20") for path in given["files"])
    environment = given["environment"]
    contract = {
        "dataset_format": '{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}',
        "dataset_source": "/opt/ml/processing/input",
        "output_path": "/opt/ml/processing/output",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": ENDPOINT,
        "sagemaker_monitoring_schedule_name": "hourly",
        "sagemaker_endpoint_datacapture_prefix": "captured",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
        "baseline_statistics": "/opt/ml/processing/baseline/stats/statistics.json",
        "MINE": "1",
    }
    assert contract.items() <= environment.items()
    start, end = (datetime.fromisoformat(environment[name]) for name in ("start_time", "end_time"))
    assert end - start == pytest.approx(timedelta(days=1) * cloud.timetable.scale, abs=timedelta(seconds=1))
    (key,) = [key for key in cloud.objects if key.endswith("/seen.json")]
    assert key.startswith(f"lake/reports/{ENDPOINT}/hourly/{run['ScheduledTime']:%Y/%m/%d/%H}/")

    job = cloud.call("DescribeProcessingJob", {"ProcessingJobName": run["ProcessingJobArn"].rpartition("/")[2]})
    described = cloud.call("DescribeMonitoringSchedule", {"MonitoringScheduleName": "hourly"})
    assert job["MonitoringScheduleArn"] == described["MonitoringScheduleArn"]
    assert described["LastMonitoringExecutionSummary"] == run
    assert (described["MonitoringScheduleStatus"], described["EndpointName"]) == ("Stopped", ENDPOINT)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (SAY.format("CompletedWithViolations: Job completed with 2 violations."), "CompletedWithViolations", None),
        (SAY.format("Completed: Job completed successfully with no violations."), "Completed", None),
        ("raise SystemExit('no such column')", "Failed", "AlgorithmError: no such column, exit code: 1"),
    ],
)
def test_the_exit_message_decides_the_status(cloud: FakeCloud, code: str, status: str, reason: str | None) -> None:
    """Violations are no failure; a crash is one, with the job's reason."""
    capture(cloud, "a")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, code))
    schedule(cloud)
    (run,) = ended(cloud)
    assert (run["MonitoringExecutionStatus"], run.get("FailureReason")) == (status, reason)


def test_the_containers_metrics_are_sent_to_cloudwatch(cloud: FakeCloud) -> None:
    """In SageMaker's namespace for the kind, all lines of all files, under the job's role; its own job sends none."""
    capture(cloud, "a")
    datum = {
        "MetricName": "feature_data_power",
        "Timestamp": "2026-11-26T03:00:00Z",
        "Dimensions": [{"Name": "Endpoint", "Value": ENDPOINT}, {"Name": "MonitoringSchedule", "Value": "hourly"}],
        "StatisticValues": {"SampleCount": 2, "Sum": 300, "Minimum": 100, "Maximum": 200},
    }
    written = LEAVE_METRICS.format(json.dumps(datum) + "\n\n" + json.dumps(datum) + "\n")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, written))
    schedule(cloud)
    (run,) = ended(cloud)

    assert run["MonitoringExecutionStatus"] == "Completed", run
    assert cloud.metrics == {"aws/sagemaker/Endpoints/data-metrics": [datum, datum]}
    run_processing(cloud, processing_request(cloud, "by-hand", written))
    assert len(cloud.metrics["aws/sagemaker/Endpoints/data-metrics"]) == 2


@pytest.mark.parametrize(
    ("line", "denied", "reason"),
    [
        ('{"MetricName": "x", "Value": 1', False, "cloudwatch_metrics.jsonl, line 1 is no metric"),
        ('{"MetricName": "x", "Value": 1, "Namespace": "mine"}', False, "line 1 is no metric"),
        ('{"MetricName": "x", "Value": 1}', True, "is not authorized to perform: cloudwatch:PutMetricData"),
    ],
)
def test_metrics_that_would_be_lost_fail_the_run(cloud: FakeCloud, line: str, denied: bool, reason: str) -> None:
    """AWS loses them without a word; here the run says what is wrong."""
    capture(cloud, "a")
    cloud.clients.denied.update({"cloudwatch:PutMetricData"} if denied else ())
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, LEAVE_METRICS.format(line)))
    schedule(cloud)
    (run,) = ended(cloud)

    assert run["MonitoringExecutionStatus"] == "Failed"
    assert reason in run["FailureReason"]
    told = cloud.events("SageMaker Processing Job State Change")[-1]
    assert (told["ProcessingJobStatus"], told["MonitoringScheduleArn"].rpartition("/")[2]) == ("Failed", "hourly")


def test_labels_are_merged_into_the_events_of_the_window(cloud: FakeCloud) -> None:
    """Model quality sees the labelled events only; a torn line and an event outside the window do no harm."""
    capture(cloud, "a", "b", "unlabelled", broken='{"captureData": {')
    capture(cloud, "old", age=timedelta(days=1) * cloud.timetable.scale + timedelta(minutes=3))
    label(cloud, a="10", b="20", old="30", unknown="40")
    cloud.call("CreateModelQualityJobDefinition", definition(cloud, RECORD, kind="ModelQuality"))
    schedule(cloud, kind="ModelQuality")
    (run,) = ended(cloud)

    assert run["MonitoringExecutionStatus"] == "Completed", run
    given = seen(cloud)
    labels = {line["eventMetadata"]["eventId"]: line["groundTruthData"]["data"] for line in given["lines"]}
    assert labels == {"a": "10", "b": "20"}
    assert all("captureData" in line for line in given["lines"])
    assert (given["environment"]["analysis_type"], given["environment"]["problem_type"]) == (
        "MODEL_QUALITY",
        "Regression",
    )


@pytest.mark.parametrize(
    ("captured", "reason"), [(False, 'Could not find endpoint "prices"'), (True, "Job inputs had no data")]
)
def test_without_data_an_execution_fails_without_a_job(cloud: FakeCloud, captured: bool, reason: str) -> None:
    """No endpoint, or nothing captured in the window: AWS's reason, and no processing job."""
    if captured:
        capture(cloud, "old", age=timedelta(days=2))
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, RECORD))
    schedule(cloud)
    (run,) = ended(cloud)
    assert run["MonitoringExecutionStatus"] == "Failed"
    assert reason in run["FailureReason"]
    assert cloud.call("ListProcessingJobs", {})["ProcessingJobSummaries"] == []


def test_captured_data_is_read_under_the_jobs_role(cloud: FakeCloud) -> None:
    """A role that may not list the bucket fails the execution, and the refusal names the action."""
    capture(cloud, "a")
    cloud.clients.denied.add("s3:ListBucket")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, RECORD))
    schedule(cloud)
    (run,) = ended(cloud)
    assert run["MonitoringExecutionStatus"] == "Failed"
    assert "is not authorized to perform: s3:ListBucket" in run["FailureReason"]


def test_an_hourly_schedule_runs_until_it_is_stopped(fast_cloud: FakeCloud) -> None:
    """Runs come every scaled hour; their windows follow one another; stop, start and delete do what they say."""
    cloud = fast_cloud
    capture(cloud, "a")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, "pass"))
    schedule(cloud, {"ScheduleExpression": "cron(0 * ? * * *)"})
    newest, oldest = ended(cloud, count=2)[:2]
    hour = timedelta(hours=1) * cloud.timetable.scale
    steps = (newest["ScheduledTime"] - oldest["ScheduledTime"]) / hour
    assert steps == pytest.approx(round(steps), abs=0.01)
    assert newest["ScheduledTime"] <= newest["CreationTime"]

    name = {"MonitoringScheduleName": "hourly"}
    cloud.call("StopMonitoringSchedule", name)
    stopped = cloud.call("DescribeMonitoringSchedule", name)
    assert stopped["MonitoringScheduleStatus"] == "Stopped"
    assert cloud.timetable.next_due(stopped["MonitoringScheduleArn"]) is None
    cloud.call("StartMonitoringSchedule", name)
    assert cloud.timetable.next_due(stopped["MonitoringScheduleArn"]) is not None
    cloud.call("DeleteDataQualityJobDefinition", {"JobDefinitionName": "watch"})
    wait_for(
        lambda: any("Could not find" in run.get("FailureReason", "") for run in executions(cloud)),
        what="the run without a job definition",
    )
    cloud.call("DeleteMonitoringSchedule", name)
    assert executions(cloud) == []
    assert cloud.timetable.next_due(stopped["MonitoringScheduleArn"]) is None


def test_job_definitions_and_schedules_are_listed_and_tagged(cloud: FakeCloud) -> None:
    """Lists filter by endpoint, name and type; definitions come back as they were given; names are unique."""
    request = definition(cloud, "pass") | {"Tags": [{"Key": "a", "Value": "1"}]}
    arn = cloud.call("CreateDataQualityJobDefinition", request)["JobDefinitionArn"]
    described = cloud.call("DescribeDataQualityJobDefinition", {"JobDefinitionName": "watch"})
    assert {name: described[name] for name in request if name != "Tags"}.items() <= request.items()
    assert cloud.call("ListTags", {"ResourceArn": arn})["Tags"] == [{"Key": "a", "Value": "1"}]
    with pytest.raises(ServiceError, match="already exists"):
        cloud.call("CreateDataQualityJobDefinition", request)

    schedule(cloud, {"ScheduleExpression": "cron(0 0 ? * * *)"}, name="nightly")
    listed = cloud.call("ListMonitoringSchedules", {"EndpointName": ENDPOINT, "MonitoringTypeEquals": "DataQuality"})
    assert [entry["MonitoringScheduleName"] for entry in listed["MonitoringScheduleSummaries"]] == ["nightly"]
    assert cloud.call("ListMonitoringSchedules", {"EndpointName": "other"})["MonitoringScheduleSummaries"] == []
    (summary,) = cloud.call("ListDataQualityJobDefinitions", {"NameContains": "WATCH"})["JobDefinitionSummaries"]
    assert (summary["MonitoringJobDefinitionName"], summary["EndpointName"]) == ("watch", ENDPOINT)
    with pytest.raises(ServiceError, match="Could not find DataQuality job definition absent"):
        cloud.call("DescribeDataQualityJobDefinition", {"JobDefinitionName": "absent"})


def test_a_run_starts_after_its_hour_when_requests_have_arrived() -> None:
    """Ten minutes later, and never for an hour that was over before there was a schedule."""
    cron = pace_of({"ScheduleExpression": "cron(0 * ? * * *)"}).cron
    assert cron
    runs = Delayed(cron, origin=datetime(2026, 1, 2, 3, 5, tzinfo=UTC))
    first = runs.next_after(datetime(2026, 1, 2, 3, 5, tzinfo=UTC))
    assert first == datetime(2026, 1, 2, 4, 10, tzinfo=UTC)
    assert runs.next_after(first) == datetime(2026, 1, 2, 5, 10, tzinfo=UTC)


def test_executions_are_listed_by_time(cloud: FakeCloud) -> None:
    """A time without a zone, as it comes off the wire, is UTC."""
    capture(cloud, "a")
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, "pass"))
    schedule(cloud)
    (run,) = ended(cloud)
    scheduled = run["ScheduledTime"].replace(tzinfo=None)
    assert executions(cloud, ScheduledTimeAfter=scheduled) == [run]
    assert executions(cloud, ScheduledTimeAfter=scheduled + timedelta(seconds=1)) == []


def test_windows_follow_the_schedule() -> None:
    """A window is the period before a run, or what the offsets say, in scaled lengths of real time."""
    due = datetime(2026, 1, 2, 3, tzinfo=UTC)
    for expression, hours in (("cron(0 * ? * * *)", 1), ("cron(0 0/2 ? * * *)", 2), ("cron(0 12 ? * * *)", 24)):
        pace = pace_of({"ScheduleExpression": expression})
        window = window_of({}, {}, period=pace.period, due=due, scale=0.01)
        assert (window.start, window.end) == (due - timedelta(hours=hours) * 0.01, due)
    given = {"StartTimeOffset": "-P8D", "EndTimeOffset": "-P1D"}
    window = window_of({}, given, period=timedelta(hours=1), due=due, scale=1)
    assert (window.start, window.end) == (due - timedelta(days=8), due - timedelta(days=1))
    assert offset("-P1DT2H30M") == -timedelta(days=1, hours=2, minutes=30)


@pytest.mark.parametrize(
    ("timing", "changes", "complaint"),
    [
        ({"ScheduleExpression": "rate(1 hour)"}, {}, "is not supported; write cron"),
        ({"ScheduleExpression": "cron(5 * ? * * *)"}, {}, "is not supported; write cron"),
        ({"ScheduleExpression": "cron(0 25 ? * * *)"}, {}, "is not supported"),
        ({"ScheduleExpression": "NOW"}, {}, "needs DataAnalysisStartTime"),
        ({**LAST_DAY, "DataAnalysisStartTime": "yesterday"}, {}, "is no offset"),
        ({**LAST_DAY, "DataAnalysisEndTime": "-P2D"}, {}, "has no length"),
        (LAST_DAY, {"MonitoringType": "ModelBias"}, "Could not find ModelBias job definition watch"),
        (LAST_DAY, {"MonitoringJobDefinitionName": None}, "Give either MonitoringJobDefinitionName"),
    ],
)
def test_a_schedule_that_could_not_run_is_refused(
    cloud: FakeCloud, timing: dict[str, str], changes: dict[str, Any], complaint: str
) -> None:
    """Nothing is stored, nothing runs."""
    cloud.call("CreateDataQualityJobDefinition", definition(cloud, "pass"))
    config = {"ScheduleConfig": timing, "MonitoringJobDefinitionName": "watch", "MonitoringType": "DataQuality"}
    config = {name: value for name, value in (config | changes).items() if value is not None}
    with pytest.raises(ServiceError, match=complaint):
        cloud.call("CreateMonitoringSchedule", {"MonitoringScheduleName": "s", "MonitoringScheduleConfig": config})
    assert cloud.call("ListMonitoringSchedules", {})["MonitoringScheduleSummaries"] == []
