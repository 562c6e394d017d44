"""Who hears of a new version: one mail to the approvers per version that waits for a decision, whoever registered it.

Must not depend on the retraining loop: what it trained is announced even if it was killed meanwhile.
"""

from collections.abc import Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from components.approval_topic import ApprovalTopic
from components.event_function import EventFunction
from components.event_rule import EventKind, FunctionRule
from stacks.project_function import project_function
from stacks.project_scope import EVENT_BUS, RETRAINING_SOURCE, ProjectScope


def announce_candidates(
    construct: Construct, scope: ProjectScope, *, pipeline_arn: str, approvals: ApprovalTopic
) -> EventFunction:
    """The function that hears of every version that waits for a decision, and keeps a record of those it told of."""
    function = project_function(
        construct,
        "AnnounceCandidate",
        scope=scope,
        folder="announce_candidate",
        description=f"Tells the approvers of new versions of {scope.project.name}",
        environment={
            "PIPELINE_ARN": pipeline_arn,
            "ARTIFACT_BUCKET": scope.artifact_bucket.bucket_name,
            "EVIDENCE_PREFIX": scope.artifact_prefix,
            "EVENT_BUS": EVENT_BUS,
            "APPROVAL_TOPIC_ARN": approvals.topic.topic_arn,
        },
        # How long an announcement may take before another invocation takes it over: see the function's `announcements`.
        timeout_seconds=60,
        memory_mb=256,
        statements=[*_rights(scope, pipeline_arn), *approvals.publishing()],
    )
    FunctionRule(
        construct,
        "CandidateRegistered",
        description=f"A version of {scope.project.name} that waits for a decision is announced, whoever registered it",
        event=EventKind(
            source="aws.sagemaker",
            detail_type="SageMaker Model Package State Change",
            detail={
                "ModelPackageGroupName": [scope.model_package_group],
                "ModelApprovalStatus": ["PendingManualApproval"],
            },
        ),
        target=function,
    )
    return function


def _rights(scope: ProjectScope, pipeline_arn: str) -> Iterator[iam.PolicyStatement]:
    records = scope.objects(f"{scope.project.release_prefix}candidates/")
    yield scope.read_packages()
    yield iam.PolicyStatement(
        actions=["sagemaker:DescribePipelineExecution"], resources=[f"{pipeline_arn}/execution/*"]
    )
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=scope.objects(scope.artifact_prefix))
    yield iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=records)
    yield scope.list_artifacts()
    yield scope.announce(RETRAINING_SOURCE)
