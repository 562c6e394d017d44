"""The role under which SageMaker runs a pipeline: start jobs, and, where it may, read verdicts and register.

Must not run any job code (that is the job role) and must not approve what it registers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.sagemaker_access import sagemaker_principal

# A pipeline names its jobs `pipelines-<execution id>-<step name>-<suffix>`, whatever the definition says.
_JOB_NAMES = "pipelines-*"
_PROCESSING = {"processing-job": "ProcessingJob"}
_TRAINING = {"training-job": "TrainingJob"}


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Where a pipeline registers what it trained, and the files that decide about it; prefixes end in `/`."""

    model_package_group: str
    artifact_bucket: s3.IBucket
    artifact_prefixes: tuple[str, ...]
    encryption_key: kms.IKey


@dataclass(frozen=True, kw_only=True)
class PipelineScope:
    """What one pipeline may use; without a `registration` it runs processing jobs and no more."""

    pipeline_name: str
    job_role: iam.IRole
    registration: Registration | None = None


class PipelineRole(Construct):
    """`role` with exactly the rights that the pipeline's own calls need."""

    def __init__(self, scope: Construct, construct_id: str, *, project: str, uses: PipelineScope) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self, "Role", description=f"SageMaker pipeline of {project}", assumed_by=sagemaker_principal()
        )
        for statement in (*_jobs(self, uses), *_tracking(self, uses)):
            self.role.add_to_policy(statement)
        if uses.registration:
            for statement in (*_registration(self, uses.registration), *_files(uses.registration)):
                self.role.add_to_policy(statement)


def _jobs(scope: Construct, uses: PipelineScope) -> Iterator[iam.PolicyStatement]:
    for resource, noun in (_PROCESSING | (_TRAINING if uses.registration else {})).items():
        yield iam.PolicyStatement(
            actions=[
                f"sagemaker:Create{noun}",
                f"sagemaker:Describe{noun}",
                f"sagemaker:Stop{noun}",
                "sagemaker:AddTags",
            ],
            resources=[_sagemaker_arn(scope, f"{resource}/{_JOB_NAMES}")],
        )
    yield iam.PolicyStatement(
        actions=["iam:PassRole"],
        resources=[uses.job_role.role_arn],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )


def _registration(scope: Construct, uses: Registration) -> Iterator[iam.PolicyStatement]:
    group = uses.model_package_group
    yield iam.PolicyStatement(
        actions=["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:AddTags"],
        resources=[
            _sagemaker_arn(scope, f"model-package-group/{group}"),
            _sagemaker_arn(scope, f"model-package/{group}/*"),
        ],
    )
    yield iam.PolicyStatement(
        actions=["sagemaker:DescribeModelPackageGroup"],
        resources=[_sagemaker_arn(scope, f"model-package-group/{group}")],
    )


def _tracking(scope: Construct, uses: PipelineScope) -> Iterator[iam.PolicyStatement]:
    """Each execution is recorded as a trial of the experiment that has the pipeline's name.

    https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-experiments.html
    """
    yield iam.PolicyStatement(
        actions=["sagemaker:CreateExperiment", "sagemaker:DescribeExperiment", "sagemaker:AddTags"],
        resources=[_sagemaker_arn(scope, f"experiment/{uses.pipeline_name}")],
    )
    yield iam.PolicyStatement(
        actions=[
            "sagemaker:CreateTrial",
            "sagemaker:DescribeTrial",
            "sagemaker:CreateTrialComponent",
            "sagemaker:DescribeTrialComponent",
            "sagemaker:UpdateTrialComponent",
            "sagemaker:AssociateTrialComponent",
            "sagemaker:AddTags",
        ],
        resources=[
            # A trial is called after the execution, whose id is random.
            _sagemaker_arn(scope, "experiment-trial/*"),
            _sagemaker_arn(scope, f"experiment-trial-component/{_JOB_NAMES}"),
        ],
    )


def _files(uses: Registration) -> Iterator[iam.PolicyStatement]:
    """Conditions read the evaluation report, and registration reads the model's files, under this role."""
    yield iam.PolicyStatement(
        actions=["s3:GetObject"],
        resources=[uses.artifact_bucket.arn_for_objects(f"{prefix}*") for prefix in uses.artifact_prefixes],
    )
    yield iam.PolicyStatement(actions=["kms:Decrypt"], resources=[uses.encryption_key.key_arn])


def _sagemaker_arn(scope: Construct, resource: str) -> str:
    return Stack.of(scope).format_arn(service="sagemaker", resource=resource)
