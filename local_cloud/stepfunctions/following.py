"""Jobs that `.sync` tasks wait for: how each is described, when it has ended, and how it is stopped.

Every call is the role's own, as on AWS: a role that may create a job but not describe it fails its task.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from local_cloud.stepfunctions.interpretation import TaskFailure
from local_cloud.stepfunctions.resources import Integration, Pattern
from local_cloud.stepfunctions.values import compact

Request = Callable[[str, Mapping[str, Any]], dict[str, Any]]
_FAILED = "States.TaskFailed"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kind:
    """`key` identifies the job in all its operations and is a parameter or a member of the answer that began it."""

    describe: str
    stop: str
    key: str
    status: str
    succeeded: str
    running: tuple[str, ...]


def _sagemaker(job: str) -> _Kind:
    return _Kind(
        describe=f"Describe{job}",
        stop=f"Stop{job}",
        key=f"{job}Name",
        status=f"{job}Status",
        succeeded="Completed",
        running=("InProgress", "Stopping"),
    )


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "CreateProcessingJob": _sagemaker("ProcessingJob"),
        "CreateTrainingJob": _sagemaker("TrainingJob"),
        "StartExecution": _Kind(
            describe="DescribeExecution",
            stop="StopExecution",
            key="ExecutionArn",
            status="Status",
            succeeded="SUCCEEDED",
            running=("RUNNING",),
        ),
    }
)


@dataclass(frozen=True)
class _Job:
    kind: _Kind
    identity: Mapping[str, Any]
    request: Request
    parsed: bool

    def __call__(self) -> dict[str, Any] | None:
        described = self.request(self.kind.describe, self.identity)
        status = described[self.kind.status]
        if status in self.kind.running:
            return None
        if self.parsed:
            described = {
                name: json.loads(value) if name in ("Input", "Output") else value for name, value in described.items()
            }
        if status != self.kind.succeeded:
            raise TaskFailure(_FAILED, compact(described))
        return described

    def cancel(self) -> None:
        try:
            self.request(self.kind.stop, self.identity)
        except TaskFailure as failure:
            # As on AWS the stopping is an attempt: the execution has ended already and cannot fail for it.
            _log.warning("%s could not be stopped: %s", dict(self.identity), failure)


def followed(
    integration: Integration, parameters: Mapping[str, Any], output: Mapping[str, Any], *, request: Request
) -> _Job:
    """The job that a call with `parameters` began and answered with `output`."""
    kind = _KINDS[integration.operation]
    given = {name[:1].upper() + name[1:]: value for name, value in parameters.items()} | dict(output)
    return _Job(kind, {kind.key: given[kind.key]}, request, parsed=integration.pattern is Pattern.SYNC_JSON)
