"""The role under which an endpoint's containers run: read the model, pull the image, log, capture.

Must not let a server read anything but models or write anything but captured requests. It belongs to the release
stack and not to the endpoint's template: so it is complete before the first Model needs it, and a release needs no
right to create roles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.sagemaker_access import list_prefixes, logs_and_metrics, pull_image, sagemaker_principal


@dataclass(frozen=True, kw_only=True)
class ServingData:
    """What the endpoints of one project read and write; prefixes end in `/`. `alarm_names` may hold wildcards."""

    artifact_bucket: s3.IBucket
    model_prefix: str
    capture_prefix: str
    encryption_key: kms.IKey
    image_repository: ecr.IRepository
    alarm_names: tuple[str, ...]


class EndpointRole(Construct):
    """`role` with exactly the rights that a model server of the project needs."""

    def __init__(self, scope: Construct, construct_id: str, *, project: str, data: ServingData) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self, "Role", description=f"SageMaker endpoints of {project}", assumed_by=sagemaker_principal()
        )
        for statement in (
            *_storage(data),
            *_key_use(data),
            *pull_image(data.image_repository),
            *logs_and_metrics(self),
            _rollback_alarms(self, data.alarm_names),
        ):
            self.role.add_to_policy(statement)


def _storage(data: ServingData) -> Iterator[iam.PolicyStatement]:
    bucket = data.artifact_bucket
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{data.model_prefix}*")])
    yield list_prefixes(bucket, (data.model_prefix,))
    yield iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{data.capture_prefix}*")])


def _key_use(data: ServingData) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], resources=[data.encryption_key.key_arn]
    )


def _rollback_alarms(scope: Construct, names: tuple[str, ...]) -> iam.PolicyStatement:
    """SageMaker looks at the alarms of a deployment under the execution role.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    return iam.PolicyStatement(
        actions=["cloudwatch:DescribeAlarms"],
        resources=[Stack.of(scope).format_arn(service="cloudwatch", resource=f"alarm:{name}") for name in names],
    )
