"""The state of executions: pipeline executions, their stages, and the action executions in them.

All of it is mutable and belongs to one pipeline; whoever reads or changes it holds that pipeline's `changed`.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, Control
from local_cloud.codepipeline.artifacts import StoredArtifact
from local_cloud.codepipeline.declaration import ActionDeclaration, PipelineDeclaration
from local_cloud.codepipeline.variables import PIPELINE_VARIABLES, SERVICE_VARIABLES


class ExecutionStatus(StrEnum):
    """PipelineExecutionStatus."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


class StageStatus(StrEnum):
    """StageExecutionStatus."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class ActionStatus(StrEnum):
    """ActionExecutionStatus."""

    IN_PROGRESS = "InProgress"
    ABANDONED = "Abandoned"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class Trigger:
    """What started an execution, and who."""

    type: str
    detail: str


@dataclass
class ActionRun:
    """One execution of an action. `resolved` is its configuration with the values of the variables."""

    declaration: ActionDeclaration
    stage_name: str
    started: datetime
    updated: datetime
    outputs: Mapping[str, StoredArtifact]
    inputs: Mapping[str, StoredArtifact]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: ActionStatus = ActionStatus.IN_PROGRESS
    resolved: Mapping[str, str] = field(default_factory=dict)
    outcome: ActionOutcome | None = None
    failure: ActionFailure | None = None
    control: Control = field(default_factory=Control)

    @property
    def running(self) -> bool:
        """Whether it has yet to end."""
        return self.status is ActionStatus.IN_PROGRESS

    @property
    def external_id(self) -> str | None:
        """The id that the action's service gave to what it did."""
        ending = self.failure or self.outcome
        return ending.external_id if ending else None

    @property
    def updated_by(self) -> str | None:
        """The ARN of the person who ended it, if one did."""
        ending = self.failure or self.outcome
        return ending.updated_by if ending else None

    @property
    def awaits_approval(self) -> bool:
        """Whether a person has to decide."""
        return self.running and self.declaration.type.category == "Approval"


@dataclass
class StageRun:
    """A stage that an execution has entered. `runs` are all its action executions, retries included."""

    name: str
    status: StageStatus = StageStatus.IN_PROGRESS
    runs: list[ActionRun] = field(default_factory=list)
    retries: int = 0

    def latest(self, action_name: str) -> ActionRun | None:
        """The newest execution of an action."""
        return next((run for run in reversed(self.runs) if run.declaration.name == action_name), None)


@dataclass
class Execution:
    """One pipeline execution. `stages` are those it has entered, in order.

    `forgotten` is set when the account was reset or the pipeline deleted: nothing is told of it any more.
    """

    id: str
    declaration: PipelineDeclaration
    trigger: Trigger
    variables: Mapping[str, str]
    source_revisions: Mapping[str, Mapping[str, str]]
    started: datetime
    updated: datetime
    status: ExecutionStatus = ExecutionStatus.IN_PROGRESS
    summary: str | None = None
    attempt: int = 1
    stages: dict[str, StageRun] = field(default_factory=dict)
    artifacts: dict[str, StoredArtifact] = field(default_factory=dict)
    produced: dict[str, Mapping[str, str]] = field(default_factory=dict)
    superseded_by: str | None = None
    stop_reason: str | None = None
    stop_requested: bool = False
    abandoned: bool = False
    forgotten: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs or waits."""
        return self.status not in (ExecutionStatus.IN_PROGRESS, ExecutionStatus.STOPPING)

    def runs(self) -> Iterator[ActionRun]:
        """Every action execution, in the order of their start."""
        for stage in self.stages.values():
            yield from stage.runs

    def namespaces(self) -> dict[str, Mapping[str, str]]:
        """The variables that a configuration may refer to at this point."""
        implicit = {"PipelineExecutionId": self.id}
        return {SERVICE_VARIABLES: implicit, PIPELINE_VARIABLES: self.variables, **self.produced}
