"""The real app on a local cloud: deployed from its synthesized assembly, used through unmodified clients."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.deployed import Deployed
from local_cloud.assembly import Deployment, deploy_assembly
from local_cloud.image_registry import publisher
from local_cloud.images import ImageStore
from local_cloud.processes import ProcessTable
from tests.journeys.cdk_cli import bootstrap, cdk
from tests.queues import new_queue, queue_behind_rule
from tests.running_cloud import ACCOUNT, REGION, RunningCloud
from tests.sagemaker_pipelines.cars import car_year
from tests.synthesized import synthesized_assembly
from tests.waiting import wait_for

_EXECUTION_LIMIT_SECONDS = 180


@dataclass(frozen=True)
class DeployedApp:
    """The app's stacks on one cloud; `outputs` are those of all stacks.

    `inbox` is the URL of a queue that gets every event, `alerts` of one that gets what the failure topic sends.
    """

    cloud: RunningCloud
    outputs: dict[str, str]
    inbox: str
    alerts: str
    received: dict[str, dict[str, Any]] = field(default_factory=dict)
    notified: list[str] = field(default_factory=list)

    @property
    def lake(self) -> str:
        """The lake bucket."""
        return self.outputs["LakeBucketName"]

    @property
    def pipeline(self) -> str:
        """Name of the training pipeline."""
        return self.outputs["CarPricesPipelineName"]

    def upload(self, name: str, body: bytes) -> str:
        """Put a file under raw/car_prices/ and wait until its event is dealt with; its version id."""
        version = self.cloud.client("s3").put_object(Bucket=self.lake, Key=f"raw/car_prices/{name}", Body=body)
        assert self.cloud.page("idle") == {"idle": True}
        return str(version["VersionId"])

    def keys(self, prefix: str) -> list[str]:
        """Keys of the lake below a prefix."""
        listed = self.cloud.client("s3").list_objects_v2(Bucket=self.lake, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def read(self, key: str, **version: str) -> bytes:
        """An object of the lake."""
        return bytes(self.cloud.client("s3").get_object(Bucket=self.lake, Key=key, **version)["Body"].read())

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        """All events of a type so far, each once, the oldest first."""
        for body in self._drain(self.inbox):
            event = json.loads(body)
            self.received[event["id"]] = event
        return [event for event in self.received.values() if event["detail-type"] == detail_type]

    def notifications(self) -> list[str]:
        """What subscribers of the failure topic got so far."""
        self.notified.extend(self._drain(self.alerts))
        return self.notified

    def _drain(self, queue: str) -> Iterator[str]:
        sqs = self.cloud.client("sqs")
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    def snapshot(self) -> tuple[str, str]:
        """Data version and files manifest of the only snapshot."""
        (manifest,) = [key for key in self.keys("snapshots/car_prices/") if key.endswith("/files.manifest")]
        return manifest.split("/")[2], f"s3://{self.lake}/{manifest}"

    def start(self, **parameters: str) -> str:
        """Start an execution on the only snapshot, as a data scientist would; its ARN."""
        data_version, files = self.snapshot()
        given = {"DataVersion": data_version, "SnapshotFiles": files, **parameters}
        return str(
            self.cloud.client("sagemaker").start_pipeline_execution(
                PipelineName=self.pipeline,
                PipelineParameters=[{"Name": name, "Value": value} for name, value in given.items()],
            )["PipelineExecutionArn"]
        )

    def train(self, name: str, body: bytes) -> str:
        """Upload data; the ARN of the execution that this starts, once it has succeeded."""
        known = self.executions()
        self.upload(name, body)
        execution = self.started(besides=known)
        ended = self.finished(execution)
        assert ended["PipelineExecutionStatus"] == "Succeeded", ended.get("FailureReason")
        return execution

    def started(self, *, besides: Iterable[str] = ()) -> str:
        """The ARN of an execution that is not known yet, once there is one."""
        known = set(besides)
        new = wait_for(lambda: [arn for arn in self.executions() if arn not in known], what="a training to start")
        return new[0]

    def executions(self) -> list[str]:
        """ARNs of all executions, the newest first."""
        listed = self.cloud.client("sagemaker").list_pipeline_executions(PipelineName=self.pipeline)
        return [summary["PipelineExecutionArn"] for summary in listed["PipelineExecutionSummaries"]]

    def finished(self, execution: str) -> dict[str, Any]:
        """The description of an execution once it has ended, whatever its end."""
        sagemaker = self.cloud.client("sagemaker")

        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return described if described["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped") else None

        return wait_for(ended, seconds=_EXECUTION_LIMIT_SECONDS, what=f"the end of {execution}")

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        """Steps of an execution by name."""
        listed = self.cloud.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}

    def package(self, execution: str) -> dict[str, Any]:
        """The model package that an execution registered."""
        arn = self.steps(execution)["RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
        described: dict[str, Any] = self.cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return described

    def for_demo(self) -> Deployed:
        """The same app as the acts of the demo take it."""
        folder = self.cloud.state_directory
        return Deployed.find(self.cloud.environment, stage="dev", folder=folder, table=ProcessTable(folder / "demo"))

    def object(self, uri: str) -> bytes:
        """An S3 object by its URI."""
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return bytes(self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def deploy_app(cloud: RunningCloud, *, assembly: Path | None = None) -> DeployedApp:
    """Deploy the synthesized app, or another assembly of it; the cloud should be empty."""
    store = ImageStore(cloud.state_directory / "images")
    publish = publisher(store, cloud.client, account=ACCOUNT, region=REGION)
    deployment = Deployment(account=ACCOUNT, region=REGION, client=cloud.client, publish_image=publish)
    outputs = deploy_assembly(assembly or synthesized_assembly(), deployment)
    return _looked_at(cloud, {key: value for stack in outputs.values() for key, value in stack.items()})


def deploy_by_cli(cloud: RunningCloud, assembly: Path) -> DeployedApp:
    """Deploy a synthesized app with the CDK CLI; the cloud should be empty, and the CLI may write to the assembly."""
    bootstrap(cloud, folder=assembly.parent)
    cdk(cloud, "deploy", "--all", "--app", str(assembly), "--require-approval", "never")
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return _looked_at(
        cloud, {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", [])}
    )


def _looked_at(cloud: RunningCloud, outputs: dict[str, str]) -> DeployedApp:
    inbox = queue_behind_rule(cloud, "every-event", pattern={"account": [ACCOUNT]})
    return DeployedApp(cloud, outputs, inbox, _alerts(cloud, outputs["FailureTopicArn"]))


def _alerts(cloud: RunningCloud, topic: str) -> str:
    """URL of a queue that is subscribed to a topic."""
    url, arn = new_queue(cloud, "alerts")
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def without_training(app: DeployedApp) -> DeployedApp:
    """The same app whose snapshots do not start training, for tests of the lake alone."""
    events = app.cloud.client("events")
    for rule in events.list_rules()["Rules"]:
        if "Snapshot Created" in rule.get("EventPattern", ""):
            events.disable_rule(Name=rule["Name"])
    return app


def csv_of(*years: int, rows: int = 60) -> bytes:
    """Made-up cars of these model years as one file; the same arguments always give the same bytes."""
    tables = [car_year(year, rows=rows) for year in years]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(tables[0].columns)
    writer.writerows(row for table in tables for row in table.rows)
    return text.getvalue().encode()
