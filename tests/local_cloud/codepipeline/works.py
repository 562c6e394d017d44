"""One action execution for tests of a single provider: services are objects of the test."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_cloud.clients import Credentials
from local_cloud.clock import Clock
from local_cloud.codepipeline.actions.base import ActionWork, Control
from local_cloud.codepipeline.artifacts import ArtifactStore, StoredArtifact
from local_cloud.codepipeline.declaration import ActionDeclaration, ActionType
from tests.local_cloud.operations import CONTEXT

PIPELINE_ARN = "arn:aws:codepipeline:us-east-1:123456789012:p"
EXPIRATION = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class FakeRole:
    """The rights of an action: clients by service; `system` ones are the same."""

    services: Mapping[str, Any]
    clients: Any = None

    def __post_init__(self) -> None:
        self.clients = self

    def client(self, service: str) -> Any:
        return self.services[service]

    def system(self, service: str, **_: str) -> Any:
        return self.services[service]

    def credentials(self) -> Credentials:
        return Credentials("ASIATEST", "secret", "token", EXPIRATION)


@dataclass
class FakeArtifacts:
    """S3 with one archive, whatever the key."""

    files: Mapping[str, str]
    read: list[str] = field(default_factory=list)

    def get_object(self, **request: str) -> dict[str, Any]:
        self.read.append(request["Key"])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return {"Body": io.BytesIO(buffer.getvalue())}


def work(
    configuration: Mapping[str, str],
    *,
    services: Mapping[str, Any],
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    timeout_minutes: int | None = None,
    scale: float = 0.001,
) -> ActionWork:
    """An execution of the action `Act` in the stage `Stage` of the pipeline `p`."""
    kind = {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}
    action = ActionDeclaration(
        name="Act",
        type=ActionType(**kind),
        run_order=1,
        configuration=configuration,
        inputs=inputs,
        outputs=outputs,
        role_arn=None,
        namespace=None,
        timeout_minutes=timeout_minutes,
        document={"actionTypeId": kind},
    )
    return ActionWork(
        context=CONTEXT,
        pipeline_name="p",
        pipeline_arn=PIPELINE_ARN,
        stage_name="Stage",
        action=action,
        execution_id="11111111-1111-1111-1111-111111111111",
        action_execution_id="22222222-2222-2222-2222-222222222222",
        configuration=configuration,
        inputs={name: StoredArtifact(name, "artifacts", f"p/{name}/key", "v1") for name in inputs},
        outputs={name: StoredArtifact(name, "artifacts", f"p/{name}/key") for name in outputs},
        store=ArtifactStore("p", "artifacts", "arn:aws:kms:us-east-1:123456789012:key/k"),
        role=FakeRole(services),  # type: ignore[arg-type]
        control=Control(),
        clock=Clock(scale=scale),
        token="33333333-3333-3333-3333-333333333333",
    )
