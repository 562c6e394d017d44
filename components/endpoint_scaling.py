"""Target tracking for an endpoint's variant: as many machines as its requests need.

Must not set the number of machines: the endpoint starts with it, and a deployment retains what scaling made of it.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from dataclasses import dataclass

from aws_cdk import CfnCondition, CfnResource
from aws_cdk import aws_applicationautoscaling as autoscaling
from constructs import Construct

# Machines take minutes to start: add them soon, remove them reluctantly.
_SCALE_OUT_COOLDOWN_SECONDS = 60
_SCALE_IN_COOLDOWN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class ScalingRange:
    """Between how many machines (whole numbers, perhaps as tokens), for how many requests a minute on each."""

    minimum_instances: float
    maximum_instances: float
    invocations_per_instance: int


class EndpointScaling(Construct):
    """Registers the variant as a scalable target with one policy, if `condition` holds at deployment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: CfnResource,
        endpoint_name: str,
        variant_name: str,
        scaling: ScalingRange,
        condition: CfnCondition,
    ) -> None:
        super().__init__(scope, construct_id)
        target = autoscaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=f"endpoint/{endpoint_name}/variant/{variant_name}",
            min_capacity=scaling.minimum_instances,
            max_capacity=scaling.maximum_instances,
        )
        # The target refers to the endpoint by plain name, from which CloudFormation cannot tell the order.
        target.add_resource_dependency(endpoint)
        policy = _policy(self, target=target, invocations_per_instance=scaling.invocations_per_instance)
        for resource in (target, policy):
            resource.cfn_options.condition = condition


def _policy(
    scope: Construct, *, target: autoscaling.CfnScalableTarget, invocations_per_instance: int
) -> autoscaling.CfnScalingPolicy:
    properties = autoscaling.CfnScalingPolicy
    return autoscaling.CfnScalingPolicy(
        scope,
        "Policy",
        policy_name="invocations-per-instance",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.ref,
        target_tracking_scaling_policy_configuration=properties.TargetTrackingScalingPolicyConfigurationProperty(
            predefined_metric_specification=properties.PredefinedMetricSpecificationProperty(
                predefined_metric_type="SageMakerVariantInvocationsPerInstance"
            ),
            target_value=invocations_per_instance,
            scale_out_cooldown=_SCALE_OUT_COOLDOWN_SECONDS,
            scale_in_cooldown=_SCALE_IN_COOLDOWN_SECONDS,
        ),
    )
