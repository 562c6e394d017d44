"""Athena workgroups."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    tag_change,
    tag_list,
)


class WorkGroup(Provider):
    """AWS::Athena::WorkGroup."""

    name_property = "Name"
    properties = frozenset({"Name", "Description", "State", "RecursiveDeleteOption", "WorkGroupConfiguration", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the workgroup's name."""
        client, name = context.client("athena"), properties["Name"]
        client.create_work_group(
            Name=name,
            Configuration=properties.get("WorkGroupConfiguration", {}),
            Description=properties.get("Description", ""),
            Tags=tag_list(properties),
        )
        physical = Physical(name)
        context.report(physical)
        if properties.get("State", "ENABLED") != "ENABLED":
            client.update_work_group(WorkGroup=name, State=properties["State"])
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Configuration, description, state and tags change in place."""
        client = context.client("athena")
        before, after = (value.get("WorkGroupConfiguration", {}) for value in (old, new))
        client.update_work_group(
            WorkGroup=physical.id,
            Description=new.get("Description", ""),
            State=new.get("State", "ENABLED"),
            **({"ConfigurationUpdates": _updates(before, after)} if before != after else {}),
        )
        tags, arn = tag_change(old, new), context.arn("athena", f"workgroup/{physical.id}")
        if tags.added:
            client.tag_resource(ResourceARN=arn, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(ResourceARN=arn, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its queries go with it if RecursiveDeleteOption says so."""
        recursive = bool(properties.get("RecursiveDeleteOption", False))
        context.client("athena").delete_work_group(WorkGroup=physical.id, RecursiveDeleteOption=recursive)


def _updates(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in the form of UpdateWorkGroup, which names what is to be removed."""
    updates = {key: value for key, value in after.items() if key != "ResultConfiguration"}
    if "BytesScannedCutoffPerQuery" in before and "BytesScannedCutoffPerQuery" not in after:
        updates["RemoveBytesScannedCutoffPerQuery"] = True
    result, former = after.get("ResultConfiguration", {}), before.get("ResultConfiguration", {})
    removed = {f"Remove{key}": True for key in former.keys() - result.keys()}
    if result or removed:
        updates["ResultConfigurationUpdates"] = {**result, **removed}
    return updates


PROVIDERS: Mapping[str, Provider] = {"AWS::Athena::WorkGroup": WorkGroup()}
