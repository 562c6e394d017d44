"""Condition keys of requests."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from local_cloud.iam.api_call import ApiCall
from local_cloud.iam.context import ContextValue
from local_cloud.iam.principals import Caller
from local_cloud.iam.request_keys import request_context, service_context, via_service_context

from .policies import ACCOUNT, CALLER, REGION, ROLE_ARN

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def keys(
    service: str, parameters: Mapping[str, object] | None = None, *, caller: Caller = CALLER
) -> dict[str, ContextValue]:
    context = request_context(ApiCall(service, "Operation", parameters or {}, REGION, ACCOUNT), caller, now=NOW)
    return {key: context.single_value_of(key) or context.values_of(key) or () for key in context}


def test_global_keys() -> None:
    """A role session is seen as its role, over a secure transport, in the region and at the time of the request."""
    seen = keys("s3")
    assert seen["aws:principalarn"] == ROLE_ARN
    assert seen["aws:principalaccount"] == ACCOUNT
    assert seen["aws:principaltype"] == "AssumedRole"
    assert seen["aws:userid"] == "AROATRAINER:job"
    assert seen["aws:securetransport"] == "true"
    assert seen["aws:requestedregion"] == REGION
    assert seen["aws:currenttime"] == "2026-01-02T03:04:05Z"
    assert "aws:username" not in seen
    user = Caller.user(f"arn:aws:iam::{ACCOUNT}:user/people/ann")
    assert keys("s3", caller=user)["aws:username"] == "ann"


@pytest.mark.parametrize(
    ("service", "parameters", "key", "expected"),
    [
        ("s3", {"Prefix": "raw/"}, "s3:prefix", "raw/"),
        ("s3", {"MaxKeys": 5}, "s3:max-keys", "5"),
        ("s3", {"ServerSideEncryption": "aws:kms"}, "s3:x-amz-server-side-encryption", "aws:kms"),
        ("s3", {"Tagging": "stage=dev&owner=a%20b"}, "s3:requestobjecttag/owner", "a b"),
        ("s3", {"Tagging": "stage=dev&owner=a"}, "s3:requestobjecttagkeys", ("stage", "owner")),
        ("sagemaker", {"ModelApprovalStatus": "Approved"}, "sagemaker:modelapprovalstatus", "Approved"),
        (
            "sagemaker",
            {"ProductionVariants": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.c5.large"}]},
            "sagemaker:instancetypes",
            ("ml.m5.large", "ml.c5.large"),
        ),
        ("sagemaker", {"VpcConfig": {"Subnets": ["s-1", "s-2"]}}, "sagemaker:vpcsubnets", ("s-1", "s-2")),
        ("monitoring", {"Namespace": "CD4ML"}, "cloudwatch:namespace", "CD4ML"),
        ("kms", {"EncryptionContext": {"aws:s3:arn": "x"}}, "kms:encryptioncontext:aws:s3:arn", "x"),
        ("events", {"Entries": [{"Source": "a"}, {"Source": "b"}]}, "events:source", ("a", "b")),
        ("iam", {"PolicyArn": "arn:p"}, "iam:policyarn", "arn:p"),
        ("sagemaker", {"Tags": [{"Key": "a", "Value": "1"}]}, "aws:requesttag/a", "1"),
        ("states", {"tags": [{"key": "a", "value": "1"}]}, "aws:requesttag/a", "1"),
        ("lambda", {"Tags": {"a": "1", "b": "2"}}, "aws:tagkeys", ("a", "b")),
        ("lambda", {"TagKeys": ["a", "b"]}, "aws:tagkeys", ("a", "b")),
    ],
)
def test_keys_of_parameters(service: str, parameters: dict[str, object], key: str, expected: ContextValue) -> None:
    """Services show these parameters of a request as condition keys."""
    assert keys(service, parameters)[key] == expected


def test_absent_parameters_give_no_key() -> None:
    """A parameter that the request leaves out is a missing key, not an empty one."""
    context = request_context(ApiCall("s3", "ListObjectsV2", {"Prefix": ""}, REGION, ACCOUNT), CALLER, now=NOW)
    assert context.values_of("s3:prefix") is None
    assert context.values_of("s3:x-amz-server-side-encryption") is None


def test_resource_tags() -> None:
    """Tags of the resource are visible under the global key and the service's own."""
    call = ApiCall("sagemaker", "DescribeModel", {}, REGION, ACCOUNT)
    context = request_context(call, CALLER, now=NOW, resource_tags={"stage": "dev"})
    assert context.values_of("aws:ResourceTag/stage") == context.values_of("sagemaker:ResourceTag/stage") == ("dev",)


def test_service_keys() -> None:
    """A service that acts for a resource shows it as aws:SourceArn and its account as aws:SourceAccount."""
    context = service_context("events.amazonaws.com", source_arn=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r")
    assert context.single_value_of("aws:SourceAccount") == ACCOUNT
    assert context.single_value_of("aws:PrincipalIsAWSService") == "true"
    via = via_service_context("s3", region=REGION, account=ACCOUNT)
    assert via.single_value_of("kms:ViaService") == f"s3.{REGION}.amazonaws.com"
