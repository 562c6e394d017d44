"""Parameters of a stack: defaults, previous values, types, constraints, and values read from Parameter Store.

Source: AWS CloudFormation User Guide, "Parameters" and "CloudFormation-supplied parameter types".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.cloudformation.errors import ValidationError

_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_MASK = "****"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a stack: `value` as given, `resolved` from Parameter Store if its type asks for it."""

    key: str
    value: str
    type: str
    no_echo: bool
    resolved: str | None = None

    @property
    def typed(self) -> Any:
        """What `Ref` gives: a list for list types, otherwise text."""
        text = self.value if self.resolved is None else self.resolved
        match = _SSM_VALUE.fullmatch(self.type)
        inner = match.group(1) if match else self.type
        if inner == "CommaDelimitedList" or inner.startswith("List<"):
            return [item.strip() for item in text.split(",")]
        return text

    def described(self) -> dict[str, str]:
        """The shape that DescribeStacks answers; secrets are masked."""
        shape = {"ParameterKey": self.key, "ParameterValue": _MASK if self.no_echo else self.value}
        return shape if self.resolved is None else shape | {"ResolvedValue": self.resolved}


def resolve_parameters(
    declared: Mapping[str, Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, Parameter],
    *,
    fetch: Callable[[str], str],
) -> dict[str, Parameter]:
    """The parameters of a stack operation.

    `given` has the shape of the API (`ParameterKey`, `ParameterValue`, `UsePreviousValue`); `fetch` reads one
    Parameter Store value. Raises ValidationError with AWS's text for missing, unknown or invalid values.
    """
    unknown = sorted(entry["ParameterKey"] for entry in given if entry["ParameterKey"] not in declared)
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = _values(declared, given, previous)
    missing = sorted(key for key, value in values.items() if value is None)
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    return {key: _parameter(key, value, declared[key], fetch) for key, value in values.items() if value is not None}


def _values(
    declared: Mapping[str, Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, Parameter],
) -> dict[str, str | None]:
    values: dict[str, str | None] = {
        key: None if "Default" not in entry else _text(entry["Default"]) for key, entry in declared.items()
    }
    for entry in given:
        key = entry["ParameterKey"]
        if not entry.get("UsePreviousValue"):
            values[key] = entry.get("ParameterValue", values[key])
        elif key in previous:
            values[key] = previous[key].value
        else:
            raise ValidationError(
                f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true "
                "for a parameter key not in the previous template"
            )
    return values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(key: str, value: str, entry: Mapping[str, Any], fetch: Callable[[str], str]) -> Parameter:
    type_ = entry.get("Type", "String")
    _check(key, value, entry)
    resolved = fetch(value) if _SSM_VALUE.fullmatch(type_) else None
    return Parameter(key, value, type_, no_echo=_text(entry.get("NoEcho", False)) == "true", resolved=resolved)


def _check(key: str, value: str, entry: Mapping[str, Any]) -> None:
    problem = _problem(value, entry)
    if problem:
        described = entry.get("ConstraintDescription")
        reason = f"failed to satisfy constraint: {described}" if described else problem
        raise ValidationError(f"Parameter '{key}' {reason}")


def _problem(value: str, entry: Mapping[str, Any]) -> str | None:
    items = value.split(",") if entry.get("Type") in ("CommaDelimitedList", "List<Number>") else [value]
    allowed = [_text(item) for item in entry.get("AllowedValues", [])]
    if allowed and any(item.strip() not in allowed for item in items):
        return "must be one of AllowedValues"
    if "AllowedPattern" in entry and not re.fullmatch(entry["AllowedPattern"], value):
        return f"must match pattern {entry['AllowedPattern']}"
    if len(value) < int(entry.get("MinLength", 0)):
        return f"must contain at least {entry['MinLength']} characters"
    if "MaxLength" in entry and len(value) > int(entry["MaxLength"]):
        return f"must contain at most {entry['MaxLength']} characters"
    if entry.get("Type") in ("Number", "List<Number>"):
        return next((problem for item in items if (problem := _number_problem(item, entry))), None)
    return None


def _number_problem(text: str, entry: Mapping[str, Any]) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "must be a number"
    if "MinValue" in entry and number < float(entry["MinValue"]):
        return f"must be a number not less than {entry['MinValue']}"
    if "MaxValue" in entry and number > float(entry["MaxValue"]):
        return f"must be a number not greater than {entry['MaxValue']}"
    return None
