"""Executions of pipelines: Start, Stop, Retry, Update, and the threads in which they run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html
"""

import hashlib
import json
import logging
import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.pipelines.book import Pipeline, PipelineBook, UsedToken, conflict
from local_cloud.sagemaker.pipelines.execution import Execution, ExecutionOrder
from local_cloud.sagemaker.pipelines.journal import Journal
from local_cloud.sagemaker.pipelines.parameters import parameter_values
from local_cloud.sagemaker.pipelines.records import ExecutionStatus
from local_cloud.sagemaker.pipelines.scheduler import Scheduler
from local_cloud.sagemaker.pipelines.step_runner import JobType, PipelineStepRunner
from local_cloud.sagemaker.pipelines.steps import StepType
from local_cloud.sagemaker.refusals import refuse
from local_cloud.sagemaker.resources import user_context
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

DEFAULT_PARALLEL_STEPS = 2
"""AWS runs up to 50 steps at a time; this is one machine."""
_TOKEN_LIFE = timedelta(hours=24)
_ID_CHARACTERS = 12
_LET_GO_SECONDS = 30.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExecutionTools:
    """What running executions takes from the rest of the local cloud."""

    clients: Clients
    clock: Clock
    events: EventBus
    jobs: Mapping[StepType, JobType]
    journal: Journal


class Executions:
    """The operations that change executions."""

    def __init__(self, books: Partitioned[PipelineBook], tools: ExecutionTools) -> None:
        self._books = books
        self._tools = tools
        self._lock = threading.Lock()
        self._running: dict[str, tuple[PipelineStepRunner, threading.Thread]] = {}

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        parallel = f"Without a ParallelismConfiguration, {DEFAULT_PARALLEL_STEPS} steps run at a time (on AWS 50)."
        return {
            "StartPipelineExecution": Operation(self._start, note=parallel),
            "StopPipelineExecution": Operation(self._stop),
            "RetryPipelineExecution": Operation(self._retry),
            "UpdatePipelineExecution": Operation(self._update),
        }

    def _start(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("SelectiveExecutionConfig", "PipelineVersionAlias", "MlflowExperimentName"))
        book = self._books.of(context)
        with book.lock:
            pipeline = book.pipeline(context, params["PipelineName"])
            if known := self._used(book, pipeline, params):
                return {"PipelineExecutionArn": known}
            order = _order(context, pipeline, params)
            execution = Execution(
                order, identifier=_identifier(), clock=self._tools.clock, events=self._tools.events, request=params
            )
            book.executions[execution.arn] = execution
            token = UsedToken(_fingerprint(params), self._tools.clock.now(), execution.arn)
            book.tokens[pipeline.arn, params["ClientRequestToken"]] = token
        execution.execution_changed(None, ExecutionStatus.EXECUTING)
        self._launch(execution, book)
        return {"PipelineExecutionArn": execution.arn}

    def _used(self, book: PipelineBook, pipeline: Pipeline, params: Mapping[str, Any]) -> str | None:
        """The execution that this very request already started. Raises ConflictException for another request."""
        known = book.tokens.get((pipeline.arn, params["ClientRequestToken"]))
        if known is None or self._tools.clock.now() - known.used > _TOKEN_LIFE:
            return None
        if known.fingerprint != _fingerprint(params):
            raise conflict(
                f"The ClientRequestToken was used within 24 hours with different parameters, for {known.arn}."
            )
        return known.arn

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["PipelineExecutionArn"])
        status = execution.state.status
        if not execution.state.request_stop() and status is not ExecutionStatus.STOPPING:
            raise invalid(
                "Only pipelines with 'Executing' status can be stopped. Pipeline execution with ARN "
                f"{execution.arn} is in status '{status}'."
            )
        with self._lock:
            running = self._running.get(execution.arn)
        if running:
            # Stopping calls this same API once for each job: not while the caller waits for its answer.
            threading.Thread(target=running[0].stop, name=f"stop-{execution.id}", daemon=True).start()
        return {"PipelineExecutionArn": execution.arn}

    def _retry(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        execution = book.execution(params["PipelineExecutionArn"])
        with book.lock:
            if not execution.state.reopen():
                raise invalid(
                    "Only pipeline executions with 'Failed' or 'Stopped' status can be retried. Pipeline execution "
                    f"with ARN {execution.arn} is in status '{execution.state.status}'."
                )
        _set_parallelism(execution, params)
        self._launch(execution, book)
        return {"PipelineExecutionArn": execution.arn}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["PipelineExecutionArn"])
        execution.display_name = params.get("PipelineExecutionDisplayName", execution.display_name)
        execution.description = params.get("PipelineExecutionDescription", execution.description)
        _set_parallelism(execution, params)
        return {"PipelineExecutionArn": execution.arn}

    def abandon_all(self) -> None:
        """Let every execution end without a word: nothing new starts, nothing is told or journaled any more."""
        for book in self._books:
            with book.lock:
                executions = list(book.executions.values())
            for execution in executions:
                execution.abandoned = True
                execution.state.request_stop()

    def join_all(self) -> None:
        """Wait until the threads of all executions are gone; their jobs must have been stopped."""
        with self._lock:
            threads = [thread for _, thread in self._running.values()]
        for thread in threads:
            thread.join(_LET_GO_SECONDS)

    def _launch(self, execution: Execution, book: PipelineBook) -> None:
        tools = self._tools
        runner = PipelineStepRunner(
            execution, clients=tools.clients, clock=tools.clock, cache=book.cache, jobs=tools.jobs
        )
        thread = threading.Thread(target=self._drive, args=(execution, runner), name=execution.id, daemon=True)
        tools.journal.open(execution.arn)
        with self._lock:
            thread.start()
            self._running[execution.arn] = runner, thread

    def _drive(self, execution: Execution, runner: PipelineStepRunner) -> None:
        scheduler = Scheduler(execution.definition, state=execution.state, runner=runner, clock=self._tools.clock)
        try:
            status, reason = scheduler.run()
        except Exception as error:
            # The thread has no caller: whatever breaks must end the execution, as a service fault does on AWS.
            _logger.exception("execution %s failed", execution.arn)
            status, reason = ExecutionStatus.FAILED, f"InternalServerError: {type(error).__name__}: {error}"
        if not execution.abandoned:
            self._tools.journal.close(execution.arn)
        with self._lock:
            del self._running[execution.arn]
        execution.state.change_status(status, reason=reason)


def _order(context: RequestContext, pipeline: Pipeline, params: Mapping[str, Any]) -> ExecutionOrder:
    number, version = pipeline.version(params.get("PipelineVersionId"))
    parallelism = params.get("ParallelismConfiguration", pipeline.parallelism)
    return ExecutionOrder(
        context=context,
        pipeline_name=pipeline.name,
        pipeline_arn=pipeline.arn,
        version=number,
        definition=version.definition,
        definition_text=version.text,
        role_arn=params.get("RoleArn", pipeline.role_arn),
        parameters=parameter_values(version.definition.parameters, params.get("PipelineParameters", ())),
        created_by=user_context(context),
        parallelism=parallelism,
        maximum_parallel=parallelism["MaxParallelExecutionSteps"] if parallelism else DEFAULT_PARALLEL_STEPS,
    )


def _set_parallelism(execution: Execution, params: Mapping[str, Any]) -> None:
    if wanted := params.get("ParallelismConfiguration"):
        execution.state.maximum_parallel = wanted["MaxParallelExecutionSteps"]


def _fingerprint(params: Mapping[str, Any]) -> str:
    compared = {name: value for name, value in params.items() if name != "ClientRequestToken"}
    if "PipelineParameters" in compared:
        compared["PipelineParameters"] = sorted(compared["PipelineParameters"], key=lambda item: item["Name"])
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()


def _identifier() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_ID_CHARACTERS))
