"""What every SageMaker role needs, whatever it runs: who may assume it, its image, its logs and its metrics.

Must not grant access to data: that differs from role to role.
"""

from collections.abc import Iterator

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.own_account import for_this_account


def sagemaker_principal() -> iam.PrincipalBase:
    """SageMaker: https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html"""
    return for_this_account("sagemaker")


def list_prefixes(bucket: s3.IBucket, prefixes: tuple[str, ...]) -> iam.PolicyStatement:
    """SageMaker lists an S3 prefix before it copies it, with and without the closing slash."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{prefix.rstrip('/')}*" for prefix in prefixes]}},
    )


def pull_image(repository: ecr.IRepository) -> Iterator[iam.PolicyStatement]:
    """Statements for pulling an image of `repository`."""
    yield iam.PolicyStatement(
        actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        resources=[repository.repository_arn],
    )
    # A login token belongs to the registry as a whole: the action knows no resource.
    yield iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])


def logs_and_metrics(scope: Construct) -> Iterator[iam.PolicyStatement]:
    """Statements for the container's log and for the metrics that SageMaker publishes about it."""
    yield iam.PolicyStatement(
        actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        resources=[Stack.of(scope).format_arn(service="logs", resource="log-group:/aws/sagemaker/*")],
    )
    # CloudWatch knows no resource for metrics. SageMaker publishes what it reads from the container's log and files in
    # its own namespaces, those of Model Monitor with and without the first slash; the container has no network.
    yield iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
    )
