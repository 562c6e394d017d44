"""State machines in the interpreter alone: a task runner that plays back results, and small definitions."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local_cloud.moto.states.interpreter import StatesInterpreter
from local_cloud.stepfunctions.interpretation import Ending, Interpretation, Program, TaskCall

INVOKE = "arn:aws:states:::lambda:invoke"
JOB = "arn:aws:states:::sagemaker:createTrainingJob.sync"
TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ROLE = "arn:aws:iam::123456789012:role/machine"


class Puppet:
    """A task runner. `answer` gives a task's result or raises TaskFailure; `job` the state of a `.sync` job."""

    def __init__(self, answer: Callable[[TaskCall], Any] = lambda call: {}) -> None:
        self.calls: list[TaskCall] = []
        self.cancelled = threading.Event()
        self.job: Any = None
        self._answer = answer

    def call(self, call: TaskCall) -> Any:
        """Remember the call and answer it."""
        self.calls.append(call)
        return self._answer(call)

    def follow(self, call: TaskCall, output: Mapping[str, Any]) -> "Puppet":
        """The puppet is its own job."""
        return self

    def __call__(self) -> Any:
        """The job's description, or None while it runs."""
        return self.job

    def cancel(self) -> None:
        """The job was stopped."""
        self.cancelled.set()


def made(
    states: Mapping[str, Any], *, tasks: Puppet, given: Any = None, shortest_work: float = 0.0, **machine: Any
) -> Interpretation:
    """An execution of a machine that starts at its first state, on a clock of 0.01; `given` is its input."""
    interpreter = StatesInterpreter(tasks, scale=0.01, shortest_work_seconds=shortest_work)
    arn = "arn:aws:states:us-east-1:123456789012"
    definition = {"StartAt": next(iter(states)), "States": states, **machine}
    program = Program(
        definition=json.dumps(definition),
        input=json.dumps({} if given is None else given),
        role_arn=ROLE,
        machine_arn=f"{arn}:stateMachine:m",
        machine_name="m",
        execution_arn=f"{arn}:execution:m:e",
        execution_name="e",
        account="123456789012",
        region="us-east-1",
        started=datetime(2026, 11, 23, tzinfo=UTC),
    )
    return interpreter(program)


def ran(states: Mapping[str, Any], *, tasks: Puppet | None = None, **settings: Any) -> Ending:
    """How an execution ends."""
    return made(states, tasks=tasks or Puppet(), **settings).run()


def task(resource: str = INVOKE, **fields: Any) -> dict[str, Any]:
    """A Task state, the last one unless it has a Next."""
    last = {} if "Next" in fields else {"End": True}
    return {"Type": "Task", "Resource": resource, **last, **fields}


def caught(*errors: str) -> dict[str, Any]:
    """A Catch that leads to a state `Caught`, which says so."""
    return {"Catch": [{"ErrorEquals": list(errors), "Next": "Caught"}]}


CAUGHT = {"Type": "Pass", "Result": "caught", "End": True}
