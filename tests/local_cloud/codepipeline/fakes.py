"""A CodePipeline engine whose actions are puppets, for tests of what the engine itself decides."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, ActionShape, ActionWork
from local_cloud.codepipeline.actions.manual_approval import ManualApproval
from local_cloud.codepipeline.declaration import ActionDeclaration, ActionType
from local_cloud.codepipeline.service import CodePipeline
from local_cloud.events.bus import EventBus
from tests.local_cloud.operations import Operations
from tests.waiting import wait_for

ROLE = "arn:aws:iam::123456789012:role/pipeline"


class Puppet:
    """An action type whose executions do what the test says, by action name.

    `held` actions wait until they are released; `failures` are messages, each used once; `variables` is what they
    put out; `done` are the configurations with which they ran.
    """

    shape = ActionShape(inputs=(0, 5), outputs=(0, 5), optional=frozenset({"Value", "Other"}))

    def __init__(self) -> None:
        self.failures: defaultdict[str, list[str]] = defaultdict(list)
        self.variables: dict[str, dict[str, str]] = {}
        self.done: list[tuple[str, dict[str, str]]] = []
        self.works: list[ActionWork] = []
        self._held: dict[str, threading.Event] = {}

    def hold(self, name: str) -> None:
        """Let executions of an action wait from now on."""
        self._held[name] = threading.Event()

    def release(self, name: str) -> None:
        """Let the executions that wait, and later ones, go on."""
        self._held.pop(name).set()

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """None."""
        return ()

    def run(self, work: ActionWork) -> ActionOutcome:
        """Wait if held, fail if told so."""
        name = work.action.name
        self.works.append(work)
        held = self._held.get(name)
        while held and not held.is_set():
            work.control.pause(0.01)
        if self.failures[name]:
            raise ActionFailure(self.failures[name].pop(0), external_id=f"external-{name}")
        self.done.append((name, dict(work.configuration)))
        revision = ("v1", "version one") if work.action.type.category == "Source" else None
        return ActionOutcome(summary=f"did {name}", variables=self.variables.get(name, {}), revision=revision)


class FakePipelines(Operations):
    """The engine's operations as plain calls; answers are checked against botocore's shapes."""

    def __init__(self) -> None:
        self.puppet = Puppet()
        self.events: list[dict[str, Any]] = []
        clock = Clock(scale=0.001)
        self.engine = CodePipeline(
            clients=Clients("http://127.0.0.1:9", clock),
            clock=clock,
            events=EventBus(clock, self._publish),
            providers={
                ActionType("Source", "AWS", "S3", "1"): self.puppet,
                ActionType("Invoke", "AWS", "Lambda", "1"): self.puppet,
                ActionType("Approval", "AWS", "Manual", "1"): ManualApproval(),
            },
        )
        super().__init__(self.engine.service(), model=ApiModel("codepipeline"))

    def create(self, *stages: dict[str, Any], mode: str = "SUPERSEDED", **settings: Any) -> None:
        """Create the pipeline `p`, and wait until the execution that comes with it has ended."""
        self.call("CreatePipeline", pipeline=pipeline(*stages, mode=mode, **settings))
        (first,) = self.executions()
        self.ended(first)

    def start(self, **params: Any) -> str:
        """Start an execution; its id."""
        return str(self.call("StartPipelineExecution", name="p", **params)["pipelineExecutionId"])

    def executions(self) -> list[str]:
        """Ids, the newest first."""
        listed = self.call("ListPipelineExecutions", pipelineName="p")["pipelineExecutionSummaries"]
        return [summary["pipelineExecutionId"] for summary in listed]

    def execution(self, execution_id: str) -> dict[str, Any]:
        """GetPipelineExecution."""
        answer = self.call("GetPipelineExecution", pipelineName="p", pipelineExecutionId=execution_id)
        described: dict[str, Any] = answer["pipelineExecution"]
        return described

    def ended(self, execution_id: str) -> str:
        """The status once it is final."""

        def final() -> str | None:
            status = str(self.execution(execution_id)["status"])
            return None if status in ("InProgress", "Stopping") else status

        return wait_for(final, what=f"the end of {execution_id}") or ""

    def stage(self, name: str) -> dict[str, Any]:
        """The state of a stage."""
        state = self.call("GetPipelineState", name="p")
        found: dict[str, Any] = next(item for item in state["stageStates"] if item["stageName"] == name)
        return found

    def in_stage(self, name: str, execution_id: str) -> None:
        """Wait until an execution is the latest in a stage, with an action in progress."""

        def there() -> bool:
            state = self.stage(name)
            latest = state.get("latestExecution", {})
            running = any(
                action.get("latestExecution", {}).get("status") == "InProgress" for action in state["actionStates"]
            )
            return latest.get("pipelineExecutionId") == execution_id and running

        wait_for(there, what=f"{execution_id} to be in {name}")

    def waits_for(self, name: str, execution_id: str) -> None:
        """Wait until an execution stands at the entrance of a stage."""

        def there() -> bool:
            waiting = self.stage(name)["inboundExecutions"]
            return any(item["pipelineExecutionId"] == execution_id for item in waiting)

        wait_for(there, what=f"{execution_id} to wait for {name}")

    def approval_token(self, stage: str, action: str) -> str:
        """The token of an approval, once it waits."""

        def token() -> str | None:
            (state,) = [item for item in self.stage(stage)["actionStates"] if item["actionName"] == action]
            found: str | None = state.get("latestExecution", {}).get("token")
            return found

        return wait_for(token, what=f"{action} to wait for approval") or ""

    def decide(self, token: str, *, status: str = "Approved", summary: str = "looks good") -> None:
        """Answer the approval `Approve` of the stage of the same name."""
        result = {"status": status, "summary": summary}
        self.call("PutApprovalResult", **approval("Approve", token) | {"result": result})

    def states(self, level: str, execution_id: str) -> list[tuple[str, ...]]:
        """(name, state) of the events of one level (Pipeline, Stage, Action), in order."""
        details = [
            event["detail"]
            for event in self.events
            if event["detail-type"] == f"CodePipeline {level} Execution State Change"
        ]
        names = {"Pipeline": "pipeline", "Stage": "stage", "Action": "action"}
        return [(detail[names[level]], detail["state"]) for detail in details if detail["execution-id"] == execution_id]

    def _publish(self, account: str, region: str, event: dict[str, Any]) -> None:
        self.events.append(json.loads(json.dumps(event)))


def approval(stage_and_action: str, token: str) -> dict[str, Any]:
    """A request to approve."""
    return {
        "pipelineName": "p",
        "stageName": stage_and_action,
        "actionName": stage_and_action,
        "token": token,
        "result": {"status": "Approved", "summary": "yes"},
    }


def action(name: str, category: str = "Invoke", **members: Any) -> dict[str, Any]:
    """An action that a puppet (or, for Approval, a person) does."""
    providers = {"Source": "S3", "Invoke": "Lambda", "Approval": "Manual"}
    kind = {"category": category, "owner": "AWS", "provider": providers[category], "version": "1"}
    return {"name": name, "actionTypeId": kind, **members}


def stage(name: str, *actions: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A stage; without actions it has one of the stage's name."""
    return {"name": name, "actions": list(actions) or [action(name)], **members}


SOURCE = stage("Source", action("Source", "Source", outputArtifacts=[{"name": "Code"}], namespace="Source"))
APPROVE = stage("Approve", action("Approve", "Approval"))


def pipeline(*stages: Mapping[str, Any], mode: str = "SUPERSEDED", **settings: Any) -> dict[str, Any]:
    """The declaration of a V2 pipeline named `p`, with a source before the given stages."""
    return {
        "name": "p",
        "roleArn": ROLE,
        "pipelineType": "V2",
        "executionMode": mode,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [SOURCE, *stages],
        **settings,
    }
