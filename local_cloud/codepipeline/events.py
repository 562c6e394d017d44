"""CodePipeline's events on the default bus, in the shapes that AWS documents.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_cloud.codepipeline.artifacts import StoredArtifact
from local_cloud.codepipeline.book import Pipeline
from local_cloud.codepipeline.records import ActionRun, Execution, StageRun
from local_cloud.events.bus import EventBus

SOURCE = "aws.codepipeline"


class StateChanges:
    """Tells the bus what changed. Nothing is told of executions that were forgotten."""

    def __init__(self, events: EventBus) -> None:
        self._events = events

    def execution(self, pipeline: Pipeline, execution: Execution, state: str) -> None:
        """A pipeline execution is STARTED, RESUMED, STOPPING, STOPPED, SUCCEEDED, SUPERSEDED or FAILED."""
        detail: dict[str, Any] = {}
        if state == "STARTED":
            trigger = execution.trigger
            detail["execution-trigger"] = {"trigger-type": trigger.type, "trigger-detail": trigger.detail}
        self._emit("Pipeline", pipeline, execution, {**detail, "state": state})

    def stage(self, pipeline: Pipeline, execution: Execution, stage: StageRun, state: str) -> None:
        """A stage is STARTED, RESUMED, STOPPING, STOPPED, SUCCEEDED or FAILED."""
        self._emit("Stage", pipeline, execution, {"stage": stage.name, "state": state})

    def action(self, pipeline: Pipeline, execution: Execution, run: ActionRun, state: str) -> None:
        """An action is STARTED, SUCCEEDED, FAILED or ABANDONED."""
        detail = {
            "stage": run.stage_name,
            "action": run.declaration.name,
            "action-execution-id": run.id,
            "state": state,
            "region": pipeline.context.region,
            "type": run.declaration.document["actionTypeId"],
        }
        for name, artifacts in (("input-artifacts", run.inputs), ("output-artifacts", run.outputs)):
            if artifacts and (name == "input-artifacts" or state == "SUCCEEDED"):
                detail[name] = [_artifact(artifact) for artifact in artifacts.values()]
        if result := _result(run):
            detail["execution-result"] = result
        self._emit("Action", pipeline, execution, detail)

    def _emit(self, level: str, pipeline: Pipeline, execution: Execution, detail: Mapping[str, Any]) -> None:
        if execution.forgotten:
            return
        common = {
            "pipeline": pipeline.name,
            "execution-id": execution.id,
            "start-time": _moment(execution.started),
            "version": float(execution.declaration.version),
            "pipeline-execution-attempt": float(execution.attempt),
        }
        self._events.emit(
            account=pipeline.context.account,
            region=pipeline.context.region,
            source=SOURCE,
            detail_type=f"CodePipeline {level} Execution State Change",
            detail={**common, **detail},
            resources=[pipeline.arn],
        )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _artifact(artifact: StoredArtifact) -> dict[str, Any]:
    return {"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}


def _result(run: ActionRun) -> dict[str, str]:
    """`execution-result`, with the members that the action has."""
    outcome, failure = run.outcome, run.failure
    members = {
        "external-execution-url": outcome.external_url if outcome else None,
        "external-execution-summary": failure.message if failure else outcome and outcome.summary,
        "external-execution-id": run.external_id,
        "error-code": failure.code if failure else None,
    }
    return {name: value for name, value in members.items() if value}
