"""The state of one execution: its steps' records and its own status. Every change is told to an observer.

Transitions only: what a step does is `step_runner.py`, in which order is `scheduler.py`.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from local_cloud.clock import Clock
from local_cloud.sagemaker.pipelines.steps import Step


class StepStatus(StrEnum):
    """StepStatus of ListPipelineExecutionSteps."""

    STARTING = "Starting"
    EXECUTING = "Executing"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"


class ExecutionStatus(StrEnum):
    """PipelineExecutionStatus."""

    EXECUTING = "Executing"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"


@dataclass(frozen=True)
class StepOutcome:
    """How a step, or one attempt at it, ended.

    `metadata` is the step's Metadata structure, `properties` what later steps can read, `condition` the outcome of a
    condition step, `exception_type` what retry policies match.
    """

    status: StepStatus
    metadata: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    failure_reason: str | None = None
    exception_type: str | None = None
    condition: bool | None = None
    cached_from: str | None = None


@dataclass(frozen=True)
class StepRecord:
    """A step that has started. Steps that did not start have no record, and are not listed."""

    step: Step
    status: StepStatus
    started: datetime
    ended: datetime | None = None
    attempts: int = 1
    outcome: StepOutcome = StepOutcome(StepStatus.STARTING)

    @property
    def running(self) -> bool:
        """Whether the step has yet to end."""
        return self.ended is None


class Observer(Protocol):
    """Is told every change, in order for each step."""

    def step_changed(self, previous: StepRecord | None, record: StepRecord) -> None: ...

    def execution_changed(self, previous: ExecutionStatus | None, status: ExecutionStatus) -> None: ...


class ExecutionState:
    """What one execution has come to. Mutable and thread-safe.

    Observers are told under the lock, so that they hear changes in their order, and the end before waiters go on.
    """

    def __init__(self, *, clock: Clock, observer: Observer, maximum_parallel: int) -> None:
        self.stop_requested = threading.Event()
        self.maximum_parallel = maximum_parallel
        self.status = ExecutionStatus.EXECUTING
        self.failure_reason: str | None = None
        self.ended: datetime | None = None
        self.modified = clock.now()
        self._clock = clock
        self._observer = observer
        self._records: dict[str, StepRecord] = {}
        self._changed = threading.Condition()

    def records(self) -> list[StepRecord]:
        """The records in the order in which the steps started."""
        with self._changed:
            return list(self._records.values())

    def record(self, name: str) -> StepRecord | None:
        """The record of a step; None if it has not started."""
        with self._changed:
            return self._records.get(name)

    def begin(self, step: Step) -> None:
        """A step starts."""
        record = StepRecord(step, StepStatus.STARTING, self._clock.now())
        with self._changed:
            self._records[step.name] = record
            self._observer.step_changed(None, record)

    def executing(self, name: str, *, attempt: int) -> None:
        """An attempt at a step begins."""
        self._change(name, status=StepStatus.EXECUTING, attempts=attempt)

    def progress(self, name: str, metadata: Mapping[str, Any]) -> None:
        """A running step has metadata to show, such as its job's ARN; no event tells it."""
        with self._changed:
            record = self._records[name]
            self._records[name] = replace(record, outcome=replace(record.outcome, metadata=metadata))

    def finish(self, name: str, outcome: StepOutcome) -> None:
        """A step has ended."""
        self._change(name, status=outcome.status, outcome=outcome, ended=self._clock.now())

    def request_stop(self) -> bool:
        """Nothing new starts; running steps go to Stopping. False if the execution has ended, or stops already."""
        with self._changed:
            if self.ended is not None or self.stop_requested.is_set():
                return False
            self.stop_requested.set()
            self.change_status(ExecutionStatus.STOPPING)
            for record in self.records():
                self._change(record.step.name, status=StepStatus.STOPPING)
        return True

    def change_status(self, status: ExecutionStatus, *, reason: str | None = None) -> None:
        """The execution itself goes to another status."""
        with self._changed:
            previous, self.status = self.status, status
            self.failure_reason = reason
            self.modified = self._clock.now()
            ended = status not in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING)
            self.ended = self.modified if ended else None
            self._observer.execution_changed(previous, status)
            self._changed.notify_all()

    def reopen(self) -> bool:
        """Make ready for a retry: what succeeded stays, what failed or was stopped is forgotten.

        False if the execution is neither Failed nor Stopped.
        """
        with self._changed:
            if self.status not in (ExecutionStatus.FAILED, ExecutionStatus.STOPPED):
                return False
            kept = {n: r for n, r in self._records.items() if r.status is StepStatus.SUCCEEDED}
            self._records = kept
            self.stop_requested.clear()
            self.change_status(ExecutionStatus.EXECUTING)
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False if `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended is not None, timeout)

    def _change(self, name: str, **changes: Any) -> None:
        with self._changed:
            previous = self._records[name]
            if not previous.running:
                return
            record = self._records[name] = replace(previous, **changes)
            self.modified = self._clock.now()
            if record.status is not previous.status:
                self._observer.step_changed(previous, record)
