"""The three functions of a release: one starts it, one verifies an endpoint, one writes down how it ended.

Must not let a function do the work of another: only the pipeline deploys, and nobody approves.
"""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from components.event_function import EventFunction, FunctionCode
from components.event_rule import EventKind, FunctionRule
from stacks.release_scope import ENVIRONMENTS, RELEASE_SOURCE, ReleaseScope

_EVENT_BUS = "default"


def start_release(construct: Construct, scope: ReleaseScope) -> EventFunction:
    """Checks the version that was approved or rejected, and starts the pipeline with it."""
    function = _function(
        construct,
        "StartRelease",
        scope=scope,
        folder="start_release",
        description=f"Starts or refuses the release of a version of {scope.project.name}",
        environment={
            "RELEASE_PIPELINE": scope.pipeline_name,
            "MODEL_PACKAGE_GROUP": scope.model_package_group,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "CHAMPION_PARAMETER": scope.champion_parameter,
            "EVENT_BUS": _EVENT_BUS,
        },
        timeout_seconds=300,
        memory_mb=512,
    )
    _grant(function, [*_starting(scope), *_announcing(scope)])
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


def verify_endpoint(construct: Construct, scope: ReleaseScope) -> EventFunction:
    """Compares the live endpoint with what was asked for, and really invokes it."""
    settings = scope.stage.settings.release
    function = _function(
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
    )
    _grant(function, [_reporting(), *_verifying(scope)])
    return function


def record_release(construct: Construct, scope: ReleaseScope) -> EventFunction:
    """Writes the release record and, after a success, which version is live."""
    function = _function(
        construct,
        "RecordRelease",
        scope=scope,
        folder="record_release",
        description=f"Records the releases of {scope.project.name}",
        environment={
            "RELEASE_PIPELINE": scope.pipeline_name,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "CHAMPION_PARAMETER": scope.champion_parameter,
            "EVENT_BUS": _EVENT_BUS,
        },
        timeout_seconds=120,
        memory_mb=256,
    )
    _grant(function, [_reporting(), *_recording(scope), *_announcing(scope)])
    FunctionRule(
        construct,
        "ReleaseEnded",
        description=f"A release of {scope.project.name} ended without a success",
        event=EventKind(
            source="aws.codepipeline",
            detail_type="CodePipeline Pipeline Execution State Change",
            detail={"pipeline": [scope.pipeline_name], "state": ["FAILED", "STOPPED", "SUPERSEDED"]},
        ),
        target=function,
    )
    return function


def _function(
    construct: Construct,
    construct_id: str,
    *,
    scope: ReleaseScope,
    folder: str,
    description: str,
    environment: Mapping[str, str],
    timeout_seconds: int,
    memory_mb: int,
) -> EventFunction:
    return EventFunction(
        construct,
        construct_id,
        description=description,
        code=FunctionCode(
            source_root=scope.stage.source_root,
            paths=["lambdas/__init__.py", "lambdas/shared", f"lambdas/{folder}"],
            handler=f"lambdas.{folder}.handler.handle",
        ),
        environment={"PROJECT": scope.project.name, "STAGE": scope.stage.name, **environment},
        function_logs=scope.stage.function_logs,
        timeout_seconds=timeout_seconds,
        memory_mb=memory_mb,
    )


def _grant(function: EventFunction, statements: Sequence[iam.PolicyStatement]) -> None:
    for statement in statements:
        function.role.add_to_policy(statement)


def _starting(scope: ReleaseScope) -> Iterator[iam.PolicyStatement]:
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
        resources=[scope.pipeline_arn()],
    )
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=scope.objects(scope.artifact_prefix, releases))
    yield iam.PolicyStatement(actions=["s3:PutObject"], resources=scope.objects(f"{releases}requests/"))
    yield _listing(scope)
    yield _key(scope, "kms:Decrypt", "kms:GenerateDataKey")


def _verifying(scope: ReleaseScope) -> Iterator[iam.PolicyStatement]:
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
    yield _listing(scope)
    yield _key(scope, "kms:Decrypt")


def _recording(scope: ReleaseScope) -> Iterator[iam.PolicyStatement]:
    yield scope.read_packages()
    yield scope.use_parameter("ssm:GetParameter", "ssm:PutParameter")
    yield iam.PolicyStatement(
        actions=["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"],
        resources=[scope.pipeline_arn()],
    )
    yield iam.PolicyStatement(
        actions=["s3:GetObject", "s3:PutObject"], resources=scope.objects(scope.project.release_prefix)
    )
    yield _listing(scope)
    yield _key(scope, "kms:Decrypt", "kms:GenerateDataKey")


def _reporting() -> iam.PolicyStatement:
    """The result of a job belongs to the job, which IAM knows no resource for."""
    return iam.PolicyStatement(
        actions=["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], resources=["*"]
    )


def _announcing(scope: ReleaseScope) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(
        actions=["events:PutEvents"],
        resources=[scope.arn("events", f"event-bus/{_EVENT_BUS}")],
        conditions={"StringEquals": {"events:source": RELEASE_SOURCE}},
    )


def _listing(scope: ReleaseScope) -> iam.PolicyStatement:
    """Without the right to list, S3 answers a missing object with 403 instead of 404."""
    return iam.PolicyStatement(actions=["s3:ListBucket"], resources=[scope.artifact_bucket.bucket_arn])


def _key(scope: ReleaseScope, *actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[scope.key.key_arn])
