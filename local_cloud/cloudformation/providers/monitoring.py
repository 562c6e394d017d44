"""Model Monitor's job definitions and schedules."""

from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    picked,
    tag_list,
)
from local_cloud.cloudformation.providers.sagemaker import retag

_LONGEST_NAME = 63
_SHARED = ("JobResources", "NetworkConfig", "RoleArn", "StoppingCondition")


class JobDefinition(Provider):
    """AWS::SageMaker::<kind>JobDefinition. Every property is create-only, the tags too."""

    name_property = "JobDefinitionName"

    def __init__(self, kind: str) -> None:
        own = ("AppSpecification", "BaselineConfig", "JobInput", "JobOutputConfig")
        self._given = (*(f"{kind}{part}" for part in own), *_SHARED)
        self._kind = kind
        self.properties = frozenset(self._given) | {"JobDefinitionName", "EndpointName", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the job definition's ARN."""
        name = properties.get("JobDefinitionName") or context.generated_name(_LONGEST_NAME)
        self._call(context, "Create", name, Tags=tag_list(properties), **picked(properties, *self._given))
        live = self._call(context, "Describe", name)
        attributes = {"JobDefinitionArn": live["JobDefinitionArn"], "CreationTime": live["CreationTime"].isoformat()}
        return Physical(live["JobDefinitionArn"], attributes)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Executions that run keep what they were started with."""
        self._call(context, "Delete", physical.id.rpartition("/")[2])

    def _call(self, context: ResourceContext, verb: str, name: str, **parameters: Any) -> Any:
        operation = xform_name(f"{verb}{self._kind}JobDefinition")
        return getattr(context.client("sagemaker"), operation)(JobDefinitionName=name, **parameters)


class MonitoringSchedule(Provider):
    """AWS::SageMaker::MonitoringSchedule."""

    name_property = "MonitoringScheduleName"
    properties = frozenset({"MonitoringScheduleName", "MonitoringScheduleConfig", "Tags"})

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the schedule's ARN."""
        client, name = context.client("sagemaker"), properties["MonitoringScheduleName"]
        if self.find(context, properties) is not None:
            raise already_exists(f"The monitoring schedule {name}")
        given = picked(properties, "MonitoringScheduleName", "MonitoringScheduleConfig")
        client.create_monitoring_schedule(Tags=tag_list(properties), **given)
        return _schedule(client.describe_monitoring_schedule(MonitoringScheduleName=name))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Everything but the name changes in place."""
        client, name = context.client("sagemaker"), new["MonitoringScheduleName"]
        if old["MonitoringScheduleConfig"] != new["MonitoringScheduleConfig"]:
            given = picked(new, "MonitoringScheduleName", "MonitoringScheduleConfig")
            client.update_monitoring_schedule(**given)
        retag(client, physical.id, old, new)
        return _schedule(client.describe_monitoring_schedule(MonitoringScheduleName=name))

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its executions go with it."""
        name = properties["MonitoringScheduleName"]
        context.client("sagemaker").delete_monitoring_schedule(MonitoringScheduleName=name)

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A schedule of that name."""
        name = properties["MonitoringScheduleName"]
        try:
            live = context.client("sagemaker").describe_monitoring_schedule(MonitoringScheduleName=name)
        except ClientError:
            return None
        return _schedule(live)


def _schedule(live: Mapping[str, Any]) -> Physical:
    arn = live["MonitoringScheduleArn"]
    moments = {name: live[name].isoformat() for name in ("CreationTime", "LastModifiedTime")}
    return Physical(arn, {"MonitoringScheduleArn": arn, **moments})


PROVIDERS: Mapping[str, Provider] = {
    "AWS::SageMaker::MonitoringSchedule": MonitoringSchedule(),
    **{
        f"AWS::SageMaker::{kind}JobDefinition": JobDefinition(kind)
        for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    },
}
