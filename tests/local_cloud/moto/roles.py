"""Roles for the tests of what moto is made to do, and what a refusal says."""

import json
from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError

from tests.running_cloud import ACCOUNT, RunningCloud


def _trust(principal: dict[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def new_role(
    cloud: RunningCloud, name: str, *statements: Mapping[str, object], principal: dict[str, str] | None = None
) -> str:
    """The ARN of a role with an inline policy; any role of this account may assume it."""
    iam = cloud.client("iam")
    trusted = principal or {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(trusted))["Role"]["Arn"]
    if statements:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **given} for given in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    return str(arn)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """Code and message of the refusal that a client ran into."""
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]
