"""What stands between the engine and the interpreter of the Amazon States Language: plain data and protocols.

The interpreter is moto's (`moto/states/`); it walks through the states and asks back for every task. The engine
knows nothing of its insides, and it knows nothing of AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from local_cloud.errors import LocalCloudError


class ExecutionStatus(StrEnum):
    """The states of an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True)
class Program:
    """One execution as the interpreter sees it: a definition, an input (JSON), and who executes it."""

    definition: str
    input: str
    role_arn: str
    machine_arn: str
    machine_name: str
    execution_arn: str
    execution_name: str
    account: str
    region: str
    started: datetime


@dataclass(frozen=True)
class Ending:
    """How an execution ended; `output` is JSON and set for SUCCEEDED only."""

    status: ExecutionStatus
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class Interpretation(Protocol):
    """One execution in the interpreter."""

    def run(self) -> Ending:
        """Carry the program out; returns when it has ended, for whatever reason."""

    def stop(self) -> None:
        """Begin no further state; what is under way comes to its end unseen."""

    def history(self) -> list[dict[str, Any]]:
        """HistoryEvents so far, oldest first, with datetimes as timestamps."""

    def complete(self, token: str, *, output: str) -> bool:
        """Let the task that waits for the token succeed with an output (JSON); False if none does."""

    def fail(self, token: str, *, error: str | None, cause: str | None) -> bool:
        """Let the task that waits for the token fail; False if none does."""

    def beat(self, token: str) -> bool:
        """A heartbeat of the task that waits for the token; False if none does."""


class Interpreter(Protocol):
    """Makes interpretations."""

    def __call__(self, program: Program) -> Interpretation: ...


@dataclass(frozen=True)
class TaskCall:
    """One task that is due: a resource ARN, its parameters after JSONPath, and with whose rights it is called."""

    resource: str
    parameters: Mapping[str, Any]
    role_arn: str
    account: str
    region: str
    machine_arn: str
    execution_arn: str


class TaskFailure(LocalCloudError):
    """A task that failed, with the error name that Retry and Catch compare, and the cause in words or JSON."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Following(Protocol):
    """A job that a `.sync` task waits for."""

    def __call__(self) -> Any | None:
        """The job's description when it has succeeded, None while it runs; raises TaskFailure if it failed."""

    def cancel(self) -> None:
        """Stop the job, because the task's time is over or the execution was stopped."""


class TaskRunner(Protocol):
    """Calls the services for the interpreter."""

    def call(self, call: TaskCall) -> Any:
        """The task's result as plain JSON values; raises TaskFailure."""

    def follow(self, call: TaskCall, output: Mapping[str, Any]) -> Following:
        """Wait for the job that a call began; `output` is what the call gave."""
