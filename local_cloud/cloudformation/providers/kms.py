"""KMS keys and aliases."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    picked,
    tag_change,
    tag_map,
)

_DEFAULT_WINDOW_DAYS = 30


class Key(Provider):
    """AWS::KMS::Key. Deletion is scheduled, as on AWS: the key stays until its window is over."""

    properties = frozenset(
        {
            "KeyPolicy",
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeySpec",
            "KeyUsage",
            "MultiRegion",
            "Origin",
            "PendingWindowInDays",
            "RotationPeriodInDays",
            "BypassPolicyLockoutSafetyCheck",
            "Tags",
        }
    )

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the key id."""
        client = context.client("kms")
        given = picked(properties, "Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
        if "KeyPolicy" in properties:
            given["Policy"] = json.dumps(properties["KeyPolicy"])
        metadata = client.create_key(**given, Tags=_tags(tag_map(properties)))["KeyMetadata"]
        physical = Physical(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})
        context.report(physical)
        _switch(client, physical.id, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Policy, description, rotation, state and tags change in place."""
        client = context.client("kms")
        if old.get("KeyPolicy") != new.get("KeyPolicy") and "KeyPolicy" in new:
            client.put_key_policy(KeyId=physical.id, PolicyName="default", Policy=json.dumps(new["KeyPolicy"]))
        if old.get("Description") != new.get("Description"):
            client.update_key_description(KeyId=physical.id, Description=new.get("Description", ""))
        _switch(client, physical.id, old, new)
        tags = tag_change(old, new)
        if tags.added:
            client.tag_resource(KeyId=physical.id, Tags=_tags(tags.added))
        if tags.removed:
            client.untag_resource(KeyId=physical.id, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Schedules the deletion."""
        window = properties.get("PendingWindowInDays", _DEFAULT_WINDOW_DAYS)
        context.client("kms").schedule_key_deletion(KeyId=physical.id, PendingWindowInDays=window)


class Alias(Provider):
    """AWS::KMS::Alias."""

    name_property = "AliasName"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the alias name."""
        context.client("kms").create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])
        return Physical(properties["AliasName"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Points the alias at another key."""
        context.client("kms").update_alias(AliasName=physical.id, TargetKeyId=new["TargetKeyId"])
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The key stays."""
        context.client("kms").delete_alias(AliasName=physical.id)


def _switch(client: Any, key_id: str, old: Properties, new: Properties) -> None:
    rotates, rotated = new.get("EnableKeyRotation", False), old.get("EnableKeyRotation", False)
    if rotates and (not rotated or old.get("RotationPeriodInDays") != new.get("RotationPeriodInDays")):
        client.enable_key_rotation(KeyId=key_id, **picked(new, "RotationPeriodInDays"))
    elif rotated and not rotates:
        client.disable_key_rotation(KeyId=key_id)
    if old.get("Enabled", True) and not new.get("Enabled", True):
        client.disable_key(KeyId=key_id)
    elif not old.get("Enabled", True) and new.get("Enabled", True):
        client.enable_key(KeyId=key_id)


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


PROVIDERS: Mapping[str, Provider] = {"AWS::KMS::Key": Key(), "AWS::KMS::Alias": Alias()}
