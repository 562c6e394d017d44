"""A live version, its captured requests and earlier reports, as the functions of monitoring see them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.report_monitoring.logic import Reports
from lambdas.shared.champion import ChampionParameter
from lambdas.shared.events import EventBus
from lambdas.shared.s3 import Bucket
from lambdas.start_monitoring.files import MonitoredFiles
from lambdas.start_monitoring.logic import Monitoring
from lambdas.start_monitoring.request import Monitor, parse_monitors, parse_request
from tests.lambdas.fake_client import FakeClient
from tests.lambdas.lake import RememberedEvents

ARTIFACTS, PARAMETER, PIPELINE, ENDPOINT = "artifacts", "/cd4ml/cars/dev/champion", "cars-dev-monitoring", "cars"
VERSION = "arn:aws:sagemaker:us-east-1:123456789012:model-package/cars-dev-1a2b/3"
MODELS = f"s3://{ARTIFACTS}/pipelines/cars-dev/t1"
SETTINGS = {
    "inputs": {"analyses": ["data_quality", "attribution"], "window_minutes": 60, "label_delay_minutes": 0},
    "outcomes": {"analyses": ["model_quality", "bias"], "window_minutes": 1440, "label_delay_minutes": 1440},
}
RUNS = "monitoring/runs/cars/"


class FixedTime:
    """An SSM client that has the time of its parameter's last change from a test; moto's own is the real one."""

    def __init__(self, client: Any, moment: datetime) -> None:
        self._client, self._moment = client, moment
        self.exceptions = client.exceptions

    def get_parameter(self, **request: Any) -> dict[str, Any]:
        """The parameter, changed when the test says."""
        answer: dict[str, Any] = self._client.get_parameter(**request)
        answer["Parameter"]["LastModifiedDate"] = self._moment
        return answer


@dataclass
class MonitoringWorld:
    """S3 and SSM are moto's; SageMaker knows one version and remembers what was started."""

    live_since: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    with_baseline: bool = True
    windows: int = 3
    events: RememberedEvents = field(default_factory=RememberedEvents)
    starts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.ssm = boto3.client("ssm", region_name="us-east-1")
        self.s3.create_bucket(Bucket=ARTIFACTS)
        self.bus = EventBus(self.events, bus="default", source="cd4ml.monitoring", retry_after=0)

    def release(self) -> None:
        """The version is live."""
        self.ssm.put_parameter(Name=PARAMETER, Value=VERSION, Type="String", Overwrite=True)

    def put(self, key: str, body: str = "{}") -> str:
        """Write an object; its key."""
        self.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=body.encode())
        return key

    def capture(self, hour: str) -> str:
        """A captured file of an hour (yyyy/mm/dd/hh)."""
        return self.put(f"monitoring/capture/{ENDPOINT}/champion/{hour}/30-00-1.jsonl")

    def label(self, hour: str) -> str:
        """A file of labels that arrived in an hour."""
        return self.put(f"monitoring/ground-truth/{ENDPOINT}/{hour}/labels.jsonl")

    def report(self, end: str, report: Any, *, monitor: str = "inputs") -> str:
        """A report of an earlier run for the window that ended then."""
        text = report if isinstance(report, str) else json.dumps(report)
        return self.put(f"{RUNS}{monitor}/3/{end}/result/monitor_report.json", text)

    def start(self, event: dict[str, Any], *, now: datetime) -> dict[str, str]:
        """What the starter answers."""
        monitor, window = parse_request(event, monitors())
        monitoring = Monitoring(
            sagemaker=self._sagemaker(),
            champion=ChampionParameter(FixedTime(self.ssm, self.live_since), PARAMETER),
            files=MonitoredFiles(
                Bucket(self.s3, ARTIFACTS), "monitoring/capture/", "monitoring/ground-truth/", ENDPOINT, "champion"
            ),
            bus=self.bus,
            pipeline=PIPELINE,
            runs_prefix=RUNS,
            labelled_uri="s3://lake/raw/cars/captured",
            policy={"windows": self.windows, "windows_to_alarm": 2},
            subject={"project": "cars", "stage": "dev"},
        )
        return monitoring.start(monitor, window, now=now)

    def announce(self, key: str) -> str | None:
        """What the reporter announces of a report."""
        return Reports(Bucket(self.s3, ARTIFACTS), self.bus, {"project": "cars", "stage": "dev"}).announce(key)

    def json(self, uri: str) -> Any:
        """The JSON object under an S3 URI of the bucket."""
        key = uri.removeprefix(f"s3://{ARTIFACTS}/")
        return json.loads(self.s3.get_object(Bucket=ARTIFACTS, Key=key)["Body"].read())

    def started(self) -> dict[str, str]:
        """The parameters of the one execution."""
        (request,) = self.starts.values()
        return {item["Name"]: item["Value"] for item in request["PipelineParameters"]}

    def _sagemaker(self) -> FakeClient:
        def start(**request: Any) -> dict[str, Any]:
            self.starts.setdefault(request["ClientRequestToken"], request)
            number = list(self.starts).index(request["ClientRequestToken"])
            return {"PipelineExecutionArn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/{number}"}

        return FakeClient(
            "sagemaker", {"start_pipeline_execution": start, "describe_model_package": lambda **_: self._package()}
        )

    def _package(self) -> dict[str, Any]:
        baseline = {"ModelDataQuality": {"Statistics": {"S3Uri": f"{MODELS}/baseline/statistics.json"}}}
        return {
            "ModelPackageArn": VERSION,
            "ModelPackageGroupName": "cars-dev-1a2b",
            "ModelPackageVersion": 3,
            "CreationTime": self.live_since - timedelta(days=1),
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": f"{MODELS}/model.tar.gz"}]},
            "DriftCheckBaselines": baseline if self.with_baseline else {},
        }


def monitors() -> dict[str, Monitor]:
    """The monitors of the settings."""
    return parse_monitors(SETTINGS, delivery=timedelta(minutes=10))
