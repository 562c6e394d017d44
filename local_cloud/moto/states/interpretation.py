"""Definitions as moto's interpreter reads them, and executions as it carries them out.

Loads the grammar; `interpreter.py` imports it with the first definition.
"""

import json
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import (
    ExecutionStartedEventDetails,
    HistoryEventExecutionDataDetails,
    HistoryEventType,
    StateMachineType,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramTimedOut
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData, ExecutionData, StateMachineData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException
from moto.stepfunctions.parser.utils import TMP_THREADS

from local_cloud.stepfunctions.interpretation import Ending, ExecutionStatus, Program
from local_cloud.stepfunctions.values import compact, iso


def parse(definition: str) -> None:
    """Raise ValueError, in the parser's words, for a definition that the interpreter cannot read."""
    _parsed(definition)


class Interpretation:
    """One execution (see `stepfunctions.interpretation.Interpretation`)."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._states = _parsed(program.definition)
        self._stopped = False
        self._environment = _environment(program)
        # It counts as running from here on, so that a stop before the first state is not lost.
        self._environment.next_state_name = self._states.start_at.start_at_name

    def run(self) -> Ending:
        """Carry the program out; returns when it has ended."""
        environment = self._environment
        environment.event_manager.add_event(
            context=environment.event_history_context,
            event_type=HistoryEventType.ExecutionStarted,
            event_details=EventDetails(
                executionStartedEventDetails=ExecutionStartedEventDetails(
                    input=self._program.input,
                    inputDetails=HistoryEventExecutionDataDetails(truncated=False),
                    roleArn=self._program.role_arn,
                )
            ),
            update_source_event_id=False,
        )
        if environment.is_running():
            self._states.eval(environment)
        self._end_waits()
        # moto remembers every thread it ever started, for tests of its own.
        TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]
        return self._ending()

    def _ending(self) -> Ending:
        state = self._environment.program_state()
        if self._stopped:
            # The wait that a stop ended looks to moto like a task that failed.
            return Ending(ExecutionStatus.ABORTED)
        if isinstance(state, ProgramEnded):
            return Ending(ExecutionStatus.SUCCEEDED, output=compact(self._environment.states.get_input()))
        if isinstance(state, ProgramError):
            error = state.error or {}
            return Ending(ExecutionStatus.FAILED, error=error.get("error"), cause=error.get("cause"))
        if isinstance(state, ProgramTimedOut):
            return Ending(ExecutionStatus.TIMED_OUT)
        raise RuntimeError(f"the interpreter ended in {type(state).__name__}")

    def stop(self) -> None:
        """Begin no further state, and end all waits for tokens."""
        self._stopped = True
        self._environment.set_stop(stop_date=None, cause=None, error=None)
        self._end_waits()

    def _end_waits(self) -> None:
        for endpoint in list(self._environment.callback_pool_manager._pool.values()):
            endpoint.interrupt_all()

    def history(self) -> list[dict[str, Any]]:
        """HistoryEvents so far."""
        return [
            {**event, "type": event["type"].value, "timestamp": datetime.fromisoformat(event["timestamp"])}
            for event in self._environment.event_manager.get_event_history()
        ]

    def complete(self, token: str, *, output: str) -> bool:
        """Let the task that waits for the token succeed."""
        return self._waits(token) and self._notify(token, CallbackOutcomeSuccess(callback_id=token, output=output))

    def fail(self, token: str, *, error: str | None, cause: str | None) -> bool:
        """Let the task that waits for the token fail."""
        outcome = CallbackOutcomeFailure(callback_id=token, error=error, cause=cause)
        return self._waits(token) and self._notify(token, outcome)

    def beat(self, token: str) -> bool:
        """A heartbeat of the task that waits for the token."""
        waits = self._waits(token)
        if waits:
            self._environment.callback_pool_manager.heartbeat(callback_id=token)
        return waits

    def _notify(self, token: str, outcome: Any) -> bool:
        return bool(self._environment.callback_pool_manager.notify(callback_id=token, outcome=outcome))

    def _waits(self, token: str) -> bool:
        """moto keeps the endpoints of tasks that have ended, with their events set."""
        endpoint = self._environment.callback_pool_manager.get(token)
        return endpoint is not None and not endpoint._notify_event.is_set()


def _parsed(definition: str) -> Any:
    try:
        return AmazonStateLanguageParser.parse(definition)[0]
    except ASLParserException as error:
        raise ValueError("; ".join(error.errors)) from error
    except Exception as error:
        # The parser's second half raises whatever its checks run into; to the caller all of it is a bad definition.
        raise ValueError(str(error) or type(error).__name__) from error


def _environment(program: Program) -> Environment:
    return Environment(
        aws_execution_details=AWSExecutionDetails(
            account=program.account, region=program.region, role_arn=program.role_arn
        ),
        execution_type=StateMachineType.STANDARD,
        context=ContextObjectData(
            Execution=ExecutionData(
                Id=program.execution_arn,
                Input=json.loads(program.input),
                Name=program.execution_name,
                RoleArn=program.role_arn,
                StartTime=iso(program.started),
            ),
            StateMachine=StateMachineData(Id=program.machine_arn, Name=program.machine_name),
        ),
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )
