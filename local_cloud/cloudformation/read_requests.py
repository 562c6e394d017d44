"""The requests that only read: stacks, events, resources, templates, exports, types."""

import json
from typing import Any

from local_cloud.cloudformation import describe
from local_cloud.cloudformation.change_sets import ChangeSet
from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.events import StackEvent, failed_validation
from local_cloud.cloudformation.exports import importers
from local_cloud.cloudformation.partition import Partition
from local_cloud.cloudformation.stacks import Stack
from local_cloud.cloudformation.submission import Submissions
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stores import Partitioned


class ReadRequests:
    """Handlers that change nothing."""

    def __init__(self, partitions: Partitioned[Partition]) -> None:
        self._partitions = partitions

    def operations(self) -> dict[str, Operation]:
        """This part of the operation table."""
        return {
            "DescribeStacks": Operation(self._describe_stacks),
            "ListStacks": Operation(self._list_stacks),
            "DescribeStackEvents": Operation(self._describe_stack_events),
            "DescribeEvents": Operation(self._describe_events),
            "DescribeStackResource": Operation(self._describe_stack_resource),
            "DescribeStackResources": Operation(self._describe_stack_resources),
            "ListStackResources": Operation(self._list_stack_resources),
            "GetTemplate": Operation(self._get_template),
            "GetTemplateSummary": Operation(self._get_template_summary),
            "ValidateTemplate": Operation(self._validate_template),
            "ListExports": Operation(self._list_exports),
            "ListImports": Operation(self._list_imports),
            "GetStackPolicy": Operation(self._get_stack_policy, note="there are no stack policies"),
            "ListHookResults": Operation(self._list_hook_results, note="there are no hooks, so the list is empty"),
            "DescribeType": Operation(self._describe_type, note="registry schema of public resource types"),
        }

    def _describe_stacks(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        name = params.get("StackName")
        chosen = [partition.stacks.get(name)] if name else partition.stacks.existing()
        return {"Stacks": [describe.stack_description(stack) for stack in chosen]}

    def _list_stacks(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        wanted = params.get("StackStatusFilter")
        stacks = self._partitions.of(context).stacks.all()
        return {
            "StackSummaries": [
                describe.stack_summary(stack) for stack in stacks if not wanted or stack.status in wanted
            ]
        }

    def _describe_stack_events(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        stack = self._partitions.of(context).stacks.find(params["StackName"])
        if stack is None:
            raise ValidationError(f"Stack [{params['StackName']}] does not exist")
        return {"StackEvents": [event.described(stack.id, stack.name) for event in stack.events.newest_first()]}

    def _describe_events(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        if params.get("ChangeSetName"):
            change_set = partition.change_set(params["ChangeSetName"], params.get("StackName"))
            return {"OperationEvents": _findings(change_set)}
        operation = params.get("OperationId")
        stacks = [partition.stacks.get(params["StackName"])] if params.get("StackName") else partition.stacks.all()
        only_failed = (params.get("Filters") or {}).get("FailedEvents")
        return {
            "OperationEvents": [
                _operation_event(event, stack)
                for stack in stacks
                for event in stack.events.newest_first()
                if operation in (None, event.operation_id) and (not only_failed or event.status.endswith("_FAILED"))
            ]
        }

    def _describe_stack_resource(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        stack = self._partitions.of(context).stacks.get(params["StackName"])
        logical_id = params["LogicalResourceId"]
        if logical_id not in stack.resources:
            raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
        live = stack.resources[logical_id]
        detail = describe.resource_summary(live, time_key="LastUpdatedTimestamp")
        return {
            "StackResourceDetail": detail
            | {"StackName": stack.name, "StackId": stack.id, "Metadata": json.dumps(live.definition.metadata or {})}
        }

    def _describe_stack_resources(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        stack, wanted = self._resource_filter(context, params)
        return {
            "StackResources": [
                describe.resource_summary(live, time_key="Timestamp") | {"StackName": stack.name, "StackId": stack.id}
                for live in list(stack.resources.values())
                if params.get("LogicalResourceId") in (None, live.logical_id) and wanted in (None, live.physical_id)
            ]
        }

    def _resource_filter(self, context: RequestContext, params: dict[str, Any]) -> tuple[Stack, str | None]:
        stacks = self._partitions.of(context).stacks
        if params.get("StackName"):
            return stacks.get(params["StackName"]), params.get("PhysicalResourceId")
        physical_id = params.get("PhysicalResourceId")
        for stack in stacks.existing():
            if any(live.physical_id == physical_id for live in list(stack.resources.values())):
                return stack, None
        raise ValidationError(f"Stack for {physical_id} does not exist")

    def _list_stack_resources(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        stack = self._partitions.of(context).stacks.get(params["StackName"])
        return {
            "StackResourceSummaries": [
                describe.resource_summary(live, time_key="LastUpdatedTimestamp")
                for live in list(stack.resources.values())
            ]
        }

    def _get_template(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        if params.get("ChangeSetName"):
            template = partition.change_set(params["ChangeSetName"], params.get("StackName")).submission.template
            return {"TemplateBody": template.body, "StagesAvailable": ["Original", "Processed"]}
        stack = partition.stacks.get(params["StackName"])
        body = stack.template.body if stack.template else "{}"
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def _get_template_summary(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        if params.get("StackName"):
            template = partition.stacks.get(params["StackName"]).template
            if template is None:
                raise ValidationError(f"Stack {params['StackName']} has no template yet")
        else:
            template = Submissions(context, partition.stacks, partition.tools).template(params)
        return describe.template_summary(template, partition.tools.schemas)

    def _validate_template(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        return describe.validation(Submissions(context, partition.stacks, partition.tools).template(params))

    def _list_exports(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        stacks = self._partitions.of(context).stacks.existing()
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for stack in stacks
            for name, value in stack.exports.items()
        ]
        return {"Exports": sorted(exports, key=lambda export: export["Name"])}

    def _list_imports(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        users = importers(self._partitions.of(context).stacks, params["ExportName"])
        if not users:
            raise ValidationError(f"Export '{params['ExportName']}' is not imported by any stack.")
        return {"Imports": users}

    def _get_stack_policy(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        self._partitions.of(context).stacks.get(params["StackName"])
        return {}

    def _list_hook_results(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return {"HookResults": []}

    def _describe_type(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("TypeName") or str(params.get("Arn", "")).rsplit("/", 1)[-1].replace("-", "::")
        schema = self._partitions.of(context).tools.schemas.get(name)
        if schema is None:
            raise ServiceError("TypeNotFoundException", f"The specified type {name} does not exist", status=404)
        return {
            "Arn": f"arn:aws:cloudformation:{context.region}::type/resource/{name.replace('::', '-')}",
            "Type": "RESOURCE",
            "TypeName": name,
            "Schema": json.dumps(schema.document),
            "ProvisioningType": "FULLY_MUTABLE",
            "DeprecatedStatus": "LIVE",
            "Visibility": "PUBLIC",
        }


def _operation_event(event: StackEvent, stack: Stack) -> dict[str, Any]:
    shape = event.described(stack.id, stack.name)
    del shape["StackName"]
    return shape | {"EventType": "STACK_EVENT"}


def _findings(change_set: ChangeSet) -> list[dict[str, Any]]:
    return [
        failed_validation(
            stack_id=change_set.stack.id, operation_id=change_set.id, time=change_set.created, entry=finding
        )
        for finding in change_set.findings
    ]
