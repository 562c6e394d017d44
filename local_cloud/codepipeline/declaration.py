"""A pipeline's structure as plain values, from the declaration that CreatePipeline and UpdatePipeline take.

It judges nothing; what AWS would refuse is `validation.py`'s.
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ExecutionMode(StrEnum):
    """What happens to executions that meet."""

    SUPERSEDED = "SUPERSEDED"
    QUEUED = "QUEUED"
    PARALLEL = "PARALLEL"


@dataclass(frozen=True)
class ActionType:
    """What an action is: `Deploy/AWS/CloudFormation/1`."""

    category: str
    owner: str
    provider: str
    version: str

    def __str__(self) -> str:
        return f"{self.category}/{self.owner}/{self.provider}/{self.version}"


@dataclass(frozen=True)
class ActionDeclaration:
    """One action. `configuration` has its variable references unresolved; `document` is the action as it was given."""

    name: str
    type: ActionType
    run_order: int
    configuration: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role_arn: str | None
    namespace: str | None
    timeout_minutes: int | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class StageDeclaration:
    """One stage; `document` is the stage as it was given."""

    name: str
    actions: tuple[ActionDeclaration, ...]
    document: Mapping[str, Any]

    def run_orders(self) -> list[tuple[ActionDeclaration, ...]]:
        """The actions in groups that run at the same time, in the order of the groups."""
        orders = sorted({action.run_order for action in self.actions})
        return [tuple(action for action in self.actions if action.run_order == order) for order in orders]


@dataclass(frozen=True)
class PipelineDeclaration:
    """One version of a pipeline. `variables` maps names to defaults, None for those that need a value at each start.

    `document` is what GetPipeline answers, with AWS's defaults filled in.
    """

    name: str
    version: int
    role_arn: str
    mode: ExecutionMode
    type: str
    stages: tuple[StageDeclaration, ...]
    variables: Mapping[str, str | None]
    bucket: str
    encryption_key: str | None
    document: Mapping[str, Any]

    def stage(self, name: str) -> StageDeclaration | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def following(self, name: str) -> tuple[StageDeclaration, ...]:
        """The stages after the named one."""
        names = [stage.name for stage in self.stages]
        return self.stages[names.index(name) + 1 :]


def parse_declaration(given: Mapping[str, Any], *, version: int) -> PipelineDeclaration:
    """The declaration in a request whose shape botocore's model has checked."""
    document = {
        **given,
        "version": version,
        "executionMode": given.get("executionMode", ExecutionMode.SUPERSEDED.value),
        "pipelineType": given.get("pipelineType", "V1"),
        "stages": [_stage_document(stage) for stage in given["stages"]],
    }
    store: Mapping[str, Any] = given.get("artifactStore") or next(iter(given.get("artifactStores", {}).values()), {})
    return PipelineDeclaration(
        name=given["name"],
        version=version,
        role_arn=given["roleArn"],
        mode=ExecutionMode(document["executionMode"]),
        type=document["pipelineType"],
        stages=tuple(_stage(stage) for stage in document["stages"]),
        variables={variable["name"]: variable.get("defaultValue") for variable in given.get("variables", [])},
        bucket=store.get("location", ""),
        encryption_key=store.get("encryptionKey", {}).get("id"),
        document=document,
    )


def _stage_document(stage: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {"runOrder": 1, "configuration": {}, "outputArtifacts": [], "inputArtifacts": []}
    return {**stage, "actions": [defaults | action for action in stage["actions"]]}


def _stage(document: Mapping[str, Any]) -> StageDeclaration:
    return StageDeclaration(document["name"], tuple(_action(action) for action in document["actions"]), document)


def _action(document: Mapping[str, Any]) -> ActionDeclaration:
    return ActionDeclaration(
        name=document["name"],
        type=ActionType(**document["actionTypeId"]),
        run_order=document["runOrder"],
        configuration=document["configuration"],
        inputs=tuple(artifact["name"] for artifact in document["inputArtifacts"]),
        outputs=tuple(artifact["name"] for artifact in document["outputArtifacts"]),
        role_arn=document.get("roleArn"),
        namespace=document.get("namespace"),
        timeout_minutes=document.get("timeoutInMinutes"),
        document=document,
    )
