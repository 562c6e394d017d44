"""What CodePipeline knows of one execution of the release pipeline.

Must not write anything and must not judge. https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

VERIFY_STAGES = ("VerifyStaging", "VerifyProduction")


@dataclass(frozen=True, slots=True)
class Action:
    """One run of an action; `message` is its error or its summary, `by` who decided it, `variables` its output."""

    stage: str
    name: str
    status: str
    started: datetime
    updated: datetime
    by: str
    message: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution; `actions` are the newest first, and an action that was retried stands there more than once."""

    id: str
    package_arn: str | None
    reason: str
    trigger: str
    status_summary: str
    actions: tuple[Action, ...]

    @property
    def started(self) -> datetime | None:
        """When the first action began; None while none has."""
        return min((action.started for action in self.actions), default=None)

    @property
    def ended(self) -> datetime | None:
        """When the last action that has ended did so; None while none has."""
        return max((action.updated for action in self.actions if action.status != "InProgress"), default=None)

    @property
    def failed(self) -> Action | None:
        """The action that failed last and was not repeated with success."""
        return next((action for action in self._latest().values() if action.status == "Failed"), None)

    @property
    def verification(self) -> dict[str, dict[str, str]]:
        """Output variables of the verifications so far, by stage."""
        found = (self.action_of(stage) for stage in VERIFY_STAGES)
        return {action.stage: dict(action.variables) for action in found if action and action.variables}

    def action_of(self, stage: str) -> Action | None:
        """The latest run of a stage's action."""
        return next((action for action in self._latest().values() if action.stage == stage), None)

    def _latest(self) -> dict[tuple[str, str], Action]:
        latest: dict[tuple[str, str], Action] = {}
        for action in self.actions:
            latest.setdefault((action.stage, action.name), action)
        return latest


@dataclass(frozen=True, slots=True)
class Executions:
    """The executions of one pipeline; `client` is a boto3 CodePipeline client."""

    client: Any
    pipeline: str

    def read(self, execution_id: str) -> Execution:
        """The execution with everything that it did so far."""
        answer = self.client.get_pipeline_execution(pipelineName=self.pipeline, pipelineExecutionId=execution_id)
        execution = answer["pipelineExecution"]
        variables = {item["name"]: item["resolvedValue"] for item in execution.get("variables", ())}
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=self.pipeline, filter={"pipelineExecutionId": execution_id}
        )
        actions = [_action(detail) for page in pages for detail in page["actionExecutionDetails"]]
        return Execution(
            id=execution_id,
            package_arn=variables.get("ModelPackageArn"),
            reason=variables.get("Reason", ""),
            trigger=str(execution.get("trigger", {}).get("triggerDetail", "")),
            status_summary=str(execution.get("statusSummary", "")),
            actions=tuple(sorted(actions, key=lambda action: action.started, reverse=True)),
        )


def _action(detail: Mapping[str, Any]) -> Action:
    output = detail.get("output", {})
    result = output.get("executionResult", {})
    return Action(
        stage=str(detail["stageName"]),
        name=str(detail["actionName"]),
        status=str(detail["status"]),
        started=detail["startTime"],
        updated=detail["lastUpdateTime"],
        by=str(detail.get("updatedBy", "")),
        message=str(result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or ""),
        variables=output.get("outputVariables", {}),
    )
