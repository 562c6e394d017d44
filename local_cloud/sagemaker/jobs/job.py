"""One job's state: it moves from InProgress to exactly one end, and whoever waits is told by a condition variable."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from local_cloud.clock import Clock
from local_cloud.processes import RunningProcess
from local_cloud.sagemaker.jobs.plan import JobPlan

_STOP_GRACE_SECONDS = 5.0


class JobStatus(StrEnum):
    """ProcessingJobStatus and TrainingJobStatus."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


RUNNING = (JobStatus.IN_PROGRESS, JobStatus.STOPPING)


@dataclass(frozen=True)
class JobIdentity:
    """Whose job it is. `request` is the Create request, as it came."""

    account: str
    region: str
    name: str
    arn: str
    role_arn: str
    request: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True)
class Transition:
    """One entry of SecondaryStatusTransitions."""

    status: str
    message: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class JobState:
    """A consistent view of a job at one moment."""

    status: JobStatus
    transitions: tuple[Transition, ...]
    modified: datetime
    started: datetime | None = None
    ended: datetime | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    metrics: tuple[Mapping[str, Any], ...] = ()

    @property
    def secondary(self) -> str:
        """SecondaryStatus."""
        return self.transitions[-1].status


@dataclass(frozen=True)
class JobEnd:
    """How a job ended. `secondary` differs from the status only for MaxRuntimeExceeded."""

    status: JobStatus
    secondary: str
    message: str
    failure_reason: str | None = None
    exit_message: str | None = None
    metrics: tuple[Mapping[str, Any], ...] = field(default=())


class Job:
    """A job and its state. Mutable; every change goes through a method and is told to `on_change`."""

    def __init__(self, identity: JobIdentity, plan: JobPlan, *, clock: Clock, on_change: "OnChange") -> None:
        self.identity = identity
        self.plan = plan
        self._clock = clock
        self._on_change = on_change
        self._changed = threading.Condition()
        self._process: RunningProcess | None = None
        self._stopping = False
        self._abandoned = False
        first = Transition("Starting", "Preparing the instances for the job", identity.created)
        self._state = JobState(JobStatus.IN_PROGRESS, (first,), identity.created)

    @property
    def state(self) -> JobState:
        """The present state."""
        return self._state

    @property
    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._stopping

    def announce(self) -> None:
        """Tell that the job exists; called once, after it can be described."""
        self._on_change(self, None)

    def enter(self, secondary: str, message: str) -> None:
        """Go on to the next phase."""
        now = self._clock.now()
        with self._changed:
            started = self._state.started or (now if secondary == "Training" else None)
            self._replace(modified=now, started=started, transitions=self._next(secondary, message, now))

    def attach(self, process: RunningProcess) -> None:
        """Know the process that runs, so that a stop reaches it, also one that came before."""
        with self._changed:
            self._process = process
            stopping = self._stopping
        if stopping:
            process.request_stop(_STOP_GRACE_SECONDS)

    def request_stop(self) -> None:
        """Ask the job to stop; returns at once."""
        with self._changed:
            if self._stopping or self._state.status not in RUNNING:
                return
            self._stopping = True
            now = self._clock.now()
            self._replace(
                status=JobStatus.STOPPING, modified=now, transitions=self._next("Stopping", "Stopping the job", now)
            )
            process = self._process
        if process is not None:
            process.request_stop(_STOP_GRACE_SECONDS)

    def abandon(self) -> None:
        """Stop without telling anyone: the account that the job belonged to was emptied."""
        self._abandoned = True
        self.request_stop()

    def finish(self, end: JobEnd) -> None:
        """Reach the end; later calls change nothing."""
        now = self._clock.now()
        with self._changed:
            if self._state.ended is not None:
                return
            self._replace(
                status=end.status,
                modified=now,
                ended=now,
                failure_reason=end.failure_reason,
                exit_message=end.exit_message,
                metrics=end.metrics,
                transitions=self._next(end.secondary, end.message, now),
            )
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False if `timeout` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state.ended is not None, timeout)

    def _next(self, status: str, message: str, now: datetime) -> tuple[Transition, ...]:
        *earlier, last = self._state.transitions
        closed = Transition(last.status, last.message, last.start, now)
        ending = now if status in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded") else None
        return (*earlier, closed, Transition(status, message, now, ending))

    def _replace(self, **changes: Any) -> None:
        """Change the state and tell it, under the lock: changes are told in order, and the end before waiters go on."""
        previous = self._state
        self._state = replace(previous, **changes)
        if not self._abandoned:
            self._on_change(self, previous)


OnChange = Callable[[Job, JobState | None], None]
"""Is told a job and the state that it was in before; None when the job is new."""
