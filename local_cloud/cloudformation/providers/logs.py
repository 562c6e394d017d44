"""CloudWatch Logs groups and metric filters."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    lower_first,
    tag_change,
    tag_map,
)
from local_cloud.service import Fidelity


class LogGroup(Provider):
    """AWS::Logs::LogGroup."""

    name_property = "LogGroupName"
    properties = frozenset({"LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the group's name."""
        client = context.client("logs")
        name = properties.get("LogGroupName") or context.generated_name(512)
        options = {"KmsKeyId": "kmsKeyId", "LogGroupClass": "logGroupClass"}
        given: dict[str, Any] = {api: properties[key] for key, api in options.items() if key in properties}
        tags = tag_map(properties)
        client.create_log_group(logGroupName=name, **given, **({"tags": tags} if tags else {}))
        physical = Physical(name, {"Arn": context.arn("logs", f"log-group:{name}:*")})
        context.report(physical)
        _retain(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Retention, key and tags change in place."""
        client = context.client("logs")
        _retain(client, physical.id, old, new)
        if "KmsKeyId" in new and old.get("KmsKeyId") != new["KmsKeyId"]:
            client.associate_kms_key(logGroupName=physical.id, kmsKeyId=new["KmsKeyId"])
        elif "KmsKeyId" in old and "KmsKeyId" not in new:
            client.disassociate_kms_key(logGroupName=physical.id)
        tags = tag_change(old, new)
        if tags.added:
            client.tag_log_group(logGroupName=physical.id, tags=dict(tags.added))
        if tags.removed:
            client.untag_log_group(logGroupName=physical.id, tags=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The log streams go with it."""
        context.client("logs").delete_log_group(logGroupName=physical.id)


class MetricFilter(Provider):
    """AWS::Logs::MetricFilter."""

    fidelity = Fidelity.RECORDED
    note = "kept by CloudWatch Logs, but no metric is published from log lines"
    name_property = "FilterName"
    properties = frozenset({"FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the filter's name."""
        name = properties.get("FilterName") or context.generated_name(512)
        self._put(context, name, properties)
        return Physical(name)

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """The former filter goes first: the CloudWatch Logs emulation would keep both."""
        self.delete(context, physical, old)
        self._put(context, physical.id, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The log group stays."""
        context.client("logs").delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=physical.id)

    def _put(self, context: ResourceContext, name: str, properties: Properties) -> None:
        context.client("logs").put_metric_filter(
            filterName=name,
            filterPattern=properties["FilterPattern"],
            logGroupName=properties["LogGroupName"],
            metricTransformations=lower_first(properties["MetricTransformations"]),
        )


def _retain(client: Any, name: str, old: Properties, new: Properties) -> None:
    days = new.get("RetentionInDays")
    if days is not None and days != old.get("RetentionInDays"):
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    elif days is None and "RetentionInDays" in old:
        client.delete_retention_policy(logGroupName=name)


PROVIDERS: Mapping[str, Provider] = {
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::Logs::MetricFilter": MetricFilter(),
}
