"""Expressions and conditions."""

from typing import Any

import pytest

from local_cloud.sagemaker.pipelines.conditions import all_hold
from local_cloud.sagemaker.pipelines.expressions import ExpressionError, Scope, resolve
from tests.local_cloud.sagemaker.pipelines.definitions import get, join

ANSWER = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
            {"OutputName": "test.set", "S3Output": {"S3Uri": "s3://b/test"}},
        ]
    }
}
SCOPE = Scope(
    parameters={"Text": "x", "Count": 3, "Share": 0.5, "Flag": True},
    variables=lambda name: f"<{name}>",
    properties=lambda step: ANSWER,
    property_file=lambda step, name: {"metrics": {"rmse": 1.5, "by slice": [{"v": 7}]}, "ok": True},
    s3_json=lambda uri: {"uri": uri},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (get("Parameters.Count"), 3),
        (get("Execution.PipelineName"), "<PipelineName>"),
        (get("Steps.P.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "s3://b/train"),
        (get('Steps.P.ProcessingOutputConfig.Outputs["test.set"].S3Output.S3Uri'), "s3://b/test"),
        (get("Steps.P.ProcessingOutputConfig.Outputs[1].S3Output.S3Uri"), "s3://b/test"),
        (join("a", get("Parameters.Count"), get("Parameters.Share"), get("Parameters.Flag")), "a/3/0.5/true"),
        ({"k": [get("Parameters.Text"), 1]}, {"k": ["x", 1]}),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.P.PropertyFiles.F"), "Path": "metrics.rmse"}}, 1.5),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.P.PropertyFiles.F"), "Path": "$.metrics['by slice'][0].v"}}, 7),
        ({"Std:JsonGet": {"S3Uri": join("s3:/", "b"), "Path": "uri"}}, "s3://b"),
    ],
)
def test_expressions_resolve(expression: Any, value: Any) -> None:
    """Get, Std:Join and Std:JsonGet give the values they name; anything else stays as it is."""
    assert resolve(expression, SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (get("Steps.P.ProcessingOutputConfig.Outputs['none'].S3Output"), "there is no 'none' in a list of 2"),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.P.PropertyFiles.F"), "Path": "metrics.mae"}}, "'mae'"),
        (get("Steps.P.a b"), "is not a property path"),
    ],
)
def test_paths_that_lead_nowhere(expression: Any, problem: str) -> None:
    """A path that leads nowhere raises an error that names the part and what is there instead."""
    with pytest.raises(ExpressionError, match=problem):
        resolve(expression, SCOPE)


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    """A comparison."""
    return {"Type": kind, "LeftValue": left, "RightValue": right}


YES, NO = compare("Equals", 1, 1), compare("Equals", 1, 2)


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (compare("Equals", get("Parameters.Text"), "x"), True),
        (compare("Equals", get("Parameters.Flag"), True), True),
        (compare("GreaterThan", get("Parameters.Count"), 3), False),
        (compare("GreaterThanOrEqualTo", get("Parameters.Count"), 3), True),
        (compare("LessThan", get("Parameters.Share"), 1), True),
        (compare("LessThanOrEqualTo", 0.6, get("Parameters.Share")), False),
        ({"Type": "In", "QueryValue": get("Parameters.Text"), "Values": ["y", get("Parameters.Text")]}, True),
        ({"Type": "In", "QueryValue": "z", "Values": ["y"]}, False),
        ({"Type": "Not", "Expression": NO}, True),
        ({"Type": "Or", "Conditions": [NO, YES]}, True),
        ({"Type": "Or", "Conditions": [NO, NO]}, False),
        ({"Type": "And", "Conditions": [YES, NO]}, False),
        ({"Type": "And", "Conditions": [YES, {"Type": "Not", "Expression": NO}]}, True),
    ],
)
def test_conditions(condition: dict[str, Any], outcome: bool) -> None:
    """Every condition type has the outcome that its name says."""
    assert all_hold([condition], SCOPE) is outcome


def test_all_conditions_must_hold() -> None:
    """The conditions of a step are a conjunction."""
    assert not all_hold([YES, NO], SCOPE)


@pytest.mark.parametrize(("left", "right"), [("1", 1), (True, 1), (None, 1), ([], 1)])
def test_values_of_different_types_cannot_be_compared(left: Any, right: Any) -> None:
    """Comparing a number with text (or a boolean) is an error, not False: the gate must not decide by accident."""
    with pytest.raises(ExpressionError, match="cannot compare"):
        all_hold([compare("LessThan", left, right)], SCOPE)
