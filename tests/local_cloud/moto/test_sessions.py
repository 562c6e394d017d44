"""Sessions of assumed roles begin with a trust policy and end with a reset."""

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.moto.roles import new_role, refusal
from tests.running_cloud import ACCOUNT, RunningCloud


def test_a_role_that_does_not_trust_the_caller_cannot_be_assumed(cloud: RunningCloud) -> None:
    """sts:AssumeRole checks the trust policy, and that the role exists."""
    arn = new_role(cloud, "for-lambda", principal={"Service": "lambda.amazonaws.com"})

    for role_arn in (arn, f"arn:aws:iam::{ACCOUNT}:role/missing"):
        with pytest.raises(ClientError) as refused:
            cloud.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")

        assert refusal(refused)[0] == "AccessDenied"


def test_a_reset_forgets_everything(cloud: RunningCloud) -> None:
    """After a reset the account is as new, and credentials of forgotten roles are worth nothing."""
    cloud.client("s3").create_bucket(Bucket="gone")
    new_role(cloud, "gone")

    cloud.reset()

    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []
