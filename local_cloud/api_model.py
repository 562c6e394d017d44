"""A service's API model as botocore ships it: the oracle for shapes, and the constraints AWS checks first.

botocore itself checks types and required members only; enums, patterns and lengths are checked by the service, with
the wording reproduced here. https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from local_cloud.service import Operation, RequestContext, invalid

_UNICODE_CLASS = r"\p{"


class ApiModel:
    """Shapes of a service's operations; `service` is botocore's name for it."""

    def __init__(self, service: str) -> None:
        self._service = _service_model(service)

    def operation_name(self, name: str) -> str | None:
        """The operation of that name in any case (SDKs spell them in their own), or None if there is none."""
        return next((known for known in self._service.operation_names if known.lower() == name.lower()), None)

    def input_shape(self, operation: str) -> Shape:
        """The structure of an operation's request."""
        return self._service.operation_model(operation).input_shape

    def output_shape(self, operation: str) -> Shape | None:
        """The structure of an operation's answer; None if it has none."""
        return self._service.operation_model(operation).output_shape

    def check(self, operation: str, params: Mapping[str, Any]) -> None:
        """Raise ValidationException, worded as AWS words it, for values outside their enum, pattern or length."""
        faults = list(_faults(self.input_shape(operation), params, ""))
        if faults:
            noun = "error" if len(faults) == 1 else "errors"
            raise invalid(f"{len(faults)} validation {noun} detected: " + "; ".join(faults))

    def checked(self, operations: Mapping[str, Operation]) -> dict[str, Operation]:
        """The operations with every request checked before it is handled."""
        return {name: self._checked(name, operation) for name, operation in operations.items()}

    def _checked(self, name: str, operation: Operation) -> Operation:
        handler = operation.handler

        def check_and_handle(context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
            self.check(name, params)
            return handler(context, params) if handler else {}

        return Operation(check_and_handle, operation.fidelity, operation.note)


@functools.cache
def _service_model(service: str) -> ServiceModel:
    """Package data of botocore, half a second to read: read once for all engines of a process."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _faults(member, value[name], _member_path(path, name))
    elif shape.type_name == "list":
        yield from _length_faults(shape, value, path)
        for index, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}.{index}.member")
    elif shape.type_name == "map":
        yield from _length_faults(shape, value, path)
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{path}.key")
            yield from _faults(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _length_faults(shape, value, path)
        yield from _text_faults(shape, value, path)
    elif shape.type_name in ("integer", "long"):
        yield from _range_faults(shape, value, path)


def _member_path(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _text_faults(shape: Shape, value: str, path: str) -> Iterator[str]:
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        yield _fault(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    # Python's `re` has no Unicode classes, and AWS puts them on free text only.
    if pattern and _UNICODE_CLASS not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
        yield _fault(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _length_faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    shown = value if isinstance(value, str) else f"[{len(value)} items]"
    if "min" in shape.metadata and len(value) < shape.metadata["min"]:
        yield _fault(shown, path, f"Member must have length greater than or equal to {shape.metadata['min']}")
    if "max" in shape.metadata and len(value) > shape.metadata["max"]:
        yield _fault(shown, path, f"Member must have length less than or equal to {shape.metadata['max']}")


def _range_faults(shape: Shape, value: int, path: str) -> Iterator[str]:
    if "min" in shape.metadata and value < shape.metadata["min"]:
        yield _fault(value, path, f"Member must have value greater than or equal to {shape.metadata['min']}")
    if "max" in shape.metadata and value > shape.metadata["max"]:
        yield _fault(value, path, f"Member must have value less than or equal to {shape.metadata['max']}")


def _fault(value: object, path: str, constraint: str) -> str:
    shown = str(value)
    return f"Value '{shown[:200]}' at '{path}' failed to satisfy constraint: {constraint}"
