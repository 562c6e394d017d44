"""State machines and executions of one account and region."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.service import ServiceError
from local_cloud.stepfunctions.interpretation import Ending, ExecutionStatus, Interpretation


@dataclass(frozen=True)
class Revision:
    """What an update of a state machine replaces; an execution keeps the revision it was started with."""

    id: str
    definition: str
    role_arn: str
    logging: Mapping[str, Any]
    tracing: Mapping[str, Any]
    updated: datetime


@dataclass
class StateMachine:
    """One state machine. Mutable: hold the book's lock to change it."""

    arn: str
    name: str
    created: datetime
    revision: Revision
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution. Mutable; `end` and `history` are set once, by whoever ends it first (see `close`)."""

    arn: str
    name: str
    machine: StateMachine
    revision: Revision
    input: str
    started: datetime
    interpretation: Interpretation
    ending: Ending | None = None
    stopped: datetime | None = None
    closing_history: list[dict[str, Any]] = field(default_factory=list)
    forgotten: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def status(self) -> ExecutionStatus:
        """RUNNING until it has ended."""
        return self.ending.status if self.ending else ExecutionStatus.RUNNING

    def close(self, ending: Ending, *, at: datetime) -> bool:
        """Take down the ending and the history as they are now; False if the execution had ended already."""
        with self.lock:
            if self.ending is not None:
                return False
            self.closing_history = _closed(self.interpretation.history(), ending, at=at)
            self.stopped = at
            self.ending = ending
            return True

    def history(self) -> list[dict[str, Any]]:
        """HistoryEvents, oldest first; complete once the execution has ended."""
        with self.lock:
            return self.closing_history if self.ending else self.interpretation.history()


@dataclass
class Book:
    """The state machines and executions by ARN. Mutable; hold `lock` to add or remove.

    Executions outlive their state machine, as they can be described on AWS for 90 days.
    """

    machines: dict[str, StateMachine] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def machine(self, arn: str) -> StateMachine:
        """A state machine by ARN. Raises StateMachineDoesNotExist."""
        if arn not in self.machines:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machines[arn]

    def execution(self, arn: str) -> Execution:
        """An execution by ARN. Raises ExecutionDoesNotExist."""
        if arn not in self.executions:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.executions[arn]


_CLOSING_EVENTS: Mapping[ExecutionStatus, tuple[str, str]] = {
    ExecutionStatus.ABORTED: ("ExecutionAborted", "executionAbortedEventDetails"),
    ExecutionStatus.TIMED_OUT: ("ExecutionTimedOut", "executionTimedOutEventDetails"),
}


def _closed(events: list[dict[str, Any]], ending: Ending, *, at: datetime) -> list[dict[str, Any]]:
    """The history with its last event, which the interpreter writes late or never if it is ended from outside."""
    if ending.status not in _CLOSING_EVENTS:
        return events
    name, details = _CLOSING_EVENTS[ending.status]
    if events and events[-1]["type"] == name:
        return events
    given = {"error": ending.error, "cause": ending.cause}
    closing = {
        "timestamp": at,
        "type": name,
        "id": len(events) + 1,
        "previousEventId": events[-1]["id"] if events else 0,
        details: {key: value for key, value in given.items() if value is not None},
    }
    return [*events, closing]
