"""The hosting engine with in-memory surroundings: S3, logs, ECR, alarms, metrics; its processes are real."""

import io
import json
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_cloud.api_model import ApiModel
from local_cloud.clients import Credentials
from local_cloud.clock import Clock
from local_cloud.endpoints.service import Hosting
from local_cloud.events.bus import EventBus
from local_cloud.images import ImageError, LocalImage
from local_cloud.processes import ProcessTable
from local_cloud.service import Fidelity, Operation, RequestContext, Service, ServiceError
from tests.local_cloud.endpoints.requests import ENDPOINT, VARIANT, model_archive, variant
from tests.local_cloud.operations import assert_shape
from tests.local_cloud.sagemaker.fakes import (
    ACCOUNT,
    ADMINISTRATOR,
    IMAGE,
    REGION,
    FakeEcr,
    FakeLogs,
    FakeS3,
    client_error,
)
from tests.waiting import wait_for

ROLE = f"arn:aws:iam::{ACCOUNT}:role/model-role"


class _S3(FakeS3):
    def head_object(self, **request: str) -> dict[str, Any]:
        self.check("s3:GetObject", "HeadObject")
        return super().head_object(**request)

    def put_object(self, **request: Any) -> dict[str, Any]:
        return super().put_object(**{**request, "Body": io.BytesIO(request["Body"])})


class _CloudWatch:
    def __init__(self, alarms: Mapping[str, str], check: Callable[[str, str], None]) -> None:
        self._alarms = alarms
        self._check = check

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:  # noqa: N803
        self._check("cloudwatch:DescribeAlarms", "DescribeAlarms")
        return {"MetricAlarms": [{"AlarmName": name} for name in AlarmNames if name in self._alarms]}


class _Registry:
    def __init__(self, packages: Mapping[str, Mapping[str, Any]]) -> None:
        self._packages = packages

    def describe_model_package(self, *, ModelPackageName: str) -> Mapping[str, Any]:  # noqa: N803
        if ModelPackageName not in self._packages:
            raise client_error("ValidationException", "DescribeModelPackage", "does not exist")
        return self._packages[ModelPackageName]


class FakeClients:
    """`local_cloud.clients.Clients` over the fakes. `denied` holds actions that roles may not take."""

    endpoint_url = "http://127.0.0.1:1"

    def __init__(self, cloud: "FakeHosting") -> None:
        self.denied: set[str] = set()
        self._cloud = cloud

    def system(self, service: str, *, account: str, region: str) -> Any:
        return self._client(service, lambda action, operation: None)

    def as_role(self, service: str, *, role_arn: str, principal: str, session_name: str, region: str) -> Any:
        assert (role_arn, principal) == (ROLE, "sagemaker.amazonaws.com")
        self._check("sts:AssumeRole", "AssumeRole")
        return self._client(service, self._check)

    def role_credentials(self, role_arn: str, **_: Any) -> Credentials:
        self._check("sts:AssumeRole", "AssumeRole")
        return Credentials("ASIATEST", "secret", f"token of {role_arn}", None)

    def _check(self, action: str, operation: str) -> None:
        if action in self.denied:
            raise client_error("AccessDenied", operation, f"not authorized to perform: {action}")

    def _client(self, service: str, check: Callable[[str, str], None]) -> Any:
        return {
            "s3": _S3(self._cloud.objects, check),
            "logs": FakeLogs(self._cloud.streams, check),
            "ecr": FakeEcr(check),
            "cloudwatch": _CloudWatch(self._cloud.alarms, check),
            "sagemaker": _Registry(self._cloud.packages),
        }[service]


class _Images:
    """One image: the model program, run by the interpreter that runs the tests."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        shutil.copy(Path(__file__).with_name("model_program.py"), root / "server.py")
        self.image = LocalImage(
            id="0" * 64,
            root=root,
            python=Path(sys.executable),
            environment={"GREETING": "image"},
            working_directory=root,
            entrypoint=("python", "server.py"),
            command=(),
            user="",
            base="python",
            requirements="requirements.txt",
            lock_digest="0" * 64,
        )

    def resolve(self, image_uri: str) -> LocalImage:
        if image_uri.endswith("no-entrypoint"):
            return replace(self.image, entrypoint=())
        if image_uri != IMAGE:
            raise ImageError(f"no image {image_uri}")
        return self.image


class FakeHosting:
    """The engine and its surroundings. Everything public is for tests to set or to look at."""

    def __init__(self, directory: Path, *, wait_scale: float = 0.001) -> None:
        self.objects: dict[str, bytes] = {}
        self.streams: dict[str, dict[str, list[str]]] = {}
        self.alarms: dict[str, str] = {}
        self.packages: dict[str, Mapping[str, Any]] = {}
        self.metrics: list[dict[str, Any]] = []
        self.published: list[dict[str, Any]] = []
        self.clients = FakeClients(self)
        self.directory = directory
        self.model = ApiModel("sagemaker")
        self.processes = ProcessTable(directory / "processes")
        self._lock = threading.Lock()
        clock = Clock(scale=wait_scale)
        self.engine = Hosting(
            clients=self.clients,  # type: ignore[arg-type]
            clock=clock,
            events=EventBus(clock, self._publish),
            processes=self.processes,
            images=_Images(directory / "image"),  # type: ignore[arg-type]
            directory=directory / "state",
            alarm_state=lambda account, region, name: self.alarms.get(name),
            record_metric=lambda **datum: self.metrics.append(datum),
        )
        others = {name: Operation(None, Fidelity.DELEGATED) for name in ("AddTags", "ListTags", "DeleteTags")}
        self._operations = self.engine.extended(Service("sagemaker", others)).operations
        self._runtime = self.engine.runtime().operations["InvokeEndpoint"]

    def call(self, operation: str, *, context: RequestContext = ADMINISTRATOR, **params: Any) -> dict[str, Any]:
        """Call a handler; its answer must be one that AWS could give."""
        handler = self._operations[operation].handler
        assert handler is not None
        answer = handler(context, params)
        assert_shape(self.model, operation, answer)
        return answer

    def refused(self, operation: str, **params: Any) -> str:
        """The message of the ValidationException that the call must give."""
        with pytest.raises(ServiceError) as refusal:
            self.call(operation, **params)
        assert refusal.value.code == "ValidationException"
        return refusal.value.message

    def invoke(self, body: bytes = b"1,2", **params: Any) -> dict[str, Any]:
        """InvokeEndpoint."""
        assert self._runtime.handler is not None
        return self._runtime.handler(ADMINISTRATOR, {"EndpointName": ENDPOINT, "Body": body, **params})

    def answered_by(self, body: bytes = b"") -> str:
        """The version that answers a request."""
        version: str = self.invoke(body)["Body"].decode().split(":")[0]
        return version

    def add_model(self, version: str, **behaviour: Any) -> str:
        """A model whose server behaves so; its name."""
        url = self.add_archive(version, **behaviour)
        container = {"Image": IMAGE, "ModelDataUrl": url}
        self.call("CreateModel", ModelName=version, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return version

    def add_archive(self, version: str, **behaviour: Any) -> str:
        """The URL of a model.tar.gz."""
        self.objects[f"models/{version}/model.tar.gz"] = model_archive(version, **behaviour)
        return f"s3://models/{version}/model.tar.gz"

    def add_config(self, version: str, *, instances: int = 1, shadow: str | None = None, **members: Any) -> str:
        """An endpoint configuration with one variant for that model; its name."""
        if shadow:
            members["ShadowProductionVariants"] = [variant(shadow, name="shadow")]
        name = f"config-{version}" + (f"-and-{shadow}" if shadow else "")
        production = [variant(version, instances=instances)]
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=production, **members)
        return name

    def serve(self, version: str, *, instances: int = 1, shadow: str | None = None, **behaviour: Any) -> None:
        """An endpoint that serves that version."""
        self.add_model(version, **behaviour)
        if shadow:
            self.add_model(shadow)
        self.call(
            "CreateEndpoint",
            EndpointName=ENDPOINT,
            EndpointConfigName=self.add_config(version, instances=instances, shadow=shadow),
        )
        self.await_status("InService")

    def update(self, config_name: str, deployment: Mapping[str, Any] | None = None, **members: Any) -> None:
        """Begin an update."""
        given = {"DeploymentConfig": dict(deployment)} if deployment else {}
        self.call("UpdateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=config_name, **given, **members)

    def describe(self) -> dict[str, Any]:
        """DescribeEndpoint."""
        return self.call("DescribeEndpoint", EndpointName=ENDPOINT)

    def await_status(self, *statuses: str) -> dict[str, Any]:
        """Wait until the endpoint has one of these statuses."""
        return wait_for(
            lambda: described if (described := self.describe())["EndpointStatus"] in statuses else None,
            what=f"the endpoint to be {' or '.join(statuses)}",
        )

    def status_page(self) -> dict[str, Any]:
        """The endpoint on the status page."""
        (page,) = self.engine.status()
        json.dumps(page)
        return page

    def await_share(self, config_name: str, share: float) -> None:
        """Wait until the configuration has this share of the traffic."""
        wait_for(
            lambda: self.status_page()["history"][-1]["traffic"].get(config_name) == share,
            what=f"{config_name} to have {share:.0%} of the traffic",
        )

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of the events of one type, in the order of emission."""
        with self._lock:
            return [event["detail"] for event in self.published if event["detail-type"] == detail_type]

    def captured(self, *, variant: str = VARIANT) -> list[dict[str, Any]]:
        """All captured events of a variant; none of their lines may be torn."""
        prefix = f"captures/captured/{ENDPOINT}/{variant}/"
        lines: list[bytes] = []
        for name, body in list(self.objects.items()):
            if name.startswith(prefix):
                assert body.endswith(b"\n")
                lines += body.splitlines()
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Stop what runs."""
        self.engine.close()
        self.processes.stop_all(0)

    def _publish(self, account: str, region: str, event: dict[str, Any]) -> None:
        json.dumps(event)  # what cannot travel must not be emitted
        with self._lock:
            self.published.append(event)


__all__ = ["ACCOUNT", "ADMINISTRATOR", "IMAGE", "REGION"]
