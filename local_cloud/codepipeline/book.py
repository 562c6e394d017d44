"""Pipelines of one account and region: their versions, executions, and the entrances of their stages."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from local_cloud.codepipeline.declaration import PipelineDeclaration
from local_cloud.codepipeline.records import Execution
from local_cloud.service import RequestContext, ServiceError


@dataclass
class Gate:
    """The entrance of a stage. `occupant` has locked the stage; `waiting` arrived at it, in this order."""

    occupant: Execution | None = None
    waiting: list[Execution] = field(default_factory=list)
    latest: Execution | None = None


@dataclass(frozen=True)
class ClosedTransition:
    """A transition that somebody disabled."""

    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True)
class UsedToken:
    """A clientRequestToken: for what request, and the execution it started."""

    request: Mapping[str, object]
    execution_id: str


@dataclass
class Pipeline:
    """One pipeline. Mutable; hold `changed` over every access, and notify it after every change.

    `closed` has the disabled transitions by stage name and direction (Inbound or Outbound).
    """

    context: RequestContext
    versions: list[PipelineDeclaration]
    created: datetime
    updated: datetime
    tags: dict[str, str] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    gates: defaultdict[str, Gate] = field(default_factory=lambda: defaultdict(Gate))
    closed: dict[tuple[str, str], ClosedTransition] = field(default_factory=dict)
    tokens: dict[str, UsedToken] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def current(self) -> PipelineDeclaration:
        """The newest version."""
        return self.versions[-1]

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.current.name

    @property
    def arn(self) -> str:
        """The pipeline's ARN."""
        return f"arn:aws:codepipeline:{self.context.region}:{self.context.account}:{self.name}"

    def execution(self, execution_id: str) -> Execution:
        """An execution by id. Raises PipelineExecutionNotFoundException."""
        if execution_id not in self.executions:
            raise ServiceError(
                "PipelineExecutionNotFoundException",
                f"Execution '{execution_id}' of pipeline '{self.name}' does not exist.",
            )
        return self.executions[execution_id]

    def require_stage(self, name: str) -> None:
        """Raise StageNotFoundException if the current version has no such stage."""
        if self.current.stage(name) is None:
            raise ServiceError("StageNotFoundException", f"Pipeline '{self.name}' has no stage '{name}'")


@dataclass
class PipelineBook:
    """The pipelines of one account and region. Mutable; hold `lock` to add or remove."""

    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pipeline(self, context: RequestContext, name: str) -> Pipeline:
        """A pipeline by name. Raises PipelineNotFoundException."""
        found = self.pipelines.get(name)
        if found is None:
            raise ServiceError(
                "PipelineNotFoundException",
                f"Account '{context.account}' does not have a pipeline with name '{name}'",
            )
        return found
