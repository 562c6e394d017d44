"""The three functions of a release: one starts it, one verifies an endpoint, one writes down how it ended.

Must not let a function do the work of another: only the pipeline deploys, and nobody approves.
"""

from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from components.event_function import EventFunction
from components.event_rule import EventKind, FunctionRule
from stacks.project_function import project_function
from stacks.project_scope import ENVIRONMENTS, EVENT_BUS, RELEASE_SOURCE, ProjectScope


def start_release(construct: Construct, scope: ProjectScope) -> EventFunction:
    """Checks the version that was approved or rejected, and starts the pipeline with it."""
    function = project_function(
        construct,
        "StartRelease",
        scope=scope,
        folder="start_release",
        description=f"Starts or refuses the release of a version of {scope.project.name}",
        environment={
            "RELEASE_PIPELINE": scope.release_pipeline_name,
            "MODEL_PACKAGE_GROUP": scope.model_package_group,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "CHAMPION_PARAMETER": scope.champion_parameter,
            "BASELINE": "needed" if scope.stage.settings.monitoring.by_sagemaker else "optional",
            "EVENT_BUS": EVENT_BUS,
        },
        timeout_seconds=300,
        memory_mb=512,
        statements=_starting(scope),
    )
    FunctionRule(
        construct,
        "ApprovalChanged",
        description=f"A version of {scope.project.name} was approved or rejected",
        event=EventKind(
            source="aws.sagemaker",
            detail_type="SageMaker Model Package State Change",
            detail={
                "ModelPackageGroupName": [scope.model_package_group],
                "ModelApprovalStatus": ["Approved", "Rejected"],
            },
        ),
        target=function,
    )
    return function


def verify_endpoint(construct: Construct, scope: ProjectScope) -> EventFunction:
    """Compares the live endpoint with what was asked for, and really invokes it."""
    settings = scope.stage.settings.release
    return project_function(
        construct,
        "VerifyEndpoint",
        scope=scope,
        folder="verify_endpoint",
        description=f"Verifies an endpoint of {scope.project.name} after a deployment",
        environment={
            "LATENCY_BUDGET_MS": str(settings.latency_budget_ms),
            "LATENCY_INVOCATIONS": str(settings.latency_invocations),
        },
        timeout_seconds=300,
        memory_mb=512,
        statements=[_reporting(), *_verifying(scope)],
    )


def record_release(construct: Construct, scope: ProjectScope) -> EventFunction:
    """Writes the release record and, after a success, which version is live."""
    function = project_function(
        construct,
        "RecordRelease",
        scope=scope,
        folder="record_release",
        description=f"Records the releases of {scope.project.name}",
        environment={
            "RELEASE_PIPELINE": scope.release_pipeline_name,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "CHAMPION_PARAMETER": scope.champion_parameter,
            "EVENT_BUS": EVENT_BUS,
        },
        timeout_seconds=120,
        memory_mb=256,
        statements=[_reporting(), *_recording(scope)],
    )
    FunctionRule(
        construct,
        "ReleaseEnded",
        description=f"A release of {scope.project.name} ended without a success",
        event=EventKind(
            source="aws.codepipeline",
            detail_type="CodePipeline Pipeline Execution State Change",
            detail={"pipeline": [scope.release_pipeline_name], "state": ["FAILED", "STOPPED", "SUPERSEDED"]},
        ),
        target=function,
    )
    return function


def _starting(scope: ProjectScope) -> Iterator[iam.PolicyStatement]:
    releases = scope.project.release_prefix
    yield scope.read_packages()
    yield scope.use_parameter("ssm:GetParameter")
    yield iam.PolicyStatement(
        actions=[
            "codepipeline:StartPipelineExecution",
            "codepipeline:StopPipelineExecution",
            "codepipeline:GetPipelineExecution",
            "codepipeline:ListPipelineExecutions",
            "codepipeline:ListActionExecutions",
        ],
        resources=[scope.release_pipeline_arn()],
    )
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=scope.objects(scope.artifact_prefix, releases))
    yield iam.PolicyStatement(actions=["s3:PutObject"], resources=scope.objects(f"{releases}requests/"))
    yield scope.list_artifacts()
    yield scope.use_key("kms:Decrypt", "kms:GenerateDataKey")
    yield scope.announce(RELEASE_SOURCE)


def _verifying(scope: ProjectScope) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["cloudformation:DescribeStacks"],
        resources=[scope.arn("cloudformation", f"stack/{scope.stack_name(name)}/*") for name in ENVIRONMENTS],
    )
    yield iam.PolicyStatement(
        actions=["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], resources=scope.endpoint_arns()
    )
    for resource, noun in (("model", "Model"), ("endpoint-config", "EndpointConfig")):
        yield iam.PolicyStatement(
            actions=[f"sagemaker:Describe{noun}"],
            resources=[scope.arn("sagemaker", f"{resource}/*{scope.project.resource_prefix(scope.stage.name)}*")],
        )
    yield scope.read_packages()
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=scope.objects(scope.artifact_prefix))
    yield scope.list_artifacts()
    yield scope.use_key("kms:Decrypt")


def _recording(scope: ProjectScope) -> Iterator[iam.PolicyStatement]:
    yield scope.read_packages()
    yield scope.use_parameter("ssm:GetParameter", "ssm:PutParameter")
    yield iam.PolicyStatement(
        actions=["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"],
        resources=[scope.release_pipeline_arn()],
    )
    yield iam.PolicyStatement(
        actions=["s3:GetObject", "s3:PutObject"], resources=scope.objects(scope.project.release_prefix)
    )
    yield scope.list_artifacts()
    yield scope.use_key("kms:Decrypt", "kms:GenerateDataKey")
    yield scope.announce(RELEASE_SOURCE)


def _reporting() -> iam.PolicyStatement:
    """The result of a job belongs to the job, which IAM knows no resource for."""
    return iam.PolicyStatement(
        actions=["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], resources=["*"]
    )
