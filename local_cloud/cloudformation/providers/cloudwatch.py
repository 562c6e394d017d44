"""CloudWatch alarms and dashboards."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    tag_change,
    tag_list,
)
from local_cloud.service import Fidelity


class Alarm(Provider):
    """AWS::CloudWatch::Alarm."""

    name_property = "AlarmName"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the alarm's name."""
        client = context.client("cloudwatch")
        name = properties.get("AlarmName") or context.generated_name(255)
        if "AlarmName" in properties and self._exists(client, name):
            raise already_exists(f"The alarm {name}")
        self._put(client, dict(properties) | {"AlarmName": name, "Tags": tag_list(properties)})
        return Physical(name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A put replaces the whole alarm and keeps its state; tags are changed beside it."""
        client = context.client("cloudwatch")
        settings = {key: value for key, value in new.items() if key != "Tags"}
        self._put(client, settings | {"AlarmName": physical.id})
        tags, arn = tag_change(old, new), physical.attributes["Arn"]
        if tags.added:
            client.tag_resource(ResourceARN=arn, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_resource(ResourceARN=arn, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The metric stays."""
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical.id])

    def _put(self, client: Any, settings: Mapping[str, Any]) -> None:
        client.put_metric_alarm(**settings)

    def _exists(self, client: Any, name: str) -> bool:
        found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return bool(found["MetricAlarms"] or found["CompositeAlarms"])


class CompositeAlarm(Alarm):
    """AWS::CloudWatch::CompositeAlarm: the same but for the call that puts it."""

    def _put(self, client: Any, settings: Mapping[str, Any]) -> None:
        client.put_composite_alarm(**settings)


class Dashboard(Provider):
    """AWS::CloudWatch::Dashboard."""

    fidelity = Fidelity.RECORDED
    note = "kept by CloudWatch, without its tags; there is no console that shows it"
    name_property = "DashboardName"
    properties = frozenset({"DashboardName", "DashboardBody", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the dashboard's name."""
        name = properties.get("DashboardName") or context.generated_name(255)
        self._put(context, name, properties)
        return Physical(name)

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A put replaces the whole dashboard."""
        self._put(context, physical.id, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The metrics stay."""
        context.client("cloudwatch").delete_dashboards(DashboardNames=[physical.id])

    def _put(self, context: ResourceContext, name: str, properties: Properties) -> None:
        context.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])


PROVIDERS: Mapping[str, Provider] = {
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::CloudWatch::CompositeAlarm": CompositeAlarm(),
    "AWS::CloudWatch::Dashboard": Dashboard(),
}
