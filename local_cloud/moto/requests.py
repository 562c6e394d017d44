"""Every request on its way through moto: authorized, answered by the engine that owns the service or by moto.

Patch: `BaseResponse.call_action`, which all services but S3 go through. Services that the local cloud owns answer from
their operation tables instead of moto's methods, except for operations that the table delegates.
"""

import logging
from typing import Any

import moto.core.responses as core_responses
from botocore.model import OperationModel
from botocore.validate import ParamValidator
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import ActionResult, BaseResponse

from local_cloud.authorization import ApiRequest
from local_cloud.clients import SYSTEM_ACCESS_KEY
from local_cloud.moto import sessions
from local_cloud.moto.answers import answer, answer_error
from local_cloud.moto.hooks import Gate, Hooks
from local_cloud.service import Fidelity, RequestContext, Service, ServiceError

_log = logging.getLogger("local_cloud")
_original_call_action = BaseResponse.call_action


def install(hooks: Hooks) -> None:
    """Authorize every request, and answer those to owned services from their tables."""
    owned = {service.name: service for service in hooks.services}

    def call_action(self: BaseResponse) -> Any:
        service, operation = self.boto3_service_name, str(self._get_action() or "")
        try:
            params = _parameters(self, operation)
            _authorize(self, operation, params, hooks.gate)
            if service in owned and not _is_delegated(owned[service], operation):
                # moto's own rewriting of answers is for its own objects.
                self.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}
                return answer(self, ActionResult(_call(owned[service], operation, params, sessions.context(self))))
            answered = _original_call_action(self)
            if (service, operation) == ("logs", "PutLogEvents"):
                hooks.observe_logs(sessions.context(self), params)
            return answered
        except ServiceError as error:
            return answer_error(self, error)
        except NotImplementedError:
            return answer_error(self, _unknown_operation(service, operation))
        except Exception:  # noqa: BLE001 - a defect in an engine or in moto must reach the client as AWS's InternalFailure
            _log.exception("%s:%s failed", service, operation)
            problem = f"The local cloud failed in {service}:{operation}; `python -m local_cloud logs` has the details."
            return answer_error(self, ServiceError("InternalFailure", problem, status=500))

    BaseResponse.call_action = call_action
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = lambda self, resource="*": None


def _authorize(response: BaseResponse, operation: str, params: dict[str, Any], gate: Gate) -> None:
    """The system may do everything, but whether it may assume a role is for the role's trust policy to say."""
    if response.get_access_key() == SYSTEM_ACCESS_KEY and operation != "AssumeRole":
        return
    gate.authorize(
        ApiRequest(
            _signing_name(response),
            operation,
            params,
            sessions.context(response),
            principal=response.headers.get("x-local-cloud-principal"),
            source_arn=response.headers.get("x-local-cloud-source-arn"),
        )
    )


def _parameters(response: BaseResponse, operation: str) -> dict[str, Any]:
    """The request in botocore's input shape; moto's services that parse by hand keep what they had."""
    model = core_responses.get_service_model(response.boto3_service_name)
    if operation not in model.operation_names:
        raise _unknown_operation(response.boto3_service_name, operation)
    before = getattr(response, "params", None)
    response.parse_parameters(response.normalized_request)
    parsed = _empty_payload(model.operation_model(operation)) | dict(response.params or {})
    if before is not None and not response.automated_parameter_parsing:
        response.params = before
    return parsed


def _empty_payload(operation: OperationModel) -> dict[str, Any]:
    """A body of no bytes, which moto's parser takes for a missing one where the body is a parameter."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    required = payload in shape.required_members if shape is not None else False
    return {payload: b""} if payload and required and shape.members[payload].type_name == "blob" else {}


def _signing_name(response: BaseResponse) -> str:
    return str(core_responses.get_service_model(response.boto3_service_name).signing_name)


def _unknown_operation(service: str, operation: str) -> ServiceError:
    return ServiceError(
        "NotImplemented",
        f"{service}:{operation or '(no operation)'} is not emulated by the local cloud. "
        "docs/local-cloud.md lists what is.",
        status=501,
    )


def _call(service: Service, operation: str, params: dict[str, Any], context: RequestContext) -> dict[str, Any]:
    entry = service.operations.get(operation)
    if entry is None or entry.handler is None:
        raise _unknown_operation(service.name, operation)
    model = core_responses.get_service_model(service.name).operation_model(operation)
    _validate(model, params)
    return entry.handler(context, params)


def _is_delegated(service: Service, operation: str) -> bool:
    """Whether moto answers an operation of a service that the local cloud owns otherwise."""
    entry = service.operations.get(operation)
    return entry is not None and entry.fidelity is Fidelity.DELEGATED


def _validate(model: OperationModel, params: dict[str, Any]) -> None:
    """Refuse a malformed request as AWS does: clients other than boto3 do not check before they send."""
    if model.input_shape is None:
        return
    report = ParamValidator().validate(params, model.input_shape)
    if report.has_errors():
        raise ServiceError("ValidationException", report.generate_report())
