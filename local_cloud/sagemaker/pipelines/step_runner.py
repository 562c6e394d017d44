"""What the steps of an execution do: job steps and registrations call SageMaker's API with the pipeline's role.

Outcomes, failures included, are returned; nothing is raised. It must not decide which step runs when.
"""

import json
import logging
import re
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.sagemaker.events import iso8601
from local_cloud.sagemaker.jobs import processing, training
from local_cloud.sagemaker.jobs.execution import PRINCIPAL
from local_cloud.sagemaker.jobs.job import Job, JobStatus
from local_cloud.sagemaker.jobs.table import JobTable
from local_cloud.sagemaker.jobs.transfer import split_uri
from local_cloud.sagemaker.pipelines.arguments import NAME_MEMBERS
from local_cloud.sagemaker.pipelines.caching import CachedResult, StepCache, cache_key
from local_cloud.sagemaker.pipelines.conditions import all_hold
from local_cloud.sagemaker.pipelines.execution import Execution
from local_cloud.sagemaker.pipelines.expressions import ExpressionError, Scope, resolve, walk
from local_cloud.sagemaker.pipelines.records import StepOutcome, StepStatus
from local_cloud.sagemaker.pipelines.steps import Step, StepType

_JOB_NAME_LIMIT = 63
_SUFFIX_CHARACTERS = 10
_ALPHABET = string.ascii_letters + string.digits
_REASON_LIMIT = 1024
_logger = logging.getLogger(__name__)

Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class JobType:
    """How a step type starts, stops, finds and describes its job."""

    table: JobTable
    create: str
    stop: str
    name_member: str
    metadata: str
    describe: Callable[[Job], dict[str, Any]]


def job_types(processing_table: JobTable, training_table: JobTable) -> dict[StepType, JobType]:
    """The job types by step type."""
    return {
        StepType.PROCESSING: JobType(
            processing_table,
            "create_processing_job",
            "stop_processing_job",
            NAME_MEMBERS[StepType.PROCESSING],
            "ProcessingJob",
            processing.describe,
        ),
        StepType.TRAINING: JobType(
            training_table,
            "create_training_job",
            "stop_training_job",
            NAME_MEMBERS[StepType.TRAINING],
            "TrainingJob",
            training.describe,
        ),
    }


class PipelineStepRunner:
    """Runs the steps of one execution (a `scheduler.StepRunner`)."""

    def __init__(
        self,
        execution: Execution,
        *,
        clients: Clients,
        clock: Clock,
        cache: StepCache,
        jobs: Mapping[StepType, JobType],
    ) -> None:
        self._execution = execution
        self._clients = clients
        self._clock = clock
        self._cache = cache
        self._jobs = jobs
        self._documents: dict[str, Any] = {}
        self._running: dict[str, tuple[JobType, Job]] = {}
        self._lock = threading.Lock()

    def run(self, step: Step, progress: Progress) -> StepOutcome:
        """One attempt at a step."""
        try:
            if step.type is StepType.CONDITION:
                return self._condition(step)
            if step.type is StepType.FAIL:
                return self._fail(step)
            if step.type is StepType.REGISTER_MODEL:
                return self._register_model(step)
            return self._job(step, progress)
        except ExpressionError as error:
            return _failed(f"ClientError: {error}")
        except ClientError as error:
            return _failed(
                f"ClientError: Failed to invoke sagemaker:{error.operation_name}. "
                f"Error Details: {error.response['Error'].get('Message', '')}",
                exception_type=_exception_type(error),
            )
        except BotoCoreError as error:
            return _failed(f"ClientError: Step {step.name!r}: the resolved arguments are not valid: {error}")
        except Exception as error:
            # A step's thread has no caller: whatever breaks in here must end the step, as a service fault does on AWS.
            _logger.exception("step %s of %s failed", step.name, self._execution.arn)
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            return _failed(reason, exception_type="Step.SERVICE_FAULT")

    def stop(self) -> None:
        """Stop the jobs that run, with the pipeline's role; what it may not stop goes on to its own end."""
        with self._lock:
            running = list(self._running.values())
        for kind, job in running:
            try:
                getattr(self._client("sagemaker"), kind.stop)(**{kind.name_member: job.identity.name})
            except ClientError as error:
                _logger.warning("cannot stop %s: %s", job.identity.arn, error)

    def _condition(self, step: Step) -> StepOutcome:
        held = all_hold(step.arguments["Conditions"], self._scope())
        return StepOutcome(StepStatus.SUCCEEDED, {"Condition": {"Outcome": str(held)}}, condition=held)

    def _fail(self, step: Step) -> StepOutcome:
        message = str(resolve(step.arguments.get("ErrorMessage", ""), self._scope()))
        metadata = {"Fail": {"ErrorMessage": message}}
        return StepOutcome(StepStatus.FAILED, metadata, failure_reason=message[:_REASON_LIMIT])

    def _register_model(self, step: Step) -> StepOutcome:
        arguments = resolve(step.arguments, self._scope())
        generated = {"GeneratedBy": self._execution.arn}
        arguments["MetadataProperties"] = generated | arguments.get("MetadataProperties", {})
        client = self._client("sagemaker")
        arn = client.create_model_package(**arguments)["ModelPackageArn"]
        described = client.describe_model_package(ModelPackageName=arn)
        properties = {name: value for name, value in described.items() if name != "ResponseMetadata"}
        return StepOutcome(StepStatus.SUCCEEDED, {"RegisterModel": {"Arn": arn}}, properties)

    def _job(self, step: Step, progress: Progress) -> StepOutcome:
        kind = self._jobs[step.type]
        name = _job_name(self._execution.id, step.name)
        arguments = resolve(step.arguments, self._scope(job_name=name)) | {kind.name_member: name}
        key = cache_key(self._execution.pipeline_arn, step, arguments)
        if earlier := self._cache.find(key, step, self._clock.now()):
            return StepOutcome(
                StepStatus.SUCCEEDED, earlier.metadata, earlier.properties, cached_from=earlier.execution_arn
            )
        if self._execution.state.stop_requested.is_set():
            return StepOutcome(StepStatus.STOPPED)
        getattr(self._client("sagemaker"), kind.create)(**arguments)
        job = kind.table.find(self._execution.context, name)
        metadata = {kind.metadata: {"Arn": job.identity.arn}}
        progress(metadata)
        self._await(step.name, kind, job)
        outcome = self._job_outcome(kind, job, metadata)
        if outcome.status is StepStatus.SUCCEEDED:
            result = CachedResult(self._execution.arn, self._clock.now(), metadata, outcome.properties)
            self._cache.keep(key, result)
        return outcome

    def _await(self, step_name: str, kind: JobType, job: Job) -> None:
        with self._lock:
            self._running[step_name] = kind, job
        if self._execution.abandoned:
            job.abandon()
        elif self._execution.state.stop_requested.is_set():
            self.stop()  # the stop came while the job was being created
        job.wait()
        with self._lock:
            del self._running[step_name]

    def _job_outcome(self, kind: JobType, job: Job, metadata: Mapping[str, Any]) -> StepOutcome:
        state = job.state
        if state.status is JobStatus.COMPLETED:
            return StepOutcome(StepStatus.SUCCEEDED, metadata, kind.describe(job))
        if state.status is JobStatus.STOPPED and self._execution.state.stop_requested.is_set():
            return StepOutcome(StepStatus.STOPPED, metadata)
        reason = state.failure_reason or f"The job {job.identity.name} was stopped."
        internal = reason.startswith("InternalServerError")
        return StepOutcome(
            StepStatus.FAILED,
            metadata,
            failure_reason=reason,
            exception_type="SageMaker.JOB_INTERNAL_ERROR" if internal else None,
        )

    def _scope(self, *, job_name: str = "") -> Scope:
        return Scope(
            parameters=self._execution.parameters,
            variables=lambda name: self._variable(name, job_name),
            properties=self._properties,
            property_file=self._property_file,
            s3_json=self._s3_json,
        )

    def _variable(self, name: str, job_name: str) -> str:
        execution = self._execution
        values = {
            "StartDateTime": iso8601(execution.created),
            "CurrentDateTime": iso8601(self._clock.now()),
            "PipelineName": execution.pipeline_name,
            "PipelineArn": execution.pipeline_arn,
            "PipelineExecutionId": execution.id,
            "PipelineExecutionArn": execution.arn,
            "TrainingJobName": job_name,
            "ProcessingJobName": job_name,
        }
        return values[name]

    def _properties(self, step_name: str) -> Mapping[str, Any]:
        record = self._execution.state.record(step_name)
        return record.outcome.properties if record else {}

    def _property_file(self, step_name: str, file_name: str) -> Any:
        step = self._execution.definition.steps[step_name]
        file = next(item for item in step.property_files if item.name == file_name)
        path = ("ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri")
        base = walk(self._properties(step_name), path, whence=f"Property file {file_name!r} of step {step_name!r}")
        return self._s3_json(f"{base.rstrip('/')}/{file.file_path}")

    def _s3_json(self, uri: str) -> Any:
        if uri not in self._documents:
            bucket, key = split_uri(uri)
            try:
                body = self._client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
                self._documents[uri] = json.loads(body)
            except ClientError as error:
                raise ExpressionError(f"cannot read {uri}: {error.response['Error'].get('Message', '')}") from error
            except ValueError as error:
                raise ExpressionError(f"{uri} is not JSON: {error}") from error
        return self._documents[uri]

    def _client(self, service: str) -> Any:
        return self._clients.as_role(
            service,
            role_arn=self._execution.role_arn,
            principal=PRINCIPAL,
            session_name="SageMakerPipeline",
            region=self._execution.context.region,
        )


def _job_name(execution_id: str, step_name: str) -> str:
    """`pipelines-<execution>-<step>-<suffix>`, the step's name cut to what fits."""
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX_CHARACTERS))
    room = _JOB_NAME_LIMIT - len(f"pipelines-{execution_id}--{suffix}")
    step = re.sub(r"[^A-Za-z0-9-]", "-", step_name)[:room].strip("-")
    return f"pipelines-{execution_id}-{step}-{suffix}"


def _failed(reason: str, *, exception_type: str | None = None) -> StepOutcome:
    return StepOutcome(StepStatus.FAILED, failure_reason=reason[:_REASON_LIMIT], exception_type=exception_type)


def _exception_type(error: ClientError) -> str | None:
    code = str(error.response["Error"].get("Code", ""))
    if code == "ResourceLimitExceeded":
        return "SageMaker.RESOURCE_LIMIT"
    if "Throttling" in code:
        return "Step.THROTTLING"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return "Step.SERVICE_FAULT" if status >= 500 else None
