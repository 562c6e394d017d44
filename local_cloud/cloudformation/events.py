"""The history of a stack: what DescribeStackEvents shows and the CLI prints while it waits."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True)
class StackEvent:
    """One line of a stack's history. `properties` is JSON text with secrets masked."""

    id: str
    operation_id: str
    time: datetime
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str | None = None
    properties: str | None = None
    token: str | None = None

    def described(self, stack_id: str, stack_name: str) -> dict[str, Any]:
        """The shape that DescribeStackEvents answers."""
        shape = {
            "StackId": stack_id,
            "StackName": stack_name,
            "EventId": self.id,
            "OperationId": self.operation_id,
            "LogicalResourceId": self.logical_id,
            "PhysicalResourceId": self.physical_id,
            "ResourceType": self.resource_type,
            "Timestamp": self.time,
            "ResourceStatus": self.status,
            "ResourceStatusReason": self.reason,
            "ResourceProperties": self.properties,
            "ClientRequestToken": self.token,
        }
        return {key: value for key, value in shape.items() if value is not None}


class EventLog:
    """Events in the order they happened. Many threads may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[StackEvent] = []

    def add(self, event: StackEvent) -> None:
        """Append one event, at least a millisecond after the last: clients sort events by time, in milliseconds."""
        with self._lock:
            earliest = self._events[-1].time + _TICK if self._events else event.time
            self._events.append(replace(event, time=max(event.time, earliest)))

    def newest_first(self) -> list[StackEvent]:
        """A copy, as the API orders it."""
        with self._lock:
            return self._events[::-1]


def event_id(logical_id: str, status: str) -> str:
    """An id in CloudFormation's form: the resource, its status and something unique."""
    return f"{logical_id}-{status}-{uuid.uuid4()}"


def failed_validation(*, stack_id: str, operation_id: str, time: datetime, entry: Mapping[str, str]) -> dict[str, Any]:
    """The DescribeEvents shape of one finding that made a change set fail before anything happened.

    `entry` has the keys LogicalResourceId, ResourceType, ValidationPath and ValidationStatusReason.
    """
    return {
        "EventId": str(uuid.uuid4()),
        "StackId": stack_id,
        "OperationId": operation_id,
        "OperationType": "CREATE_CHANGESET",
        "EventType": "VALIDATION_ERROR",
        "Timestamp": time,
        "ValidationFailureMode": "FAIL",
        "ValidationName": "PROPERTY_VALIDATION",
        "ValidationStatus": "FAILED",
        **entry,
    }
