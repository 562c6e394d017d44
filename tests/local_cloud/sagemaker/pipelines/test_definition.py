"""Reading pipeline definitions, and refusing bad ones."""

import json
from typing import Any

import pytest

from local_cloud.api_model import ApiModel
from local_cloud.sagemaker.pipelines.definition import parse_definition
from local_cloud.service import ServiceError
from tests.local_cloud.sagemaker.pipelines.definitions import (
    condition,
    definition,
    equals,
    fail,
    get,
    output_of,
    processing,
)

MODEL = ApiModel("sagemaker")


def test_dependencies_come_from_references_depends_on_and_branches() -> None:
    """A step waits for the steps that it references, names in DependsOn, or stands in a branch of."""
    text = definition(
        processing("A"),
        processing("B", inputs={"in": output_of("A")}),
        condition("C", equals(1, 1), then=[processing("D", DependsOn=["B"])]),
    )

    steps = parse_definition(text, MODEL).steps

    assert {name: set(step.dependencies) for name, step in steps.items()} == {
        "A": set(),
        "B": {"A"},
        "C": set(),
        "D": {"B", "C"},
    }


def with_argument(path: str, value: Any) -> str:
    """A definition whose one step has a member at `path` of its Arguments set (or removed, for None)."""
    step = processing("A")
    *parents, last = path.split(".")
    place = step["Arguments"]
    for name in parents:
        place = place[name]
    place[last] = value
    if value is None:
        del place[last]
    return definition(step)


BAD = {
    "not JSON": ("{", "It is not JSON"),
    "no object": ("[]", "must be a JSON object"),
    "version": (json.dumps({"Version": "1", "Steps": []}), "Version must be '2020-12-01', not '1'"),
    "no steps": (definition(), "Steps must not be empty"),
    "unknown top member": (json.dumps({"Version": "2020-12-01", "Stepps": []}), "Unknown member 'Stepps'"),
    "unknown type": (definition({"Name": "A", "Type": "Nope", "Arguments": {}}), "Step 'A': unknown Type 'Nope'"),
    "type not emulated": (
        definition({"Name": "A", "Type": "Lambda", "Arguments": {}}),
        "Step 'A': Type 'Lambda' is not emulated",
    ),
    "model step": (definition({"Name": "A", "Type": "Model", "Arguments": {}}), "Type 'Model' is not emulated"),
    "duplicate": (definition(processing("A"), processing("A")), "Duplicate step name 'A'"),
    "duplicate in a branch": (
        definition(processing("A"), condition("C", equals(1, 1), then=[processing("A")])),
        "Duplicate step name 'A'",
    ),
    "unknown parameter": (
        definition(processing("A", inputs={"in": get("Parameters.Nope")})),
        "Step 'A': Get 'Parameters.Nope': there is no parameter 'Nope'",
    ),
    "unknown variable": (
        definition(processing("A", inputs={"in": get("Execution.Nope")})),
        "no execution variable 'Nope'",
    ),
    "unknown step": (definition(processing("A", inputs={"in": output_of("B")})), "there is no step 'B'"),
    "unknown dependency": (definition(processing("A", DependsOn=["B"])), "Step 'A': there is no step 'B'"),
    "unknown property": (
        definition(processing("A"), processing("B", inputs={"in": get("Steps.A.Nope")})),
        "Step 'B': Get 'Steps.A.Nope': a Processing step has no property 'Nope'",
    ),
    "unknown property file": (
        definition(processing("A"), condition("C", equals(get("Steps.A.PropertyFiles.F"), 1))),
        "step 'A' has no property file 'F'",
    ),
    "malformed reference": (definition(processing("A", inputs={"in": get("Nope.X")})), "Step 'A': Arguments: Get"),
    "cycle": (definition(processing("A", DependsOn=["B"]), processing("B", DependsOn=["A"])), "wait for each other"),
    "own branch": (
        definition(condition("C", equals(1, 1), then=[processing("A")], DependsOn=["A"])),
        "wait for each other",
    ),
    "unknown argument": (
        with_argument("AppSpecification.Imge", "x"),
        "Step 'A': unknown member 'Arguments.AppSpecification.Imge'",
    ),
    "missing argument": (with_argument("RoleArn", None), "Step 'A': 'Arguments.RoleArn' is required"),
    "mistyped argument": (
        with_argument("ProcessingResources.ClusterConfig.InstanceCount", "1"),
        "Arguments.ProcessingResources.ClusterConfig.InstanceCount must be an integer",
    ),
    "unknown condition": (
        definition(condition("C", {"Type": "ConditionEquals", "LeftValue": 1, "RightValue": 1})),
        r"Step 'C': Arguments.Conditions[0]: unknown condition type 'ConditionEquals'",
    ),
    "condition members": (definition(condition("C", {"Type": "Not", "LeftValue": 1})), "Not takes Expression"),
    "inner condition": (
        definition(condition("C", {"Type": "Not", "Expression": {"Type": "X"}})),
        "unknown condition type 'X'",
    ),
    "cache duration": (
        definition(processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})),
        "Step 'A': CacheConfig.ExpireAfter: 'soon'",
    ),
    "retry limits": (
        definition(processing("A", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"]}])),
        "exactly one of MaxAttempts and ExpireAfterMin",
    ),
    "parameter type": (
        definition(fail("A"), parameters=[{"Name": "P", "Type": "Text"}]),
        "Parameter 'P': Type must be one of",
    ),
    "parameter default": (
        definition(fail("A"), parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": True}]),
        "Parameter 'P': DefaultValue True is not of type Integer",
    ),
    "unknown step member": (definition(fail("A", Cache={})), "Step 'A': unknown member 'Cache'"),
}


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD.keys())
def test_bad_definitions_are_refused(text: str, problem: str) -> None:
    """A definition that AWS would refuse is refused with a ValidationException naming the step and the field."""
    with pytest.raises(ServiceError) as refusal:
        parse_definition(text, MODEL)

    assert refusal.value.code == "ValidationException"
    assert refusal.value.message.startswith("Unable to parse pipeline definition. ")
    assert problem in refusal.value.message
