"""Lambda functions really run, and keep all their settings.

Patches: `LambdaFunction._invoke_lambda` and `LambdaBackend.invoke` hand over to the function runner; creation, update
and description keep the settings that moto drops.
"""

import json
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction

from local_cloud.functions.runner import check_payload
from local_cloud.functions.specification import FunctionSpec
from local_cloud.moto.hooks import Hooks

_original_invoke = LambdaBackend.invoke
_original_init = LambdaFunction.__init__
_original_update = LambdaFunction.update_configuration
_original_configuration = LambdaFunction.get_configuration
# moto drops these settings; they decide where failed events and log lines go.
_DROPPED_SETTINGS = ("DeadLetterConfig", "LoggingConfig")


def install(hooks: Hooks) -> None:
    """Hand invocations over to the function runner."""

    def run(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        payload = event if isinstance(event, str) else json.dumps(event)
        result = hooks.invoke(_specification(self), payload)
        return result.payload, result.error is not None, result.log_tail

    def invoke(
        self: LambdaBackend, function_name: str, qualifier: str | None, body: Any, headers: Any, out: Any
    ) -> Any:
        if headers.get("x-amz-invocation-type") == "Event":
            payload = body.decode() if isinstance(body, bytes) else body
            hooks.invoke_later(_specification(self.get_function(function_name, qualifier)), payload or "{}")
            return ""
        check_payload(body.decode() if isinstance(body, bytes) else body or "{}")
        answer = _original_invoke(self, function_name, qualifier, body, headers, out)
        if out.get("x-amz-function-error"):
            out["x-amz-function-error"] = "Unhandled"
        return answer

    LambdaFunction._invoke_lambda = run
    LambdaBackend.invoke = invoke
    LambdaFunction.__init__ = _keep_all_settings
    LambdaFunction.update_configuration = _update_all_settings
    LambdaFunction.get_configuration = _tell_all_settings


def _keep_all_settings(self: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:
    _original_init(self, account_id, spec, *arguments, **named)
    self.dropped_settings = {name: spec[name] for name in _DROPPED_SETTINGS if spec.get(name)}


def _update_all_settings(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
    self.dropped_settings |= {name: config_updates[name] for name in _DROPPED_SETTINGS if name in config_updates}
    configuration: dict[str, Any] = _original_update(self, config_updates)
    return configuration


def _tell_all_settings(self: Any, on_create: bool = False) -> dict[str, Any]:
    settings: dict[str, Any] = _original_configuration(self, on_create) | self.dropped_settings
    return settings


def _specification(function: LambdaFunction) -> FunctionSpec:
    """What the function runner needs to know of a function that was created through the API."""
    settings = function.dropped_settings
    logging_config = settings.get("LoggingConfig", {})
    reserved = function.reserved_concurrency
    return FunctionSpec(
        account=function.account_id,
        region=function.region,
        name=function.function_name,
        arn=function.function_arn,
        handler=str(function.handler),
        runtime=str(function.run_time),
        timeout_seconds=float(function.timeout),
        memory_mb=int(function.memory_size),
        environment=dict(function.environment_vars or {}),
        role_arn=function.role,
        code=function.code_bytes,
        code_sha256=function.code_sha_256,
        log_group=logging_config.get("LogGroup", function.logs_group_name),
        version=str(function.version),
        reserved_concurrency=int(reserved) if reserved is not None else None,
        log_format=logging_config.get("LogFormat", "Text"),
        log_level=logging_config.get("ApplicationLogLevel"),
        event_invoke_config=function.event_invoke_config[-1].config if function.event_invoke_config else {},
        dead_letter_arn=settings.get("DeadLetterConfig", {}).get("TargetArn"),
    )
