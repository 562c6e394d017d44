"""Parameters of stacks."""

from typing import Any

import pytest

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.parameters import Parameter, resolve_parameters


def _resolve(declared: dict[str, Any], given: dict[str, str], **previous: Parameter) -> dict[str, Parameter]:
    entries = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    return resolve_parameters(declared, entries, previous, fetch=lambda name: f"value of {name}")


def test_defaults_lists_and_parameter_store_values_are_typed() -> None:
    """Ref gives text or a list, and for a Parameter Store type what the parameter holds."""
    resolved = _resolve(
        {
            "Plain": {"Type": "Number", "Default": 3},
            "Many": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"},
            "Names": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/names"},
        },
        {"Many": "x,y"},
    )

    assert {key: parameter.typed for key, parameter in resolved.items()} == {
        "Plain": "3",
        "Many": ["x", "y"],
        "Version": "value of /cdk/version",
        "Names": ["value of /names"],
    }
    assert resolved["Version"].described()["ResolvedValue"] == "value of /cdk/version"


def test_a_secret_is_masked_when_described() -> None:
    """NoEcho keeps a value out of every answer."""
    secret = _resolve({"Password": {"Type": "String", "NoEcho": "true"}}, {"Password": "hunter2"})["Password"]

    assert secret.typed == "hunter2"
    assert "hunter2" not in str(secret.described())


def test_a_previous_value_is_used_only_if_there_is_one() -> None:
    """UsePreviousValue keeps what the stack has, and is refused for a new parameter."""
    declared = {"Stage": {"Type": "String"}}
    keep = [{"ParameterKey": "Stage", "UsePreviousValue": True}]
    previous = {"Stage": Parameter("Stage", "prod", "String", no_echo=False)}

    kept = resolve_parameters(declared, keep, previous, fetch=str)

    assert kept["Stage"].value == "prod"
    with pytest.raises(ValidationError, match="usePreviousValue"):
        resolve_parameters(declared, keep, {}, fetch=str)


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        ({"A": {"Type": "String"}, "B": {"Type": "String"}}, {}, r"Parameters: \[A, B\] must have values"),
        ({}, {"C": "1"}, r"Parameters: \[C\] do not exist in the template"),
        ({"A": {"AllowedValues": ["x"]}}, {"A": "y"}, "'A' must be one of AllowedValues"),
        ({"A": {"AllowedPattern": "[a-z]+"}}, {"A": "1"}, "'A' must match pattern"),
        ({"A": {"AllowedPattern": "[a-z]+", "ConstraintDescription": "letters"}}, {"A": "1"}, "constraint: letters"),
        ({"A": {"MinLength": 2}}, {"A": "x"}, "at least 2"),
        ({"A": {"MaxLength": "2"}}, {"A": "xyz"}, "at most 2"),
        ({"A": {"Type": "Number"}}, {"A": "many"}, "must be a number"),
        ({"A": {"Type": "Number", "MinValue": 1}}, {"A": "0"}, "not less than 1"),
        ({"A": {"Type": "List<Number>", "MaxValue": 5}}, {"A": "1,9"}, "not greater than 5"),
    ],
)
def test_missing_unknown_and_invalid_values_are_refused(
    declared: dict[str, Any], given: dict[str, str], message: str
) -> None:
    """The message has CloudFormation's words and names the parameter."""
    with pytest.raises(ValidationError, match=message):
        _resolve(declared, given)
