"""The role under which the jobs of one project's pipeline run: what their code may touch.

Must not let a job approve a model or start anything: it reads data and writes its own results.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.sagemaker_access import list_prefixes, logs_and_metrics, pull_image, sagemaker_principal


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A bucket, and the prefixes of it that a job reads and writes; they end in `/`."""

    bucket: s3.IBucket
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JobData:
    """What the jobs of one project work with."""

    storage: tuple[Storage, ...]
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
        for statement in (
            *(statement for storage in data.storage for statement in _files(storage)),
            *_key_use(data),
            *pull_image(data.image_repository),
            *logs_and_metrics(self),
        ):
            self.role.add_to_policy(statement)


def _files(storage: Storage) -> Iterator[iam.PolicyStatement]:
    if storage.reads:
        yield iam.PolicyStatement(
            actions=["s3:GetObject", "s3:GetObjectVersion"], resources=_objects(storage.bucket, storage.reads)
        )
        yield list_prefixes(storage.bucket, storage.reads)
    if storage.writes:
        yield iam.PolicyStatement(
            actions=["s3:PutObject", "s3:AbortMultipartUpload"], resources=_objects(storage.bucket, storage.writes)
        )


def _objects(bucket: s3.IBucket, prefixes: tuple[str, ...]) -> list[str]:
    return [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]


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
