"""A lake with snapshots, a registry, a pipeline and a lock table, as the retraining loop's functions see them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.decide_retraining.logic import Limits, Retraining
from lambdas.decide_retraining.trainings import Trainings
from lambdas.decide_retraining.trigger import parse_trigger
from lambdas.finish_retraining.logic import Finishing
from lambdas.finish_retraining.request import parse_ended
from lambdas.shared.champion import ChampionParameter
from lambdas.shared.champion_search import ChampionSearch
from lambdas.shared.events import EventBus
from lambdas.shared.mail import MailTopic
from lambdas.shared.retraining_lock import RetrainingLock
from lambdas.shared.s3 import Bucket
from lambdas.shared.snapshots import Snapshots
from tests.lambdas.fake_client import FakeClient, client_error
from tests.lambdas.lake import RememberedEvents

LAKE, TABLE, PARAMETER, GROUP, PIPELINE = "lake", "locks", "/cd4ml/cars/dev/champion", "cars-dev-1a2b", "cars-dev"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEW_DATA = {"source": "cd4ml.ingest", "detail-type": "Snapshot Created", "detail": {"dataVersion": "v"}}
VIOLATION = {
    "source": "cd4ml.monitoring",
    "detail-type": "Violation Found",
    "detail": {"monitor": "inputs", "windowStart": "a", "windowEnd": "b", "summary": "hp has drifted"},
}


def loop_execution(name: str) -> str:
    """ARN of an execution of the loop."""
    return f"arn:aws:states:us-east-1:123456789012:execution:cars-dev-retraining:{name}"


@dataclass
class RetrainingWorld:
    """DynamoDB, S3 and SSM are moto's; SageMaker and Step Functions answer from `packages`, `trainings` and `running`.

    `trainings` are states by ARN, the newest first, and `learned` data versions of them; `registered` is by training.
    """

    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    trainings: dict[str, str] = field(default_factory=dict)
    learned: dict[str, str] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)
    events: RememberedEvents = field(default_factory=RememberedEvents)
    mails: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        region = {"region_name": "us-east-1"}
        self.s3, self.ssm = boto3.client("s3", **region), boto3.client("ssm", **region)
        self.s3.create_bucket(Bucket=LAKE)
        self.dynamodb = boto3.client("dynamodb", **region)
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "project", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "project", "KeyType": "HASH"}],
        )
        self.lock = RetrainingLock(self.dynamodb, TABLE, "cars")
        self.bus = EventBus(self.events, bus="default", source="cd4ml.retraining", retry_after=0)

    def snapshot(self, version: str, *, rows: int) -> None:
        """Ingestion makes a snapshot, which is the current one then."""
        manifest = {"dataset": "cars", "data_version": version, "rows": rows, "bucket": LAKE, "files": []}
        self.s3.put_object(Bucket=LAKE, Key=f"snapshots/cars/{version}/manifest.json", Body=json.dumps(manifest))
        pointer = {"data_version": version, "revision": 1}
        self.s3.put_object(Bucket=LAKE, Key="snapshots/cars/current.json", Body=json.dumps(pointer))

    def champion(self, *, data_version: str) -> None:
        """Version 1 is live, and has learned from a snapshot."""
        arn = f"{SAGEMAKER}:model-package/{GROUP}/1"
        self.packages[arn] = package(arn, data_version=data_version)
        self.ssm.put_parameter(Name=PARAMETER, Value=arn, Type="String", Overwrite=True)

    def decide(self, trigger: dict[str, Any], *, name: str = "one", now: datetime = NOW) -> dict[str, Any]:
        """What the loop's execution `name` is answered."""
        retraining = Retraining(
            states=self._states(),
            trainings=Trainings(self.sagemaker(), PIPELINE),
            lock=self.lock,
            snapshots=self._snapshots,
            champions=ChampionSearch(self.sagemaker(), ChampionParameter(self.ssm, PARAMETER), GROUP),
            bus=self.bus,
            limits=Limits(timedelta(hours=24), 50),
            subject={"project": "cars", "stage": "dev"},
        )
        return retraining.decide(parse_trigger(trigger), execution=loop_execution(name), now=now)

    def finish(self, given: dict[str, Any], *, now: datetime = NOW) -> dict[str, Any]:
        """What the end of an execution is answered."""
        finishing = Finishing(
            sagemaker=self.sagemaker(),
            lock=self.lock,
            snapshots=self._snapshots,
            bus=self.bus,
            approvers=self.approvers,
            subject={"project": "cars", "stage": "dev"},
        )
        return finishing.finish(parse_ended(given), now=now)

    def trained(self, version: str, *, status: str = "Succeeded", name: str = "one") -> dict[str, Any]:
        """What the state machine tells when the training on a snapshot has ended."""
        return {
            "execution": loop_execution(name),
            "decision": {"decision": "train", "reason": "new data", "snapshot": {"data_version": version}},
            "training": {"execution": f"{SAGEMAKER}:pipeline/{PIPELINE}/execution/t1"},
            "status": {"status": status},
        }

    @property
    def approvers(self) -> MailTopic:
        """Their topic: what is sent goes into `mails`."""
        return MailTopic(FakeClient("sns", {"publish": self._publish}), "arn:aws:sns:us-east-1:123456789012:approvals")

    @property
    def _snapshots(self) -> Snapshots:
        return Snapshots(Bucket(self.s3, LAKE), "cars")

    def _publish(self, **request: str) -> dict[str, Any]:
        self.mails.append(request)
        return {"MessageId": "1"}

    def sagemaker(self) -> FakeClient:
        """A client that answers from this world."""

        def executions(**_: Any) -> dict[str, Any]:
            found = [
                {
                    "PipelineExecutionArn": arn,
                    "PipelineExecutionStatus": status,
                    "PipelineExecutionDescription": "drift; cars",
                }
                for arn, status in self.trainings.items()
            ]
            return {"PipelineExecutionSummaries": found}

        def steps(**request: Any) -> dict[str, Any]:
            arn = self.registered.get(request["PipelineExecutionArn"])
            metadata = {"RegisterModel": {"Arn": arn}} if arn else {}
            return {"PipelineExecutionSteps": [{"StepName": "RegisterModel", "Metadata": metadata}]}

        def parameters(**request: Any) -> dict[str, Any]:
            version = self.learned.get(request["PipelineExecutionArn"])
            return {"PipelineParameters": [{"Name": "DataVersion", "Value": version}] if version else []}

        def described(PipelineExecutionArn: str) -> dict[str, Any]:  # noqa: N803  boto3's own name
            if PipelineExecutionArn not in self.trainings:
                raise client_error("ResourceNotFound", "no such execution")
            return {
                "PipelineExecutionArn": PipelineExecutionArn,
                "PipelineExecutionDescription": "hp has drifted; cars, version 1",
            }

        return FakeClient(
            "sagemaker",
            {
                "list_pipeline_executions": executions,
                "list_pipeline_execution_steps": steps,
                "list_pipeline_parameters_for_execution": parameters,
                "describe_pipeline_execution": described,
                "describe_model_package": lambda ModelPackageName: self.packages[ModelPackageName],  # noqa: N803
                "list_model_packages": lambda **_: {"ModelPackageSummaryList": []},
            },
        )

    def _states(self) -> FakeClient:
        def describe(executionArn: str) -> dict[str, str]:  # noqa: N803  boto3's own name
            return {"status": "RUNNING" if executionArn in self.running else "ABORTED"}

        return FakeClient("stepfunctions", {"describe_execution": describe})


def package(arn: str, *, data_version: str, evaluation: str | None = None) -> dict[str, Any]:
    """DescribeModelPackage's answer."""
    return {
        "ModelPackageArn": arn,
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": int(arn.rpartition("/")[2]),
        "CreationTime": NOW,
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://artifacts/model.tar.gz"}]},
        "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": evaluation}}} if evaluation else {},
        "CustomerMetadataProperties": {"data_version": data_version, "evaluation_report": "s3://artifacts/report.html"},
    }
