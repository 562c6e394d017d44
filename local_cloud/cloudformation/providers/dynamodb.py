"""DynamoDB tables."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    picked,
    tag_change,
    tag_list,
)

_CREATED = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
)
_UPDATED = ("BillingMode", "ProvisionedThroughput", "TableClass", "DeletionProtectionEnabled")
_SIDE = ("PointInTimeRecoverySpecification", "TimeToLiveSpecification")


class Table(Provider):
    """AWS::DynamoDB::Table."""

    name_property = "TableName"
    properties = frozenset((*_CREATED, *_SIDE, "TableName", "SSESpecification", "StreamSpecification", "Tags"))

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the table's name."""
        client = context.client("dynamodb")
        name = properties.get("TableName") or context.generated_name(255)
        given = picked(properties, *_CREATED) | _converted(properties)
        table = client.create_table(TableName=name, Tags=tag_list(properties), **given)["TableDescription"]
        attributes = {"Arn": table["TableArn"]}
        if "LatestStreamArn" in table:
            attributes["StreamArn"] = table["LatestStreamArn"]
        physical = Physical(name, attributes)
        context.report(physical)
        _set_side(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Capacity, class, protection, recovery, expiry, encryption and tags change in place; indexes do not here."""
        for key in ("KeySchema", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
            if old.get(key) != new.get(key):
                raise HandlerFailure(f"A change of {key} is not emulated: give the table another logical id")
        client = context.client("dynamodb")
        changed = {key: new[key] for key in _UPDATED if key in new and old.get(key) != new[key]}
        converted = {key: value for key, value in _converted(new).items() if _converted(old).get(key) != value}
        if changed or converted:
            client.update_table(TableName=physical.id, **changed, **converted)
        _set_side(client, physical.id, old, new)
        tags, arn = tag_change(old, new), physical.attributes["Arn"]
        # Changed keys are taken away, too: the DynamoDB emulation would keep both values.
        if stale := [*tags.removed, *tags.added]:
            client.untag_resource(ResourceArn=arn, TagKeys=stale)
        if tags.added:
            client.tag_resource(ResourceArn=arn, Tags=tag_list({"Tags": tags.added}))
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The items go with it."""
        context.client("dynamodb").delete_table(TableName=physical.id)

    def is_stable(self, context: ResourceContext, physical: Physical) -> bool:
        """A table can be used once it is ACTIVE."""
        table = context.client("dynamodb").describe_table(TableName=physical.id)["Table"]
        return bool(table["TableStatus"] == "ACTIVE")


def _converted(properties: Properties) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    if "SSESpecification" in properties:
        names = {"SSEEnabled": "Enabled", "KMSMasterKeyId": "KMSMasterKeyId", "SSEType": "SSEType"}
        specification = properties["SSESpecification"]
        converted["SSESpecification"] = {names[key]: value for key, value in specification.items()}
    if "StreamSpecification" in properties:
        view = properties["StreamSpecification"]["StreamViewType"]
        converted["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    return converted


def _set_side(client: Any, name: str, old: Properties, new: Properties) -> None:
    recovery, expiry = _SIDE
    if recovery in new and old.get(recovery) != new[recovery]:
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=new[recovery])
    if expiry in new and old.get(expiry) != new[expiry]:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=new[expiry])


PROVIDERS: Mapping[str, Provider] = {"AWS::DynamoDB::Table": Table()}
