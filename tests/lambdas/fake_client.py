"""A stand-in for a boto3 client: answers from functions, and checks every request against the service's own model."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator


class FakeClient:
    """`operations` maps the client's method names to functions of the request; anything else is not to be called."""

    def __init__(self, service: str, operations: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
        self._service = service
        self._operations = dict(operations)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        def call(**request: Any) -> dict[str, Any]:
            _check(self._service, name, request)
            self.calls.append((name, request))
            return self._operations[name](**request)

        return call

    def get_paginator(self, name: str) -> "_Pages":
        """A paginator with one page."""
        return _Pages(getattr(self, name))

    def requests(self, name: str) -> list[dict[str, Any]]:
        """The requests of one operation so far."""
        return [request for called, request in self.calls if called == name]


class _Pages:
    def __init__(self, operation: Callable[..., dict[str, Any]]) -> None:
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self._operation(**request)


def client_error(code: str, message: str = "no", *, status: int = 400, **more: Any) -> ClientError:
    """What boto3 raises when a service refuses."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**response, **more}, "Operation")


@cache
def _shapes(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name).input_shape for name in model.operation_names}


def _check(service: str, name: str, request: Mapping[str, Any]) -> None:
    report = ParamValidator().validate(dict(request), _shapes(service)[name])
    assert not report.has_errors(), f"{service}.{name}: {report.generate_report()}"
