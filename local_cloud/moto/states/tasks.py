"""Task states: every service integration and every function call goes to the engine's task runner.

Patches: `state_task_service_for`, `execute_lambda_function_integration`, and the failure of a function's task.
"""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from moto.stepfunctions.parser.api import (
    HistoryEventType,
    LambdaFunctionFailedEventDetails,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
    lambda_eval_utils,
    state_task_factory,
    state_task_lambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from local_cloud.stepfunctions.interpretation import Following, TaskCall, TaskFailure, TaskRunner

_SYNC_POLL_SECONDS = 0.1
_original_function_error = state_task_lambda.StateTaskLambda._from_error


def install(tasks: TaskRunner) -> None:
    """Hand all tasks over to the runner."""
    state_task_factory.state_task_service_for = lambda service_name: _ServiceTask(tasks)
    lambda_eval_utils.execute_lambda_function_integration = partial(_call_function, tasks)
    state_task_lambda.StateTaskLambda._from_error = _function_failure


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
