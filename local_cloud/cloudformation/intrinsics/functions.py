"""The functions of a resolved argument, one resolver each. They are pure apart from reading the scope.

TEXTUAL functions can work around a value that is not known yet; STRUCTURAL ones need all of their argument.
Source: AWS CloudFormation User Guide, "Intrinsic function reference".
"""

import base64
import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.cloudformation.errors import TemplateError
from local_cloud.cloudformation.intrinsics.references import as_text
from local_cloud.cloudformation.intrinsics.scope import Scope
from local_cloud.cloudformation.intrinsics.unknown import UNKNOWN

_ZONES = ("a", "b", "c")
_IPV4_BITS = 32


def join(argument: Any, scope: Scope) -> str:
    """`[delimiter, [values]]` to one string."""
    delimiter, values = _arguments("Fn::Join", argument, 2)
    if values == UNKNOWN:
        return UNKNOWN
    if not isinstance(values, list):
        raise TemplateError("Template error: every Fn::Join object requires a delimiter and a list of strings")
    return str(delimiter).join(as_text(value) for value in values)


def to_json_string(argument: Any, scope: Scope) -> str:
    """A value as compact JSON text."""
    return json.dumps(argument, separators=(",", ":"))


def select(argument: Any, scope: Scope) -> Any:
    """`[index, list]` to one item."""
    index, values = _arguments("Fn::Select", argument, 2)
    items = values.split(",") if isinstance(values, str) else values
    try:
        position = int(index)
    except (TypeError, ValueError) as error:
        raise TemplateError(f"Template error: Fn::Select cannot use {index!r} as an index") from error
    if not 0 <= position < len(items):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
    return items[position]


def split(argument: Any, scope: Scope) -> list[str]:
    """`[delimiter, text]` to a list."""
    delimiter, text = _arguments("Fn::Split", argument, 2)
    return as_text(text).split(delimiter)


def find_in_map(argument: Any, scope: Scope) -> Any:
    """`[map, first key, second key]` to the mapped value."""
    name, first, second = _arguments("Fn::FindInMap", argument, 3)
    try:
        return scope.mappings[name][first][second]
    except (KeyError, TypeError) as error:
        raise TemplateError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from error


def get_azs(argument: Any, scope: Scope) -> list[str]:
    """The availability zones of a region (of the stack's own for an empty argument)."""
    region = argument or scope.pseudo["AWS::Region"]
    return [f"{region}{zone}" for zone in _ZONES]


def base64_text(argument: Any, scope: Scope) -> str:
    """Text to its Base64 form."""
    return base64.b64encode(as_text(argument).encode()).decode()


def length(argument: Any, scope: Scope) -> int:
    """The number of items of a list."""
    if not isinstance(argument, list):
        raise TemplateError("Template error: Fn::Length needs a list")
    return len(argument)


def cidr(argument: Any, scope: Scope) -> list[str]:
    """`[block, count, host bits]` to that many sub-blocks."""
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise TemplateError("Template error: Fn::Cidr needs an IP block, a count, and optionally the host bits")
    host_bits = int(argument[2]) if len(argument) == 3 else 8
    try:
        blocks = ipaddress.ip_network(argument[0]).subnets(new_prefix=_IPV4_BITS - host_bits)
        return [str(block) for _, block in zip(range(int(argument[1])), blocks, strict=False)]
    except ValueError as error:
        raise TemplateError(f"Template error: Fn::Cidr: {error}") from error


def import_value(argument: Any, scope: Scope) -> str:
    """The value that another stack exports under a name."""
    return scope.cross_stack.export(as_text(argument))


def get_stack_output(argument: Any, scope: Scope) -> str:
    """The output of another stack: `{StackName, OutputName}`."""
    try:
        return scope.cross_stack.output(argument["StackName"], argument["OutputName"])
    except (KeyError, TypeError) as error:
        raise TemplateError("Template error: Fn::GetStackOutput needs StackName and OutputName") from error


def _arguments(name: str, argument: Any, count: int) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise TemplateError(f"Template error: {name} needs a list of {count} values")
    return argument


TEXTUAL: Mapping[str, Callable[[Any, Scope], Any]] = {
    "Fn::Join": join,
    "Fn::ToJsonString": to_json_string,
}
STRUCTURAL: Mapping[str, Callable[[Any, Scope], Any]] = {
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::FindInMap": find_in_map,
    "Fn::GetAZs": get_azs,
    "Fn::Base64": base64_text,
    "Fn::Length": length,
    "Fn::Cidr": cidr,
    "Fn::ImportValue": import_value,
    "Fn::GetStackOutput": get_stack_output,
}
