"""CodePipeline pipelines."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    lower_first,
    picked,
    tag_change,
    tag_list,
)

_DECLARED = (
    "ArtifactStore",
    "ArtifactStores",
    "ExecutionMode",
    "PipelineType",
    "RoleArn",
    "Stages",
    "Triggers",
    "Variables",
)
_LONGEST_NAME = 100


class Pipeline(Provider):
    """AWS::CodePipeline::Pipeline. As on AWS, its creation starts an execution."""

    name_property = "Name"
    properties = frozenset(_DECLARED) | {"Name", "DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the pipeline's name."""
        client = context.client("codepipeline")
        name = properties.get("Name") or context.generated_name(_LONGEST_NAME)
        client.create_pipeline(pipeline=_declaration(name, properties), tags=tag_list(properties, lower=True))
        physical = Physical(name, {"Version": "1", "Arn": _arn(context, name)})
        context.report(physical)
        _set_transitions(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A new version; executions that run keep theirs."""
        client = context.client("codepipeline")
        version = physical.attributes["Version"]
        if picked(old, *_DECLARED) != picked(new, *_DECLARED):
            updated = client.update_pipeline(pipeline=_declaration(physical.id, new))
            version = str(updated["pipeline"]["version"])
        _set_transitions(client, physical.id, old, new)
        tags, arn = tag_change(old, new), _arn(context, physical.id)
        if tags.added:
            client.tag_resource(resourceArn=arn, tags=tag_list({"Tags": tags.added}, lower=True))
        if tags.removed:
            client.untag_resource(resourceArn=arn, tagKeys=tags.removed)
        if new.get("RestartExecutionOnUpdate"):
            client.start_pipeline_execution(name=physical.id)
        return Physical(physical.id, {"Version": version, "Arn": arn})

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its executions go with it."""
        context.client("codepipeline").delete_pipeline(name=physical.id)

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A pipeline of that name."""
        name = properties.get("Name")
        if name is None:
            return None
        try:
            found = context.client("codepipeline").get_pipeline(name=name)["pipeline"]
        except ClientError:
            return None
        return Physical(name, {"Version": str(found["version"]), "Arn": _arn(context, name)})


def _arn(context: ResourceContext, name: str) -> str:
    return context.arn("codepipeline", name)


def _declaration(name: str, properties: Properties) -> dict[str, Any]:
    declared: dict[str, Any] = lower_first(picked(properties, *_DECLARED))
    stages = [_stage(stage) for stage in properties["Stages"]]
    if stores := properties.get("ArtifactStores"):
        by_region = {entry["Region"]: lower_first(entry["ArtifactStore"]) for entry in stores}
        declared["artifactStores"] = by_region
    return {**declared, "name": name, "stages": stages}


def _stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {**lower_first(stage), "actions": [_action(action) for action in stage["Actions"]]}


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a configuration are the action type's own; its values are text."""
    configuration = {key: _text(value) for key, value in action.get("Configuration", {}).items()}
    return {**lower_first(action), "configuration": configuration}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _set_transitions(client: Any, name: str, old: Properties, new: Properties) -> None:
    before = {entry["StageName"]: entry["Reason"] for entry in old.get("DisableInboundStageTransitions", [])}
    after = {entry["StageName"]: entry["Reason"] for entry in new.get("DisableInboundStageTransitions", [])}
    for stage in before.keys() - after.keys():
        client.enable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound")
    for stage, reason in after.items():
        if before.get(stage) != reason:
            client.disable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound", reason=reason)


PROVIDERS: Mapping[str, Provider] = {"AWS::CodePipeline::Pipeline": Pipeline()}
