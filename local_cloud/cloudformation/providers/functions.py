"""Lambda functions, versions, aliases, permissions, retries and event source mappings."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    picked,
    tag_change,
    tag_map,
)

_CONFIGURATION = (
    "Description",
    "Handler",
    "Runtime",
    "Role",
    "Timeout",
    "MemorySize",
    "Environment",
    "DeadLetterConfig",
    "KmsKeyArn",
    "TracingConfig",
    "Layers",
    "EphemeralStorage",
    "LoggingConfig",
    "VpcConfig",
)
_WHEN_REMOVED: Mapping[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "DeadLetterConfig": {"TargetArn": ""},
    "TracingConfig": {"Mode": "PassThrough"},
    "Layers": [],
    "EphemeralStorage": {"Size": 512},
}
_RENAMED = {"KmsKeyArn": "KMSKeyArn"}
_EVENT_INVOKE = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class Function(Provider):
    """AWS::Lambda::Function."""

    name_property = "FunctionName"
    properties = frozenset(_CONFIGURATION) | {
        "FunctionName",
        "Code",
        "Architectures",
        "PackageType",
        "ReservedConcurrentExecutions",
        "Tags",
    }

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the function's name."""
        client = context.client("lambda")
        name = properties.get("FunctionName") or context.generated_name(64)
        created = client.create_function(
            FunctionName=name,
            Code=_code(properties["Code"]),
            Tags=tag_map(properties),
            **_renamed(picked(properties, *_CONFIGURATION, "Architectures", "PackageType")),
        )
        physical = Physical(name, {"Arn": created["FunctionArn"]})
        context.report(physical)
        _reserve(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Code and configuration are updated by the two operations that Lambda has for them."""
        client, name = context.client("lambda"), physical.id
        if old["Code"] != new["Code"] or old.get("Architectures") != new.get("Architectures"):
            client.update_function_code(FunctionName=name, **_code(new["Code"]), **picked(new, "Architectures"))
        before, after = picked(old, *_CONFIGURATION), picked(new, *_CONFIGURATION)
        if before != after:
            removed = {key: _WHEN_REMOVED[key] for key in before.keys() - after.keys() if key in _WHEN_REMOVED}
            client.update_function_configuration(FunctionName=name, **_renamed(after | removed))
        _reserve(client, name, old, new)
        tags, arn = tag_change(old, new), physical.attributes["Arn"]
        if tags.added:
            client.tag_resource(Resource=arn, Tags=dict(tags.added))
        if tags.removed:
            client.untag_resource(Resource=arn, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """All versions go with it."""
        context.client("lambda").delete_function(FunctionName=physical.id)


class Version(Provider):
    """AWS::Lambda::Version: immutable, so every change makes a new one."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the version's ARN."""
        given = picked(properties, "FunctionName", "Description", "CodeSha256")
        version = context.client("lambda").publish_version(**given)
        arn = version["FunctionArn"]
        return Physical(arn, {"Version": version["Version"], "FunctionArn": arn})

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Only the version goes."""
        version = physical.attributes["Version"]
        context.client("lambda").delete_function(FunctionName=properties["FunctionName"], Qualifier=version)


class Alias(Provider):
    """AWS::Lambda::Alias."""

    name_property = "Name"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the alias's ARN."""
        alias = context.client("lambda").create_alias(**properties)
        return Physical(alias["AliasArn"], {"AliasArn": alias["AliasArn"]})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Moves the alias to another version."""
        context.client("lambda").update_alias(**new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The version stays."""
        context.client("lambda").delete_alias(FunctionName=properties["FunctionName"], Name=properties["Name"])


class Permission(Provider):
    """AWS::Lambda::Permission: one statement of a function's policy. Every change makes a new statement."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the statement's id."""
        statement = context.generated_name(100)
        context.client("lambda").add_permission(StatementId=statement, **properties)
        return Physical(statement, {"Id": statement})

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Other statements stay."""
        client = context.client("lambda")
        client.remove_permission(FunctionName=properties["FunctionName"], StatementId=physical.id)


class EventInvokeConfig(Provider):
    """AWS::Lambda::EventInvokeConfig: retries and destinations of asynchronous invocations."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is an id that CloudFormation makes up."""
        self._put(context, properties)
        return Physical(context.generated_name(64))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """The former configuration goes first: the Lambda emulation would keep using it."""
        self.delete(context, physical, old)
        self._put(context, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Lambda's defaults apply again."""
        target = picked(properties, "FunctionName", "Qualifier")
        context.client("lambda").delete_function_event_invoke_config(**target)

    def _put(self, context: ResourceContext, properties: Properties) -> None:
        given = picked(properties, "FunctionName", "Qualifier", *_EVENT_INVOKE)
        context.client("lambda").put_function_event_invoke_config(**given)


class EventSourceMapping(Provider):
    """AWS::Lambda::EventSourceMapping."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the mapping's UUID."""
        mapping = context.client("lambda").create_event_source_mapping(**properties)
        return Physical(mapping["UUID"], {"Id": mapping["UUID"]})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Batching, filters and state change in place."""
        fixed = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Tags")
        changed = {key: value for key, value in new.items() if key not in fixed}
        context.client("lambda").update_event_source_mapping(UUID=physical.id, **changed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The source and the function stay."""
        context.client("lambda").delete_event_source_mapping(UUID=physical.id)


def _code(code: Mapping[str, Any]) -> dict[str, Any]:
    if "ZipFile" not in code:
        return picked(code, "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
    # Inline source is one file; CloudFormation wraps it into an archive as index.py or index.js.
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("index.py"), code["ZipFile"])
    return {"ZipFile": archive.getvalue()}


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_RENAMED.get(key, key): value for key, value in values.items()}


def _reserve(client: Any, name: str, old: Properties, new: Properties) -> None:
    key = "ReservedConcurrentExecutions"
    if key in new and old.get(key) != new[key]:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=new[key])
    elif key in old and key not in new:
        client.delete_function_concurrency(FunctionName=name)


PROVIDERS: Mapping[str, Provider] = {
    "AWS::Lambda::Function": Function(),
    "AWS::Lambda::Version": Version(),
    "AWS::Lambda::Alias": Alias(),
    "AWS::Lambda::Permission": Permission(),
    "AWS::Lambda::EventInvokeConfig": EventInvokeConfig(),
    "AWS::Lambda::EventSourceMapping": EventSourceMapping(),
}
