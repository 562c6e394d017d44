"""Schedules of EventBridge Scheduler and their groups."""

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

_GIVEN = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)
_LONGEST_NAME = 64


class Schedule(Provider):
    """AWS::Scheduler::Schedule."""

    name_property = "Name"
    properties = frozenset(_GIVEN) | {"Name"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the schedule's name."""
        if self.find(context, properties) is not None:
            raise already_exists(f"The schedule {properties['Name']}")
        name = properties.get("Name") or context.generated_name(_LONGEST_NAME)
        created = context.client("scheduler").create_schedule(Name=name, **picked(properties, *_GIVEN))
        return Physical(name, {"Arn": created["ScheduleArn"]})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Everything but the name changes in place; a schedule cannot move to another group."""
        context.client("scheduler").update_schedule(Name=physical.id, **picked(new, *_GIVEN))
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """What it has started goes on."""
        context.client("scheduler").delete_schedule(Name=physical.id, **picked(properties, "GroupName"))

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A schedule of that name in that group."""
        if "Name" not in properties:
            return None
        try:
            found = context.client("scheduler").get_schedule(**picked(properties, "Name", "GroupName"))
        except ClientError:
            return None
        return Physical(found["Name"], {"Arn": found["Arn"]})


class ScheduleGroup(Provider):
    """AWS::Scheduler::ScheduleGroup."""

    name_property = "Name"
    properties = frozenset({"Name", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the group's name."""
        if self.find(context, properties) is not None:
            raise already_exists(f"The schedule group {properties['Name']}")
        name = properties.get("Name") or context.generated_name(_LONGEST_NAME)
        client = context.client("scheduler")
        client.create_schedule_group(Name=name, Tags=tag_list(properties))
        return _group(client.get_schedule_group(Name=name))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Tags change in place, nothing else does."""
        client, arn, tags = context.client("scheduler"), physical.attributes["Arn"], tag_change(old, new)
        if tags.added:
            client.tag_resource(ResourceArn=arn, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(ResourceArn=arn, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its schedules go with it."""
        context.client("scheduler").delete_schedule_group(Name=physical.id)

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A group of that name."""
        if "Name" not in properties:
            return None
        try:
            return _group(context.client("scheduler").get_schedule_group(Name=properties["Name"]))
        except ClientError:
            return None


def _group(found: Mapping[str, Any]) -> Physical:
    moments = {name: found[name].isoformat() for name in ("CreationDate", "LastModificationDate")}
    return Physical(found["Name"], {"Arn": found["Arn"], "State": found["State"], **moments})


PROVIDERS: Mapping[str, Provider] = {
    "AWS::Scheduler::Schedule": Schedule(),
    "AWS::Scheduler::ScheduleGroup": ScheduleGroup(),
}
