"""Executions: start, stop, describe, list, their history, and the tokens that tasks wait for.

Each runs in a thread of its own. An execution that is stopped or out of time has ended at that moment; a call that is
under way then comes to its end, and nothing follows it.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from local_cloud.clock import Clock
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stepfunctions.announcements import Announcements
from local_cloud.stepfunctions.book import Book, Execution, StateMachine
from local_cloud.stepfunctions.interpretation import (
    Ending,
    ExecutionStatus,
    Interpretation,
    Interpreter,
    Program,
)
from local_cloud.stepfunctions.paging import page
from local_cloud.stores import Partitioned

_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_LARGEST_INPUT = 262_144
_JOIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Executions:
    """The operations on executions, and the threads they run in."""

    def __init__(
        self, books: Partitioned[Book], *, clock: Clock, interpreter: Interpreter, announcements: Announcements
    ) -> None:
        self._books = books
        self._clock = clock
        self._interpreter = interpreter
        self._announcements = announcements
        self._threads: list[threading.Thread] = []

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        timing = (
            "Wait, TimeoutSeconds, HeartbeatSeconds and Retry intervals pass on the local cloud's scaled clock; a task "
            "that calls a service has 30 s of real time, or its TimeoutSeconds if they are fewer"
        )
        return {
            "StartExecution": Operation(self._start, note=timing),
            "StopExecution": Operation(self._stop, note="a service call that is under way is not interrupted"),
            "DescribeExecution": Operation(self._describe),
            "ListExecutions": Operation(self._list),
            "GetExecutionHistory": Operation(self._history),
            "SendTaskSuccess": Operation(self._succeed_task),
            "SendTaskFailure": Operation(self._fail_task),
            "SendTaskHeartbeat": Operation(self._beat),
        }

    def _start(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        name, given = params.get("name") or str(uuid.uuid4()), params.get("input", "{}")
        _check(name, given)
        with book.lock:
            machine = book.machine(params["stateMachineArn"])
            arn = machine.arn.replace(":stateMachine:", ":execution:") + f":{name}"
            known = book.executions.get(arn)
            if known is None:
                execution = book.executions[arn] = self._made(context, machine, arn=arn, name=name, given=given)
            elif known.status is ExecutionStatus.RUNNING and known.input == given:
                return {"executionArn": arn, "startDate": known.started}
            else:
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        self._announcements.status_changed(execution)
        thread = threading.Thread(target=self._run, args=(execution,), name=f"execution-{name}", daemon=True)
        self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()
        return {"executionArn": arn, "startDate": execution.started}

    def _made(self, context: RequestContext, machine: StateMachine, *, arn: str, name: str, given: str) -> Execution:
        started, revision = self._clock.now(), machine.revision
        program = Program(
            definition=revision.definition,
            input=given,
            role_arn=revision.role_arn,
            machine_arn=machine.arn,
            machine_name=machine.name,
            execution_arn=arn,
            execution_name=name,
            account=context.account,
            region=context.region,
            started=started,
        )
        return Execution(arn, name, machine, revision, given, started, self._interpreter(program))

    def _run(self, execution: Execution) -> None:
        try:
            ending = execution.interpretation.run()
        except Exception as error:  # noqa: BLE001
            # A defect in the interpreter must end the execution, which nobody else would do.
            _log.exception("%s failed", execution.arn)
            ending = Ending(ExecutionStatus.FAILED, error="States.Runtime", cause=str(error))
        self._end(execution, ending)

    def _end(self, execution: Execution, ending: Ending) -> None:
        if execution.close(ending, at=self._clock.now()):
            self._announcements.status_changed(execution)

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["executionArn"])
        self._end(execution, Ending(ExecutionStatus.ABORTED, error=params.get("error"), cause=params.get("cause")))
        execution.interpretation.stop()
        return {"stopDate": execution.stopped}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        execution = self._books.of(context).execution(params["executionArn"])
        ending = execution.ending
        ended = {
            "stopDate": execution.stopped,
            "output": ending.output if ending else None,
            "outputDetails": {"included": True} if ending and ending.output is not None else None,
            "error": ending.error if ending else None,
            "cause": ending.cause if ending else None,
        }
        return {
            **_summary(execution),
            "input": execution.input,
            "inputDetails": {"included": True},
            "redriveCount": 0,
            **{name: value for name, value in ended.items() if value is not None},
        }

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        machine = book.machine(params.get("stateMachineArn", ""))
        with book.lock:
            executions = [known for known in book.executions.values() if known.machine.arn == machine.arn]
        chosen = [known for known in executions if params.get("statusFilter", known.status) == known.status]
        newest_first = sorted(chosen, key=lambda execution: execution.started, reverse=True)
        found, more = page(newest_first, params, identity=lambda execution: execution.arn)
        return {"executions": [_summary(execution) for execution in found], **more}

    def _history(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        events = self._books.of(context).execution(params["executionArn"]).history()
        if params.get("reverseOrder"):
            events = events[::-1]
        found, more = page(events, params, identity=lambda event: str(event["id"]))
        return {"events": found, **more}

    def _succeed_task(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        try:
            json.loads(params["output"])
        except ValueError as error:
            raise ServiceError("InvalidOutput", f"Invalid Output: '{error}'") from error
        return self._answer(context, lambda running: running.complete(params["taskToken"], output=params["output"]))

    def _fail_task(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        error, cause = params.get("error"), params.get("cause")
        return self._answer(context, lambda running: running.fail(params["taskToken"], error=error, cause=cause))

    def _beat(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return self._answer(context, lambda running: running.beat(params["taskToken"]))

    def _answer(self, context: RequestContext, send: Callable[[Interpretation], bool]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            running = [known for known in book.executions.values() if known.status is ExecutionStatus.RUNNING]
        if any(send(execution.interpretation) for execution in running):
            return {}
        raise ServiceError(
            "TaskTimedOut", "Task Timed Out: no running task waits for this token; it ended, or there never was one."
        )

    def abandon(self) -> None:
        """Stop all executions without telling anybody."""
        for book in self._books:
            with book.lock:
                executions = list(book.executions.values())
            for execution in executions:
                execution.forgotten = True
                execution.close(Ending(ExecutionStatus.ABORTED), at=self._clock.now())
                execution.interpretation.stop()

    def join(self) -> None:
        """Wait until the threads have seen that their executions are over, for five seconds at most."""
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads = []


def _check(name: str, given: str) -> None:
    if not _NAME.fullmatch(name):
        raise ServiceError("InvalidName", f"Invalid Name: '{name}'")
    if len(given.encode()) > _LARGEST_INPUT:
        raise ServiceError("InvalidExecutionInput", f"Invalid Execution Input: more than {_LARGEST_INPUT} bytes")
    try:
        json.loads(given)
    except ValueError as error:
        raise ServiceError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error


def _summary(execution: Execution) -> dict[str, Any]:
    summary = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status.value,
        "startDate": execution.started,
    }
    return summary | ({"stopDate": execution.stopped} if execution.stopped else {})
