"""An endpoint with captured requests, and job definitions and schedules that watch it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local_cloud.sagemaker.fakes import IMAGE, ROLE, FakeCloud
from tests.local_cloud.sagemaker.jobs.requests import PROLOGUE
from tests.waiting import wait_for

ENDPOINT = "prices"
LAST_DAY = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-P1D", "DataAnalysisEndTime": "PT0H"}
RECORD = """
root = base.parent.parent
source = pathlib.Path(str(root) + os.environ['dataset_source'])
lines = [json.loads(line) for path in sorted(source.rglob('*.jsonl')) for line in path.read_text().splitlines()]
files = sorted(str(path.relative_to(base)) for path in (base/'processing').rglob('*') if path.is_file())
seen = {'environment': dict(os.environ), 'lines': lines, 'files': files}
(base/'processing/output/seen.json').write_text(json.dumps(seen))
"""
"""A program that writes down what it was given."""


def capture(cloud: FakeCloud, *identifiers: str, age: timedelta = timedelta(seconds=2), broken: str = "") -> None:
    """Captured requests of the endpoint, in one object of the hour in which they came."""
    cloud.endpoints[ENDPOINT] = {"DataCaptureConfig": {"DestinationS3Uri": "s3://lake/captured"}}
    moment = datetime.now(UTC) - age
    events = [
        {
            "captureData": {"endpointInput": {"data": identifier, "encoding": "CSV", "mode": "INPUT"}},
            "eventMetadata": {"eventId": identifier, "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
            "eventVersion": "0",
        }
        for identifier in identifiers
    ]
    text = "".join(json.dumps(event) + "\n" for event in events) + broken
    cloud.objects[f"lake/captured/{ENDPOINT}/AllTraffic/{moment:%Y/%m/%d/%H}/{identifiers[0]}.jsonl"] = text.encode()


def label(cloud: FakeCloud, **labels: str) -> None:
    """Ground truth by event, collected now."""
    events = [
        {"groundTruthData": {"data": value, "encoding": "CSV"}, "eventMetadata": {"eventId": identifier}}
        for identifier, value in labels.items()
    ]
    key = f"lake/labels/{datetime.now(UTC):%Y/%m/%d/%H}/labels.jsonl"
    cloud.objects[key] = "".join(json.dumps(event) + "\n" for event in events).encode()


def definition(cloud: FakeCloud, code: str, *, kind: str = "DataQuality", name: str = "watch") -> dict[str, Any]:
    """A request for a job definition whose container runs `code`; with a baseline."""
    for file in ("constraints", "statistics"):
        cloud.objects[f"lake/baseline/{file}.json"] = b"{}"
    request: dict[str, Any] = {
        "JobDefinitionName": name,
        "RoleArn": ROLE,
        f"{kind}AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": cloud.program(PROLOGUE + code),
            "Environment": {"MINE": "1"},
        },
        f"{kind}BaselineConfig": {"ConstraintsResource": {"S3Uri": "s3://lake/baseline/constraints.json"}},
        f"{kind}JobInput": {"EndpointInput": {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input"}},
        f"{kind}JobOutputConfig": {
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": "s3://lake/reports", "LocalPath": "/opt/ml/processing/output"}}
            ]
        },
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
    }
    if kind == "DataQuality":
        statistics = {"StatisticsResource": {"S3Uri": "s3://lake/baseline/statistics.json"}}
        request["DataQualityBaselineConfig"] |= statistics
    else:
        request[f"{kind}JobInput"]["GroundTruthS3Input"] = {"S3Uri": "s3://lake/labels"}
        request[f"{kind}AppSpecification"]["ProblemType"] = "Regression"
    return request


def schedule(
    cloud: FakeCloud, timing: Mapping[str, str] = LAST_DAY, *, kind: str = "DataQuality", name: str = "hourly"
) -> None:
    """Create a schedule for the job definition `watch`."""
    config = {"ScheduleConfig": timing, "MonitoringJobDefinitionName": "watch", "MonitoringType": kind}
    cloud.call("CreateMonitoringSchedule", {"MonitoringScheduleName": name, "MonitoringScheduleConfig": config})


def executions(cloud: FakeCloud, **wanted: Any) -> list[dict[str, Any]]:
    """ListMonitoringExecutions."""
    found: list[dict[str, Any]] = cloud.call("ListMonitoringExecutions", wanted)["MonitoringExecutionSummaries"]
    return found


def ended(cloud: FakeCloud, count: int = 1) -> list[dict[str, Any]]:
    """The executions, newest first, once `count` of them have ended."""

    def over() -> list[dict[str, Any]]:
        found = executions(cloud)
        running = [run for run in found if run["MonitoringExecutionStatus"] in ("Pending", "InProgress")]
        return found if len(found) - len(running) >= count else []

    return wait_for(over, what=f"{count} executions")


def seen(cloud: FakeCloud) -> dict[str, Any]:
    """What the container of the only execution was given."""
    (key,) = [key for key in cloud.objects if key.endswith("/seen.json")]
    recorded: dict[str, Any] = json.loads(cloud.objects[key])
    return recorded
