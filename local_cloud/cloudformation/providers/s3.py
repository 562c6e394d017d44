"""S3 buckets and bucket policies. Every configuration is a call of its own, made only when it changed."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    already_exists,
    tag_list,
)
from local_cloud.cloudformation.providers.s3_conversion import encryption_rules, lifecycle_rules, notifications

_HOME_REGION = "us-east-1"
_Setting = Callable[[Any, str, Any], None]


class Bucket(Provider):
    """AWS::S3::Bucket. A bucket that holds objects cannot be deleted, as on AWS."""

    name_property = "BucketName"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the bucket's name."""
        client = context.client("s3")
        name = properties.get("BucketName") or context.generated_name(63, lower=True)
        if "BucketName" in properties and _exists(client, name):
            raise already_exists(f"The bucket {name}")
        place = {"LocationConstraint": context.region}
        elsewhere = {} if context.region == _HOME_REGION else {"CreateBucketConfiguration": place}
        locked = {"ObjectLockEnabledForBucket": True} if properties.get("ObjectLockEnabled") else {}
        client.create_bucket(Bucket=name, **elsewhere, **locked)
        physical = Physical(name, _attributes(name, context.region))
        context.report(physical)
        _configure(client, name, {}, properties)
        return physical

    def find(self, context: ResourceContext, properties: Properties) -> Physical | None:
        """A bucket of that name in the account."""
        name = properties.get("BucketName")
        if name is None or not _exists(context.client("s3"), name):
            return None
        return Physical(name, _attributes(name, context.region))

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Each changed configuration is put anew or removed."""
        _configure(context.client("s3"), physical.id, old, new)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Fails with BucketNotEmpty while anything, any version of anything, is in it."""
        context.client("s3").delete_bucket(Bucket=physical.id)


class BucketPolicy(Provider):
    """AWS::S3::BucketPolicy."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the bucket's name."""
        context.client("s3").put_bucket_policy(
            Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"])
        )
        return Physical(properties["Bucket"])

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A put replaces the whole policy."""
        return self.create(context, new)

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """The bucket itself stays."""
        context.client("s3").delete_bucket_policy(Bucket=physical.id)


def _exists(client: Any, name: str) -> bool:
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
    return True


def _attributes(name: str, region: str) -> dict[str, str]:
    return {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _configure(client: Any, name: str, old: Properties, new: Properties) -> None:
    for key, (put, remove) in _SETTINGS.items():
        if key in new and old.get(key) != new[key]:
            put(client, name, new[key])
        elif key in old and key not in new:
            remove(client, name, old[key])


def _put_versioning(client: Any, name: str, value: Any) -> None:
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": value["Status"]})


def _suspend_versioning(client: Any, name: str, value: Any) -> None:
    # Versioning cannot be taken away from a bucket, only suspended.
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})


def _put_encryption(client: Any, name: str, value: Any) -> None:
    rules = encryption_rules(value)
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def _put_lifecycle(client: Any, name: str, value: Any) -> None:
    rules = {"Rules": lifecycle_rules(value)}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=rules)


def _put_logging(client: Any, name: str, value: Mapping[str, Any]) -> None:
    target = {"TargetBucket": value.get("DestinationBucketName", name), "TargetPrefix": value.get("LogFilePrefix", "")}
    client.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})


def _stop_logging(client: Any, name: str, value: Any) -> None:
    client.put_bucket_logging(Bucket=name, BucketLoggingStatus={})


def _put_public_access(client: Any, name: str, value: Any) -> None:
    client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict(value))


def _put_ownership(client: Any, name: str, value: Any) -> None:
    client.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": value["Rules"]})


def _put_notifications(client: Any, name: str, value: Any) -> None:
    client.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration=notifications(value), SkipDestinationValidation=True
    )


def _remove_notifications(client: Any, name: str, value: Any) -> None:
    client.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})


def _put_tags(client: Any, name: str, value: Any) -> None:
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list({"Tags": value})})


def _put_acl(client: Any, name: str, value: Any) -> None:
    if value == "LogDeliveryWrite":
        client.put_bucket_acl(Bucket=name, ACL="log-delivery-write")
    elif value != "Private":
        client.put_bucket_acl(Bucket=name, ACL=_ACLS[value])


def _remove_acl(client: Any, name: str, value: Any) -> None:
    client.put_bucket_acl(Bucket=name, ACL="private")


def _put_cors(client: Any, name: str, value: Any) -> None:
    rules = [{_CORS_NAMES.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]
    client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})


def _nothing(client: Any, name: str, value: Any) -> None:
    """Object lock is decided when the bucket is created."""


def _remover(operation: str) -> _Setting:
    def remove(client: Any, name: str, value: Any) -> None:
        getattr(client, operation)(Bucket=name)

    return remove


_ACLS = {
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
}
_CORS_NAMES = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
_SETTINGS: Mapping[str, tuple[_Setting, _Setting]] = {
    "OwnershipControls": (_put_ownership, _remover("delete_bucket_ownership_controls")),
    "AccessControl": (_put_acl, _remove_acl),
    "VersioningConfiguration": (_put_versioning, _suspend_versioning),
    "BucketEncryption": (_put_encryption, _remover("delete_bucket_encryption")),
    "LifecycleConfiguration": (_put_lifecycle, _remover("delete_bucket_lifecycle")),
    "LoggingConfiguration": (_put_logging, _stop_logging),
    "PublicAccessBlockConfiguration": (_put_public_access, _remover("delete_public_access_block")),
    "NotificationConfiguration": (_put_notifications, _remove_notifications),
    "CorsConfiguration": (_put_cors, _remover("delete_bucket_cors")),
    "Tags": (_put_tags, _remover("delete_bucket_tagging")),
    "ObjectLockEnabled": (_nothing, _nothing),
}
Bucket.properties = frozenset(_SETTINGS) | {"BucketName"}

PROVIDERS: Mapping[str, Provider] = {
    "AWS::S3::Bucket": Bucket(),
    "AWS::S3::BucketPolicy": BucketPolicy(),
}
