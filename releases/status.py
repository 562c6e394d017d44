"""What a release is doing: the stages of the pipeline, what waits for a person, and the command to decide it.

Reads only.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from releases.errors import ReleasesError

FINISHED = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})
_SHORT_ID = 8


@dataclass(frozen=True)
class ReleaseProgress:
    """The release pipeline as its watchers see it; `codepipeline` is a boto3 client."""

    codepipeline: Any
    pipeline: str

    def newest_execution(self) -> str | None:
        """Id of the execution that was started last; None before the first."""
        answer = self.codepipeline.list_pipeline_executions(pipelineName=self.pipeline, maxResults=1)
        summaries = answer["pipelineExecutionSummaries"]
        return str(summaries[0]["pipelineExecutionId"]) if summaries else None

    def execution(self, execution_id: str) -> dict[str, Any]:
        """Status and variables of an execution."""
        answer = self.codepipeline.get_pipeline_execution(pipelineName=self.pipeline, pipelineExecutionId=execution_id)
        found: dict[str, Any] = answer["pipelineExecution"]
        return found

    def actions(self, execution_id: str) -> list[dict[str, Any]]:
        """Runs of actions of an execution, the oldest first."""
        pages = self.codepipeline.get_paginator("list_action_executions").paginate(
            pipelineName=self.pipeline, filter={"pipelineExecutionId": execution_id}
        )
        runs = [detail for page in pages for detail in page["actionExecutionDetails"]]
        return sorted(runs, key=lambda run: run["startTime"])

    def stage_lines(self) -> Iterator[str]:
        """One line per stage: the last execution in it, how it ended or what it does."""
        for state in self.codepipeline.get_pipeline_state(name=self.pipeline)["stageStates"]:
            latest = state.get("latestExecution", {})
            execution = str(latest.get("pipelineExecutionId", "-"))[:_SHORT_ID]
            message = "; ".join(filter(None, (_message(action) for action in state.get("actionStates", ()))))
            yield f"  {state['stageName']:<17} {latest.get('status', '-'):<11} {execution:<9} {message}".rstrip()

    def approval_lines(self) -> Iterator[str]:
        """What waits for a person, with the commands for both decisions."""
        for state in self.codepipeline.get_pipeline_state(name=self.pipeline)["stageStates"]:
            for action in state.get("actionStates", ()):
                waiting = action.get("latestExecution", {})
                if waiting.get("status") == "InProgress" and waiting.get("token"):
                    execution = state.get("latestExecution", {}).get("pipelineExecutionId", "")
                    yield f"{state['stageName']} of {execution} waits for a person"
                    if action.get("entityUrl"):
                        yield f"  evidence: {action['entityUrl']}"
                    for decision in ("Approved", "Rejected"):
                        yield f"  {decision.lower()}: {self._command(state, action, decision)}"

    def _command(self, state: Mapping[str, Any], action: Mapping[str, Any], decision: str) -> str:
        return (
            f"aws codepipeline put-approval-result --pipeline-name {self.pipeline} --stage-name {state['stageName']} "
            f"--action-name {action['actionName']} --token {action['latestExecution']['token']} "
            f"--result status={decision},summary='...'"
        )

    def follow(self, execution_id: str, *, show: Callable[[str], None], poll_seconds: float) -> str:
        """Show every change of an execution until it has ended; its status."""
        news = _News()
        while True:
            # The status first: actions that are listed after the end cannot miss a last change.
            execution = self.execution(execution_id)
            for line in news.of(self.actions(execution_id)):
                show(line)
            if execution["status"] in FINISHED:
                show(f"{execution['status']} {execution.get('statusSummary', '')}".rstrip())
                return str(execution["status"])
            for line in news.of_lines(self.approval_lines()):
                show(line)
            time.sleep(poll_seconds)  # the pace of polling: the API has no way to wait for a change


@dataclass
class _News:
    """What has been shown already. Changes as the execution goes on."""

    shown: dict[str, str] = field(default_factory=dict)

    def of(self, actions: list[dict[str, Any]]) -> Iterator[str]:
        for run in actions:
            if self.shown.get(run["actionExecutionId"]) != run["status"]:
                self.shown[run["actionExecutionId"]] = run["status"]
                yield _describe(run)

    def of_lines(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if line not in self.shown:
                self.shown[line] = line
                yield line


def _describe(run: Mapping[str, Any]) -> str:
    parts = [f"{run['stageName']:<17} {run['status']:<11}"]
    if run["status"] != "InProgress":
        parts.append(f"{(run['lastUpdateTime'] - run['startTime']).total_seconds():7.1f} s")
    result = run.get("output", {}).get("executionResult", {})
    parts.append(result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or "")
    return "  ".join(parts).rstrip()


def _message(action: Mapping[str, Any]) -> str:
    latest = action.get("latestExecution", {})
    return str(latest.get("errorDetails", {}).get("message") or latest.get("summary") or "")


def require_execution(progress: ReleaseProgress, given: str | None) -> str:
    """The execution to look at: the given one, or the newest. ReleasesError if there has been none."""
    execution = given or progress.newest_execution()
    if execution is None:
        raise ReleasesError(f"{progress.pipeline} has not released anything yet; approve a version in the registry")
    return execution
