"""Step Functions state machines."""

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

_DEFINITION = ("Definition", "DefinitionString", "DefinitionS3Location", "DefinitionSubstitutions")
_SETTINGS: Mapping[str, Any] = {
    "LoggingConfiguration": {"Level": "OFF", "IncludeExecutionData": False},
    "TracingConfiguration": {"Enabled": False},
}
_LONGEST_NAME = 80


class StateMachine(Provider):
    """AWS::StepFunctions::StateMachine, of type STANDARD."""

    name_property = "StateMachineName"
    properties = frozenset(_DEFINITION) | {
        "EncryptionConfiguration",
        "LoggingConfiguration",
        "RoleArn",
        "StateMachineName",
        "StateMachineType",
        "Tags",
        "TracingConfiguration",
    }

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the ARN; a definition that cannot be executed fails here, with the name of the state."""
        given = lower_first(picked(properties, *_SETTINGS, "EncryptionConfiguration", "RoleArn"))
        name = properties.get("StateMachineName") or context.generated_name(_LONGEST_NAME)
        created = context.client("stepfunctions").create_state_machine(
            name=name,
            definition=_definition(context, properties),
            type=properties.get("StateMachineType", "STANDARD"),
            tags=tag_list(properties, lower=True),
            **given,
        )
        return _physical(context, created["stateMachineArn"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """In place: executions that run keep the definition and the role they were started with."""
        client = context.client("stepfunctions")
        if _revised(old) != _revised(new):
            settings = lower_first({**_SETTINGS, **picked(new, *_SETTINGS)})
            client.update_state_machine(
                stateMachineArn=physical.id,
                definition=_definition(context, new),
                roleArn=new["RoleArn"],
                **settings,
            )
        tags = tag_change(old, new)
        if tags.added:
            client.tag_resource(resourceArn=physical.id, tags=tag_list({"Tags": tags.added}, lower=True))
        if tags.removed:
            client.untag_resource(resourceArn=physical.id, tagKeys=tags.removed)
        return _physical(context, physical.id)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """No execution can be started any more."""
        context.client("stepfunctions").delete_state_machine(stateMachineArn=physical.id)

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A state machine of that name."""
        name = properties.get("StateMachineName")
        try:
            return _physical(context, context.arn("states", f"stateMachine:{name}")) if name else None
        except ClientError:
            return None


def _physical(context: ResourceContext, arn: str) -> Physical:
    described = context.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    attributes = {"Arn": arn, "Name": described["name"], "StateMachineRevisionId": described["revisionId"]}
    return Physical(arn, attributes)


def _revised(properties: Properties) -> dict[str, Any]:
    return picked(properties, *_DEFINITION, *_SETTINGS, "RoleArn")


def _definition(context: ResourceContext, properties: Properties) -> str:
    """The definition as text, with the substitutions made."""
    if location := properties.get("DefinitionS3Location"):
        version = {"VersionId": location["Version"]} if "Version" in location else {}
        stored = context.client("s3").get_object(Bucket=location["Bucket"], Key=location["Key"], **version)
        text = stored["Body"].read().decode()
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        text = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", value if isinstance(value, str) else json.dumps(value))
    return str(text)


PROVIDERS: Mapping[str, Provider] = {"AWS::StepFunctions::StateMachine": StateMachine()}
