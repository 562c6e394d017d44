"""Change sets: a checked submission, the plan it amounts to, and how both are described.

Making one changes no resource. Source: AWS CloudFormation API Reference, "ResourceChange".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.cloudformation.plan import Plan, PropertyChange, ResourceChange
from local_cloud.cloudformation.schemas import SchemaStore
from local_cloud.cloudformation.stacks import Stack
from local_cloud.cloudformation.submission import Submission

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
EARLY_VALIDATION = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


@dataclass
class ChangeSet:
    """One change set. Only its execution status changes."""

    id: str
    name: str
    stack: Stack
    kind: str
    description: str | None
    created: datetime
    submission: Submission
    plan: Plan
    findings: list[dict[str, str]] = field(default_factory=list)
    on_stack_failure: str | None = None
    executed: bool = False

    @property
    def reason(self) -> str | None:
        """Why it cannot be executed; None if it can."""
        if self.findings:
            return EARLY_VALIDATION
        return NO_CHANGES if is_empty(self.stack, self.submission, self.plan) and not self.executed else None

    @property
    def status(self) -> str:
        """CREATE_COMPLETE or FAILED."""
        return "FAILED" if self.reason else "CREATE_COMPLETE"

    @property
    def execution_status(self) -> str:
        """Whether it can be executed, or was."""
        if self.executed:
            return "EXECUTE_COMPLETE"
        return "UNAVAILABLE" if self.reason else "AVAILABLE"

    def summary(self) -> dict[str, Any]:
        """The part that ListChangeSets and DescribeChangeSet share."""
        shape = {
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "Description": self.description,
            "CreationTime": self.created,
            "Status": self.status,
            "StatusReason": self.reason,
            "ExecutionStatus": self.execution_status,
        }
        return {key: value for key, value in shape.items() if value is not None}

    def described(self, *, with_values: bool) -> dict[str, Any]:
        """The shape that DescribeChangeSet answers; `with_values` adds properties before and after."""
        failed = bool(self.findings)
        changes = [] if failed else [_described(change, with_values=with_values) for change in self.plan.changes]
        shape = self.summary() | {
            "Parameters": [parameter.described() for parameter in self.submission.parameters.values()],
            "Capabilities": self.submission.capabilities,
            "NotificationARNs": self.submission.notification_arns,
            "Tags": self.submission.tags,
            "Changes": [{"Type": "Resource", "ResourceChange": change} for change in changes],
        }
        return shape | ({"OnStackFailure": self.on_stack_failure} if self.on_stack_failure else {})


def is_empty(stack: Stack, submission: Submission, plan: Plan) -> bool:
    """Whether carrying the submission out would change nothing at all."""
    if stack.template is None or plan.changes:
        return False
    return list(plan.outputs) == stack.outputs and submission.tags == stack.tags


def early_findings(plan: Plan, schemas: SchemaStore) -> list[dict[str, str]]:
    """What CloudFormation's early validation would object to, resource by resource, before anything happens."""
    found = []
    for change in plan.changes:
        schema = schemas.get(change.definition.type)
        if schema is None or change.properties is None:
            continue
        found += [
            {
                "LogicalResourceId": change.definition.logical_id,
                "ResourceType": change.definition.type,
                "ValidationPath": f"/Resources/{change.definition.logical_id}/Properties{path.removeprefix('#')}",
                "ValidationStatusReason": f"Properties validation failed: {path}: {message}",
            }
            for path, message in schema.problems(change.properties)
        ]
    return found


def _described(change: ResourceChange, *, with_values: bool) -> dict[str, Any]:
    shape = {
        "Action": change.action,
        "LogicalResourceId": change.definition.logical_id,
        "ResourceType": change.definition.type,
        "PhysicalResourceId": change.live.physical_id if change.live else None,
        "Replacement": change.replacement if change.action == "Modify" else None,
        "PolicyAction": _policy_action(change),
        "Scope": list(change.scope),
        "Details": [_detail(change, detail, with_values=with_values) for detail in change.details],
    }
    if with_values:
        shape["BeforeContext"] = _context(change.live.properties) if change.live else None
        shape["AfterContext"] = _context(change.properties) if change.properties is not None else None
    return {key: value for key, value in shape.items() if value is not None}


def _policy_action(change: ResourceChange) -> str | None:
    if change.action == "Remove":
        return "Delete" if change.definition.deletion_policy == "Delete" else "Retain"
    if change.action == "Modify" and change.replacement == "True":
        kept = change.definition.update_replace_policy == "Retain"
        return "ReplaceAndRetain" if kept else "ReplaceAndDelete"
    return None


def _detail(change: ResourceChange, detail: PropertyChange, *, with_values: bool) -> dict[str, Any]:
    target = {
        "Attribute": "Properties",
        "Name": detail.name,
        "RequiresRecreation": "Always" if detail.recreation == "Conditionally" else detail.recreation,
        "Path": f"/Properties/{detail.name}",
        "AttributeChangeType": detail.kind,
    }
    if with_values:
        values = {"BeforeValue": detail.before, "AfterValue": detail.after}
        target |= {key: _text(value) for key, value in values.items() if value is not None}
    return {
        "Target": target,
        "Evaluation": "Dynamic" if detail.dynamic else "Static",
        "ChangeSource": "DirectModification",
    }


def _context(properties: Mapping[str, Any]) -> str:
    return json.dumps({"Properties": properties}, default=str)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
