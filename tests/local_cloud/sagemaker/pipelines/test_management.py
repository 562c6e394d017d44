"""Pipelines themselves, through the API."""

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.sagemaker.fakes import ROLE, FakeCloud
from tests.local_cloud.sagemaker.pipelines.definitions import create, definition, fail, finish, processing, start

TEXT = definition(fail("F"))


def test_describe_shows_what_was_created(cloud: FakeCloud) -> None:
    """A pipeline is described by name or ARN with its definition, unchanged."""
    arn = create(cloud, TEXT, PipelineDescription="why", ParallelismConfiguration={"MaxParallelExecutionSteps": 3})

    for name in ("pip", arn):
        described = cloud.client().describe_pipeline(PipelineName=name)

        assert described["PipelineDefinition"] == TEXT
        assert described["PipelineDescription"] == "why"
        assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
        assert "LastRunTime" not in described


def test_names_are_unique(cloud: FakeCloud) -> None:
    """A second pipeline of that name is refused as the SDK's upsert expects: ValidationException, 'already exists'."""
    create(cloud, TEXT)

    with pytest.raises(ClientError, match="already exists") as refusal:
        create(cloud, TEXT)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_update_changes_only_what_it_is_given(cloud: FakeCloud) -> None:
    """An update keeps the rest; a new definition is a new version, and old versions can be described and started."""
    create(cloud, TEXT, PipelineDescription="why")
    client = cloud.client()

    again = client.update_pipeline(PipelineName="pip", PipelineDefinition=TEXT)
    newer = client.update_pipeline(PipelineName="pip", PipelineDefinition=definition(fail("G")))

    assert (again["PipelineVersionId"], newer["PipelineVersionId"]) == (1, 2)
    assert client.describe_pipeline(PipelineName="pip")["PipelineDescription"] == "why"
    assert client.describe_pipeline(PipelineName="pip", PipelineVersionId=1)["PipelineDefinition"] == TEXT
    arn = start(cloud, PipelineVersionId=1)
    assert finish(cloud, arn)["PipelineVersionId"] == 1
    with pytest.raises(ClientError, match="no version 3"):
        client.describe_pipeline(PipelineName="pip", PipelineVersionId=3)


def test_a_bad_update_changes_nothing(cloud: FakeCloud) -> None:
    """A definition that is refused leaves the pipeline as it was."""
    create(cloud, TEXT)

    with pytest.raises(ClientError, match="Unable to parse pipeline definition"):
        cloud.client().update_pipeline(PipelineName="pip", PipelineDefinition="{}")
    assert cloud.client().describe_pipeline(PipelineName="pip")["PipelineDefinition"] == TEXT


def test_definition_from_s3(cloud: FakeCloud) -> None:
    """A definition may lie in S3; one that is not there is refused."""
    cloud.objects["bucket/pipeline.json"] = TEXT.encode()
    location = {"Bucket": "bucket", "ObjectKey": "pipeline.json"}
    request = {"RoleArn": ROLE, "ClientRequestToken": "c" * 32}

    cloud.client().create_pipeline(PipelineName="pip", PipelineDefinitionS3Location=location, **request)

    assert cloud.client().describe_pipeline(PipelineName="pip")["PipelineDefinition"] == TEXT
    with pytest.raises(ClientError, match="s3://bucket/none"):
        cloud.client().create_pipeline(
            PipelineName="other", PipelineDefinitionS3Location={"Bucket": "bucket", "ObjectKey": "none"}, **request
        )


def test_delete(cloud: FakeCloud) -> None:
    """A deleted pipeline and its executions are gone; while one runs, deleting is refused."""
    create(cloud, definition(processing("A", cloud.program("import time; time.sleep(60)"))))
    arn = start(cloud)
    client = cloud.client()

    with pytest.raises(ClientError, match="running executions") as refusal:
        client.delete_pipeline(PipelineName="pip", ClientRequestToken="d" * 32)
    client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    finish(cloud, arn)
    client.delete_pipeline(PipelineName="pip", ClientRequestToken="d" * 32)

    assert refusal.value.response["Error"]["Code"] == "ConflictException"
    with pytest.raises(ClientError, match="does not exist") as missing:
        client.describe_pipeline(PipelineName="pip")
    assert missing.value.response["Error"]["Code"] == "ResourceNotFound"
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_list(cloud: FakeCloud) -> None:
    """Pipelines are listed by prefix, sorted, in pages."""
    client = cloud.client()
    for name in ("a-one", "a-two", "b-one"):
        client.create_pipeline(
            PipelineName=name, RoleArn=ROLE, PipelineDefinition=TEXT, ClientRequestToken=name.ljust(32, "x")
        )

    listed = client.list_pipelines(PipelineNamePrefix="a", SortBy="Name", SortOrder="Ascending")
    first = client.list_pipelines(MaxResults=2)
    rest = client.list_pipelines(MaxResults=2, NextToken=first["NextToken"])

    assert [item["PipelineName"] for item in listed["PipelineSummaries"]] == ["a-one", "a-two"]
    paged = [item["PipelineName"] for page in (first, rest) for item in page["PipelineSummaries"]]
    assert paged == ["b-one", "a-two", "a-one"]


def test_unknown_page_token(cloud: FakeCloud) -> None:
    """A token that the operation did not hand out is refused."""
    with pytest.raises(ClientError, match="NextToken"):
        cloud.client().list_pipelines(NextToken="bm9uZQ==")
