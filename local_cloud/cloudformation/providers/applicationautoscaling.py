"""Scalable targets and scaling policies of Application Auto Scaling."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import Physical, Properties, Provider, ResourceContext, picked
from local_cloud.service import Fidelity

_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_CAPACITY = ("MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")
_POLICY = ("PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
_LONGEST_NAME = 255


class ScalableTarget(Provider):
    """AWS::ApplicationAutoScaling::ScalableTarget."""

    fidelity = Fidelity.RECORDED
    note = "registered and visible, without its tags; nothing is scaled"
    properties = frozenset((*_TARGET, *_CAPACITY, "Tags"))

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is `resource|dimension|namespace`."""
        target = picked(properties, *_TARGET)
        context.client("application-autoscaling").register_scalable_target(**target, **picked(properties, *_CAPACITY))
        identifier = "|".join((target["ResourceId"], target["ScalableDimension"], target["ServiceNamespace"]))
        return Physical(identifier, {"Id": identifier})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Registering again changes the capacities."""
        return self.create(context, new)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Its policies go first: they refer to it."""
        context.client("application-autoscaling").deregister_scalable_target(**_target_of(physical.id))


class ScalingPolicy(Provider):
    """AWS::ApplicationAutoScaling::ScalingPolicy."""

    fidelity = Fidelity.RECORDED
    note = "registered and visible; nothing is scaled"
    name_property = "PolicyName"
    properties = frozenset(_TARGET + _POLICY) | {"PolicyName", "ScalingTargetId"}

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the policy's ARN."""
        arn = self._put(context, properties.get("PolicyName") or context.generated_name(_LONGEST_NAME), properties)
        return Physical(arn, {"Arn": arn})

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A put replaces the policy under its name; the ARN stays."""
        self._put(context, _policy_name(physical), new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The target stays."""
        client = context.client("application-autoscaling")
        client.delete_scaling_policy(PolicyName=_policy_name(physical), **_target(properties))

    def _put(self, context: ResourceContext, name: str, properties: Properties) -> str:
        answer = context.client("application-autoscaling").put_scaling_policy(
            PolicyName=name, **_target(properties), **picked(properties, *_POLICY)
        )
        return str(answer["PolicyARN"])


def _policy_name(physical: Physical) -> str:
    return physical.id.rpartition("policyName/")[2]


def _target(properties: Properties) -> dict[str, Any]:
    """The target of a policy, by its three properties or by the Ref of the target."""
    if "ScalingTargetId" in properties:
        return _target_of(properties["ScalingTargetId"])
    return picked(properties, *_TARGET)


def _target_of(identifier: str) -> dict[str, Any]:
    resource, dimension, namespace = identifier.split("|")
    return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}


PROVIDERS: Mapping[str, Provider] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(),
}
