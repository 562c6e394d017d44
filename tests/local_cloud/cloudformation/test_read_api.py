"""The reading side of the API through boto3: waiters, paginators, templates, summaries, types."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.running_cloud import RunningCloud

_TEMPLATE = {
    "Description": "two things",
    "Parameters": {"Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Metadata": {"aws:cdk:path": "App/Queue"}},
        "Topic": {"Type": "AWS::SNS::Topic"},
    },
    "Outputs": {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": "queue-url"}}},
}


def test_a_stack_can_be_waited_for_and_read(cloud: RunningCloud) -> None:
    """boto3's waiters see the states they wait for, and every description agrees with the template."""
    client = cloud.client("cloudformation")
    stack_id = client.create_stack(
        StackName="s", TemplateBody=json.dumps(_TEMPLATE), Tags=[{"Key": "a", "Value": "1"}]
    )["StackId"]
    client.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    stack = client.describe_stacks(StackName="s")["Stacks"][0]
    assert (stack["Description"], stack["Tags"]) == ("two things", [{"Key": "a", "Value": "1"}])
    assert stack["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    pages = client.get_paginator("list_stack_resources").paginate(StackName="s")
    listed = {entry["LogicalResourceId"] for page in pages for entry in page["StackResourceSummaries"]}
    assert listed == {"Queue", "Topic"}
    detail = client.describe_stack_resource(StackName="s", LogicalResourceId="Queue")["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == {"aws:cdk:path": "App/Queue"}
    by_id = client.describe_stack_resources(PhysicalResourceId=detail["PhysicalResourceId"])["StackResources"]
    assert {entry["LogicalResourceId"] for entry in by_id} == {"Queue", "Topic"}
    assert client.get_template(StackName="s")["TemplateBody"] == _TEMPLATE
    assert client.list_exports()["Exports"] == [
        {"ExportingStackId": stack_id, "Name": "queue-url", "Value": detail["PhysicalResourceId"]}
    ]

    client.delete_stack(StackName="s")
    client.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    deleted = client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [summary["StackName"] for summary in deleted] == ["s"]


def test_templates_can_be_summarized_before_they_are_deployed(cloud: RunningCloud) -> None:
    """Parameters, types and needed capabilities are told; a wrong template is refused."""
    client = cloud.client("cloudformation")
    body = json.dumps(_TEMPLATE)

    summary = client.get_template_summary(TemplateBody=body)

    assert summary["ResourceTypes"] == ["AWS::SNS::Topic", "AWS::SQS::Queue"]
    assert summary["Parameters"][0]["ParameterConstraints"] == {"AllowedValues": ["dev", "prod"]}
    assert client.validate_template(TemplateBody=body)["Description"] == "two things"
    with pytest.raises(ClientError, match="At least one Resources member"):
        client.validate_template(TemplateBody='{"Resources": {}}')


def test_iam_resources_have_to_be_acknowledged(cloud: RunningCloud) -> None:
    """Without the capability nothing is created."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}
    body = json.dumps({"Resources": {"R": role}})

    with pytest.raises(ClientError, match="CAPABILITY_NAMED_IAM"):
        cloud.client("cloudformation").create_stack(StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])


def test_a_type_can_be_described(cloud: RunningCloud) -> None:
    """The CDK CLI asks which properties are create-only before it hot-swaps."""
    described = cloud.client("cloudformation").describe_type(Type="RESOURCE", TypeName="AWS::SQS::Queue")

    assert "/properties/QueueName" in json.loads(described["Schema"])["createOnlyProperties"]


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("describe_stacks", {"StackName": "nobody"}, "ValidationError"),
        ("describe_change_set", {"StackName": "nobody", "ChangeSetName": "c"}, "ChangeSetNotFound"),
        ("create_stack_set", {"StackSetName": "many"}, "NotImplemented"),
    ],
)
def test_errors_have_the_codes_of_aws(cloud: RunningCloud, operation: str, params: dict[str, str], code: str) -> None:
    """Clients tell errors apart by code; an operation that is not emulated is named."""
    with pytest.raises(ClientError) as error:
        getattr(cloud.client("cloudformation"), operation)(**params)

    assert error.value.response["Error"]["Code"] == code
