"""Least privilege, as far as a template shows it; that the rights suffice is shown on the local cloud."""

import json
from typing import Any

from tests.templates.conftest import Templates
from tests.templates.policies import identity_statements

# Actions that AWS offers for no resource, so that `*` is the only way to grant them.
_WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData": "limited to our namespace by a condition",
    "ecr:GetAuthorizationToken": "a login token belongs to the whole registry",
    "sagemaker:ListModelPackages": "lists names and states only",
    "codepipeline:PutJobSuccessResult": "the result of a job that the function was handed",
    "codepipeline:PutJobFailureResult": "the result of a job that the function was handed",
    "application-autoscaling:DescribeScalableTargets": "shows limits only",
    "application-autoscaling:DescribeScalingPolicies": "shows limits only",
}

# Services that act with a role of this account for whoever asks, unless the role says for whom.
_SERVICES = {f"{name}.amazonaws.com" for name in ("sagemaker", "codepipeline", "states", "scheduler", "events")}


def test_no_action_is_a_wildcard(templates: Templates) -> None:
    """A right is given by its name: no `*`, no `s3:Get*`."""
    wildcards = [
        (resource.logical_id, action)
        for resource, statement in identity_statements(templates)
        for action in statement["Action"]
        if "*" in action
    ]

    assert wildcards == []


def test_every_resource_is_named(templates: Templates) -> None:
    """`*` stands only where AWS knows no narrower resource."""
    for resource, statement in identity_statements(templates):
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= set(_WITHOUT_RESOURCE), (resource.logical_id, statement)


def test_only_allows_are_granted_by_action(templates: Templates) -> None:
    """NotAction and NotResource grant what nobody wrote down."""
    for resource, statement in identity_statements(templates):
        assert not {"NotAction", "NotResource"} & set(statement), resource.logical_id


def test_no_managed_policy_is_attached(templates: Templates) -> None:
    """AWS's own policies, `...FullAccess` first, grant more than any role here needs."""
    assert "FullAccess" not in json.dumps(templates.by_stack)
    for role in templates.resources("AWS::IAM::Role"):
        assert not role.properties.get("ManagedPolicyArns"), role.logical_id


def test_roles_are_passed_to_their_service_only(templates: Templates) -> None:
    """A role is handed to the service that is meant to run under it, and to nothing else."""
    passed = set()
    for resource, statement in identity_statements(templates):
        if "iam:PassRole" not in statement["Action"]:
            continue
        assert statement["Action"] == ["iam:PassRole"]
        (role,) = statement["Resource"]
        service = statement["Condition"]["StringEquals"]["iam:PassedToService"]
        trust = templates.by_stack[resource.stack]["Resources"][role["Fn::GetAtt"][0]]["Properties"]
        (trusted,) = trust["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": service}}
        assert trusted["Principal"] == {"Service": service}
        passed.add(service)

    assert passed == {"sagemaker.amazonaws.com", "cloudformation.amazonaws.com"}


def test_services_assume_roles_for_this_account_only(templates: Templates) -> None:
    """Another account's SageMaker, CodePipeline or EventBridge cannot borrow our roles."""
    bound = set()
    for role in templates.resources("AWS::IAM::Role"):
        (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"].get("Service") in _SERVICES:
            bound.add(statement["Principal"]["Service"])
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert bound == _SERVICES


def test_nobody_removes_a_version_or_approves_a_model(templates: Templates) -> None:
    """What was stored stays, and approval is a person's act."""
    forbidden = {"s3:DeleteObjectVersion", "s3:DeleteBucket", "sagemaker:UpdateModelPackage", "kms:ScheduleKeyDeletion"}
    for resource, statement in identity_statements(templates):
        assert not forbidden & set(statement["Action"]), resource.logical_id


def test_the_pipeline_manages_its_own_jobs_only(templates: Templates) -> None:
    """Rights on jobs end at the names that SageMaker gives to a pipeline's jobs."""
    names = {
        _last_text(arn)
        for _, statement in identity_statements(templates)
        if any(action.endswith(("ProcessingJob", "TrainingJob")) for action in statement["Action"])
        for arn in statement["Resource"]
    }

    assert names == {":processing-job/pipelines-*", ":training-job/pipelines-*"}


def _last_text(arn: Any) -> str:
    return str(arn["Fn::Join"][1][-1])
