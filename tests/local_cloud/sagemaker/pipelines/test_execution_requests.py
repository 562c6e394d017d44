"""Requests about executions: tokens, parameters, lists, updates. Nothing of what runs matters here."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.clock import Clock
from tests.local_cloud.sagemaker.fakes import FakeCloud
from tests.local_cloud.sagemaker.pipelines.definitions import condition, create, definition, equals, fail, finish, start

LIMIT = [{"Name": "Limit", "Type": "Float", "DefaultValue": 2.0}]


def test_request_tokens_make_starts_idempotent(cloud: FakeCloud) -> None:
    """The same token with the same parameters gives the same execution; with others it is refused."""
    create(cloud, definition(fail("F"), parameters=LIMIT))
    one = [{"Name": "Limit", "Value": "1"}]

    arn = start(cloud, PipelineParameters=one)

    assert start(cloud, PipelineParameters=one) == arn
    assert start(cloud, token="u" * 32, PipelineParameters=one) != arn
    with pytest.raises(ClientError, match="different parameters") as refusal:
        start(cloud)
    assert refusal.value.response["Error"]["Code"] == "ConflictException"


def test_request_tokens_live_a_day(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that was used more than 24 hours ago starts a new execution."""
    create(cloud, definition(fail("F")))
    arn = start(cloud)
    now = Clock().now()
    monkeypatch.setattr(Clock, "now", lambda self: now.replace(year=now.year + 1))

    assert start(cloud) != arn


@pytest.mark.parametrize(
    ("parameter", "given", "problem"),
    [
        ({"Name": "N", "Type": "Integer"}, [{"Name": "N", "Value": "x"}], "'x' is not of type Integer"),
        ({"Name": "N", "Type": "Integer"}, [], r"\[N\] has no default value"),
        ({"Name": "N", "Type": "Boolean"}, [{"Name": "N", "Value": "1"}], "not of type Boolean"),
        ({"Name": "N", "Type": "String", "EnumValues": ["a", "b"]}, [{"Name": "N", "Value": "c"}], "not one of"),
        ({"Name": "N", "Type": "String", "DefaultValue": "a"}, [{"Name": "M", "Value": "c"}], r"\[M\] are not defined"),
    ],
)
def test_bad_parameters_are_refused(
    cloud: FakeCloud, parameter: dict[str, Any], given: list[dict[str, str]], problem: str
) -> None:
    """Mistyped, missing, excluded and unknown parameter values are refused before anything starts."""
    create(cloud, definition(fail("F"), parameters=[parameter]))

    with pytest.raises(ClientError, match=problem):
        start(cloud, PipelineParameters=given)
    assert cloud.client().list_pipeline_executions(PipelineName="pip")["PipelineExecutionSummaries"] == []


def test_parameters_and_definition_of_an_execution(cloud: FakeCloud) -> None:
    """An execution shows every parameter's value, and the definition as it was when it started."""
    text = definition(fail("F"), parameters=[*LIMIT, {"Name": "Data", "Type": "String", "DefaultValue": "d"}])
    create(cloud, text)
    arn = start(cloud, PipelineParameters=[{"Name": "Limit", "Value": "3"}])
    finish(cloud, arn)
    cloud.client().update_pipeline(PipelineName="pip", PipelineDefinition=definition(fail("G")))

    client = cloud.client()
    shown = client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]

    assert shown == [{"Name": "Limit", "Value": "3.0"}, {"Name": "Data", "Value": "d"}]
    answer = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert answer["PipelineDefinition"] == text


def test_lists_page_newest_first(cloud: FakeCloud) -> None:
    """Executions and steps are listed newest first by default, and their pages cover each once."""
    create(cloud, definition(condition("A", equals(1, 1)), condition("B", equals(1, 1), DependsOn=["A"])))
    arns = [start(cloud, token=letter * 32) for letter in "abc"]
    for arn in arns:
        finish(cloud, arn)
    client = cloud.client()

    first = client.list_pipeline_executions(PipelineName="pip", MaxResults=2)
    second = client.list_pipeline_executions(PipelineName="pip", MaxResults=2, NextToken=first["NextToken"])
    one = client.list_pipeline_execution_steps(PipelineExecutionArn=arns[0], MaxResults=1)
    two = client.list_pipeline_execution_steps(PipelineExecutionArn=arns[0], MaxResults=1, NextToken=one["NextToken"])

    pages = [*first["PipelineExecutionSummaries"], *second["PipelineExecutionSummaries"]]
    assert [item["PipelineExecutionArn"] for item in pages] == arns[::-1]
    names = [item["StepName"] for page in (one, two) for item in page["PipelineExecutionSteps"]]
    assert names == ["B", "A"]
    assert "NextToken" not in two


def test_update_execution(cloud: FakeCloud) -> None:
    """UpdatePipelineExecution changes display name and description."""
    create(cloud, definition(fail("F")))
    arn = start(cloud)

    cloud.client().update_pipeline_execution(
        PipelineExecutionArn=arn, PipelineExecutionDisplayName="named", PipelineExecutionDescription="told"
    )

    described = finish(cloud, arn)
    assert described["PipelineExecutionDisplayName"] == "named"
    assert described["PipelineExecutionDescription"] == "told"
