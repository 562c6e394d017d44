"""Job definitions, monitoring schedules and their executions of one account and region."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from local_cloud.sagemaker.jobs.job import Job, JobStatus
from local_cloud.service import ServiceError

T = TypeVar("T")
KINDS: Mapping[str, str] = {
    "DataQuality": "data-quality-job-definition",
    "ModelQuality": "model-quality-job-definition",
    "ModelBias": "model-bias-job-definition",
    "ModelExplainability": "model-explainability-job-definition",
}
"""Monitoring types, with what their job definitions are called in ARNs."""
_STATUS: Mapping[JobStatus, str] = {
    JobStatus.IN_PROGRESS: "InProgress",
    JobStatus.FAILED: "Failed",
    JobStatus.STOPPING: "Stopping",
    JobStatus.STOPPED: "Stopped",
}
_VIOLATIONS = "CompletedWithViolations"


@dataclass(frozen=True)
class JobDefinition:
    """What a schedule runs; `request` is the Create request. Nothing of it ever changes."""

    kind: str
    name: str
    arn: str
    created: datetime
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Execution:
    """One run of a schedule: a processing job, or the reason for which there is none."""

    id: str
    scheduled: datetime
    created: datetime
    endpoint: str | None
    definition: str | None
    kind: str | None
    job: Job | None = None
    failure: str | None = None

    @property
    def status(self) -> str:
        """MonitoringExecutionStatus; what a completed analysis has found is in its exit message."""
        if self.job is None:
            return "Failed" if self.failure else "Pending"
        state = self.job.state
        if state.status is JobStatus.COMPLETED:
            return _VIOLATIONS if (state.exit_message or "").startswith(_VIOLATIONS) else "Completed"
        return _STATUS[state.status]

    @property
    def modified(self) -> datetime:
        """When its status changed last."""
        return self.job.state.modified if self.job else self.created

    @property
    def reason(self) -> str | None:
        """FailureReason."""
        return self.job.state.failure_reason if self.job else self.failure


@dataclass(frozen=True)
class MonitoringSchedule:
    """One schedule. `config` is MonitoringScheduleConfig; `stopped` by a call, or since it was to run once."""

    name: str
    arn: str
    created: datetime
    modified: datetime
    config: Mapping[str, Any]
    stopped: bool = False

    @property
    def status(self) -> str:
        """MonitoringScheduleStatus."""
        return "Stopped" if self.stopped else "Scheduled"


class MonitoringBook:
    """What exists. Mutable: whoever reads or changes it holds `lock`; names are compared without case."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.definitions: dict[tuple[str, str], JobDefinition] = {}
        self.schedules: dict[str, MonitoringSchedule] = {}
        self.executions: dict[str, list[Execution]] = {}

    def definition(self, kind: str, name: str) -> JobDefinition:
        """A job definition; raises ResourceNotFound."""
        return _found(self.definitions.get((kind, name.lower())), f"{kind} job definition {name}")

    def schedule(self, name: str) -> MonitoringSchedule:
        """A schedule; raises ResourceNotFound."""
        return _found(self.schedules.get(name.lower()), f"monitoring schedule {name}")

    def runs(self, name: str) -> list[Execution]:
        """The executions of a schedule, oldest first."""
        return list(self.executions.get(name.lower(), ()))

    def knows(self, arn: str) -> bool:
        """Whether an ARN is that of something in here."""
        with self.lock:
            known = [definition.arn for definition in self.definitions.values()]
            return arn in (*known, *(schedule.arn for schedule in self.schedules.values()))


def in_use(arn: str) -> ServiceError:
    """SageMaker's error for a name that is taken."""
    return ServiceError("ResourceInUse", f"{arn} already exists.")


def _found(item: T | None, what: str) -> T:
    if item is None:
        raise ServiceError("ResourceNotFound", f"Could not find {what}.")
    return item
