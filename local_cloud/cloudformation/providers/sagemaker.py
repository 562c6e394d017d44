"""SageMaker pipelines and model package groups."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    picked,
    tag_change,
    tag_list,
)

_S3_NAMES = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
_PIPELINE_GIVEN = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


class Pipeline(Provider):
    """AWS::SageMaker::Pipeline."""

    name_property = "PipelineName"
    properties = frozenset(_PIPELINE_GIVEN) | {"PipelineName", "PipelineDefinition", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the pipeline's name."""
        context.client("sagemaker").create_pipeline(
            PipelineName=properties["PipelineName"],
            ClientRequestToken=str(uuid.uuid4()),
            Tags=tag_list(properties),
            **_pipeline(properties),
        )
        return Physical(properties["PipelineName"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Definition, role and descriptions change in place; executions that run keep theirs."""
        client = context.client("sagemaker")
        if _pipeline(old) != _pipeline(new):
            client.update_pipeline(PipelineName=physical.id, **_pipeline(new))
        retag(client, context.arn("sagemaker", f"pipeline/{physical.id}"), old, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its executions go with it."""
        client = context.client("sagemaker")
        client.delete_pipeline(PipelineName=physical.id, ClientRequestToken=str(uuid.uuid4()))


class ModelPackageGroup(Provider):
    """AWS::SageMaker::ModelPackageGroup."""

    name_property = "ModelPackageGroupName"
    properties = frozenset({"ModelPackageGroupName", "ModelPackageGroupDescription", "ModelPackageGroupPolicy", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the group's ARN."""
        client = context.client("sagemaker")
        if self.find(context, properties) is not None:
            raise already_exists(f"The model package group {properties['ModelPackageGroupName']}")
        arn = client.create_model_package_group(
            Tags=tag_list(properties), **picked(properties, "ModelPackageGroupName", "ModelPackageGroupDescription")
        )["ModelPackageGroupArn"]
        physical = _group(arn)
        context.report(physical)
        _set_policy(client, {}, properties)
        return physical

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A group of that name."""
        client = context.client("sagemaker")
        try:
            group = client.describe_model_package_group(ModelPackageGroupName=properties["ModelPackageGroupName"])
        except ClientError:
            return None
        return _group(group["ModelPackageGroupArn"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Policy and tags change in place."""
        client = context.client("sagemaker")
        _set_policy(client, old, new)
        retag(client, physical.id, old, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Fails while model packages are in it, as on AWS."""
        name = properties["ModelPackageGroupName"]
        context.client("sagemaker").delete_model_package_group(ModelPackageGroupName=name)


def _group(arn: str) -> Physical:
    return Physical(arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"})


def _pipeline(properties: Properties) -> dict[str, Any]:
    definition = properties["PipelineDefinition"]
    given = picked(properties, *_PIPELINE_GIVEN)
    if "PipelineDefinitionBody" in definition:
        return given | {"PipelineDefinition": definition["PipelineDefinitionBody"]}
    location = definition["PipelineDefinitionS3Location"]
    renamed = {_S3_NAMES[key]: value for key, value in location.items() if key in _S3_NAMES}
    return given | {"PipelineDefinitionS3Location": renamed}


def _set_policy(client: Any, old: Properties, new: Properties) -> None:
    policy, name = new.get("ModelPackageGroupPolicy"), new["ModelPackageGroupName"]
    if policy is not None and policy != old.get("ModelPackageGroupPolicy"):
        text = policy if isinstance(policy, str) else json.dumps(policy)
        client.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=text)
    elif policy is None and "ModelPackageGroupPolicy" in old:
        client.delete_model_package_group_policy(ModelPackageGroupName=name)


def retag(client: Any, arn: str, old: Properties, new: Properties) -> None:
    """Bring the tags of a SageMaker resource from the old properties to the new ones."""
    tags = tag_change(old, new)
    if tags.added:
        client.add_tags(ResourceArn=arn, Tags=tag_list({"Tags": tags.added}))
    if tags.removed:
        client.delete_tags(ResourceArn=arn, TagKeys=tags.removed)


PROVIDERS: Mapping[str, Provider] = {
    "AWS::SageMaker::Pipeline": Pipeline(),
    "AWS::SageMaker::ModelPackageGroup": ModelPackageGroup(),
}
