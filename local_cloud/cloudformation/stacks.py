"""What is known about each stack: its template, live resources, outputs and history.

`Stack` is the one mutable thing here; it is changed only by the thread of its operation or, between operations,
by a request handler that holds the store's lock.
"""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.cloudformation.errors import TemplateError, ValidationError
from local_cloud.cloudformation.events import EventLog
from local_cloud.cloudformation.parameters import Parameter
from local_cloud.cloudformation.template import ResourceDefinition, Template
from local_cloud.service import RequestContext

REVIEW = "REVIEW_IN_PROGRESS"
DELETED = "DELETE_COMPLETE"


@dataclass(frozen=True)
class LiveResource:
    """A physical resource that a stack owns, with the resolved properties it was last given."""

    definition: ResourceDefinition
    physical_id: str
    attributes: Mapping[str, Any]
    properties: Mapping[str, Any]
    status: str
    updated: datetime
    reason: str | None = None

    @property
    def logical_id(self) -> str:
        """Its name in the template."""
        return self.definition.logical_id


class LiveValues:
    """What the resources of a stack hand to each other while it is being changed."""

    def __init__(self, resources: Mapping[str, LiveResource]) -> None:
        self._resources = resources

    def __contains__(self, logical_id: object) -> bool:
        """Whether the resource exists by now."""
        return logical_id in self._resources

    def reference(self, logical_id: str) -> Any:
        """The physical id."""
        return self._resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute that the provider reported; raises TemplateError if there is none of that name."""
        resource = self._resources[logical_id]
        if name not in resource.attributes:
            raise TemplateError(
                f"Template error: resource {logical_id} ({resource.definition.type}) has no attribute {name} "
                f"in the local cloud; it has {sorted(resource.attributes)}"
            )
        return resource.attributes[name]


@dataclass(frozen=True)
class Step:
    """One change that was made, so that it can be undone. `before` is None for a new resource."""

    before: LiveResource | None
    after: LiveResource
    replaced: bool = False


@dataclass
class Stack:
    """One stack."""

    id: str
    name: str
    context: RequestContext
    created: datetime
    status: str = REVIEW
    reason: str | None = None
    template: Template | None = None
    parameters: dict[str, Parameter] = field(default_factory=dict)
    resources: dict[str, LiveResource] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    termination_protection: bool = False
    disable_rollback: bool = False
    timeout_minutes: int | None = None
    change_set_id: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    events: EventLog = field(default_factory=EventLog)
    operations: list[dict[str, str]] = field(default_factory=list)
    unfinished: "list[Step]" = field(default_factory=list)
    """Steps of a failed update that are not undone: what a later rollback has to undo."""

    @property
    def exports(self) -> dict[str, str]:
        """Exported names and their values."""
        return {output["ExportName"]: output["OutputValue"] for output in self.outputs if "ExportName" in output}

    @property
    def busy(self) -> bool:
        """Whether an operation is running on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def exists(self) -> bool:
        """False once it is deleted; it can then be found by its id only."""
        return self.status != DELETED


class StackStore:
    """The stacks of one account in one region. `lock` guards every change of the set and of a stack's status."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}

    def add(self, name: str, context: RequestContext, created: datetime) -> Stack:
        """A new stack in review."""
        stack_id = f"arn:aws:cloudformation:{context.region}:{context.account}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(id=stack_id, name=name, context=context, created=created)
        self._stacks[stack_id] = stack
        return stack

    def find(self, name_or_id: str) -> Stack | None:
        """By id (deleted stacks too) or by name (existing stacks only)."""
        if name_or_id in self._stacks:
            return self._stacks[name_or_id]
        return next((stack for stack in self.existing() if stack.name == name_or_id), None)

    def get(self, name_or_id: str) -> Stack:
        """As `find`; raises CloudFormation's ValidationError if there is none."""
        stack = self.find(name_or_id)
        if stack is None:
            raise ValidationError(f"Stack with id {name_or_id} does not exist")
        return stack

    def all(self) -> list[Stack]:
        """Every stack, deleted ones too, newest first."""
        return list(self._stacks.values())[::-1]

    def existing(self) -> list[Stack]:
        """Every stack that is not deleted."""
        return [stack for stack in self.all() if stack.exists]
