"""The stages of a release, in order: staging, verification, a person's approval, production, verification, record.

Must not choose a version: it is a variable of the execution, and every action takes it from there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets

from components.action_pipeline import PipelineAction, PipelineVariable
from components.approval_topic import ApprovalTopic
from components.endpoint_deployer import EndpointDeployer
from components.event_function import EventFunction
from stacks.endpoint_parameters import NO_BASELINE, NO_MODEL
from stacks.project_scope import CAPTURE, ProjectScope
from stacks.projects import PRODUCTION, STAGING

_SOURCE = "Source"
_PACKAGE = "#{variables.ModelPackageArn}"
_REASON = "#{variables.Reason}"
_SHADOW = "#{variables.ShadowModelPackageArn}"
_BASELINE = "#{variables.BaselineUri}"
# A stack that never worked may be made anew in staging. In production it might be the one that serves.
_STACK_MODES = {STAGING: "REPLACE_ON_FAILURE", PRODUCTION: "CREATE_UPDATE"}
# One machine shows whether a version works; production has the fleet of the settings.
_STAGING_INSTANCES = 1


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """What the actions call or pass on. `template` is the source, in which `template_file` lies.

    `monitoring_role` is for SageMaker's own monitoring schedules; None where there are none.
    """

    template: s3_assets.Asset
    template_file: str
    deployers: dict[str, EndpointDeployer]
    endpoint_role: iam.IRole
    monitoring_role: iam.IRole | None
    alarm_topic_arn: str
    approvals: ApprovalTopic
    verify: EventFunction
    record: EventFunction


def release_variables(scope: ProjectScope) -> list[PipelineVariable]:
    """What an execution is started with."""
    variables = [
        PipelineVariable(name="ModelPackageArn", description="The approved version"),
        PipelineVariable(name="Reason", description="Why it is released", default="No reason given"),
    ]
    if scope.stage.settings.endpoint.shadow:
        description = "A version that gets a copy of production's requests and answers nobody"
        variables.append(PipelineVariable(name="ShadowModelPackageArn", description=description, default=NO_MODEL))
    if scope.stage.settings.monitoring.by_sagemaker:
        variables.append(PipelineVariable(name="BaselineUri", description="S3 prefix of the version's baseline"))
    return variables


def release_actions(scope: ProjectScope, parts: ReleaseParts) -> list[PipelineAction]:
    """The pipeline's stages; the names are known to the functions that read its executions."""
    return [
        _source(parts),
        _deploy("Staging", STAGING, scope=scope, parts=parts),
        _verify("VerifyStaging", STAGING, scope=scope, parts=parts),
        _approve(parts),
        _deploy("Production", PRODUCTION, scope=scope, parts=parts),
        _verify("VerifyProduction", PRODUCTION, scope=scope, parts=parts),
        _record(parts),
    ]


def _source(parts: ReleaseParts) -> PipelineAction:
    """The template, whose key is the hash of its content: a release starts with an approval, not with a change here."""
    bucket = parts.template.bucket
    return PipelineAction(
        name=_SOURCE,
        provider=("Source", "S3"),
        configuration={
            "S3Bucket": parts.template.s3_bucket_name,
            "S3ObjectKey": parts.template.s3_object_key,
            "PollForSourceChanges": "false",
        },
        statements=[
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
                resources=[bucket.arn_for_objects(parts.template.s3_object_key)],
            ),
            iam.PolicyStatement(
                actions=["s3:GetBucketVersioning", "s3:GetBucketLocation", "s3:GetBucketAcl", "s3:ListBucket"],
                resources=[bucket.bucket_arn],
            ),
        ],
        writes=_SOURCE,
    )


def _deploy(name: str, environment: str, *, scope: ProjectScope, parts: ReleaseParts) -> PipelineAction:
    deployer = parts.deployers[environment]
    return PipelineAction(
        name=name,
        provider=("Deploy", "CloudFormation"),
        configuration={
            "ActionMode": _STACK_MODES[environment],
            "StackName": scope.stack_name(environment),
            "TemplatePath": f"{_SOURCE}::{parts.template_file}",
            "RoleArn": deployer.role.role_arn,
            "ParameterOverrides": scope.stack.to_json_string(_parameters(environment, scope=scope, parts=parts)),
        },
        statements=deployer.action_statements,
        reads=_SOURCE,
    )


def _parameters(environment: str, *, scope: ProjectScope, parts: ReleaseParts) -> dict[str, str]:
    settings = scope.stage.settings.endpoint
    in_production = environment == PRODUCTION
    parameters = {
        "ModelPackageArn": _PACKAGE,
        "EndpointName": scope.endpoint_name(environment),
        "ExecutionRoleArn": parts.endpoint_role.role_arn,
        "CaptureUri": scope.artifact_bucket.s3_url_for_object(CAPTURE.rstrip("/")),
        "EncryptionKeyArn": scope.key.key_arn,
        "AlarmTopicArn": parts.alarm_topic_arn,
        "InstanceCount": str(settings.minimum_instances if in_production else _STAGING_INSTANCES),
        "MaximumInstanceCount": str(settings.maximum_instances if in_production else _STAGING_INSTANCES),
    }
    if parts.monitoring_role:
        # Nobody but the tests asks staging anything.
        parameters["BaselineUri"] = _BASELINE if in_production else NO_BASELINE
        parameters["MonitoringRoleArn"] = parts.monitoring_role.role_arn
    # Only production has requests to copy.
    return parameters | ({"ShadowModelPackageArn": _SHADOW} if settings.shadow and in_production else {})


def _verify(name: str, environment: str, *, scope: ProjectScope, parts: ReleaseParts) -> PipelineAction:
    return _invoke(
        name,
        parts.verify,
        {
            "endpoint": scope.endpoint_name(environment),
            "modelPackageArn": _PACKAGE,
            "stage": environment,
            "stackName": scope.stack_name(environment),
        },
        namespace=name,
    )


def _approve(parts: ReleaseParts) -> PipelineAction:
    return PipelineAction(
        name="Approve",
        provider=("Approval", "Manual"),
        configuration={
            "NotificationArn": parts.approvals.topic.topic_arn,
            "ExternalEntityLink": "#{VerifyStaging.EvidenceUrl}",
            "CustomData": f"Version {_PACKAGE}: #{{VerifyStaging.Summary}} Reason: {_REASON}",
        },
        statements=list(parts.approvals.publishing()),
    )


def _record(parts: ReleaseParts) -> PipelineAction:
    return _invoke(
        "Record",
        parts.record,
        {"modelPackageArn": _PACKAGE, "executionId": "#{codepipeline.PipelineExecutionId}"},
        namespace=None,
    )


def _invoke(name: str, function: EventFunction, parameters: dict[str, str], *, namespace: str | None) -> PipelineAction:
    return PipelineAction(
        name=name,
        provider=("Invoke", "Lambda"),
        configuration={"FunctionName": function.function.function_name, "UserParameters": json.dumps(parameters)},
        statements=list(_invoking(function)),
        namespace=namespace,
    )


def _invoking(function: EventFunction) -> Iterator[iam.PolicyStatement]:
    yield iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function.function_arn])
