"""CloudFormation: creates, updates or deletes a stack, or makes and executes a change set, and waits for the end.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, ActionShape, ActionWork
from local_cloud.codepipeline.actions.stack_inputs import stack_request
from local_cloud.codepipeline.artifacts import zip_file
from local_cloud.codepipeline.declaration import ActionDeclaration

_POLL_SECONDS = 0.1  # CloudFormation gives no signal when it is done, so its state is asked for, as CodePipeline does
_SUCCEEDED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
_REPLACEABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
_NO_CHANGE = ("No updates are to be performed", "didn't contain changes")
_NEEDED = {
    "CREATE_UPDATE": ("TemplatePath", "RoleArn"),
    "REPLACE_ON_FAILURE": ("TemplatePath", "RoleArn"),
    "CHANGE_SET_REPLACE": ("TemplatePath", "RoleArn", "ChangeSetName"),
    "CHANGE_SET_EXECUTE": ("ChangeSetName",),
    "DELETE_ONLY": ("RoleArn",),
}


class CloudFormationDeploy:
    """Deploy/AWS/CloudFormation/1. The stack's outputs become the action's output variables."""

    shape = ActionShape(
        inputs=(0, 10),
        outputs=(0, 1),
        required=frozenset({"ActionMode", "StackName"}),
        optional=frozenset(
            {
                "TemplatePath",
                "TemplateConfiguration",
                "ParameterOverrides",
                "Capabilities",
                "RoleArn",
                "ChangeSetName",
                "OutputFileName",
            }
        ),
    )

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """Each action mode needs keys of its own."""
        mode = action.configuration["ActionMode"]
        if mode not in _NEEDED:
            yield f"ActionMode {mode} is not one of {', '.join(_NEEDED)}"
        for key in _NEEDED.get(mode, ()):
            if key not in action.configuration:
                yield f"ActionMode {mode} requires {key}"
        for key in ("TemplatePath", "TemplateConfiguration"):
            path = action.configuration.get(key)
            if path and path.partition("::")[0] not in action.inputs:
                yield f"{key} must be Artifact::file with one of the input artifacts, not {path}"

    def run(self, work: ActionWork) -> ActionOutcome:
        """Do what the action mode says, with the rights of the action's role."""
        client = work.role.client("cloudformation")
        modes: Mapping[str, Callable[[ActionWork, Any], str]] = {
            "CREATE_UPDATE": _create_or_update,
            "REPLACE_ON_FAILURE": _replace_on_failure,
            "CHANGE_SET_REPLACE": _replace_change_set,
            "CHANGE_SET_EXECUTE": _execute_change_set,
            "DELETE_ONLY": _delete,
        }
        summary = modes[work.configuration["ActionMode"]](work, client)
        stack = _stack(client, work.configuration["StackName"])
        if stack is None:
            return ActionOutcome(summary=summary)
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        _write_outputs(work, outputs)
        return ActionOutcome(
            summary=summary,
            external_id=stack["StackId"],
            external_url=_console(work, stack["StackId"]),
            variables=outputs,
        )


def _create_or_update(work: ActionWork, client: Any) -> str:
    request = stack_request(work, token=work.action_execution_id)
    stack = _stack(client, request["StackName"])
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        stack_id = client.create_stack(**request)["StackId"]
        _wait(work, client, stack_id)
        return f"Stack {request['StackName']} was created"
    try:
        client.update_stack(**request)
    except ClientError as error:
        if not _is_no_change(error.response["Error"]["Message"]):
            raise
        return f"Stack {request['StackName']} needs no updates"
    _wait(work, client, stack["StackId"])
    return f"Stack {request['StackName']} was updated"


def _replace_on_failure(work: ActionWork, client: Any) -> str:
    stack = _stack(client, work.configuration["StackName"])
    if stack is not None and stack["StackStatus"] in _REPLACEABLE:
        _delete(work, client)
    return _create_or_update(work, client)


def _replace_change_set(work: ActionWork, client: Any) -> str:
    request = stack_request(work, token=None)
    name = work.configuration["ChangeSetName"]
    stack = _stack(client, request["StackName"])
    is_new = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    if stack is not None:
        client.delete_change_set(StackName=request["StackName"], ChangeSetName=name)
    kind = "CREATE" if is_new else "UPDATE"
    client.create_change_set(ChangeSetName=name, ChangeSetType=kind, **request)
    change_set = _change_set(work, client)
    if change_set["Status"] == "FAILED" and not _is_no_change(change_set.get("StatusReason", "")):
        raise ActionFailure(f"Change set {name} failed: {change_set.get('StatusReason', '')}")
    return f"Change set {name} was created"


def _execute_change_set(work: ActionWork, client: Any) -> str:
    name, stack_name = work.configuration["ChangeSetName"], work.configuration["StackName"]
    change_set = _change_set(work, client)
    if change_set["Status"] == "FAILED" and _is_no_change(change_set.get("StatusReason", "")):
        return f"Change set {name} contains no changes"
    client.execute_change_set(ChangeSetName=name, StackName=stack_name, ClientRequestToken=work.action_execution_id)
    _wait(work, client, change_set["StackId"])
    return f"Change set {name} was executed"


def _delete(work: ActionWork, client: Any) -> str:
    name = work.configuration["StackName"]
    stack = _stack(client, name)
    if stack is None:
        return f"Stack {name} does not exist"
    role = work.configuration.get("RoleArn")
    token = {"ClientRequestToken": work.action_execution_id}
    client.delete_stack(StackName=name, **token, **({"RoleARN": role} if role else {}))
    _wait(work, client, stack["StackId"])
    return f"Stack {name} was deleted"


def _change_set(work: ActionWork, client: Any) -> dict[str, Any]:
    names = {"StackName": work.configuration["StackName"], "ChangeSetName": work.configuration["ChangeSetName"]}
    while True:
        described: dict[str, Any] = client.describe_change_set(**names)
        if not described["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            return described
        work.control.pause(_POLL_SECONDS)


def _wait(work: ActionWork, client: Any, stack_id: str) -> None:
    """Return once the operation on the stack has succeeded; raises ActionFailure with the first resource's reason."""
    while True:
        stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            break
        work.control.pause(_POLL_SECONDS)
    if status not in _SUCCEEDED:
        reason = _first_failure(work, client, stack_id) or stack.get("StackStatusReason", "no reason was given")
        message = f"The stack {stack['StackName']} ended in {status}. {reason}"
        raise ActionFailure(message, external_id=stack_id)


def _first_failure(work: ActionWork, client: Any, stack_id: str) -> str | None:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = [event for page in pages for event in page["StackEvents"]]
    for event in reversed(events):
        ours = event.get("ClientRequestToken") == work.action_execution_id
        reason = event.get("ResourceStatusReason", "")
        if ours and event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason:
            return f"{event['LogicalResourceId']}: {reason}"
    return None


def _stack(client: Any, name: str) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        return None
    return described


def _is_no_change(reason: str) -> bool:
    return any(text in reason for text in _NO_CHANGE)


def _write_outputs(work: ActionWork, outputs: Mapping[str, str]) -> None:
    file_name = work.configuration.get("OutputFileName")
    for place in work.outputs.values():
        if file_name:
            work.store.write(work.role.client("s3"), place, zip_file(file_name, json.dumps(outputs)))


def _console(work: ActionWork, stack_id: str) -> str:
    region = work.context.region
    return (
        f"https://console.aws.amazon.com/cloudformation/home?region={region}"
        f"#/stacks/stackinfo?filter=active&stackId={stack_id}"
    )
