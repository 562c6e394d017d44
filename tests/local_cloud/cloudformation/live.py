"""Stacks on a running local cloud, driven with boto3 as a user would."""

import json
from collections.abc import Mapping
from typing import Any

from tests.running_cloud import RunningCloud
from tests.waiting import wait_for


def deploy(cloud: RunningCloud, resources: Mapping[str, Any], *, name: str = "s", **sections: Any) -> dict[str, str]:
    """Create or update a stack, wait, and return the physical ids by logical id; fails with every failure's reason."""
    client = cloud.client("cloudformation")
    request = {
        "StackName": name,
        "TemplateBody": json.dumps({"Resources": resources, **sections}),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    exists = any(stack["StackName"] == name for stack in client.describe_stacks()["Stacks"])
    stack_id = (client.update_stack if exists else client.create_stack)(**request)["StackId"]
    status = settled(cloud, stack_id)
    assert status == ("UPDATE_COMPLETE" if exists else "CREATE_COMPLETE"), failures(cloud, stack_id)
    summaries = client.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {summary["LogicalResourceId"]: summary["PhysicalResourceId"] for summary in summaries}


def destroy(cloud: RunningCloud, name: str = "s") -> None:
    """Delete a stack and wait; fails with every failure's reason."""
    client = cloud.client("cloudformation")
    stack_id = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    client.delete_stack(StackName=name)
    assert settled(cloud, stack_id) == "DELETE_COMPLETE", failures(cloud, stack_id)


def settled(cloud: RunningCloud, stack_id: str) -> str:
    """The status of a stack once nothing runs."""
    client = cloud.client("cloudformation")

    def finished() -> str | None:
        status = str(client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
        return None if status.endswith("_IN_PROGRESS") else status

    return wait_for(finished, what=f"{stack_id} to settle") or ""


def failures(cloud: RunningCloud, name: str) -> str:
    """The reasons of everything that failed."""
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return "\n".join(
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    )


def outputs(cloud: RunningCloud, name: str = "s") -> dict[str, str]:
    """The outputs of a stack by key."""
    stack = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def resource(type_name: str, *, attributes: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A resource of a template; `attributes` are DeletionPolicy and the like."""
    return {"Type": type_name, "Properties": properties, **(attributes or {})}
