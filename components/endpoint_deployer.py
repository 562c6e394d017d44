"""Who may deploy one endpoint's stack: the pipeline's action, and CloudFormation on its behalf.

Must not let either touch another environment's stack or endpoint, a role, or data.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

_STACK_ACTIONS = (
    *("CreateStack", "UpdateStack", "DescribeStacks", "DescribeStackEvents", "DescribeStackResource"),
    *("DescribeStackResources", "GetTemplate", "GetTemplateSummary", "SetStackPolicy", "ValidateTemplate"),
)
_TAGGING = ("sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:DeleteTags")
_SCALING_LINKED_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


@dataclass(frozen=True, kw_only=True)
class MonitoringDeployment:
    """SageMaker's own monitoring schedules, by name, which come with the endpoint, and the role of their jobs."""

    schedules: tuple[str, ...]
    role: iam.IRole


@dataclass(frozen=True, kw_only=True)
class DeployedEndpoint:
    """One environment's endpoint and what its stack is made of.

    `alarm_names` is a pattern. `resource_prefix` is how the logical ids of Model, EndpointConfig and job definitions
    begin, which their names contain.
    """

    stack_name: str
    endpoint_name: str
    alarm_names: str
    resource_prefix: str
    model_package_group: str
    endpoint_role: iam.IRole
    encryption_key: kms.IKey
    monitoring: MonitoringDeployment | None = None


class EndpointDeployer(Construct):
    """`role` is CloudFormation's; `action_statements` is what the pipeline's action needs beside the artifacts."""

    def __init__(self, scope: Construct, construct_id: str, *, endpoint: DeployedEndpoint, may_replace: bool) -> None:
        """With `may_replace`, a stack that never worked may be deleted and made anew."""
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description=f"CloudFormation, for stack {endpoint.stack_name}",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
        )
        for statement in (
            *_serving(self, endpoint),
            *_endpoint_of(self, endpoint),
            *_observation(self, endpoint),
            *_scaling(self, endpoint),
            *(_schedules(self, endpoint, endpoint.monitoring) if endpoint.monitoring else ()),
        ):
            self.role.add_to_policy(statement)
        self.action_statements = tuple(_stack_operations(self, endpoint, self.role, may_replace=may_replace))


def _stack_operations(
    scope: Construct, endpoint: DeployedEndpoint, role: iam.IRole, *, may_replace: bool
) -> Iterator[iam.PolicyStatement]:
    names = (*_STACK_ACTIONS, "DeleteStack") if may_replace else _STACK_ACTIONS
    yield iam.PolicyStatement(
        actions=[f"cloudformation:{name}" for name in names],
        resources=[_arn(scope, "cloudformation", f"stack/{endpoint.stack_name}/*")],
    )
    yield _pass(role, to="cloudformation.amazonaws.com")


def _serving(scope: Construct, endpoint: DeployedEndpoint) -> Iterator[iam.PolicyStatement]:
    """Model and EndpointConfig, which no name but CloudFormation's own tells apart from others."""
    for resource, noun in (("model", "Model"), ("endpoint-config", "EndpointConfig")):
        yield iam.PolicyStatement(
            actions=[*(f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Delete")), *_TAGGING],
            resources=[_arn(scope, "sagemaker", f"{resource}/*{endpoint.resource_prefix}*")],
        )
    yield iam.PolicyStatement(
        actions=["sagemaker:DescribeModelPackage"],
        resources=[_arn(scope, "sagemaker", f"model-package/{endpoint.model_package_group}/*")],
    )
    yield _pass(endpoint.endpoint_role, to="sagemaker.amazonaws.com")


def _endpoint_of(scope: Construct, endpoint: DeployedEndpoint) -> Iterator[iam.PolicyStatement]:
    own = _arn(scope, "sagemaker", f"endpoint/{endpoint.endpoint_name}")
    configurations = _arn(scope, "sagemaker", f"endpoint-config/*{endpoint.resource_prefix}*")
    # Creating and updating name a configuration, too, and need the right on both.
    yield iam.PolicyStatement(
        actions=["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], resources=[own, configurations]
    )
    yield iam.PolicyStatement(
        actions=[
            "sagemaker:DescribeEndpoint",
            "sagemaker:DeleteEndpoint",
            "sagemaker:UpdateEndpointWeightsAndCapacities",
            *_TAGGING,
        ],
        resources=[own],
    )
    # An endpoint whose volumes have a key is created with a grant on it, which only a service may take.
    # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    yield iam.PolicyStatement(
        actions=["kms:CreateGrant"],
        resources=[endpoint.encryption_key.key_arn],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
    yield iam.PolicyStatement(actions=["kms:DescribeKey"], resources=[endpoint.encryption_key.key_arn])


def _schedules(
    scope: Construct, endpoint: DeployedEndpoint, monitoring: MonitoringDeployment
) -> Iterator[iam.PolicyStatement]:
    definitions = _arn(scope, "sagemaker", f"data-quality-job-definition/*{endpoint.resource_prefix}*")
    verbs = ("Create", "Describe", "Delete")
    yield iam.PolicyStatement(
        actions=[*(f"sagemaker:{verb}DataQualityJobDefinition" for verb in verbs), *_TAGGING], resources=[definitions]
    )
    yield iam.PolicyStatement(
        actions=[*(f"sagemaker:{verb}MonitoringSchedule" for verb in (*verbs, "Update")), *_TAGGING],
        resources=[_arn(scope, "sagemaker", f"monitoring-schedule/{name}") for name in monitoring.schedules],
    )
    yield _pass(monitoring.role, to="sagemaker.amazonaws.com")


def _observation(scope: Construct, endpoint: DeployedEndpoint) -> Iterator[iam.PolicyStatement]:
    alarms = (endpoint.alarm_names, f"TargetTracking-endpoint/{endpoint.endpoint_name}/*")
    yield iam.PolicyStatement(
        actions=[
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:DeleteAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
        resources=[
            Stack.of(scope).format_arn(
                service="cloudwatch", resource="alarm", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
            )
            for name in alarms
        ],
    )
    yield iam.PolicyStatement(
        actions=["cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"],
        # Dashboards belong to no region.
        resources=[
            Stack.of(scope).format_arn(service="cloudwatch", region="", resource=f"dashboard/{endpoint.endpoint_name}")
        ],
    )


def _scaling(scope: Construct, endpoint: DeployedEndpoint) -> Iterator[iam.PolicyStatement]:
    """Application Auto Scaling names its targets at random; the service namespace is the narrowest that it knows."""
    only_sagemaker = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
    yield iam.PolicyStatement(
        actions=[
            f"application-autoscaling:{name}"
            for name in (
                "RegisterScalableTarget",
                "DeregisterScalableTarget",
                "PutScalingPolicy",
                "DeleteScalingPolicy",
            )
        ],
        resources=[_arn(scope, "application-autoscaling", "scalable-target/*")],
        conditions=only_sagemaker,
    )
    yield iam.PolicyStatement(
        actions=[f"application-autoscaling:{name}" for name in ("DescribeScalableTargets", "DescribeScalingPolicies")],
        resources=["*"],
    )
    # The first scalable endpoint of an account makes the role that scales it.
    yield iam.PolicyStatement(
        actions=["iam:CreateServiceLinkedRole"],
        resources=[Stack.of(scope).format_arn(service="iam", region="", resource=f"role/{_SCALING_LINKED_ROLE}")],
        conditions={"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}},
    )


def _pass(role: iam.IRole, *, to: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[role.role_arn],
        conditions={"StringEquals": {"iam:PassedToService": to}},
    )


def _arn(scope: Construct, service: str, resource: str) -> str:
    return Stack.of(scope).format_arn(service=service, resource=resource)
