"""The rest of the local cloud as the SageMaker engine sees it, in memory: S3, logs, ECR, events, images, permissions.

The engine under test is the real one and its processes are real. API calls that the engine makes to SageMaker itself
come back to it, and every answer is validated against botocore's output shape on the way.
"""

import hashlib
import io
import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

from local_cloud.api_model import ApiModel
from local_cloud.clients import Credentials
from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.images import ImageError, LocalImage
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.service import SageMaker
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import RequestContext, ServiceError
from tests.local_cloud.operations import assert_shape

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job-role"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/runtime:abc"
ADMINISTRATOR = RequestContext(ACCOUNT, REGION)


def client_error(code: str, operation: str, message: str) -> ClientError:
    """What botocore raises for an error answer."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeS3:
    """Objects by `bucket/key`. `check` raises AccessDenied for actions that the caller may not take."""

    objects: dict[str, bytes]
    check: Callable[[str, str], None]

    def get_object(self, **request: str) -> dict[str, Any]:
        self.check("s3:GetObject", "GetObject")
        return {"Body": io.BytesIO(self._content(request, "GetObject"))}

    def head_object(self, **request: str) -> dict[str, Any]:
        return {"ContentLength": len(self._content(request, "HeadObject"))}

    def put_object(self, **request: Any) -> dict[str, Any]:
        self.check("s3:PutObject", "PutObject")
        self.objects[f"{request['Bucket']}/{request['Key']}"] = request["Body"].read()
        return {}

    def get_paginator(self, _: str) -> "FakeS3":
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        self.check("s3:ListBucket", "ListObjectsV2")
        bucket, prefix = request["Bucket"], request["Prefix"]
        keys = sorted(name for name in self.objects if name.startswith(f"{bucket}/{prefix}"))
        return [{"Contents": [{"Key": key.removeprefix(f"{bucket}/")} for key in keys]}] if keys else [{}]

    def _content(self, request: Mapping[str, str], operation: str) -> bytes:
        name = f"{request['Bucket']}/{request['Key']}"
        if name not in self.objects:
            raise client_error("NoSuchKey", operation, "The specified key does not exist.")
        return self.objects[name]


class _NotFoundError(ClientError):
    pass


class _ExistsError(ClientError):
    pass


class _LogExceptions:
    ResourceNotFoundException = _NotFoundError
    ResourceAlreadyExistsException = _ExistsError


@dataclass
class FakeLogs:
    """Lines by log group and stream."""

    streams: dict[str, dict[str, list[str]]]
    check: Callable[[str, str], None]
    exceptions = _LogExceptions

    def create_log_group(self, **request: str) -> None:
        self.check("logs:CreateLogGroup", "CreateLogGroup")
        self.streams.setdefault(request["logGroupName"], {})

    def create_log_stream(self, **request: str) -> None:
        self.check("logs:CreateLogStream", "CreateLogStream")
        if request["logGroupName"] not in self.streams:
            raise _NotFoundError({"Error": {"Code": "ResourceNotFoundException"}}, "CreateLogStream")
        self.streams[request["logGroupName"]][request["logStreamName"]] = []

    def put_log_events(self, **request: Any) -> None:
        self.check("logs:PutLogEvents", "PutLogEvents")
        lines = self.streams[request["logGroupName"]][request["logStreamName"]]
        lines += [event["message"] for event in request["logEvents"]]


@dataclass
class FakeCloudWatch:
    """Data by namespace."""

    metrics: dict[str, list[dict[str, Any]]]
    check: Callable[[str, str], None]

    def put_metric_data(self, **request: Any) -> None:
        self.check("cloudwatch:PutMetricData", "PutMetricData")
        self.metrics.setdefault(request["Namespace"], []).extend(request["MetricData"])


@dataclass
class FakeEcr:
    """A registry that has every image."""

    check: Callable[[str, str], None]

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        self.check("ecr:BatchGetImage", "BatchGetImage")
        return {}


class SageMakerClient:
    """A boto3-like client whose calls go straight to the engine's handlers, both ways through botocore's shapes."""

    def __init__(self, cloud: "FakeCloud", context: RequestContext, check: Callable[[str, str], None]) -> None:
        self._cloud = cloud
        self._context = context
        self._check = check

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = next(name for name in self._cloud.engine.service().operations if xform_name(name) == method)
        return lambda **params: self._call(operation, params)

    def describe_endpoint(self, **request: str) -> Mapping[str, Any]:
        """Endpoints belong to another engine."""
        name = request["EndpointName"]
        if name not in self._cloud.endpoints:
            raise client_error("ValidationException", "DescribeEndpoint", f'Could not find endpoint "{name}".')
        return self._cloud.endpoints[name]

    def _call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self._check(f"sagemaker:{operation}", operation)
        report = ParamValidator().validate(params, self._cloud.model.input_shape(operation))
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        try:
            return self._cloud.call(operation, params, context=self._context)
        except ServiceError as error:
            raise client_error(error.code, operation, error.message) from error


@dataclass
class FakeClients:
    """`local_cloud.clients.Clients` over the fakes. `denied` holds actions that roles may not take."""

    cloud: "FakeCloud"
    endpoint_url: str = "http://127.0.0.1:1"
    denied: set[str] = field(default_factory=set)

    def system(self, service: str, *, account: str, region: str) -> Any:
        return self._client(service, RequestContext(account, region), lambda action, operation: None)

    def as_role(self, service: str, *, role_arn: str, principal: str, session_name: str, region: str) -> Any:
        assert principal == "sagemaker.amazonaws.com"
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_arn.split('/')[-1]}/{session_name}"

        def check(action: str, operation: str) -> None:
            if action in self.denied:
                message = f"User: {session} is not authorized to perform: {action}"
                raise client_error("AccessDenied", operation, message)

        check("sts:AssumeRole", "AssumeRole")
        return self._client(service, RequestContext(ACCOUNT, region, role_arn, session), check)

    def role_credentials(self, role_arn: str, **_: Any) -> Credentials:
        return Credentials("ASIATEST", "secret", f"token of {role_arn}", None)

    def _client(self, service: str, context: RequestContext, check: Callable[[str, str], None]) -> Any:
        return {
            "s3": FakeS3(self.cloud.objects, check),
            "logs": FakeLogs(self.cloud.streams, check),
            "ecr": FakeEcr(check),
            "cloudwatch": FakeCloudWatch(self.cloud.metrics, check),
            "sagemaker": SageMakerClient(self.cloud, context, check),
        }[service]


class FakeImages:
    """One image, whose interpreter is the one that runs the tests."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def resolve(self, image_uri: str) -> LocalImage:
        if image_uri != IMAGE:
            raise ImageError(f"no image {image_uri}")
        return LocalImage(
            id="0" * 64,
            root=self.root,
            python=Path(sys.executable),
            environment={"FROM_IMAGE": "yes"},
            working_directory=self.root,
            entrypoint=("python",),
            command=("-c", "print('own command')"),
            user="",
            base="python",
            requirements="requirements.txt",
            lock_digest="0" * 64,
        )


class FakeCloud:
    """The engine with everything around it. `objects`, `streams`, `metrics` and `published` are for tests to look at.

    `endpoints` are answers of DescribeEndpoint by name.
    """

    def __init__(self, directory: Path, *, wait_scale: float = 0.001) -> None:
        self.objects: dict[str, bytes] = {}
        self.streams: dict[str, dict[str, list[str]]] = {}
        self.metrics: dict[str, list[dict[str, Any]]] = {}
        self.published: list[dict[str, Any]] = []
        self.endpoints: dict[str, Mapping[str, Any]] = {}
        self.clients = FakeClients(self)
        self.directory = directory
        image_root = directory / "image"
        image_root.mkdir(parents=True)
        clock = Clock(scale=wait_scale)
        self._lock = threading.Lock()
        self.model = ApiModel("sagemaker")
        self.processes = ProcessTable(directory / "processes")
        self.timetable = Timetable(clock)
        self.engine = SageMaker(
            clients=self.clients,  # type: ignore[arg-type]
            clock=clock,
            events=EventBus(clock, self._publish),
            processes=self.processes,
            images=FakeImages(image_root),  # type: ignore[arg-type]
            directory=directory / "state",
            timetable=self.timetable,
        )
        self._operations = self.engine.service().operations

    def call(
        self, operation: str, params: Mapping[str, Any], *, context: RequestContext = ADMINISTRATOR
    ) -> dict[str, Any]:
        """Call a handler; its answer must be one that AWS could give."""
        handler = self._operations[operation].handler
        assert handler is not None
        answer = handler(context, dict(params))
        assert_shape(self.model, operation, answer)
        return answer

    def program(self, code: str) -> list[str]:
        """Put a Python program into the image; the entrypoint that runs it."""
        name = f"program_{hashlib.sha256(code.encode()).hexdigest()[:12]}.py"
        (self.directory / "image" / name).write_text(code)
        return ["python", name]

    def client(self) -> SageMakerClient:
        """A client with an administrator's rights."""
        return SageMakerClient(self, ADMINISTRATOR, lambda action, operation: None)

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of the events of one type, in the order of emission."""
        with self._lock:
            return [event["detail"] for event in self.published if event["detail-type"] == detail_type]

    def close(self) -> None:
        """Stop what runs."""
        self.timetable.close()
        self.engine.close()
        self.processes.stop_all(0)

    def _publish(self, account: str, region: str, event: dict[str, Any]) -> None:
        json.dumps(event)  # what cannot travel must not be emitted
        with self._lock:
            self.published.append(event)
