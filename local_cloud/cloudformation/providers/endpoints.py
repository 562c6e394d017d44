"""SageMaker models, endpoint configurations and endpoints."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.errors import HandlerFailure
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

_MODEL_GIVEN = (
    "ExecutionRoleArn",
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "VpcConfig",
    "EnableNetworkIsolation",
)
_CONFIG_GIVEN = (
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)
_UPDATE_GIVEN = (
    "EndpointConfigName",
    "DeploymentConfig",
    "RetainAllVariantProperties",
    "ExcludeRetainedVariantProperties",
    "RetainDeploymentConfig",
)
_LONGEST_NAME = 63
_SETTLING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
_DELETION_WAIT = {"Delay": 1, "MaxAttempts": 600}


class Model(Provider):
    """AWS::SageMaker::Model."""

    name_property = "ModelName"
    properties = frozenset(_MODEL_GIVEN) | {"ModelName", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the model's ARN."""
        name = properties.get("ModelName") or context.generated_name(_LONGEST_NAME)
        given = picked(properties, *_MODEL_GIVEN)
        arn = context.client("sagemaker").create_model(ModelName=name, Tags=tag_list(properties), **given)["ModelArn"]
        return Physical(arn, {"ModelArn": arn, "ModelName": name})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Tags change in place, nothing else does."""
        retag(context.client("sagemaker"), physical.id, old, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Endpoints that serve it keep serving."""
        context.client("sagemaker").delete_model(ModelName=physical.attributes["ModelName"])


class EndpointConfig(Provider):
    """AWS::SageMaker::EndpointConfig."""

    name_property = "EndpointConfigName"
    properties = frozenset(_CONFIG_GIVEN) | {"EndpointConfigName", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the configuration's ARN."""
        name = properties.get("EndpointConfigName") or context.generated_name(_LONGEST_NAME)
        arn = context.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, Tags=tag_list(properties), **picked(properties, *_CONFIG_GIVEN)
        )["EndpointConfigArn"]
        return Physical(arn, {"EndpointConfigArn": arn, "EndpointConfigName": name})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Tags change in place, nothing else does."""
        retag(context.client("sagemaker"), physical.id, old, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """AWS does not ask whether an endpoint uses it."""
        name = physical.attributes["EndpointConfigName"]
        context.client("sagemaker").delete_endpoint_config(EndpointConfigName=name)


class Endpoint(Provider):
    """AWS::SageMaker::Endpoint. Its creation and its update take until the endpoint is in service.

    SageMaker may roll an update back: the endpoint is in service again, on its old configuration. That fails the update
    if something tells why: a FailureReason, or a rollback alarm that still is in ALARM. If nothing does, the update
    passes and the old configuration is deleted, which is what users of handlers that only wait for InService report
    (hashicorp/terraform-provider-aws#48997): whoever deploys has to compare the live EndpointConfigName with the one
    that was asked for. What CloudFormation's own handler does is not documented.
    """

    name_property = "EndpointName"
    properties = frozenset(_UPDATE_GIVEN) | {"EndpointName", "Tags"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the endpoint's ARN."""
        client = context.client("sagemaker")
        name = properties.get("EndpointName") or context.generated_name(_LONGEST_NAME)
        if self.find(context, properties) is not None:
            raise already_exists(f"The endpoint {name}")
        arn = client.create_endpoint(
            EndpointName=name,
            Tags=tag_list(properties),
            **picked(properties, "EndpointConfigName", "DeploymentConfig"),
        )["EndpointArn"]
        physical = _endpoint(arn, name, properties["EndpointConfigName"])
        context.report(physical)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Moves to another configuration; an endpoint that is there already (after a rollback) is left alone."""
        client, name = context.client("sagemaker"), physical.attributes["EndpointName"]
        live = client.describe_endpoint(EndpointName=name)
        moves = old.get("EndpointConfigName") != new["EndpointConfigName"]
        if moves and live["EndpointConfigName"] != new["EndpointConfigName"]:
            client.update_endpoint(EndpointName=name, **picked(new, *_UPDATE_GIVEN))
        retag(context.client("sagemaker"), physical.id, old, new)
        return _endpoint(physical.id, name, new["EndpointConfigName"])

    def is_stable(self, context: ResourceContext, physical: Physical) -> bool:
        """Whether the endpoint is in service; raises HandlerFailure with SageMaker's reason if it will not be."""
        name = physical.attributes["EndpointName"]
        live = context.client("sagemaker").describe_endpoint(EndpointName=name)
        status, reason = live["EndpointStatus"], live.get("FailureReason")
        if status in _SETTLING:
            return False
        if status != "InService":
            raise HandlerFailure(f"Endpoint {name} is {status}: {reason or 'no reason given'}", code="NotStabilized")
        if live["EndpointConfigName"] != physical.attributes["EndpointConfigName"]:
            _refuse_rollback(context, live)
        return True

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Takes until the endpoint is gone, so that its name is free again."""
        client, name = context.client("sagemaker"), physical.attributes["EndpointName"]
        client.delete_endpoint(EndpointName=name)
        client.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=_DELETION_WAIT)

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """An endpoint of that name."""
        name = properties.get("EndpointName")
        try:
            live = context.client("sagemaker").describe_endpoint(EndpointName=name) if name else None
        except ClientError:
            return None
        return _endpoint(live["EndpointArn"], str(name), live["EndpointConfigName"]) if live else None


def _endpoint(arn: str, name: str, config_name: str) -> Physical:
    """`EndpointConfigName` is the configuration that was asked for: stabilisation compares it with the live one."""
    return Physical(arn, {"EndpointArn": arn, "EndpointName": name, "EndpointConfigName": config_name})


def _refuse_rollback(context: ResourceContext, live: Mapping[str, Any]) -> None:
    """Raise HandlerFailure if something tells why the endpoint is on another configuration than requested."""
    rollback = live.get("LastDeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    names = [alarm["AlarmName"] for alarm in rollback.get("Alarms", [])]
    raised = _in_alarm(context, names) if names else []
    reason = live.get("FailureReason") or (f"alarm {', '.join(raised)} is in ALARM" if raised else "")
    if reason:
        text = f"Endpoint {live['EndpointName']} was rolled back to {live['EndpointConfigName']}: {reason}"
        raise HandlerFailure(text, code="NotStabilized")


def _in_alarm(context: ResourceContext, names: list[str]) -> list[str]:
    found = context.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
    )
    return [alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found.get(kind, [])]


PROVIDERS: Mapping[str, Provider] = {
    "AWS::SageMaker::Model": Model(),
    "AWS::SageMaker::EndpointConfig": EndpointConfig(),
    "AWS::SageMaker::Endpoint": Endpoint(),
}
