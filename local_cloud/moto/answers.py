"""Answers and errors of the engines in the protocol of the service that was asked (JSON, query, REST)."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from local_cloud.service import ServiceError


class _Answered(ServiceException):  # type: ignore[misc]
    """A ServiceError in moto's terms; a class of this module, because moto looks services up by an error's module."""


def answer(response: BaseResponse, result: ActionResult) -> Any:
    """What moto sends back for a result: status, headers and body."""
    status, headers, body = response.serialized(result)
    if isinstance(body, bytes) and isinstance(result.result, dict) and "ContentType" in result.result:
        # moto's serializer writes its own content type over that of a payload.
        headers["Content-Type"] = result.result["ContentType"]
    headers, body = response._enrich_response(headers, body)
    return status, headers, body


def answer_error(response: BaseResponse, error: ServiceError) -> Any:
    """The same for an error, with its members and its HTTP status."""
    exception = _Answered(error.code, error.message)
    for name, value in error.members.items():
        setattr(exception, name, value)
    status, headers, body = answer(response, ActionResult(exception))
    return (error.status if error.status != 400 else status), headers, body
