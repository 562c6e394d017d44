"""State machines on the running local cloud, as templates have them."""

import json
from typing import Any

import pytest

from tests.local_cloud.cloudformation.live import deploy, destroy, failures, outputs, resource, settled
from tests.running_cloud import RunningCloud
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("local-cloud")
DEFINITION = {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": "${Word}", "End": True}}}


def _stack(**properties: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    given = {
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "DefinitionString": json.dumps(DEFINITION),
        "DefinitionSubstitutions": {"Word": "first"},
        **properties,
    }
    return {
        "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]}),
        "Loop": resource("AWS::StepFunctions::StateMachine", **given),
    }


def _output(cloud: RunningCloud, machine: str) -> str:
    """What a new execution gives."""
    client = cloud.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    return str(wait_for(lambda: client.describe_execution(executionArn=execution).get("output"), what="an output"))


def test_a_state_machine_follows_its_template(cloud: RunningCloud) -> None:
    """Definition, logging, tracing and tags are taken over and updated in place; a delete takes it away."""
    client = cloud.client("stepfunctions")
    shown = {name: {"Value": {"Fn::GetAtt": ["Loop", name]}} for name in ("Arn", "Name", "StateMachineRevisionId")}
    logging = {"Level": "ERROR", "IncludeExecutionData": False}

    first = deploy(cloud, _stack(LoggingConfiguration=logging, Tags=[{"Key": "a", "Value": "1"}]), Outputs=shown)
    before = outputs(cloud)
    described = client.describe_state_machine(stateMachineArn=first["Loop"])
    assert (before["Arn"], before["Name"]) == (first["Loop"], described["name"])
    assert before["StateMachineRevisionId"] == described["revisionId"]
    assert described["loggingConfiguration"] == {"level": "ERROR", "includeExecutionData": False}
    assert _output(cloud, first["Loop"]) == '"first"'

    changed = _stack(
        Definition=DEFINITION,
        DefinitionSubstitutions={"Word": "second"},
        TracingConfiguration={"Enabled": True},
        Tags=[{"Key": "b", "Value": "2"}],
    )
    del changed["Loop"]["Properties"]["DefinitionString"]
    second = deploy(cloud, changed, Outputs=shown)
    described = client.describe_state_machine(stateMachineArn=second["Loop"])
    assert second["Loop"] == first["Loop"]
    assert outputs(cloud)["StateMachineRevisionId"] == described["revisionId"] != before["StateMachineRevisionId"]
    assert described["tracingConfiguration"] == {"enabled": True}
    assert described["loggingConfiguration"]["level"] == "OFF"
    assert client.list_tags_for_resource(resourceArn=second["Loop"])["tags"][0]["key"] == "b"
    assert _output(cloud, second["Loop"]) == '"second"'

    destroy(cloud)
    assert client.list_state_machines()["stateMachines"] == []


def test_a_definition_can_lie_in_a_bucket(cloud: RunningCloud) -> None:
    """DefinitionS3Location, as CDK's DefinitionBody.from_file writes it."""
    cloud.client("s3").create_bucket(Bucket="definitions")
    cloud.client("s3").put_object(Bucket="definitions", Key="loop.json", Body=json.dumps(DEFINITION).encode())
    stack = _stack(DefinitionS3Location={"Bucket": "definitions", "Key": "loop.json"})
    del stack["Loop"]["Properties"]["DefinitionString"]

    machine = deploy(cloud, stack)["Loop"]

    assert _output(cloud, machine) == '"first"'


def test_a_definition_that_cannot_be_executed_fails_the_stack(cloud: RunningCloud) -> None:
    """The reason names the state; the stack rolls back, and no state machine is left."""
    broken = {"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Next": "Nowhere"}}}
    client = cloud.client("cloudformation")

    body = json.dumps({"Resources": _stack(DefinitionString=json.dumps(broken))})
    stack = client.create_stack(StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])["StackId"]

    assert settled(cloud, stack) == "ROLLBACK_COMPLETE"
    assert "Missing 'Next' target: Nowhere at /States/Say/Next" in failures(cloud, stack)
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
