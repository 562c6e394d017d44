"""The model registry through its API."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.sagemaker.fakes import IMAGE, FakeCloud

URL = "s3://bucket/model.tar.gz"
EVENT = "SageMaker Model Package State Change"


def specification(url: str = URL) -> dict[str, Any]:
    """An InferenceSpecification."""
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": url}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def register(cloud: FakeCloud, group: str = "group", **members: Any) -> str:
    """Create a version in a group, which is made if it is not there; its ARN."""
    cloud.objects["bucket/model.tar.gz"] = b"model"
    client = cloud.client()
    groups = client.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if group not in {item["ModelPackageGroupName"] for item in groups}:
        client.create_model_package_group(ModelPackageGroupName=group)
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification(), **members}
    arn: str = client.create_model_package(**request)["ModelPackageArn"]
    return arn


def describe(cloud: FakeCloud, name: str) -> dict[str, Any]:
    """DescribeModelPackage."""
    return cloud.client().describe_model_package(ModelPackageName=name)


def test_versions_count_up(cloud: FakeCloud) -> None:
    """Packages of a group are numbered from 1, pending approval, and found by ARN and by group/version."""
    first, second = register(cloud), register(cloud)

    assert first.endswith(":model-package/group/1")
    assert second.endswith(":model-package/group/2")
    assert describe(cloud, second) == describe(cloud, "group/2")
    assert describe(cloud, first)["ModelApprovalStatus"] == "PendingManualApproval"
    assert describe(cloud, first)["ModelPackageVersion"] == 1
    assert "ModelPackageName" not in describe(cloud, first)  # as on AWS: SDK v3 would use it instead of the ARN


def test_what_was_not_given_is_absent(cloud: FakeCloud) -> None:
    """Absent structures are absent, not empty: SDK v3's classes reject empty ones."""
    described = describe(cloud, register(cloud))

    assert {"ModelMetrics", "ModelCard", "ModelLifeCycle", "DriftCheckBaselines", "LastModifiedTime"}.isdisjoint(
        described
    )
    assert all(value not in ({}, None) for value in described.values())


def test_everything_given_comes_back(cloud: FakeCloud) -> None:
    """Metrics, baselines, card, life cycle and metadata are kept as they were given."""
    source = {"ContentType": "application/json", "S3Uri": "s3://bucket/statistics.json"}
    given: dict[str, Any] = {
        "ModelPackageDescription": "a model",
        "ModelApprovalStatus": "Approved",
        "ModelMetrics": {"ModelQuality": {"Statistics": source}},
        "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": source, "Constraints": source}},
        "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved"},
        "CustomerMetadataProperties": {"commit": "abc"},
        "SkipModelValidation": "All",
        "SourceUri": "s3://bucket/source",
    }

    described = describe(cloud, register(cloud, **given))

    assert {name: described[name] for name in given} == given


def test_update_loses_nothing(cloud: FakeCloud) -> None:
    """Approving keeps the metadata; changing metadata keeps the approval and its description."""
    arn = register(cloud, CustomerMetadataProperties={"commit": "abc", "old": "1"})
    client = cloud.client()

    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    client.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"data": "v2", "commit": "def"},
        CustomerMetadataPropertiesToRemove=["old"],
    )
    client.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardStatus": "Approved"})
    client.update_model_package(ModelPackageArn=arn, ModelCard={"ModelCardContent": "{}"})
    described = describe(cloud, arn)

    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "good"
    assert described["CustomerMetadataProperties"] == {"commit": "def", "data": "v2"}
    assert described["ModelCard"] == {"ModelCardStatus": "Approved", "ModelCardContent": "{}"}
    assert described["InferenceSpecification"] == specification()
    assert described["LastModifiedTime"] >= described["CreationTime"]


def test_removing_the_last_property_removes_the_member(cloud: FakeCloud) -> None:
    """Without any property left, CustomerMetadataProperties is absent."""
    arn = register(cloud, CustomerMetadataProperties={"a": "1"})

    cloud.client().update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["a"])

    assert "CustomerMetadataProperties" not in describe(cloud, arn)


def test_additional_specifications_are_added(cloud: FakeCloud) -> None:
    """AdditionalInferenceSpecificationsToAdd appends; a name that exists is refused."""
    arn = register(cloud)
    extra = [{"Name": "shadow", "Containers": [{"Image": IMAGE, "ModelDataUrl": URL}]}]

    cloud.client().update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=extra)

    assert describe(cloud, arn)["AdditionalInferenceSpecifications"] == extra
    with pytest.raises(ClientError, match="shadow"):
        cloud.client().update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=extra)


def test_events_on_creation_and_approval(cloud: FakeCloud) -> None:
    """Creating and approving send the documented event; an update that changes nothing sends none."""
    arn = register(cloud)
    for _ in range(2):
        cloud.client().update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")

    created, approved = cloud.events(EVENT)

    assert (created["ModelApprovalStatus"], approved["ModelApprovalStatus"]) == ("PendingManualApproval", "Approved")
    assert approved["ModelPackageGroupName"] == "group"
    assert approved["ModelPackageArn"] == arn
    assert approved["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert approved["CreationTime"].endswith("Z")
    assert cloud.published[0]["resources"] == [arn]


def test_model_data_must_exist(cloud: FakeCloud) -> None:
    """A package whose model data is not in S3 is refused, and no version is used up."""
    register(cloud)

    with pytest.raises(ClientError, match=r"s3://bucket/none.tar.gz"):
        register(cloud, InferenceSpecification=specification("s3://bucket/none.tar.gz"))
    assert register(cloud).endswith("/2")


def test_enum_values_are_checked(cloud: FakeCloud) -> None:
    """A status outside of its enum is refused with the allowed values."""
    arn = register(cloud)

    with pytest.raises(ClientError, match=r"'Nope' at 'modelApprovalStatus'.*PendingManualApproval"):
        cloud.client().update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Nope")


def test_unversioned_packages(cloud: FakeCloud) -> None:
    """A package with a name of its own has no version nor approval, and is listed as Unversioned."""
    cloud.objects["bucket/model.tar.gz"] = b"model"
    client = cloud.client()

    client.create_model_package(ModelPackageName="single", InferenceSpecification=specification())

    described = describe(cloud, "single")
    assert {"ModelPackageVersion", "ModelApprovalStatus", "ModelPackageGroupName"}.isdisjoint(described)
    (listed,) = client.list_model_packages()["ModelPackageSummaryList"]
    assert listed["ModelPackageName"] == "single"
    with pytest.raises(ClientError, match="already exists"):
        client.create_model_package(ModelPackageName="single", InferenceSpecification=specification())
    with pytest.raises(ClientError, match="either ModelPackageGroupName"):
        client.create_model_package(InferenceSpecification=specification())


def test_client_token_creates_once(cloud: FakeCloud) -> None:
    """The same ClientToken gives the same package."""
    assert register(cloud, ClientToken="once") == register(cloud, ClientToken="once")


def test_list_filters_and_pages(cloud: FakeCloud) -> None:
    """Packages are filtered by group, status and kind, sorted by time, and paged without gaps or repeats."""
    arns = [register(cloud) for _ in range(3)]
    register(cloud, "other")
    client = cloud.client()
    client.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    newest = {"ModelPackageGroupName": "group", "SortBy": "CreationTime", "SortOrder": "Descending"}

    first = client.list_model_packages(**newest, MaxResults=2)
    register(cloud)
    rest = client.list_model_packages(**newest, MaxResults=2, NextToken=first["NextToken"])
    approved = client.list_model_packages(ModelPackageGroupName="group", ModelApprovalStatus="Approved")
    everything = client.list_model_packages(ModelPackageType="Both", MaxResults=100)

    paged = [item["ModelPackageArn"] for page in (first, rest) for item in page["ModelPackageSummaryList"]]
    assert paged == arns[::-1]
    assert [item["ModelPackageArn"] for item in approved["ModelPackageSummaryList"]] == [arns[1]]
    assert len(everything["ModelPackageSummaryList"]) == 5


def test_batch_describe_separates_the_missing(cloud: FakeCloud) -> None:
    """BatchDescribeModelPackage gives summaries of what exists, and an error for each that does not."""
    arn = register(cloud)

    answer = cloud.client().batch_describe_model_package(ModelPackageArnList=[arn, f"{arn}9"])

    assert list(answer["ModelPackageSummaries"]) == [arn]
    assert answer["BatchDescribeModelPackageErrorMap"][f"{arn}9"]["ErrorCode"] == "ValidationException"


def test_deleting(cloud: FakeCloud) -> None:
    """A group that holds packages cannot be deleted; a deleted version's number is not used again."""
    arn = register(cloud)
    client = cloud.client()

    with pytest.raises(ClientError, match="still contains") as refusal:
        client.delete_model_package_group(ModelPackageGroupName="group")
    client.delete_model_package(ModelPackageName=arn)
    second = register(cloud)
    client.delete_model_package(ModelPackageName=second)
    client.delete_model_package_group(ModelPackageGroupName="group")

    assert refusal.value.response["Error"]["Code"] == "ConflictException"
    assert second.endswith("/2")
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_model_package_group(ModelPackageGroupName="group")


def test_groups(cloud: FakeCloud) -> None:
    """Groups are described by name or ARN, listed by fragment in name order, and unique."""
    client = cloud.client()
    arns = {
        name: client.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="d")
        for name in ("cars-dev", "Cars-Prod", "boats")
    }

    described = client.describe_model_package_group(ModelPackageGroupName=arns["Cars-Prod"]["ModelPackageGroupArn"])
    listed = client.list_model_package_groups(NameContains="cars", SortBy="Name")

    assert described["ModelPackageGroupName"] == "Cars-Prod"
    assert described["ModelPackageGroupStatus"] == "Completed"
    names = [item["ModelPackageGroupName"] for item in listed["ModelPackageGroupSummaryList"]]
    assert sorted(names) == ["Cars-Prod", "cars-dev"]
    with pytest.raises(ClientError, match="already exists"):
        client.create_model_package_group(ModelPackageGroupName="boats")


def test_tags(cloud: FakeCloud) -> None:
    """Tags given at creation, added and deleted are listed for groups and packages alike."""
    group_arn = cloud.client().create_model_package_group(
        ModelPackageGroupName="group", Tags=[{"Key": "stage", "Value": "dev"}]
    )["ModelPackageGroupArn"]
    package_arn = register(cloud, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client = cloud.client()

    client.add_tags(ResourceArn=package_arn, Tags=[{"Key": "a", "Value": "3"}])
    client.delete_tags(ResourceArn=package_arn, TagKeys=["b"])

    assert client.list_tags(ResourceArn=group_arn)["Tags"] == [{"Key": "stage", "Value": "dev"}]
    assert client.list_tags(ResourceArn=package_arn)["Tags"] == [{"Key": "a", "Value": "3"}]
    assert "Tags" not in describe(cloud, package_arn)
    with pytest.raises(ClientError, match="Could not find"):
        client.list_tags(ResourceArn=f"{package_arn}0")
    with pytest.raises(ClientError, match="reserved"):
        client.add_tags(ResourceArn=group_arn, Tags=[{"Key": "aws:x", "Value": "1"}])
