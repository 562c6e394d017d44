"""ECR repositories."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    lower_first,
    tag_change,
    tag_list,
)


class Repository(Provider):
    """AWS::ECR::Repository."""

    name_property = "RepositoryName"
    properties = frozenset(
        {
            "RepositoryName",
            "ImageTagMutability",
            "ImageScanningConfiguration",
            "EncryptionConfiguration",
            "LifecyclePolicy",
            "RepositoryPolicyText",
            "EmptyOnDelete",
            "Tags",
        }
    )

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the repository's name."""
        client = context.client("ecr")
        name = properties.get("RepositoryName") or context.generated_name(256, lower=True)
        options: dict[str, Any] = {
            key[0].lower() + key[1:]: lower_first(properties[key])
            for key in ("ImageTagMutability", "ImageScanningConfiguration", "EncryptionConfiguration")
            if key in properties
        }
        created = client.create_repository(repositoryName=name, tags=tag_list(properties), **options)["repository"]
        physical = Physical(name, {"Arn": created["repositoryArn"], "RepositoryUri": created["repositoryUri"]})
        context.report(physical)
        _set_policies(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Mutability, scanning, policies and tags change in place."""
        client, name = context.client("ecr"), physical.id
        if old.get("ImageTagMutability") != new.get("ImageTagMutability"):
            client.put_image_tag_mutability(
                repositoryName=name, imageTagMutability=new.get("ImageTagMutability", "MUTABLE")
            )
        if old.get("ImageScanningConfiguration") != new.get("ImageScanningConfiguration"):
            scanning = lower_first(new.get("ImageScanningConfiguration", {"ScanOnPush": False}))
            client.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration=scanning)
        _set_policies(client, name, old, new)
        tags, arn = tag_change(old, new), physical.attributes["Arn"]
        if tags.added:
            client.tag_resource(resourceArn=arn, tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(resourceArn=arn, tagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Fails while images are in it, unless EmptyOnDelete is set."""
        force = bool(properties.get("EmptyOnDelete", False))
        context.client("ecr").delete_repository(repositoryName=physical.id, force=force)


def _set_policies(client: Any, name: str, old: Properties, new: Properties) -> None:
    access = new.get("RepositoryPolicyText")
    if access is not None and access != old.get("RepositoryPolicyText"):
        text = access if isinstance(access, str) else json.dumps(access)
        client.set_repository_policy(repositoryName=name, policyText=text)
    elif access is None and "RepositoryPolicyText" in old:
        client.delete_repository_policy(repositoryName=name)
    lifecycle = new.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
    before = old.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
    if lifecycle is not None and lifecycle != before:
        client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle)
    elif lifecycle is None and before is not None:
        client.delete_lifecycle_policy(repositoryName=name)


PROVIDERS: Mapping[str, Provider] = {"AWS::ECR::Repository": Repository()}
