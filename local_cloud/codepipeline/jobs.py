"""Jobs that Lambda functions do for a pipeline: each has an id, with which the function reports its result.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.codepipeline.actions.base import Control
from local_cloud.service import Operation, RequestContext, ServiceError

_MAXIMUM_VARIABLE_BYTES = 122_880


@dataclass(frozen=True)
class JobResult:
    """What a function reported. `failure` is (type, message), None for success.

    With a `continuation` the work goes on: the function is invoked again with it.
    """

    failure: tuple[str, str] | None = None
    summary: str | None = None
    external_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    continuation: str | None = None


@dataclass(frozen=True)
class Job:
    """One job; `data` is JobData as GetJobDetails answers it."""

    account: str
    data: Mapping[str, Any]
    control: Control
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class JobDesk:
    """The open jobs of all pipelines, and the operations on them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._done: set[str] = set()

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "PutJobSuccessResult": Operation(self._success),
            "PutJobFailureResult": Operation(self._failure),
            "GetJobDetails": Operation(self._details),
        }

    def open(self, job: Job) -> None:
        """Let results of a job in."""
        with self._lock:
            self._jobs[job.id] = job

    def close(self, job: Job) -> None:
        """Take no result of a job any more: it has one, or nobody waits for it."""
        with self._lock:
            self._done.add(job.id)

    def clear(self) -> None:
        """Forget all jobs."""
        with self._lock:
            self._jobs.clear()
            self._done.clear()

    def _success(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        details = params.get("executionDetails", {})
        variables = params.get("outputVariables", {})
        if sum(len(f"{key}{value}".encode()) for key, value in variables.items()) > _MAXIMUM_VARIABLE_BYTES:
            text = f"The output variables are larger than {_MAXIMUM_VARIABLE_BYTES} bytes"
            raise ServiceError("OutputVariablesSizeExceededException", text)
        result = JobResult(
            summary=details.get("summary"),
            external_id=details.get("externalExecutionId"),
            variables=variables,
            continuation=params.get("continuationToken"),
        )
        self._report(context, params["jobId"], result)
        return {}

    def _failure(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        details = params["failureDetails"]
        result = JobResult(
            failure=(details["type"], details["message"]), external_id=details.get("externalExecutionId")
        )
        self._report(context, params["jobId"], result)
        return {}

    def _details(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        job = self._job(context, params["jobId"])
        return {"jobDetails": {"id": job.id, "data": job.data, "accountId": job.account}}

    def _report(self, context: RequestContext, job_id: str, result: JobResult) -> None:
        job = self._job(context, job_id)
        with self._lock:
            if job.id in self._done or not job.control.answer(result):
                raise ServiceError("InvalidJobStateException", f"Job {job.id} is not in progress any more")
            self._done.add(job.id)

    def _job(self, context: RequestContext, job_id: str) -> Job:
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.account != context.account:
            raise ServiceError("JobNotFoundException", f"Job {job_id} does not exist")
        return job
