"""Between the JSON of a state machine and the values of an AWS SDK, by the shapes of the service's model. Pure.

Parameters and results are spelled with capital first letters whatever the service's own spelling. Moments are ISO
strings in AWS SDK integrations, and milliseconds since 1970 in the optimized ones, which are of the older generation.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from local_cloud.stepfunctions.interpretation import TaskFailure

Moment = Callable[[datetime], str | int]
_NO_SUCH_FIELD = "States.Runtime"


def iso(moment: datetime) -> str:
    """`2026-11-23T17:04:05.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def compact(value: Any) -> str:
    """JSON without spaces, as Step Functions writes inputs and outputs."""
    return json.dumps(value, separators=(",", ":"))


def to_request(shape: Shape | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in boto3's spelling and types; raises TaskFailure (States.Runtime) for fields that do not exist."""
    unknown: list[str] = []
    request = _structure(shape, parameters, unknown) if shape is not None else {}
    if unknown:
        fields = ", ".join(f'The field "{name}" is not supported by Step Functions' for name in unknown)
        shown = compact(parameters)
        raise TaskFailure(_NO_SUCH_FIELD, f"The Parameters '{shown}' could not be used to start the Task: [{fields}]")
    return request


def to_result(shape: Shape | None, answer: Mapping[str, Any], *, moment: Moment) -> dict[str, Any]:
    """An answer of boto3 as plain JSON values."""
    members = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return _plain(shape, members, moment) if shape is not None else {}


def _structure(shape: Shape, given: Mapping[str, Any], unknown: list[str]) -> dict[str, Any]:
    spelled = {_capital(name): name for name in shape.members}
    unknown += [name for name in given if _capital(name) not in spelled]
    return {
        spelled[_capital(name)]: _value(shape.members[spelled[_capital(name)]], value, unknown)
        for name, value in given.items()
        if _capital(name) in spelled
    }


def _value(shape: Shape, value: Any, unknown: list[str]) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping) and not shape.is_document_type:
        return _structure(shape, value, unknown)
    if shape.type_name == "list" and isinstance(value, list):
        return [_value(shape.member, item, unknown) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: _value(shape.value, item, unknown) for key, item in value.items()}
    if shape.type_name == "string" and not isinstance(value, str):
        return compact(value)
    if shape.type_name == "blob":
        return (value if isinstance(value, str) else compact(value)).encode()
    return value


def _plain(shape: Shape, value: Any, moment: Moment) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping) and not shape.is_document_type:
        members = shape.members
        return {_capital(name): _plain(members[name], item, moment) for name, item in value.items() if name in members}
    if shape.type_name == "list":
        return [_plain(shape.member, item, moment) for item in value]
    if shape.type_name == "map":
        return {key: _plain(shape.value, item, moment) for key, item in value.items()}
    if isinstance(value, datetime):
        return moment(value)
    if shape.type_name == "blob":
        return _text(value.read() if hasattr(value, "read") else value)
    return value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
