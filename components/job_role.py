"""The role under which the jobs of one project's pipeline run: what their code may touch.

Must not let a job change the lake, approve a model or start anything: it reads data and writes its own results.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Aws, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class JobData:
    """What the jobs of one project read and write; prefixes end in `/`."""

    lake_bucket: s3.IBucket
    lake_prefixes: tuple[str, ...]
    artifact_bucket: s3.IBucket
    artifact_prefixes: tuple[str, ...]
    encryption_key: kms.IKey
    image_repository: ecr.IRepository


class JobRole(Construct):
    """`role` with exactly the rights that a processing or training job of the project needs."""

    def __init__(self, scope: Construct, construct_id: str, *, project: str, data: JobData) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description=f"SageMaker jobs of {project}",
            assumed_by=sagemaker_principal(),
        )
        for statement in (*_storage(data), *_key_use(data), *_image(data), *_logs_and_metrics(self)):
            self.role.add_to_policy(statement)


def sagemaker_principal() -> iam.PrincipalBase:
    """SageMaker acting for this account, and for no other one (the confused deputy problem).

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    return iam.ServicePrincipal(
        "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    )


def _storage(data: JobData) -> Iterator[iam.PolicyStatement]:
    lake, artifacts = data.lake_bucket, data.artifact_bucket
    yield iam.PolicyStatement(
        actions=["s3:GetObject", "s3:GetObjectVersion"],
        resources=[lake.arn_for_objects(f"{prefix}*") for prefix in data.lake_prefixes],
    )
    yield _listing(lake, data.lake_prefixes)
    yield iam.PolicyStatement(
        actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
        resources=[artifacts.arn_for_objects(f"{prefix}*") for prefix in data.artifact_prefixes],
    )
    yield _listing(artifacts, data.artifact_prefixes)


def _listing(bucket: s3.IBucket, prefixes: tuple[str, ...]) -> iam.PolicyStatement:
    """SageMaker lists an S3Prefix input before it copies it, with and without the closing slash."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{prefix.rstrip('/')}*" for prefix in prefixes]}},
    )


def _key_use(data: JobData) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
        resources=[data.encryption_key.key_arn],
    )
    # SageMaker hands the key on to the job's encrypted volume, and only a service may do so.
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    yield iam.PolicyStatement(
        actions=["kms:CreateGrant"],
        resources=[data.encryption_key.key_arn],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )


def _image(data: JobData) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        resources=[data.image_repository.repository_arn],
    )
    # A login token belongs to the registry as a whole: the action knows no resource.
    yield iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])


def _logs_and_metrics(scope: Construct) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        resources=[Stack.of(scope).format_arn(service="logs", resource="log-group:/aws/sagemaker/*")],
    )
    # CloudWatch knows no resource for metrics. SageMaker publishes what it reads from the job's log in its own
    # namespaces; the job itself has no network.
    yield iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
    )
