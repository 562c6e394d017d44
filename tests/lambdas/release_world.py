"""A registry, a release pipeline, a bucket and a parameter, as the release's functions see them."""

import gzip
import hashlib
import io
import json
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.shared.champion import ChampionParameter
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.release_records import ReleaseRecords
from lambdas.shared.s3 import Bucket
from lambdas.start_release.checks import ReleaseChecks
from lambdas.start_release.logic import Releases
from lambdas.start_release.release_pipeline import ReleasePipeline
from lambdas.start_release.request import parse_request
from tests.lambdas.fake_client import FakeClient, client_error
from tests.lambdas.lake import RememberedEvents

BUCKET, GROUP, PARAMETER, PIPELINE = "artifacts", "cars-dev-1a2b", "/cd4ml/cars/dev/champion", "cars-dev-release"
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FEATURES = [{"name": "make", "kind": "categorical", "categories": ["Kia"]}, {"name": "hp", "kind": "numeric"}]
GOLDEN = [{"values": ["Kia", "100"], "prediction": 20_000.0}, {"values": ["Audi", ""], "prediction": 40_000.0}]
APPROVER = "arn:aws:iam::123456789012:user/ada"


def arn(version: int, group: str = GROUP) -> str:
    """ARN of a version."""
    return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/{version}"


def model_files(**changes: bytes | None) -> dict[str, bytes]:
    """Files of a good archive; a change by stem (`model_onnx`) leaves one out (None), or replaces it unannounced."""
    files = {
        "model.onnx": b"onnx",
        "feature_spec.json": json.dumps({"features": FEATURES}).encode(),
        "golden_records.json": json.dumps({"tolerance_log": 1e-4, "records": GOLDEN}).encode(),
    }
    manifest = {
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "metrics": {"parity": {"largest_log_difference": 1e-6, "tolerance": 1e-4, "records": 2}},
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    for stem, content in changes.items():
        name = next(name for name in files if name.replace(".", "_") == stem)
        if content is None:
            del files[name]
        else:
            files[name] = content
    return files


def packed(files: Mapping[str, bytes]) -> bytes:
    """A model.tar.gz."""
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(text.getvalue(), mtime=0)


@dataclass
class FakePipeline:
    """CodePipeline with one pipeline: knows tokens, and shows what a test has put into an execution."""

    executions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self) -> FakeClient:
        """The client."""
        return FakeClient(
            "codepipeline",
            {
                "start_pipeline_execution": self._start,
                "list_pipeline_executions": self._list,
                "get_pipeline_execution": self._get,
                "list_action_executions": self._actions,
                "stop_pipeline_execution": self._stop,
            },
        )

    def add(self, variables: Mapping[str, str], **more: Any) -> str:
        """An execution; its id."""
        execution_id = str(uuid.UUID(int=len(self.executions) + 1))
        self.executions[execution_id] = {"status": "InProgress", "variables": dict(variables), "actions": [], **more}
        return execution_id

    def act(self, execution_id: str, stage: str, *, status: str = "Succeeded", **more: Any) -> None:
        """Let an action run: a minute after the one before, for a minute."""
        actions = self.executions[execution_id]["actions"]
        started = START + timedelta(minutes=2 * len(actions))
        actions.append(
            {
                "actionExecutionId": f"{execution_id}-{len(actions)}",
                "stageName": stage,
                "actionName": f"{stage}Action",
                "status": status,
                "startTime": started,
                "lastUpdateTime": started + timedelta(minutes=1),
                **more,
            }
        )

    def _start(self, *, name: str, variables: list[dict[str, str]], clientRequestToken: str) -> dict[str, Any]:  # noqa: N803
        assert name == PIPELINE
        if clientRequestToken not in self.tokens:
            self.tokens[clientRequestToken] = self.add({item["name"]: item["value"] for item in variables})
        return {"pipelineExecutionId": self.tokens[clientRequestToken]}

    def _list(self, **_: Any) -> dict[str, Any]:
        summaries = [{"pipelineExecutionId": key, "status": item["status"]} for key, item in self.executions.items()]
        return {"pipelineExecutionSummaries": summaries[::-1]}

    def _get(self, *, pipelineExecutionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        execution = self.executions[pipelineExecutionId]
        variables = [{"name": name, "resolvedValue": value} for name, value in execution["variables"].items()]
        shown = {name: execution[name] for name in ("status", "statusSummary", "trigger") if name in execution}
        return {"pipelineExecution": {"pipelineExecutionId": pipelineExecutionId, "variables": variables, **shown}}

    def _actions(self, *, filter: Mapping[str, str], **_: Any) -> dict[str, Any]:  # noqa: A002
        return {"actionExecutionDetails": self.executions[filter["pipelineExecutionId"]]["actions"][::-1]}

    def _stop(self, *, pipelineExecutionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.executions[pipelineExecutionId]["status"] = "Stopping"
        return {"pipelineExecutionId": pipelineExecutionId}


class ReleaseWorld:
    """Everything around the release's functions; S3 and SSM are moto's."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.ssm = boto3.client("ssm", region_name="us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.pipeline = FakePipeline()
        self.codepipeline = self.pipeline.client()
        self.packages: dict[str, dict[str, Any]] = {}
        self.sagemaker = FakeClient("sagemaker", {"describe_model_package": self._describe})
        self.events = RememberedEvents()
        self.bus = EventBus(self.events, bus="default", source="cd4ml.release", retry_after=0)
        self.records = ReleaseRecords(Bucket(self.s3, BUCKET), "cars")
        self.champion = ChampionParameter(self.ssm, PARAMETER)
        self.needs_baseline = False

    def _describe(self, *, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
        if ModelPackageName not in self.packages:
            raise client_error("ValidationException", "does not exist")
        return self.packages[ModelPackageName]

    def register(self, version: int, *, approval: str = "Approved", files: Mapping[str, bytes] | None = None) -> str:
        """A good version with artifact and evidence in the bucket; its ARN."""
        archive = packed(model_files() if files is None else files)
        digest = hashlib.sha256(archive).hexdigest()
        self.put(f"models/{version}/model.tar.gz", archive)
        decision = {"accepted": 1, "summary": "every limit is kept"}
        self.put_json(f"models/{version}/evaluation.json", {"candidate": {"sha256": digest}, "decision": decision})
        self.packages[arn(version)] = {
            "ModelPackageArn": arn(version),
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": version,
            "ModelApprovalStatus": approval,
            "ApprovalDescription": f"version {version} is better",
            "CreationTime": START,
            "LastModifiedTime": START,
            "LastModifiedBy": {"IamIdentity": {"Arn": APPROVER}},
            "InferenceSpecification": {
                "Containers": [{"Image": "i", "ModelDataUrl": f"s3://{BUCKET}/models/{version}/model.tar.gz"}]
            },
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"S3Uri": f"s3://{BUCKET}/models/{version}/evaluation.json"}}
            },
            "CustomerMetadataProperties": {"artifact_sha256": digest, "data_version": "d1", "commit": "c1"},
        }
        return arn(version)

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def put_json(self, key: str, value: object) -> None:
        """Write an object as JSON."""
        self.put(key, json.dumps(value).encode())

    def delete(self, key: str) -> None:
        """Remove an object."""
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def released(self, version: int, *, minute: int, result: str = "Succeeded") -> None:
        """A record of an earlier release; a successful one is live."""
        moment = START - timedelta(days=1) + timedelta(minutes=minute)
        key = self.records.key(started=moment, execution_id=f"earlier-{minute}")
        self.put_json(key, {"result": result, "execution_id": f"earlier-{minute}", "to": arn(version)})
        if result == "Succeeded":
            self.champion.write(arn(version))

    def releases(self) -> Releases:
        """The starter's logic on this world."""
        return Releases(
            sagemaker=self.sagemaker,
            pipeline=ReleasePipeline(self.codepipeline, PIPELINE),
            checks=ReleaseChecks(self.s3, GROUP, needs_baseline=self.needs_baseline),
            records=self.records,
            champion=self.champion,
            bus=self.bus,
            stage="dev",
            log=JsonLog("test"),
        )

    def decide(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the starter makes of an event."""
        request = parse_request(event)
        assert request is not None
        return self.releases().answer(request)

    def approve(self, version: int, *, moment: str = "2026-03-01T12:00:00Z") -> dict[str, Any]:
        """What the starter makes of an approval."""
        return self.decide(changed(version, "Approved", moment=moment))

    def reject(self, version: int, *, moment: str = "2026-03-01T13:00:00Z") -> dict[str, Any]:
        """Reject a version in the registry; what the starter makes of it."""
        self.packages[arn(version)] |= {"ModelApprovalStatus": "Rejected", "ApprovalDescription": "it is biased"}
        return self.decide(changed(version, "Rejected", moment=moment))

    def released_versions(self) -> list[str]:
        """ARNs that the pipeline was started with, in order."""
        return [execution["variables"]["ModelPackageArn"] for execution in self.pipeline.executions.values()]


def changed(version: int, status: str, *, moment: str = "2026-03-01T12:00:00Z", **more: Any) -> dict[str, Any]:
    """The event that SageMaker sends when the approval of a version changes."""
    detail = {
        "ModelPackageArn": arn(version),
        "ModelPackageGroupName": GROUP,
        "ModelPackageVersion": version,
        "ModelApprovalStatus": status,
        "LastModifiedTime": moment,
        "UpdatedModelPackageFields": ["ModelApprovalStatus", "ApprovalDescription"],
    }
    return {
        "id": "e1",
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "detail": detail | more,
    }
