"""What one account and region knows of pipelines: definitions by version, executions, and used request tokens."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.sagemaker.pipelines.caching import StepCache
from local_cloud.sagemaker.pipelines.execution import Execution
from local_cloud.sagemaker.pipelines.steps import PipelineDefinition
from local_cloud.sagemaker.resources import name_key, present
from local_cloud.service import RequestContext, ServiceError, invalid, not_found


@dataclass(frozen=True)
class PipelineVersion:
    """One definition of a pipeline; UpdatePipeline with a new definition adds one."""

    definition: PipelineDefinition
    text: str


@dataclass(frozen=True)
class Pipeline:
    """A pipeline as it stands; an update replaces it."""

    name: str
    arn: str
    role_arn: str
    created: datetime
    modified: datetime
    created_by: Mapping[str, Any]
    modified_by: Mapping[str, Any]
    versions: tuple[PipelineVersion, ...]
    display_name: str
    description: str | None = None
    parallelism: Mapping[str, int] | None = None

    def version(self, number: int | None) -> tuple[int, PipelineVersion]:
        """A version by its number, the newest by default. Raises ResourceNotFound."""
        wanted = number or len(self.versions)
        if wanted > len(self.versions):
            raise not_found(f"Pipeline '{self.arn}' has no version {wanted}.")
        return wanted, self.versions[wanted - 1]

    def describe(self, *, number: int | None, last_run: datetime | None) -> dict[str, Any]:
        """The answer of DescribePipeline."""
        return present(
            {
                "PipelineArn": self.arn,
                "PipelineName": self.name,
                "PipelineDisplayName": self.display_name,
                "PipelineDefinition": self.version(number)[1].text,
                "PipelineDescription": self.description,
                "RoleArn": self.role_arn,
                "PipelineStatus": "Active",
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "LastRunTime": last_run,
                "CreatedBy": self.created_by,
                "LastModifiedBy": self.modified_by,
                "ParallelismConfiguration": self.parallelism,
            }
        )

    def summary(self, *, last_run: datetime | None) -> dict[str, Any]:
        """The entry of ListPipelines."""
        return present(
            {
                "PipelineArn": self.arn,
                "PipelineName": self.name,
                "PipelineDisplayName": self.display_name,
                "PipelineDescription": self.description,
                "RoleArn": self.role_arn,
                "CreationTime": self.created,
                "LastModifiedTime": self.modified,
                "LastExecutionTime": last_run,
            }
        )


@dataclass(frozen=True)
class UsedToken:
    """A ClientRequestToken that was used, for what request, when, and what came of it."""

    fingerprint: str
    used: datetime
    arn: str


@dataclass
class PipelineBook:
    """Everything of one account and region. Mutable; hold `lock` over what must be consistent."""

    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    tokens: dict[tuple[str, str], UsedToken] = field(default_factory=dict)
    cache: StepCache = field(default_factory=StepCache)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def pipeline(self, context: RequestContext, name_or_arn: str) -> Pipeline:
        """A pipeline by name or ARN. Raises ResourceNotFound."""
        found = self.pipelines.get(name_key(context, "pipeline", name_or_arn))
        if found is None:
            raise not_found(f"Pipeline '{name_or_arn}' does not exist.")
        return found

    def execution(self, arn: str | None) -> Execution:
        """An execution by ARN. Raises ResourceNotFound."""
        if arn is None:
            raise invalid("PipelineExecutionArn is required.")
        found = self.executions.get(arn)
        if found is None:
            raise not_found(f"Pipeline execution with ARN {arn} does not exist.")
        return found

    def executions_of(self, pipeline: Pipeline) -> list[Execution]:
        """A pipeline's executions, in the order of their start."""
        with self.lock:
            return [item for item in self.executions.values() if item.pipeline_arn == pipeline.arn]

    def last_run(self, pipeline: Pipeline) -> datetime | None:
        """When the pipeline was last started."""
        return max((execution.created for execution in self.executions_of(pipeline)), default=None)


def conflict(message: str) -> ServiceError:
    """Something else stands in the way of the request."""
    return ServiceError("ConflictException", message)
