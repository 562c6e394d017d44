"""Runs one action of one execution: variables, artifacts, role, provider, and how it ended."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.codepipeline.actions.base import Abandoned, ActionFailure, ActionOutcome, ActionProvider, ActionWork
from local_cloud.codepipeline.artifacts import ArtifactError, ArtifactStore, StoredArtifact
from local_cloud.codepipeline.book import Pipeline
from local_cloud.codepipeline.declaration import ActionDeclaration, ActionType
from local_cloud.codepipeline.events import StateChanges
from local_cloud.codepipeline.records import ActionRun, ActionStatus, Execution, StageRun
from local_cloud.codepipeline.roles import ActionRole
from local_cloud.codepipeline.variables import resolve

_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What executions take from the rest of the local cloud."""

    clients: Clients
    clock: Clock
    changes: StateChanges
    providers: Mapping[ActionType, ActionProvider]


class ActionRunner:
    """Runs actions of one execution, each in the thread that calls `run`."""

    def __init__(self, pipeline: Pipeline, execution: Execution, tools: Tools) -> None:
        self._pipeline = pipeline
        self._execution = execution
        self._tools = tools
        declaration = execution.declaration
        self._store = ArtifactStore(declaration.name, declaration.bucket, declaration.encryption_key)

    def run(self, stage: StageRun, action: ActionDeclaration) -> ActionStatus:
        """Run an action to its end. Never raises: whatever happens is the action's status."""
        run = self._begin(stage, action)
        try:
            outcome = self._tools.providers[action.type].run(self._work(run))
        except Abandoned:
            self._end(run, ActionStatus.ABANDONED)
        except ActionFailure as failure:
            self._end(run, ActionStatus.FAILED, failure=failure)
        except ArtifactError as error:
            self._end(run, ActionStatus.FAILED, failure=ActionFailure(str(error), code="ConfigurationError"))
        except (ClientError, BotoCoreError) as error:
            self._end(run, ActionStatus.FAILED, failure=_failure(error))
        except Exception as error:  # noqa: BLE001 - the thread has no caller: a defect must end the action
            _log.exception("action %s of %s failed", action.name, self._pipeline.arn)
            message = f"Internal error of the local cloud: {type(error).__name__}: {error}"
            self._end(run, ActionStatus.FAILED, failure=ActionFailure(message, code="SystemUnavailable"))
        else:
            self._end(run, ActionStatus.SUCCEEDED, outcome=outcome)
        return run.status

    def _begin(self, stage: StageRun, action: ActionDeclaration) -> ActionRun:
        now = self._tools.clock.now()
        execution = self._execution
        with self._pipeline.changed:
            run = ActionRun(
                declaration=action,
                stage_name=stage.name,
                started=now,
                updated=now,
                inputs={name: execution.artifacts[name] for name in action.inputs if name in execution.artifacts},
                outputs={name: self._store.place(name) for name in action.outputs},
            )
            stage.runs.append(run)
            if execution.abandoned or execution.forgotten:
                run.control.abandon()
            self._tools.changes.action(self._pipeline, execution, run, "STARTED")
            self._pipeline.changed.notify_all()
        return run

    def _work(self, run: ActionRun) -> ActionWork:
        action, execution = run.declaration, self._execution
        with self._pipeline.changed:
            namespaces = execution.namespaces()
        run.resolved = resolve(action.configuration, namespaces)
        if missing := [name for name in action.inputs if name not in run.inputs]:
            raise ActionFailure(f"The input artifacts {missing} were not produced", code="ConfigurationError")
        context = self._pipeline.context
        return ActionWork(
            context=context,
            pipeline_name=self._pipeline.name,
            pipeline_arn=self._pipeline.arn,
            stage_name=run.stage_name,
            action=action,
            execution_id=execution.id,
            action_execution_id=run.id,
            configuration=run.resolved,
            inputs=run.inputs,
            outputs=run.outputs,
            store=self._store,
            role=ActionRole(self._tools.clients, execution.declaration.role_arn, action.role_arn, context.region),
            control=run.control,
            clock=self._tools.clock,
            token=run.token,
            source_revisions=execution.source_revisions.get(action.name, {}),
        )

    def _end(
        self,
        run: ActionRun,
        status: ActionStatus,
        *,
        outcome: ActionOutcome | None = None,
        failure: ActionFailure | None = None,
    ) -> None:
        execution = self._execution
        with self._pipeline.changed:
            run.status, run.outcome, run.failure = status, outcome, failure
            run.updated = execution.updated = self._tools.clock.now()
            if outcome:
                revision = outcome.revision[0] if outcome.revision else ""
                execution.artifacts |= {
                    name: StoredArtifact(name, place.bucket, place.key, revision) for name, place in run.outputs.items()
                }
                if run.declaration.namespace:
                    execution.produced[run.declaration.namespace] = dict(outcome.variables)
            self._tools.changes.action(self._pipeline, execution, run, status.name)
            self._pipeline.changed.notify_all()


def _failure(error: ClientError | BotoCoreError) -> ActionFailure:
    """A service's refusal in the words that the action's errorDetails have on AWS."""
    if not isinstance(error, ClientError):
        return ActionFailure(f"{type(error).__name__}: {error}", code="ConfigurationError")
    described = error.response["Error"]
    if described["Code"] in _DENIED:
        return ActionFailure(
            "Insufficient permissions: The provided role does not have permissions to perform this action. "
            f"Underlying error: {described['Message']}",
            code="PermissionError",
        )
    return ActionFailure(f"{described['Code']}: {described['Message']}", code="JobFailed")
