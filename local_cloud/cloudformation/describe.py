"""Stacks and templates in the shapes of the CloudFormation API. It reads; it decides nothing."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.preflight import required_capabilities
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.stacks import LiveResource, Stack
from local_cloud.cloudformation.template import Template

_IAM_REASON = "The following resource(s) require capabilities: [{types}]"


def stack_description(stack: Stack) -> dict[str, Any]:
    """One entry of DescribeStacks."""
    shape = {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": stack.change_set_id,
        "Description": stack.template.description if stack.template else None,
        "Parameters": [parameter.described() for parameter in stack.parameters.values()],
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities,
        "Outputs": stack.outputs,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "LastOperations": stack.operations[:2],
    }
    return _present(shape)


def stack_summary(stack: Stack) -> dict[str, Any]:
    """One entry of ListStacks."""
    shape = {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.template.description if stack.template else None,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return _present(shape)


def resource_summary(live: LiveResource, *, time_key: str) -> dict[str, Any]:
    """One resource; the name of its time differs between operations."""
    return _present(
        {
            "LogicalResourceId": live.logical_id,
            "PhysicalResourceId": live.physical_id,
            "ResourceType": live.definition.type,
            time_key: live.updated,
            "ResourceStatus": live.status,
            "ResourceStatusReason": live.reason,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
    )


def template_summary(template: Template, schemas: SchemaStore) -> dict[str, Any]:
    """The answer of GetTemplateSummary."""
    by_type: dict[str, list[str]] = {}
    for definition in template.resources.values():
        by_type.setdefault(definition.type, []).append(definition.logical_id)
    return validation(template) | {
        "Parameters": [_declared(key, entry) for key, entry in template.parameters.items()],
        "ResourceTypes": sorted(by_type),
        "Version": "2010-09-09",
        "ResourceIdentifierSummaries": [
            {
                "ResourceType": type_,
                "LogicalResourceIds": ids,
                "ResourceIdentifiers": [path[0] for path in schema.primary_identifier],
            }
            for type_, ids in by_type.items()
            if (schema := schemas.get(type_)) is not None
        ],
    }


def validation(template: Template) -> dict[str, Any]:
    """The answer of ValidateTemplate."""
    capabilities = required_capabilities(template)
    shape: dict[str, Any] = {
        "Description": template.description,
        "Parameters": [
            {key: value for key, value in _declared(name, entry).items() if key not in _SUMMARY_ONLY}
            for name, entry in template.parameters.items()
        ],
        "Capabilities": capabilities,
        "CapabilitiesReason": _capabilities_reason(template) if capabilities else None,
    }
    return _present(shape)


_SUMMARY_ONLY = ("ParameterType", "ParameterConstraints")


def _capabilities_reason(template: Template) -> str:
    types = sorted({entry.type for entry in template.resources.values() if entry.type.startswith("AWS::IAM::")})
    return _IAM_REASON.format(types=", ".join(types))


def _declared(key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    shape = {
        "ParameterKey": key,
        "DefaultValue": None if "Default" not in entry else str(entry["Default"]),
        "ParameterType": entry.get("Type", "String"),
        "NoEcho": str(entry.get("NoEcho", False)).lower() == "true",
        "Description": entry.get("Description"),
        "ParameterConstraints": {"AllowedValues": [str(value) for value in entry.get("AllowedValues", [])]},
    }
    return _present(shape)


def _present(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}
