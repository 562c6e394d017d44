"""S3 buckets as this project allows them: encrypted, versioned, TLS only, not public, logged, retained.

Must not name a bucket (a fixed name blocks replacement and redeployment) and must not use the CDK options that add a
custom resource: `event_bridge_enabled` and `auto_delete_objects` each deploy a Lambda function of their own.
"""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

# Parts of an abandoned upload cost storage and show up in no listing.
_ABANDONED_UPLOADS = s3.LifecycleRule(id="abandoned-uploads", abort_incomplete_multipart_upload_after=Duration.days(7))


class AccessLogBucket(Construct):
    """Receives the server access logs of the other buckets.

    S3 delivers these logs only to a bucket with S3-managed encryption.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, keep_days: int) -> None:
        super().__init__(scope, construct_id)
        expiry = Duration.days(keep_days)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(id="expiry", expiration=expiry, noncurrent_version_expiration=Duration.days(1)),
                _ABANDONED_UPLOADS,
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        _keep_policy(self.bucket)


class PrivateBucket(Construct):
    """A bucket for data or models under the customer-managed key, whose object events reach EventBridge."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey,
        access_log_bucket: s3.IBucket,
        access_log_prefix: str,
        lifecycle_rules: Sequence[s3.LifecycleRule],
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_log_bucket,
            server_access_logs_prefix=access_log_prefix,
            lifecycle_rules=[*lifecycle_rules, _ABANDONED_UPLOADS],
            removal_policy=RemovalPolicy.RETAIN,
        )
        _keep_policy(self.bucket)
        resource = cast(s3.CfnBucket, self.bucket.node.default_child)
        resource.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)


def _keep_policy(bucket: s3.Bucket) -> None:
    """A retained bucket keeps its policy, so that it refuses plain HTTP after the stack is gone, too."""
    if bucket.policy:
        bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)
