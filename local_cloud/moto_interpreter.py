"""moto's interpreter of the Amazon States Language, with its repairs: the part of `moto_patches.py` that loads late.

moto is imported here and in `moto_patches.py` only, which imports this module with the first state machine: the
grammar alone takes 1.7 s to load. `tests/local_cloud/stepfunctions/test_interpreter.py` has a test for each repair:

1. every service integration and function call goes to the engine's task runner (`state_task_service_for`);
2. all waiting passes on the scaled clock (Wait, Retry, TimeoutSeconds, HeartbeatSeconds); a task that does real work
   is given half a minute of real time, or what it asks for if that is less;
3. `States.ALL` catches and retries neither States.Runtime nor States.DataLimitExceeded, as on AWS;
4. each attempt of a task that waits for a token gets its own, and an execution that is stopped ends the wait;
5. Wait until a timestamp reads it as UTC, whatever the machine's time zone is;
6. an intrinsic function that the grammar cannot read is refused, and not read in part.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.api import (
    ExecutionStartedEventDetails,
    HistoryEventExecutionDataDetails,
    HistoryEventType,
    LambdaFunctionFailedEventDetails,
    StateMachineType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program as asl_program
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
    lambda_eval_utils,
    state_task_factory,
    state_task_lambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure, CallbackOutcomeSuccess
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramTimedOut
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData, ExecutionData, StateMachineData
from moto.stepfunctions.parser.asl.parse.asl_parser import (
    AmazonStateLanguageParser,
    ASLParserException,
    SyntaxErrorListener,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import (
    ASLIntrinsicLexer,
    ASLIntrinsicParser,
    CommonTokenStream,
    InputStream,
    IntrinsicParser,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor as IntrinsicPreprocessor
from moto.stepfunctions.parser.utils import TMP_THREADS

from local_cloud.stepfunctions.interpretation import (
    Ending,
    ExecutionStatus,
    Following,
    Program,
    TaskCall,
    TaskFailure,
    TaskRunner,
)
from local_cloud.stepfunctions.values import compact, iso

_UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")
_SYNC_POLL_SECONDS = 0.1
_original_error_equals = ErrorEqualsDecl._eval_body
_original_seconds_until = Timestamp._get_wait_seconds
_original_function_error = state_task_lambda.StateTaskLambda._from_error


def install(tasks: TaskRunner, *, scale: float, shortest_work_seconds: float) -> None:
    """Replace moto's behaviour in this process; again with every new task runner.

    `shortest_work_seconds` of real time are every task's, however small its scaled TimeoutSeconds are.
    """
    state_task_factory.state_task_service_for = lambda service_name: _ServiceTask(tasks)
    lambda_eval_utils.execute_lambda_function_integration = partial(_call_function, tasks)
    state_task_lambda.StateTaskLambda._from_error = _function_failure
    IntrinsicParser.parse = staticmethod(_parse_intrinsic)
    ErrorEqualsDecl._eval_body = _error_equals
    Timestamp._get_wait_seconds = _seconds_until
    _scale_waiting(scale, shortest_work_seconds)
    # Every failure of a task is logged as an error with the whole program, even one that a Catch expects.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def parse(definition: str) -> None:
    """Raise ValueError, in the parser's words, for a definition that the interpreter cannot read."""
    _parsed(definition)


def _parsed(definition: str) -> Any:
    try:
        return AmazonStateLanguageParser.parse(definition)[0]
    except ASLParserException as error:
        raise ValueError("; ".join(error.errors)) from error
    except Exception as error:
        # The parser's second half raises whatever its checks run into; to the caller all of it is a bad definition.
        raise ValueError(str(error) or type(error).__name__) from error


def _parse_intrinsic(source: str) -> tuple[Any, Any]:
    listener = SyntaxErrorListener()
    lexer = ASLIntrinsicLexer(InputStream(source))
    parser = ASLIntrinsicParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(listener)
    tree = parser.func_decl()
    if listener.errors:
        raise ASLParserException([f"{source}: {error}" for error in listener.errors])
    return IntrinsicPreprocessor().visit(tree), tree


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


# --- tasks --------------------------------------------------------------------------------------------------------


class _ServiceTask(StateTaskServiceCallback):  # type: ignore[misc]
    """A Task state with a service integration, of any service and pattern."""

    def __init__(self, tasks: TaskRunner) -> None:
        patterns = {ResourceCondition.WaitForTaskToken, ResourceCondition.Sync, ResourceCondition.Sync2}
        super().__init__(supported_integration_patterns=patterns)
        self._tasks = tasks

    def _validate_service_integration_is_supported(self) -> None:
        """Resources were checked before the definition was parsed."""

    def _get_sfn_resource_type(self) -> str:
        service, api = self.resource.service_name, self.resource.api_name
        return str(service if service == api else f"{service}:{api}")

    def _eval_execution(self, env: Environment) -> None:
        if self.resource.condition is not None:
            env.callback_pool_manager.add(env.states.context_object.update_task_token())
        super()._eval_execution(env)

    def _eval_service_task(
        self, env: Environment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        env.stack.append(self._tasks.call(_task_call(env, self.resource.resource_arn, normalised_parameters)))

    def _build_sync_resolver(
        self, env: Environment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> Following:
        call = _task_call(env, self.resource.resource_arn, normalised_parameters)
        return self._tasks.follow(call, env.stack.pop())

    _build_sync2_resolver = _build_sync_resolver

    def _eval_sync(self, env: Environment, sync_resolver: Following, **_: Any) -> Any:
        while env.is_running():
            if (description := sync_resolver()) is not None:
                return description
            time.sleep(_SYNC_POLL_SECONDS)  # the pace of asking: a job tells nobody that it has ended
        sync_resolver.cancel()
        return None

    def _from_error(self, env: Environment, ex: Exception) -> FailureEvent:
        if not isinstance(ex, TaskFailure):
            return super()._from_error(env=env, ex=ex)
        details = TaskFailedEventDetails(
            error=ex.error,
            cause=ex.cause,
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
        )
        return FailureEvent(
            env=env,
            error_name=ErrorName(error_name=ex.error),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )


def _task_call(env: Environment, resource: str, parameters: Mapping[str, Any]) -> TaskCall:
    context, details = env.states.context_object.context_object_data, env.aws_execution_details
    return TaskCall(
        resource=resource,
        parameters=parameters,
        role_arn=details.role_arn,
        account=details.account,
        region=details.region,
        machine_arn=context["StateMachine"]["Id"],
        execution_arn=context["Execution"]["Id"],
    )


def _call_function(
    tasks: TaskRunner, env: Environment, parameters: Mapping[str, Any], region: str, state_credentials: Any
) -> None:
    """A Task state whose resource is a function's ARN: its input is the payload, its result what the function gave."""
    payload = json.loads(parameters["Payload"])
    env.stack.append({"Payload": tasks.call(_task_call(env, parameters["FunctionName"], payload))})


def _function_failure(self: Any, env: Environment, ex: Exception) -> FailureEvent:
    if not isinstance(ex, TaskFailure):
        return _original_function_error(self, env=env, ex=ex)
    details = LambdaFunctionFailedEventDetails(error=ex.error, cause=ex.cause)
    return FailureEvent(
        env=env,
        error_name=ErrorName(error_name=ex.error),
        event_type=HistoryEventType.LambdaFunctionFailed,
        event_details=EventDetails(lambdaFunctionFailedEventDetails=details),
    )


def _error_equals(self: ErrorEqualsDecl, env: Environment) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    error: ErrorName = env.stack[-1]
    if error.error_name in _UNCATCHABLE and error not in self.error_names:
        env.stack[-1] = False
        return
    _original_error_equals(self, env)


# --- time ---------------------------------------------------------------------------------------------------------


def _scale_waiting(scale: float, shortest_work_seconds: float) -> None:
    class WorkEvent(threading.Event):
        """The end of a task. Functions and jobs do not run faster than they do, whatever the clock's scale."""

        def wait(self, timeout: float | None = None) -> bool:
            limit = float("inf") if timeout is None else timeout
            return super().wait(min(limit, max(limit * scale, shortest_work_seconds), threading.TIMEOUT_MAX))

    class ScaledEvent(threading.Event):
        """An event whose time limits are seconds of cloud time."""

        def wait(self, timeout: float | None = None) -> bool:
            return super().wait(None if timeout is None else timeout * scale)

    class ScaledThread(threading.Thread):
        """A thread that is waited for in seconds of cloud time."""

        def join(self, timeout: float | None = None) -> None:
            super().join(None if timeout is None else timeout * scale)

    def wait_interval(self: WaitFunction, env: Environment, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds * scale
        while env.is_running() and (remaining := deadline - time.monotonic()) > 0:
            env.program_state_event.wait(remaining)

    execute_state.threading = SimpleNamespace(Event=WorkEvent)
    callback.Event = ScaledEvent
    asl_program.threading = SimpleNamespace(Thread=ScaledThread)
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * scale))
    WaitFunction._wait_interval = wait_interval


def _seconds_until(self: Timestamp, env: Environment) -> float:
    """moto takes the difference between a moment in UTC and the local time."""
    offset = datetime.now().astimezone().utcoffset()
    return float(_original_seconds_until(self, env)) + (offset.total_seconds() if offset else 0.0)
