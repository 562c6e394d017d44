"""What the read operations tell of executions, stages and actions. Nothing changes here.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.codepipeline.artifacts import StoredArtifact
from local_cloud.codepipeline.book import Gate, Pipeline, PipelineBook
from local_cloud.codepipeline.declaration import ActionDeclaration, StageDeclaration
from local_cloud.codepipeline.paging import page
from local_cloud.codepipeline.records import ActionRun, Execution
from local_cloud.service import Operation, RequestContext
from local_cloud.stores import Partitioned


class Views:
    """The operations that read executions."""

    def __init__(self, books: Partitioned[PipelineBook]) -> None:
        self._books = books

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "GetPipelineExecution": Operation(self._execution),
            "ListPipelineExecutions": Operation(self._executions),
            "GetPipelineState": Operation(self._state),
            "ListActionExecutions": Operation(self._actions),
        }

    def _execution(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        with pipeline.changed:
            execution = pipeline.execution(params["pipelineExecutionId"])
            described = {
                "pipelineName": pipeline.name,
                "pipelineVersion": execution.declaration.version,
                **_common(execution),
                "artifactRevisions": [
                    {
                        "name": name,
                        "revisionId": run.outcome.revision[0],
                        "revisionSummary": run.outcome.revision[1],
                        "created": run.updated,
                    }
                    for run in execution.runs()
                    if run.outcome and run.outcome.revision
                    for name in run.outputs
                ],
                "variables": [
                    {"name": name, "resolvedValue": value} for name, value in sorted(execution.variables.items())
                ],
            }
        return {"pipelineExecution": described}

    def _executions(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        stage_name = params.get("filter", {}).get("succeededInStage", {}).get("stageName")
        with pipeline.changed:
            newest_first = [
                execution
                for execution in reversed(pipeline.executions.values())
                if stage_name is None or _succeeded_in(execution, stage_name)
            ]
            found, more = page(newest_first, params, identity=lambda execution: execution.id)
            return {"pipelineExecutionSummaries": [_summary(execution) for execution in found], **more}

    def _state(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["name"])
        with pipeline.changed:
            return {
                "pipelineName": pipeline.name,
                "pipelineVersion": pipeline.current.version,
                "stageStates": [_stage_state(pipeline, stage) for stage in pipeline.current.stages],
                "created": pipeline.created,
                "updated": pipeline.updated,
            }

    def _actions(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._books.of(context).pipeline(context, params["pipelineName"])
        wanted = params.get("filter", {})
        latest = wanted.get("latestInPipelineExecution", {})
        execution_id = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        with pipeline.changed:
            executions = [pipeline.execution(execution_id)] if execution_id else list(pipeline.executions.values())
            pairs = [(execution, run) for execution in executions for run in execution.runs()]
            if latest.get("startTimeRange") == "Latest":
                pairs = [pair for pair in pairs if _is_latest(*pair)]
            pairs.sort(key=lambda pair: pair[1].started, reverse=True)
            found, more = page(pairs, params, identity=lambda pair: pair[1].id)
            return {"actionExecutionDetails": [_action_detail(pipeline, *pair) for pair in found], **more}


def _common(execution: Execution) -> dict[str, Any]:
    return _present(
        {
            "pipelineExecutionId": execution.id,
            "status": execution.status.value,
            "statusSummary": execution.summary,
            "trigger": {"triggerType": execution.trigger.type, "triggerDetail": execution.trigger.detail},
            "executionMode": execution.declaration.mode.value,
            "executionType": "STANDARD",
        }
    )


def _summary(execution: Execution) -> dict[str, Any]:
    revisions = [
        {
            "actionName": run.declaration.name,
            "revisionId": run.outcome.revision[0],
            "revisionSummary": run.outcome.revision[1],
        }
        for run in execution.runs()
        if run.outcome and run.outcome.revision
    ]
    stop = {"stopTrigger": {"reason": execution.stop_reason}} if execution.stop_reason else {}
    return {
        **_common(execution),
        "startTime": execution.started,
        "lastUpdateTime": execution.updated,
        "sourceRevisions": revisions,
        **stop,
    }


def _succeeded_in(execution: Execution, stage_name: str) -> bool:
    return stage_name in execution.stages and execution.stages[stage_name].status.value == "Succeeded"


def _is_latest(execution: Execution, run: ActionRun) -> bool:
    return execution.stages[run.stage_name].latest(run.declaration.name) is run


def _stage_state(pipeline: Pipeline, stage: StageDeclaration) -> dict[str, Any]:
    gate = pipeline.gates[stage.name]
    run = gate.latest.stages[stage.name] if gate.latest else None
    waiting = [{"pipelineExecutionId": item.id, "status": "InProgress", "type": "STANDARD"} for item in gate.waiting]
    state: dict[str, Any] = {
        "stageName": stage.name,
        "inboundExecutions": waiting,
        "inboundTransitionState": _transition(pipeline, stage),
        "actionStates": [_action_state(gate, stage, action) for action in stage.actions],
    }
    if waiting:
        state["inboundExecution"] = waiting[0]
    if gate.latest and run:
        latest = {"pipelineExecutionId": gate.latest.id, "status": run.status.value, "type": "STANDARD"}
        state["latestExecution"] = latest
        if run.retries:
            metadata = {"manualStageRetryAttempt": run.retries, "latestRetryTrigger": "ManualStageRetry"}
            state["retryStageMetadata"] = metadata
    return state


def _transition(pipeline: Pipeline, stage: StageDeclaration) -> dict[str, Any]:
    names = [known.name for known in pipeline.current.stages]
    position = names.index(stage.name)
    closed = pipeline.closed.get((stage.name, "Inbound"))
    if closed is None and position:
        closed = pipeline.closed.get((names[position - 1], "Outbound"))
    if closed is None:
        return {"enabled": True}
    return {
        "enabled": False,
        "disabledReason": closed.reason,
        "lastChangedBy": closed.changed_by,
        "lastChangedAt": closed.changed_at,
    }


def _action_state(gate: Gate, stage: StageDeclaration, action: ActionDeclaration) -> dict[str, Any]:
    stage_run = gate.latest.stages[stage.name] if gate.latest else None
    run = stage_run.latest(action.name) if stage_run else None
    if run is None:
        return {"actionName": action.name}
    outcome = run.outcome
    latest = _present(
        {
            "actionExecutionId": run.id,
            "status": run.status.value,
            "summary": outcome.summary if outcome else None,
            "lastStatusChange": run.updated,
            "token": run.token if run.awaits_approval else None,
            "lastUpdatedBy": run.updated_by,
            "externalExecutionId": run.external_id,
            "externalExecutionUrl": outcome.external_url if outcome else None,
            "errorDetails": _error(run),
        }
    )
    state: dict[str, Any] = {"actionName": action.name, "latestExecution": latest}
    if link := run.resolved.get("ExternalEntityLink"):
        state["entityUrl"] = link
    if outcome and outcome.revision:
        revision, _ = outcome.revision
        state["currentRevision"] = {
            "revisionId": revision,
            "revisionChangeId": revision[:100],
            "created": run.updated,
        }
    return state


def _action_detail(pipeline: Pipeline, execution: Execution, run: ActionRun) -> dict[str, Any]:
    return _present(
        {
            "pipelineExecutionId": execution.id,
            "actionExecutionId": run.id,
            "pipelineVersion": execution.declaration.version,
            "stageName": run.stage_name,
            "actionName": run.declaration.name,
            "startTime": run.started,
            "lastUpdateTime": run.updated,
            "updatedBy": run.updated_by,
            "status": run.status.value,
            "input": _input(pipeline, run),
            "output": _output(run),
        }
    )


def _input(pipeline: Pipeline, run: ActionRun) -> dict[str, Any]:
    action = run.declaration
    return _present(
        {
            "actionTypeId": action.document["actionTypeId"],
            "configuration": dict(action.configuration),
            "resolvedConfiguration": dict(run.resolved),
            "roleArn": action.role_arn,
            "region": pipeline.context.region,
            "inputArtifacts": _artifacts(run.inputs),
            "namespace": action.namespace,
        }
    )


def _output(run: ActionRun) -> dict[str, Any]:
    outcome = run.outcome
    result = _present(
        {
            "externalExecutionId": run.external_id,
            "externalExecutionSummary": outcome.summary if outcome else None,
            "externalExecutionUrl": outcome.external_url if outcome else None,
            "errorDetails": _error(run),
        }
    )
    return _present(
        {
            "outputArtifacts": _artifacts(run.outputs) if outcome else [],
            "executionResult": result or None,
            "outputVariables": dict(outcome.variables) if outcome else {},
        }
    )


def _error(run: ActionRun) -> dict[str, str] | None:
    return {"code": run.failure.code, "message": run.failure.message} if run.failure else None


def _artifacts(artifacts: Mapping[str, StoredArtifact]) -> list[dict[str, Any]]:
    return [
        {"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}
        for artifact in artifacts.values()
    ]


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
