"""Hosting through the real server with unmodified clients: wire formats, permissions, alarms from real metrics."""

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.images import ImageStore
from local_cloud.runtime_environments import RuntimeEnvironments
from tests.local_cloud.endpoints.fakes import IMAGE
from tests.local_cloud.endpoints.requests import CAPTURE, ENDPOINT, blue_green, model_archive, variant
from tests.running_cloud import ACCOUNT, REGION, ROOT, RunningCloud
from tests.waiting import wait_for

DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt requirements.txt
COPY server.py server.py
ENTRYPOINT ["python", "server.py"]
"""
PERMISSIONS = {
    "s3:GetObject": "arn:aws:s3:::models/*",
    "s3:PutObject": "arn:aws:s3:::captures/captured/*",
    "ecr:BatchGetImage": "*",
    "cloudwatch:DescribeAlarms": "*",
    "logs:*": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/*",
}


@dataclass(frozen=True)
class Account:
    """A cloud with buckets, a role for models, and clients."""

    cloud: RunningCloud
    role: str
    sagemaker: Any
    runtime: Any

    def add_model(self, version: str, **behaviour: Any) -> None:
        """A model and an endpoint configuration of that name."""
        archive = model_archive(version, **behaviour)
        self.cloud.client("s3").put_object(Bucket="models", Key=f"{version}.tar.gz", Body=archive)
        self.sagemaker.create_model(
            ModelName=version,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://models/{version}.tar.gz"},
            ExecutionRoleArn=self.role,
        )
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=version, ProductionVariants=[variant(version)], DataCaptureConfig=CAPTURE
        )

    def serve(self, version: str, **behaviour: Any) -> None:
        """An endpoint that serves the model."""
        self.add_model(version, **behaviour)
        self.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=version)
        self.await_service()

    def await_service(self) -> dict[str, Any]:
        """Wait until the endpoint is in service."""
        waiter = self.sagemaker.get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=ENDPOINT, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        return described

    def invoke(self, body: bytes, **params: Any) -> dict[str, Any]:
        """InvokeEndpoint; the body of the answer is read."""
        answer = self.runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=body, **params)
        return {**answer, "Body": answer["Body"].read()}


@pytest.fixture
def account(cloud: RunningCloud, tmp_path: Path) -> Iterator[Account]:
    """A role, two buckets and an image whose program is `model_program.py`."""
    context = tmp_path / "image"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(ROOT / "images" / "runtime" / "requirements.txt", context)
    shutil.copy(Path(__file__).with_name("model_program.py"), context / "server.py")
    ImageStore(cloud.state_directory / "images", RuntimeEnvironments(ROOT / ".runtime")).add(IMAGE, context)
    for bucket in ("models", "captures"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in PERMISSIONS.items()]
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="model-role", AssumeRolePolicyDocument=_policy([trust]))["Role"]["Arn"]
    iam.put_role_policy(RoleName="model-role", PolicyName="inline", PolicyDocument=_policy(statements))
    yield Account(cloud, role, cloud.client("sagemaker"), cloud.client("sagemaker-runtime"))
    cloud.reset()


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_bytes_of_any_kind_and_headers_travel_unchanged(account: Account) -> None:
    """Bodies arrive as they were sent whatever their content type; the model's content type comes back."""
    account.serve("v1")

    for content_type in ("text/csv", "application/x-www-form-urlencoded", "application/json"):
        answer = account.invoke(b"a=1&b=%C3%A9\n", ContentType=content_type, CustomAttributes="trace=1")
        assert answer["Body"] == b"v1:a=1&b=%C3%A9\n"
        assert (answer["ContentType"], answer["CustomAttributes"]) == ("text/csv; charset=utf-8", "version=v1")
        assert answer["InvokedProductionVariant"] == "champion"

    assert account.cloud.page("idle") == {"idle": True}
    captured = _captured(account)
    assert [event["captureData"]["endpointInput"]["encoding"] for event in captured] == ["CSV", "BASE64", "BASE64"]
    streams = account.cloud.client("logs").describe_log_streams(logGroupName=f"/aws/sagemaker/Endpoints/{ENDPOINT}")
    assert [stream["logStreamName"].split("/")[0] for stream in streams["logStreams"]] == ["champion"]


def _captured(account: Account) -> list[dict[str, Any]]:
    s3 = account.cloud.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="captures").get("Contents", ())]
    lines = [line for key in keys for line in s3.get_object(Bucket="captures", Key=key)["Body"].iter_lines()]
    return [json.loads(line) for line in lines]


def test_errors_reach_the_client_in_their_documented_shapes(account: Account) -> None:
    """ModelError carries original status, message and log stream; an unknown endpoint is a ValidationError."""
    account.serve("v1", status=400)

    with pytest.raises(account.runtime.exceptions.ModelError) as refused:
        account.invoke(b"row")
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "v1:row")
    assert answer["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{ENDPOINT}")
    with pytest.raises(account.runtime.exceptions.ValidationError):
        account.runtime.invoke_endpoint(EndpointName="nowhere", Body=b"")


def test_invoking_needs_the_permission_on_this_endpoint(account: Account) -> None:
    """A role without sagemaker:InvokeEndpoint on the endpoint is refused; with it, it is answered."""
    account.serve("v1")
    role = f"caller-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam = account.cloud.client("iam")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=_policy([trust]))["Role"]["Arn"]
    client = account.cloud.role_client("sagemaker-runtime", arn)

    with pytest.raises(ClientError) as refused:
        client.invoke_endpoint(EndpointName=ENDPOINT, Body=b"1")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    resource = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{ENDPOINT}"
    statement = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": resource}
    iam.put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=_policy([statement]))
    assert client.invoke_endpoint(EndpointName=ENDPOINT, Body=b"1")["Body"].read() == b"v1:1"


def test_an_alarm_on_the_endpoints_own_errors_rolls_it_back(account: Account) -> None:
    """A canary that answers 500 raises Invocation5XXErrors, its alarm trips, and the old version serves again."""
    account.serve("v1")
    account.add_model("v2", status=500)
    account.cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": ENDPOINT},
            {"Name": "VariantName", "Value": "champion"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    account.sagemaker.update_endpoint(
        EndpointName=ENDPOINT,
        EndpointConfigName="v2",
        DeploymentConfig=blue_green("CANARY", wait=3000, alarms=("errors",), CanarySize=50),
    )

    def rolled_back() -> bool:
        with contextlib.suppress(account.runtime.exceptions.ModelError):  # the canary's share of the requests
            account.invoke(b"1")
        return bool(account.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] != "Updating")

    wait_for(rolled_back, what="the rollback")
    described = account.await_service()

    assert (described["EndpointConfigName"], "FailureReason" in described) == ("v1", False)
    assert {account.invoke(b"1")["Body"] for _ in range(10)} == {b"v1:1"}
    (page,) = account.cloud.page("status")["endpoints"]
    assert "Alarm errors was in state ALARM with 50%" in page["history"][-1]["note"]


def test_autoscaling_can_be_registered_for_a_variant(account: Account) -> None:
    """Application Auto Scaling keeps a target and a policy for the variant."""
    account.serve("v1")
    scaling = account.cloud.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{ENDPOINT}/variant/champion",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }

    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)

    (known,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (known["MinCapacity"], known["MaxCapacity"]) == (1, 3)
