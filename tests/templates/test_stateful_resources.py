"""What holds state survives: it is retained, keeps its identity, and no change can replace it under its name."""

from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.templates.conftest import Resource, Templates

# A new logical id means a new, empty resource: who changes a line here moves data first.
_STATEFUL = {
    ("Cd4ml-dev-DataLake", "EncryptionKey3A692D6E"): "AWS::KMS::Key",
    ("Cd4ml-dev-DataLake", "AccessLogsBucketCD784A59"): "AWS::S3::Bucket",
    ("Cd4ml-dev-DataLake", "LakeBucketB1D32E10"): "AWS::S3::Bucket",
    ("Cd4ml-dev-DataLake", "ArtifactsBucket88671897"): "AWS::S3::Bucket",
    ("Cd4ml-dev-Training", "carpricesRegistryGroup3ECBE66A"): "AWS::SageMaker::ModelPackageGroup",
}
# Names we give to resources that CloudFormation can only replace when one of these properties changes. A replacement
# under the same name fails, so such a property must never change, and each is here with the reason why it will not.
_FROZEN = {
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupDescription"): "a constant, see components.model_registry",
    ("AWS::StepFunctions::StateMachine", "StateMachineType"): "an express workflow cannot wait for hours",
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "ScalingTargetId"): "the name counts within its target only",
}


def _paths(resource: Resource, keyword: str) -> set[tuple[str, ...]]:
    """Property paths that the registry's schema of the type lists under `keyword`."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource.type).schema
    return {tuple(path.removeprefix("/properties/").split("/")) for path in schema.get(keyword, [])}


def _given(resource: Resource, path: tuple[str, ...]) -> Any:
    value: Any = resource.properties
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _is_our_name(value: Any) -> bool:
    """A text of ours, also one with parts that are known at deployment; a reference to another resource is none."""
    return isinstance(value, str) or (isinstance(value, dict) and "Fn::Join" in value)


def _replacing_properties(resource: Resource) -> set[tuple[str, str]]:
    """Given properties, beside its name, whose change replaces a resource that we named; empty if we did not."""
    create_only, identity = _paths(resource, "createOnlyProperties"), _paths(resource, "primaryIdentifier")
    names = {path for path in create_only | identity if path[-1].endswith("Name")}
    if not any(_is_our_name(_given(resource, path)) for path in names):
        return set()
    return {
        (resource.type, ".".join(path)) for path in create_only - identity - names if _given(resource, path) is not None
    }


def test_stateful_resources_keep_their_identity(templates: Templates) -> None:
    """The logical ids of keys, buckets and registries are pinned."""
    types = set(_STATEFUL.values())
    found = {(resource.stack, resource.logical_id): resource.type for resource in templates.resources(*types)}

    assert found == _STATEFUL


def test_stateful_resources_outlive_their_stack(templates: Templates) -> None:
    """Neither destroying nor replacing removes data, keys or registered models, on any stage."""
    for resource in templates.resources(*set(_STATEFUL.values()), "AWS::S3::BucketPolicy"):
        assert resource.body["DeletionPolicy"] == "Retain", resource.logical_id
        assert resource.body["UpdateReplacePolicy"] == "Retain", resource.logical_id


def test_no_named_resource_can_need_a_replacement(templates: Templates) -> None:
    """A resource that carries a name of ours has no other property that forces a replacement, or a frozen one."""
    risks = {risk for resource in templates.resources() for risk in _replacing_properties(resource)}

    assert risks == set(_FROZEN)


def test_buckets_are_never_named(templates: Templates) -> None:
    """A bucket name is taken all over the world, and blocks the next deployment after a destroy."""
    for resource in templates.resources(
        "AWS::S3::Bucket", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SQS::Queue"
    ):
        assert not {"BucketName", "RoleName", "FunctionName", "QueueName"} & set(resource.properties)


def test_no_custom_resources(templates: Templates) -> None:
    """Nothing runs code of its own while a stack deploys."""
    types = {resource.type for resource in templates.resources()}

    assert not {name for name in types if name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource"}
