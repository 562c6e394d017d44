"""The action types that the local cloud has."""

from collections.abc import Mapping

from local_cloud.codepipeline.actions.base import ActionProvider
from local_cloud.codepipeline.actions.cloudformation import CloudFormationDeploy
from local_cloud.codepipeline.actions.lambda_invoke import LambdaInvoke
from local_cloud.codepipeline.actions.manual_approval import ManualApproval
from local_cloud.codepipeline.actions.s3_source import S3Source
from local_cloud.codepipeline.declaration import ActionType
from local_cloud.codepipeline.jobs import JobDesk


def default_providers(desk: JobDesk) -> Mapping[ActionType, ActionProvider]:
    """Every provider by its type; functions report to `desk`."""
    return {
        ActionType("Source", "AWS", "S3", "1"): S3Source(),
        ActionType("Deploy", "AWS", "CloudFormation", "1"): CloudFormationDeploy(),
        ActionType("Invoke", "AWS", "Lambda", "1"): LambdaInvoke(desk),
        ActionType("Approval", "AWS", "Manual", "1"): ManualApproval(),
    }
