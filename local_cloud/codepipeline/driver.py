"""Takes one execution through the stages of its pipeline, in a thread of its own.

Who may enter a stage is `gates.py`, what an action does its provider.
"""

import logging
import threading
from enum import Enum, auto

from local_cloud.codepipeline.action_runner import ActionRunner, Tools
from local_cloud.codepipeline.book import Pipeline
from local_cloud.codepipeline.declaration import ActionDeclaration, StageDeclaration
from local_cloud.codepipeline.gates import arrive, enter, leave, may_enter, turn_away
from local_cloud.codepipeline.records import (
    ActionRun,
    ActionStatus,
    Execution,
    ExecutionStatus,
    StageRun,
    StageStatus,
)

_log = logging.getLogger(__name__)


class RetryMode(Enum):
    """What of a stage runs again: all its actions, or those that have not succeeded."""

    ALL_ACTIONS = auto()
    FAILED_ACTIONS = auto()


class Driver:
    """One execution on its way."""

    def __init__(self, pipeline: Pipeline, execution: Execution, tools: Tools) -> None:
        self._pipeline = pipeline
        self._execution = execution
        self._tools = tools
        self._actions = ActionRunner(pipeline, execution, tools)

    def run(self) -> None:
        """From the first stage, at which the execution has arrived, to its end."""
        first, *_ = self._execution.declaration.stages
        self._guarded(first, None)

    def retry(self, stage: StageDeclaration, mode: RetryMode) -> None:
        """From a stage that it has entered already."""
        self._guarded(stage, mode)

    def _guarded(self, stage: StageDeclaration, mode: RetryMode | None) -> None:
        try:
            self._drive(stage, mode)
        except Exception as error:  # noqa: BLE001 - the thread has no caller: a defect must end the execution
            _log.exception("execution %s of %s failed", self._execution.id, self._pipeline.arn)
            message = f"Internal error of the local cloud: {type(error).__name__}: {error}"
            with self._pipeline.changed:
                self._end(ExecutionStatus.FAILED, message)

    def _drive(self, stage: StageDeclaration, mode: RetryMode | None) -> None:
        if mode is None and not self._enter(stage):
            return
        for current in (stage, *self._execution.declaration.following(stage.name)):
            if current is not stage and not self._enter(current):
                return
            again = mode if current is stage else None
            if not self._run_stage(current, again):
                return

    def _enter(self, stage: StageDeclaration) -> bool:
        pipeline, execution = self._pipeline, self._execution
        with pipeline.changed:
            pipeline.changed.wait_for(
                lambda: (
                    execution.superseded_by
                    or execution.stop_requested
                    or execution.forgotten
                    or may_enter(pipeline, execution, stage.name)
                )
            )
            if execution.superseded_by or execution.stop_requested or execution.forgotten:
                turn_away(pipeline, execution, stage.name)
                pipeline.changed.notify_all()
                self._end_waiting()
                return False
            enter(pipeline, execution, stage.name)
            execution.stages[stage.name] = StageRun(stage.name)
            self._tools.changes.stage(pipeline, execution, execution.stages[stage.name], "STARTED")
            return True

    def _end_waiting(self) -> None:
        if self._execution.superseded_by:
            summary = f"Superseded by execution {self._execution.superseded_by}"
            self._end(ExecutionStatus.SUPERSEDED, summary)
        else:
            self._end(ExecutionStatus.STOPPED, self._execution.stop_reason)

    def _run_stage(self, stage: StageDeclaration, mode: RetryMode | None) -> bool:
        """Run the actions, leave the stage, and arrive at the next; False if the execution has come to its end."""
        run = self._execution.stages[stage.name]
        status = self._run_groups(stage, run, mode)
        pipeline, execution = self._pipeline, self._execution
        with pipeline.changed:
            run.status = status
            self._tools.changes.stage(pipeline, execution, run, status.name)
            following = execution.declaration.following(stage.name)
            if status is StageStatus.SUCCEEDED and following and not execution.stop_requested:
                arrive(pipeline, execution, following[0].name)
            elif status is StageStatus.SUCCEEDED and not following:
                self._end(ExecutionStatus.SUCCEEDED, None)
            elif status is StageStatus.FAILED:
                self._end(ExecutionStatus.FAILED, _failure_summary(run))
            else:
                self._end(ExecutionStatus.STOPPED, execution.stop_reason)
            leave(pipeline, execution, stage.name)
            return not execution.ended

    def _run_groups(self, stage: StageDeclaration, run: StageRun, mode: RetryMode | None) -> StageStatus:
        done = {action.name for action in stage.actions if _has_succeeded(run, action)}
        skipped = done if mode is RetryMode.FAILED_ACTIONS else set()
        for group in stage.run_orders():
            wanted = [action for action in group if action.name not in skipped]
            if wanted and self._execution.stop_requested:
                return StageStatus.STOPPED
            statuses = self._run_together(run, wanted)
            if ActionStatus.FAILED in statuses:
                return StageStatus.FAILED
            if ActionStatus.ABANDONED in statuses:
                return StageStatus.STOPPED
        return StageStatus.SUCCEEDED

    def _run_together(self, run: StageRun, actions: list[ActionDeclaration]) -> list[ActionStatus]:
        if len(actions) == 1:
            return [self._actions.run(run, actions[0])]
        statuses: list[ActionStatus] = []
        threads = [
            threading.Thread(
                target=lambda action=action: statuses.append(self._actions.run(run, action)),
                name=f"codepipeline-{self._pipeline.name}-{action.name}",
                daemon=True,
            )
            for action in actions
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def _end(self, status: ExecutionStatus, summary: str | None) -> None:
        execution = self._execution
        execution.status, execution.summary = status, summary
        execution.updated = self._tools.clock.now()
        self._tools.changes.execution(self._pipeline, execution, status.name)
        self._pipeline.changed.notify_all()


def _has_succeeded(run: StageRun, action: ActionDeclaration) -> bool:
    latest = run.latest(action.name)
    return latest is not None and latest.status is ActionStatus.SUCCEEDED


def _failure_summary(run: StageRun) -> str:
    failed: list[ActionRun] = [item for item in run.runs if item.status is ActionStatus.FAILED]
    latest = failed[-1]
    reason = latest.failure.message if latest.failure else ""
    return f"Action {latest.declaration.name} in stage {run.name} failed: {reason}"
