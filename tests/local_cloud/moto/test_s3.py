"""S3 on moto: who may do what, and the events of its objects."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.moto.roles import new_role, refusal
from tests.queues import queue_behind_rule
from tests.running_cloud import ACCOUNT, RunningCloud
from tests.waiting import wait_for

KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}


def test_a_deny_for_plain_http_does_not_lock_the_bucket(cloud: RunningCloud) -> None:
    """moto takes every policy condition as met; a bucket that refuses plain HTTP must still take objects."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tls-only")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))

    s3.put_object(Bucket="tls-only", Key="k", Body=b"1")

    assert s3.get_object(Bucket="tls-only", Key="k")["Body"].read() == b"1"


def test_access_logs_can_be_turned_on_before_the_log_bucket_has_its_policy(cloud: RunningCloud) -> None:
    """S3 takes the log bucket as it is; CloudFormation creates bucket and policy in any order."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="access-logs")
    s3.create_bucket(Bucket="logged")

    target = {"TargetBucket": "access-logs", "TargetPrefix": "logged/"}
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": target})

    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"]["TargetBucket"] == "access-logs"


def test_an_encrypted_bucket_needs_the_key_as_well(cloud: RunningCloud) -> None:
    """A role that may put objects but not use the bucket's key is refused for kms:GenerateDataKey."""
    s3 = cloud.client("s3")
    key = cloud.client("kms").create_key(Policy=json.dumps(KEY_POLICY))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="sealed")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket="sealed",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    objects = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::sealed/*"}
    without = cloud.role_client("s3", new_role(cloud, "without-key", objects))
    with_key = cloud.role_client(
        "s3", new_role(cloud, "with-key", objects, {"Action": "kms:GenerateDataKey", "Resource": key})
    )

    with pytest.raises(ClientError) as refused:
        without.put_object(Bucket="sealed", Key="k", Body=b"1")
    with_key.put_object(Bucket="sealed", Key="k", Body=b"1")

    assert "kms:GenerateDataKey" in refusal(refused)[1]


def test_a_missing_object_is_only_admitted_to_who_may_list(cloud: RunningCloud) -> None:
    """Without s3:ListBucket a missing key answers 403, as S3 does, so that a forgotten grant shows offline."""
    cloud.client("s3").create_bucket(Bucket="bucket-b")
    reading = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-b/*"}
    blind = cloud.role_client("s3", new_role(cloud, "blind", reading))
    seeing = cloud.role_client(
        "s3", new_role(cloud, "seeing", reading, {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket-b"})
    )

    with pytest.raises(ClientError) as hidden:
        blind.get_object(Bucket="bucket-b", Key="missing")
    with pytest.raises(ClientError) as missing:
        seeing.get_object(Bucket="bucket-b", Key="missing")

    assert (refusal(hidden)[0], refusal(missing)[0]) == ("AccessDenied", "NoSuchKey")


def test_an_s3_event_carries_the_version_of_the_object(cloud: RunningCloud) -> None:
    """ "Object Created" reaches a queue behind a rule with key, size, version and reason, as AWS documents them."""
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket="lake", NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "raw/"}]}}}
    queue = queue_behind_rule(cloud, "uploads", pattern=pattern)

    s3.put_object(Bucket="lake", Key="other/a.csv", Body=b"1")
    version = s3.put_object(Bucket="lake", Key="raw/a b.csv", Body=b"12")["VersionId"]

    received = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), what="the event of the upload")
    detail = json.loads(received[0]["Body"])["detail"]
    assert detail["object"] == detail["object"] | {"key": "raw/a b.csv", "size": 2, "version-id": version}
    assert detail["reason"] == "PutObject"
