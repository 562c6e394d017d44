"""Registry schemas: what may be given, what forces a replacement, which scalars are converted."""

from typing import Any

import pytest

from local_cloud.cloudformation.intrinsics.unknown import UNKNOWN
from local_cloud.cloudformation.plan import changed_properties, needs_replacement
from local_cloud.cloudformation.providers.catalogue import default_providers
from local_cloud.cloudformation.schemas import ResourceSchema, SchemaStore


@pytest.fixture(scope="module")
def schemas() -> SchemaStore:
    """The bundled schemas."""
    return SchemaStore()


def _schema(schemas: SchemaStore, type_name: str) -> ResourceSchema:
    schema = schemas.get(type_name)
    assert schema is not None
    return schema


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"Runtme": "python3.12"}, ("#", "extraneous key [Runtme] is not permitted")),
        ({"Arn": "arn:aws:lambda:x"}, ("#", "extraneous key [Arn] is not permitted")),
        ({"Timeout": "soon"}, ("#/Timeout", "expected type: Integer, found: String")),
        ({"Environment": []}, ("#/Environment", "expected type: JSONObject, found: JSONArray")),
        ({"MemorySize": True}, ("#/MemorySize", "expected type: Integer, found: Boolean")),
    ],
)
def test_wrong_properties_are_found_with_their_path(
    schemas: SchemaStore, properties: dict[str, Any], problem: tuple[str, str]
) -> None:
    """Path and words are CloudFormation's."""
    complete = {"Code": {"ZipFile": "pass"}, "Role": "arn:aws:iam::123456789012:role/r"} | properties

    assert problem in _schema(schemas, "AWS::Lambda::Function").problems(complete)


def test_a_missing_required_property_is_named(schemas: SchemaStore) -> None:
    """Nothing is sent to a service that would be refused anyway."""
    assert _schema(schemas, "AWS::SageMaker::Pipeline").problems(
        {"PipelineName": "p", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    ) == [("#", "required key [PipelineDefinition] not found")]


def test_a_value_that_is_not_known_yet_is_not_judged(schemas: SchemaStore) -> None:
    """A plan is checked before the resources that it refers to exist."""
    given = {"Code": {"ZipFile": "pass"}, "Role": UNKNOWN, "Timeout": UNKNOWN}

    assert _schema(schemas, "AWS::Lambda::Function").problems(given) == []


def test_scalars_are_converted_to_the_types_of_the_schema(schemas: SchemaStore) -> None:
    """Templates may write numbers and booleans as text and the other way round."""
    coerced = _schema(schemas, "AWS::SQS::Queue").coerced(
        {"DelaySeconds": "30", "FifoQueue": "true", "QueueName": 7, "Tags": [{"Key": "k", "Value": 1}]}
    )

    assert coerced == {
        "DelaySeconds": 30,
        "FifoQueue": True,
        "QueueName": "7",
        "Tags": [{"Key": "k", "Value": "1"}],
    }


def test_documents_are_not_converted(schemas: SchemaStore) -> None:
    """A policy is the template author's text: "true" in a condition stays text."""
    policy = {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": "false"}}}], "Version": "2012-10-17"}

    coerced = _schema(schemas, "AWS::S3::BucketPolicy").coerced({"Bucket": "b", "PolicyDocument": policy})

    assert coerced["PolicyDocument"] == policy


@pytest.mark.parametrize(
    ("type_name", "before", "after", "replacement"),
    [
        ("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": "b"}, "True"),
        ("AWS::S3::Bucket", {"BucketName": "a"}, {}, "True"),
        ("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": "a", "Tags": []}, "False"),
        ("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": UNKNOWN}, "Conditional"),
        ("AWS::Glue::Table", {"TableInput": {"Name": "a"}}, {"TableInput": {"Name": "b"}}, "True"),
        (
            "AWS::Glue::Table",
            {"TableInput": {"Name": "a", "Description": "x"}},
            {"TableInput": {"Name": "a", "Description": "y"}},
            "False",
        ),
    ],
)
def test_replacement_follows_create_only_properties(
    schemas: SchemaStore, type_name: str, before: dict[str, Any], after: dict[str, Any], replacement: str
) -> None:
    """Nested create-only properties count for themselves, not for all that lies beside them."""
    changes = changed_properties(before, after, _schema(schemas, type_name))

    assert needs_replacement(changes) == replacement


def test_every_supported_type_has_a_schema_that_can_be_checked(schemas: SchemaStore) -> None:
    """A schema with a pattern that Python does not understand must not break validation."""
    for type_name in default_providers().types():
        if type_name.startswith("AWS::") and type_name != "AWS::CloudFormation::CustomResource":
            _schema(schemas, type_name).problems({})


def test_the_properties_that_providers_claim_exist(schemas: SchemaStore) -> None:
    """A misspelt name in a provider's table would make a real property look unsupported."""
    providers = default_providers()
    for type_name in providers.types():
        claimed = providers.get(type_name).properties
        if claimed is not None:
            assert claimed <= _schema(schemas, type_name).document["properties"].keys(), type_name


def test_types_without_a_schema_are_none(schemas: SchemaStore) -> None:
    """Custom resources have no schema; neither has what does not exist."""
    assert schemas.get("Custom::Mine") is None
    assert schemas.get("AWS::No::Such") is None
