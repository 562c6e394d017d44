"""An engine's operations as plain calls, without a server or a wire format between."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.validate import ParamValidator

from local_cloud.api_model import ApiModel
from local_cloud.service import RequestContext, Service, ServiceError

CONTEXT = RequestContext("123456789012", "us-east-1")


class Operations:
    """What an account in one region may call. With `model`, every answer must be one that AWS could give."""

    def __init__(self, service: Service, *, model: ApiModel | None = None) -> None:
        self._operations = service.operations
        self._model = model

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """One request, answered at once."""
        handler = self._operations[operation].handler
        assert handler is not None
        answer = handler(CONTEXT, params)
        if self._model is not None:
            assert_shape(self._model, operation, answer)
        return answer

    def refusal(self, operation: str, **params: Any) -> ServiceError:
        """The error that a request is answered with."""
        try:
            self.call(operation, **params)
        except ServiceError as error:
            return error
        raise AssertionError(f"{operation} was not refused")


def assert_shape(model: ApiModel, operation: str, answer: Mapping[str, Any]) -> None:
    """Fail unless an answer fits the operation's output shape: members known, typed, required ones there."""
    shape = model.output_shape(operation)
    if shape is None:
        assert answer == {}
        return
    if operation == "DescribeModelPackage" and "ModelPackageVersion" in answer:
        answer = {"ModelPackageName": "left-out-for-versions", **answer}
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"
    unknown = set(answer) - set(shape.members)
    assert not unknown, f"{operation}: unknown members {unknown}"
    for name, value in answer.items():
        assert value is not None, f"{operation}: {name} is None"
        assert not isinstance(value, datetime) or value.tzinfo, f"{operation}: {name} has no time zone"
