"""Definitions that cannot be executed: each mistake is found before anything runs, and named by its state."""

import json
from typing import Any

import pytest

from local_cloud.moto.states.interpreter import StatesInterpreter
from local_cloud.service import ServiceError
from local_cloud.stepfunctions.definition import check_definition
from tests.local_cloud.stepfunctions.programs import Puppet

INTERPRETER = StatesInterpreter(Puppet(), scale=0.01)
END = {"Type": "Pass", "End": True}


def _machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": states}


def _task(resource: str, **fields: Any) -> dict[str, Any]:
    return _machine(A={"Type": "Task", "Resource": resource, "End": True, **fields})


def _refusal(definition: object) -> str:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    with pytest.raises(ServiceError) as refused:
        check_definition(text, parse=INTERPRETER.parse)
    assert refused.value.code == "InvalidDefinition"
    return refused.value.message


@pytest.mark.parametrize(
    ("definition", "location", "message"),
    [
        ('{"StartAt": ', "/", "not JSON"),
        ({"StartAt": "A"}, "/", "States"),
        (_machine(B=END), "/StartAt", "Missing 'StartAt' target: A"),
        (_machine(A={"Type": "Pass", "Next": "B"}), "/States/A/Next", "Missing 'Next' target: B"),
        (_machine(A=END, B=END), "/States/B", 'State "B" is not reachable.'),
        (_machine(A={"Type": "Pas", "End": True}), "/States/A", "Type of"),
        (_machine(A={"Type": "Pass"}), "/States/A", "either Next or"),
        (_machine(A={"Type": "Choice", "Choices": []}), "/States/A", "at least one rule"),
        (_machine(A={"Type": "Wait", "Second": 1, "End": True}), "/States/A", "Second"),
        (_machine(A=END | {"Parameters": {"x.$": "States.Foramt('{}', $.a)"}}), "/States/A", "States.Foramt"),
        (
            _machine(A={"Type": "Parallel", "End": True, "Branches": [_machine(A={"Type": "Pass", "Next": "C"})]}),
            "/States/A/Branches[0]/States/A/Next",
            "Missing 'Next' target: C",
        ),
        (
            _machine(A={"Type": "Map", "End": True, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}}),
            "/States/A",
            "DISTRIBUTED",
        ),
        ({**_machine(A=END), "QueryLanguage": "JSONata"}, "/QueryLanguage", "JSONPath"),
        (_machine(A=END | {"QueryLanguage": "JSONata"}), "/States/A/QueryLanguage", "JSONPath"),
        (_task("arn:aws:states:::ecs:runTask.sync"), "/States/A/Resource", "not emulated by the local cloud"),
        (_task("arn:aws:states:::sns:publish.sync"), "/States/A/Resource", "no pattern .sync"),
        (_task("arn:aws:states:::aws-sdk:sagemaker:startPipeline"), "/States/A/Resource", "no action 'startPipeline'"),
        (_task("arn:aws:states:::aws-sdk:sagemakr:createModel"), "/States/A/Resource", "no service 'sagemakr'"),
        (_task("arn:aws:states:us-east-1:123456789012:activity:a"), "/States/A/Resource", "activities"),
        (_task("nonsense"), "/States/A/Resource", "no ARN"),
        (
            _task("arn:aws:states:::lambda:invoke", Credentials={"RoleArn": "arn:aws:iam::1:role/r"}),
            "/States/A/Credentials",
            "own role",
        ),
    ],
)
def test_a_mistake_is_named_by_its_state(definition: object, location: str, message: str) -> None:
    """What is wrong, and where in the definition."""
    refusal = _refusal(definition)

    assert message in refusal
    assert f"at {location}" in refusal


def test_a_definition_with_every_kind_of_state_is_accepted() -> None:
    """Loops, branches, maps, catches and all endings are fine."""
    inner = _machine(A=END)
    check_definition(
        json.dumps(
            _machine(
                A={
                    "Type": "Task",
                    "Resource": "arn:aws:states:::aws-sdk:sagemaker:describePipelineExecution",
                    "Parameters": {"PipelineExecutionArn.$": "$.arn"},
                    "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Fail"}],
                    "Next": "Choice",
                },
                Choice={
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.status", "StringEquals": "Executing", "Next": "Wait"}],
                    "Default": "Both",
                },
                Wait={"Type": "Wait", "Seconds": 60, "Next": "A"},
                Both={"Type": "Parallel", "Branches": [inner, inner], "Next": "Each"},
                Each={"Type": "Map", "ItemProcessor": inner, "Next": "Done"},
                Done={"Type": "Succeed"},
                Fail={"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"},
            )
        ),
        parse=INTERPRETER.parse,
    )
