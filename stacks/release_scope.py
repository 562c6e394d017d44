"""What the release of one project deals with: its names and the resources of other stacks.

Must not create anything.
"""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from stacks.endpoint_stack import ALARMS
from stacks.projects import PRODUCTION, STAGING, Project
from stacks.stage import Stage

CAPTURE = "monitoring/capture/"
RELEASE_SOURCE = "cd4ml.release"
ENVIRONMENTS = (STAGING, PRODUCTION)


@dataclass(frozen=True, kw_only=True)
class ReleaseScope:
    """One project in one stage, as seen from the release stack `stack`."""

    stack: Stack
    stage: Stage
    project: Project
    model_package_group: str
    artifact_bucket: s3.IBucket
    key: kms.IKey

    @property
    def pipeline_name(self) -> str:
        """Of the release pipeline."""
        return f"{self.project.resource_name(self.stage.name)}-release"

    @property
    def champion_parameter(self) -> str:
        """Name of the parameter that holds the live version."""
        return self.project.champion_parameter(self.stage.name)

    @property
    def artifact_prefix(self) -> str:
        """Models and their evidence."""
        return self.project.artifact_prefix(self.stage.name)

    def endpoint_name(self, environment: str) -> str:
        """Of the environment's endpoint."""
        return self.project.endpoint_name(self.stage.name, environment)

    def stack_name(self, environment: str) -> str:
        """Of the stack that makes the environment's endpoint."""
        return self.project.endpoint_stack_name(self.stage.name, environment)

    def alarm_names(self, environment: str) -> str:
        """Pattern of the names of the alarms that watch the environment's endpoint."""
        return f"{self.stack_name(environment)}-{ALARMS}*"

    def arn(self, service: str, resource: str) -> str:
        """In this account and region."""
        return self.stack.format_arn(service=service, resource=resource)

    def pipeline_arn(self) -> str:
        """Of the release pipeline, which is a resource without a type."""
        return self.arn("codepipeline", self.pipeline_name)

    def endpoint_arns(self) -> list[str]:
        """Of both endpoints."""
        return [self.arn("sagemaker", f"endpoint/{self.endpoint_name(name)}") for name in ENVIRONMENTS]

    def objects(self, *prefixes: str) -> list[str]:
        """ARNs of everything below the prefixes of the artifact bucket."""
        return [self.artifact_bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]

    def read_packages(self) -> iam.PolicyStatement:
        """Describing versions of the project's registry."""
        return iam.PolicyStatement(
            actions=["sagemaker:DescribeModelPackage"],
            resources=[self.arn("sagemaker", f"model-package/{self.model_package_group}/*")],
        )

    def use_parameter(self, *actions: str) -> iam.PolicyStatement:
        """`actions` on the parameter that holds the live version; its name begins with a slash."""
        return iam.PolicyStatement(
            actions=list(actions), resources=[self.arn("ssm", f"parameter{self.champion_parameter}")]
        )
