"""Executions of pipelines: start, stop, retry of a stage, and the threads in which they run.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_cloud.codepipeline.action_runner import Tools
from local_cloud.codepipeline.book import Pipeline, PipelineBook, UsedToken
from local_cloud.codepipeline.declaration import ExecutionMode, StageDeclaration
from local_cloud.codepipeline.driver import Driver, RetryMode
from local_cloud.codepipeline.gates import arrive
from local_cloud.codepipeline.records import Execution, ExecutionStatus, StageStatus, Trigger
from local_cloud.service import Operation, RequestContext, ServiceError, invalid
from local_cloud.stores import Partitioned

_LET_GO_SECONDS = 10.0
_S3_REVISIONS = ("S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY")


class Executions:
    """The operations that change executions."""

    def __init__(self, books: Partitioned[PipelineBook], tools: Tools) -> None:
        self._books = books
        self._tools = tools
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "StartPipelineExecution": Operation(self._start, note="an execution of an old version goes on with it"),
            "StopPipelineExecution": Operation(self._stop),
            "RetryStageExecution": Operation(self._retry),
        }

    def start_new(self, pipeline: Pipeline, *, caller: str) -> None:
        """The execution that AWS starts when a pipeline is created.

        It fails at once if a variable has no default: nobody could give it a value.
        """
        values, missing = _variables(pipeline, {})
        trigger = Trigger("CreatePipeline", caller)
        with pipeline.changed:
            execution = self._admit(pipeline, trigger, values, revisions={})
            if missing:
                execution.status, execution.summary = ExecutionStatus.FAILED, _no_value(missing)
                self._tools.changes.execution(pipeline, execution, "FAILED")
                return
            self._launch(pipeline, execution)

    def forget(self, pipelines: Iterable[Pipeline]) -> None:
        """Let all executions of the pipelines end without a word."""
        for pipeline in pipelines:
            with pipeline.changed:
                for execution in pipeline.executions.values():
                    execution.forgotten = True
                    _abandon(execution)
                pipeline.changed.notify_all()

    def join_all(self) -> None:
        """Wait until the threads of forgotten executions are gone."""
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(_LET_GO_SECONDS)

    def _start(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["name"])
        given = {variable["name"]: variable["value"] for variable in params.get("variables", [])}
        if unknown := sorted(given.keys() - pipeline.current.variables.keys()):
            raise invalid(f"Pipeline {pipeline.name} declares no variables {unknown}")
        values, missing = _variables(pipeline, given)
        if missing:
            raise invalid(_no_value(missing))
        revisions = _revisions(pipeline, params.get("sourceRevisions", []))
        with pipeline.changed:
            if known := _used(pipeline, params):
                return {"pipelineExecutionId": known}
            trigger = Trigger("StartPipelineExecution", caller_arn(context))
            execution = self._admit(pipeline, trigger, values, revisions=revisions)
            if token := params.get("clientRequestToken"):
                pipeline.tokens[token] = UsedToken(params, execution.id)
            self._launch(pipeline, execution)
        return {"pipelineExecutionId": execution.id}

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        abandon = bool(params.get("abandon"))
        with pipeline.changed:
            execution = pipeline.execution(params["pipelineExecutionId"])
            if execution.ended:
                raise ServiceError(
                    "PipelineExecutionNotStoppableException",
                    f"Execution {execution.id} cannot be stopped: it is {execution.status}.",
                )
            if execution.stop_requested and not (abandon and not execution.abandoned):
                text = f"Execution {execution.id} is being stopped already."
                raise ServiceError("DuplicatedStopRequestException", text)
            self._request_stop(pipeline, execution, reason=params.get("reason"))
            if abandon:
                _abandon(execution)
            pipeline.changed.notify_all()
        return {"pipelineExecutionId": execution.id}

    def _request_stop(self, pipeline: Pipeline, execution: Execution, *, reason: str | None) -> None:
        execution.stop_reason = reason or execution.stop_reason
        if execution.stop_requested:
            return
        execution.stop_requested = True
        execution.status, execution.updated = ExecutionStatus.STOPPING, self._tools.clock.now()
        self._tools.changes.execution(pipeline, execution, "STOPPING")
        for stage in execution.stages.values():
            if stage.status is StageStatus.IN_PROGRESS:
                stage.status = StageStatus.STOPPING
                self._tools.changes.stage(pipeline, execution, stage, "STOPPING")

    def _retry(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        pipeline.require_stage(params["stageName"])
        with pipeline.changed:
            execution = pipeline.execution(params["pipelineExecutionId"])
            stage = _retryable(pipeline, execution, params["stageName"])
            self._reopen(pipeline, execution, stage)
            driver = Driver(pipeline, execution, self._tools)
            mode = RetryMode[params["retryMode"]]
            self._run(f"{pipeline.name}-{execution.id}", lambda: driver.retry(stage, mode))
        return {"pipelineExecutionId": execution.id}

    def _reopen(self, pipeline: Pipeline, execution: Execution, stage: StageDeclaration) -> None:
        gate = pipeline.gates[stage.name]
        gate.occupant = execution
        run = execution.stages[stage.name]
        run.status, run.retries = StageStatus.IN_PROGRESS, run.retries + 1
        execution.status, execution.summary = ExecutionStatus.IN_PROGRESS, None
        execution.stop_requested = execution.abandoned = False
        execution.stop_reason = None
        execution.attempt += 1
        execution.updated = self._tools.clock.now()
        self._tools.changes.execution(pipeline, execution, "RESUMED")
        self._tools.changes.stage(pipeline, execution, run, "RESUMED")

    def _admit(
        self,
        pipeline: Pipeline,
        trigger: Trigger,
        variables: Mapping[str, str],
        *,
        revisions: Mapping[str, Mapping[str, str]],
    ) -> Execution:
        now = self._tools.clock.now()
        execution = Execution(
            id=str(uuid.uuid4()),
            declaration=pipeline.current,
            trigger=trigger,
            variables=variables,
            source_revisions=revisions,
            started=now,
            updated=now,
        )
        pipeline.executions[execution.id] = execution
        self._tools.changes.execution(pipeline, execution, "STARTED")
        return execution

    def _launch(self, pipeline: Pipeline, execution: Execution) -> None:
        arrive(pipeline, execution, execution.declaration.stages[0].name)
        driver = Driver(pipeline, execution, self._tools)
        self._run(f"{pipeline.name}-{execution.id}", driver.run)

    def _run(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"codepipeline-{name}", daemon=True)
        with self._lock:
            self._threads = [*(known for known in self._threads if known.is_alive()), thread]
            thread.start()


def caller_arn(context: RequestContext) -> str:
    """Who calls: the role's session, or the account's root for an administrator."""
    return context.session_arn or f"arn:aws:iam::{context.account}:root"


def _abandon(execution: Execution) -> None:
    execution.abandoned = True
    for run in execution.runs():
        run.control.abandon()


def _variables(pipeline: Pipeline, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values of the pipeline's variables, and the names of those without one."""
    values = {name: given.get(name, default) for name, default in pipeline.current.variables.items()}
    present = {name: value for name, value in values.items() if value is not None}
    return present, sorted(values.keys() - present.keys())


def _no_value(names: list[str]) -> str:
    return f"The pipeline variables {names} have no default value, and no value was given for them"


def _used(pipeline: Pipeline, params: Mapping[str, Any]) -> str | None:
    """The execution that this very request already started."""
    known = pipeline.tokens.get(params.get("clientRequestToken", ""))
    if known is None:
        return None
    if known.request != params:
        raise ServiceError(
            "ConflictException",
            f"The clientRequestToken was used with different parameters, for execution {known.execution_id}.",
        )
    return known.execution_id


def _revisions(pipeline: Pipeline, given: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    sources = [action.name for action in pipeline.current.stages[0].actions]
    chosen: dict[str, dict[str, str]] = {}
    for override in given:
        if override["actionName"] not in sources:
            raise invalid(f"sourceRevisions: {override['actionName']} is not a source action; there are {sources}")
        if override["revisionType"] not in _S3_REVISIONS:
            raise invalid(f"sourceRevisions: an S3 source action takes {' or '.join(_S3_REVISIONS)}")
        chosen.setdefault(override["actionName"], {})[override["revisionType"]] = override["revisionValue"]
    return chosen


def _retryable(pipeline: Pipeline, execution: Execution, stage_name: str) -> StageDeclaration:
    """The stage to run again; raises the ServiceError that says why it cannot be."""
    stage, run = execution.declaration.stage(stage_name), execution.stages.get(stage_name)
    gate = pipeline.gates[stage_name]
    if not execution.ended:
        raise ServiceError("ConflictException", f"Execution {execution.id} is {execution.status}.")
    retryable = run is not None and run.status in (StageStatus.FAILED, StageStatus.STOPPED)
    if stage is None or not retryable or execution.declaration is not pipeline.current:
        raise ServiceError(
            "StageNotRetryableException",
            f"Unable to retry stage {stage_name} of execution {execution.id}. The pipeline structure or stage state "
            "might have changed while actions awaited retry, or the stage contains no failed actions.",
        )
    if execution.declaration.mode is not ExecutionMode.PARALLEL and gate.latest is not execution:
        latest = gate.latest.id if gate.latest else ""
        raise ServiceError(
            "NotLatestPipelineExecutionException",
            f"Execution {execution.id} is not the latest in stage {stage_name}: that is {latest}.",
        )
    return stage
