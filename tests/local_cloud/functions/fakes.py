"""Stand-ins for the collaborators of the function engine, and small deployment packages."""

import io
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Credentials
from local_cloud.functions.specification import FunctionSpec

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/function"


def package(source: str, *, name: str = "handler.py") -> bytes:
    """A deployment package with one module."""
    return archive({name: source})


def archive(files: Mapping[str, str], *, links: Mapping[str, str] | None = None) -> bytes:
    """A zip with these files, and symbolic links (name -> target) as `zip --symlinks` writes them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
        for name, target in (links or {}).items():
            member = zipfile.ZipInfo(name)
            member.create_system = 3
            member.external_attr = 0o120777 << 16
            zipped.writestr(member, target)
    return stream.getvalue()


def function(source: str = "def handler(event, context):\n    return event\n", **changes: Any) -> FunctionSpec:
    """A function with this module as its code."""
    code = package(source)
    spec = FunctionSpec(
        account=ACCOUNT,
        region=REGION,
        name="greet",
        arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:greet",
        handler="handler.handler",
        runtime="python3.12",
        timeout_seconds=10,
        memory_mb=128,
        environment={},
        role_arn=ROLE,
        code=code,
        code_sha256=f"digest of {source}",
        log_group="/aws/lambda/greet",
    )
    return replace(spec, **changes)


def client_error(code: str, operation: str = "Call", *, status: int = 400) -> ClientError:
    """The exception of boto3 for an answer with this error code."""
    response = {"Error": {"Code": code, "Message": f"{code} happened"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


class FakeService:
    """Records every call of a client; an operation named in `errors` raises the next error of its list instead."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.errors: dict[str, list[Exception]] = {}
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> dict[str, Any]:
            with self._lock:
                self.calls.append((operation, parameters))
                waiting = self.errors.get(operation)
                if waiting:
                    raise waiting.pop(0)
            return {}

        return call

    def called(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        with self._lock:
            return [parameters for name, parameters in self.calls if name == operation]


class FakeClients:
    """Gives the same fake client for a service to everybody, and notes who asked."""

    endpoint_url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.services: dict[str, FakeService] = {}
        self.callers: list[tuple[str, str]] = []
        self.access_key = "ASIAROLE1"
        self.refuse_role = False

    def service(self, name: str) -> FakeService:
        return self.services.setdefault(name, FakeService())

    def system(self, service: str, *, account: str, region: str) -> FakeService:
        self.callers.append((service, "system"))
        return self.service(service)

    def as_role(
        self,
        service: str,
        *,
        role_arn: str,
        principal: str,
        session_name: str,
        region: str,
        source_arn: str | None = None,
    ) -> FakeService:
        self.role_credentials(role_arn, principal=principal, session_name=session_name, region=region)
        self.callers.append((service, role_arn))
        return self.service(service)

    def role_credentials(self, role_arn: str, *, principal: str, session_name: str, region: str) -> Credentials:
        if self.refuse_role:
            raise client_error("AccessDenied", "AssumeRole", status=403)
        return Credentials(self.access_key, "role-secret", "role-token", None)
