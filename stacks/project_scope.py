"""What the stacks that serve and watch one project's model deal with: names, and resources of other stacks.

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

CAPTURE, GROUND_TRUTH = "monitoring/capture/", "monitoring/ground-truth/"
RELEASE_SOURCE, MONITORING_SOURCE, RETRAINING_SOURCE = "cd4ml.release", "cd4ml.monitoring", "cd4ml.retraining"
EVENT_BUS = "default"
ENVIRONMENTS = (STAGING, PRODUCTION)


@dataclass(frozen=True, kw_only=True)
class ProjectScope:
    """One project in one stage, as seen from `stack`."""

    stack: Stack
    stage: Stage
    project: Project
    model_package_group: str
    artifact_bucket: s3.IBucket
    key: kms.IKey

    @property
    def release_pipeline_name(self) -> str:
        """Of the CodePipeline that releases a version."""
        return f"{self.project.resource_name(self.stage.name)}-release"

    @property
    def champion_parameter(self) -> str:
        """Name of the parameter that holds the live version."""
        return self.project.champion_parameter(self.stage.name)

    @property
    def event_subject(self) -> dict[str, list[str]]:
        """Pattern of our own events about the project's model in this stage."""
        return {"project": [self.project.name], "stage": [self.stage.name]}

    @property
    def artifact_prefix(self) -> str:
        """Models and their evidence."""
        return self.project.artifact_prefix(self.stage.name)

    @property
    def monitoring_runs(self) -> str:
        """Where the analyses of the project's live model lie."""
        return self.project.monitoring_prefix

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

    def release_pipeline_arn(self) -> str:
        """Of the release pipeline, which is a resource without a type."""
        return self.arn("codepipeline", self.release_pipeline_name)

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

    def announce(self, source: str) -> iam.PolicyStatement:
        """Sending events of `source` to the default bus."""
        return iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[self.arn("events", f"event-bus/{EVENT_BUS}")],
            conditions={"StringEquals": {"events:source": source}},
        )

    def list_artifacts(self) -> iam.PolicyStatement:
        """Without the right to list, S3 answers a missing object with 403 instead of 404."""
        return iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.artifact_bucket.bucket_arn])

    def use_key(self, *actions: str) -> iam.PolicyStatement:
        """`actions` on the key of data and models."""
        return iam.PolicyStatement(actions=list(actions), resources=[self.key.key_arn])
