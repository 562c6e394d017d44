"""One execution of a pipeline: what was started, its state, and the events and answers that tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.events import SOURCE, iso8601
from local_cloud.sagemaker.pipelines.records import ExecutionState, ExecutionStatus, StepRecord
from local_cloud.sagemaker.pipelines.steps import PipelineDefinition, Scalar
from local_cloud.sagemaker.resources import present
from local_cloud.service import RequestContext

_EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
_STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


@dataclass(frozen=True)
class ExecutionOrder:
    """What was asked for when an execution was started."""

    context: RequestContext
    pipeline_name: str
    pipeline_arn: str
    version: int
    definition: PipelineDefinition
    definition_text: str
    role_arn: str
    parameters: Mapping[str, Scalar]
    created_by: Mapping[str, Any]
    maximum_parallel: int
    parallelism: Mapping[str, int] | None = field(default=None)


class Execution:
    """A started pipeline. Mutable: its display name, description and state change."""

    def __init__(
        self, order: ExecutionOrder, *, identifier: str, clock: Clock, events: EventBus, request: Mapping[str, Any]
    ) -> None:
        self.order = order
        self.id = identifier
        self.arn = f"{order.pipeline_arn}/execution/{identifier}"
        self.created: datetime = clock.now()
        self.display_name: str = request.get(
            "PipelineExecutionDisplayName", f"execution-{int(self.created.timestamp() * 1000)}"
        )
        self.description: str | None = request.get("PipelineExecutionDescription")
        self.abandoned = False
        self._events = events
        self.state = ExecutionState(clock=clock, observer=self, maximum_parallel=order.maximum_parallel)

    @property
    def context(self) -> RequestContext:
        """The account and region."""
        return self.order.context

    @property
    def definition(self) -> PipelineDefinition:
        """The definition as it was when the execution started."""
        return self.order.definition

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name."""
        return self.order.pipeline_name

    @property
    def pipeline_arn(self) -> str:
        """The pipeline's ARN."""
        return self.order.pipeline_arn

    @property
    def role_arn(self) -> str:
        """The role with whose rights the steps act."""
        return self.order.role_arn

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """Every parameter's value, defaults included."""
        return self.order.parameters

    def execution_changed(self, previous: ExecutionStatus | None, status: ExecutionStatus) -> None:
        """Tell the bus (see `records.Observer`)."""
        ended = self.state.ended
        self._emit(
            _EXECUTION_EVENT,
            {
                "pipelineExecutionDisplayName": self.display_name,
                "pipelineExecutionDescription": self.description,
                "currentPipelineExecutionStatus": str(status),
                "previousPipelineExecutionStatus": str(previous) if previous else None,
                "executionStartTime": iso8601(self.created),
                "executionEndTime": iso8601(ended) if ended else None,
            },
        )

    def step_changed(self, previous: StepRecord | None, record: StepRecord) -> None:
        """Tell the bus (see `records.Observer`)."""
        cached = record.outcome.cached_from
        self._emit(
            _STEP_EVENT,
            {
                "metadata": _lower(record.outcome.metadata),
                "stepStartTime": iso8601(record.started),
                "stepEndTime": iso8601(record.ended) if record.ended else None,
                "stepName": record.step.name,
                "stepType": str(record.step.type),
                "previousStepStatus": str(previous.status) if previous else None,
                "currentStepStatus": str(record.status),
                "failureReason": record.outcome.failure_reason,
                "cacheHitResult": {"sourcePipelineExecutionArn": cached} if cached else None,
            },
        )

    def describe(self) -> dict[str, Any]:
        """The answer of DescribePipelineExecution."""
        return present(
            {
                "PipelineArn": self.pipeline_arn,
                "PipelineExecutionArn": self.arn,
                "PipelineExecutionDisplayName": self.display_name,
                "PipelineExecutionStatus": str(self.state.status),
                "PipelineExecutionDescription": self.description,
                "FailureReason": self.state.failure_reason,
                "CreationTime": self.created,
                "LastModifiedTime": self.state.modified,
                "CreatedBy": self.order.created_by,
                "LastModifiedBy": self.order.created_by,
                "ParallelismConfiguration": self.order.parallelism,
                "PipelineVersionId": self.order.version,
                "RoleArn": self.role_arn,
            }
        )

    def summary(self) -> dict[str, Any]:
        """The entry of ListPipelineExecutions."""
        return present(
            {
                "PipelineExecutionArn": self.arn,
                "StartTime": self.created,
                "PipelineExecutionStatus": str(self.state.status),
                "PipelineExecutionDescription": self.description,
                "PipelineExecutionDisplayName": self.display_name,
                "PipelineExecutionFailureReason": self.state.failure_reason,
            }
        )

    def _emit(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        if self.abandoned:
            return
        arns = {"pipelineArn": self.pipeline_arn, "pipelineExecutionArn": self.arn}
        self._events.emit(
            account=self.context.account,
            region=self.context.region,
            source=SOURCE,
            detail_type=detail_type,
            detail=present(detail) | arns,
            resources=tuple(arns.values()),
        )


def step_summary(record: StepRecord) -> dict[str, Any]:
    """The entry of ListPipelineExecutionSteps."""
    cached = record.outcome.cached_from
    return present(
        {
            "StepName": record.step.name,
            "StepDisplayName": record.step.display_name,
            "StepDescription": record.step.description,
            "StartTime": record.started,
            "EndTime": record.ended,
            "StepStatus": str(record.status),
            "CacheHitResult": {"SourcePipelineExecutionArn": cached} if cached else None,
            "FailureReason": record.outcome.failure_reason,
            "Metadata": record.outcome.metadata,
            "AttemptCount": record.attempts,
        }
    )


def _lower(value: Any) -> Any:
    """Member names as the events write them: ProcessingJob.Arn becomes processingJob.arn."""
    if isinstance(value, Mapping):
        return {name[0].lower() + name[1:]: _lower(item) for name, item in value.items()}
    return value
