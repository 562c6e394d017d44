"""S3: API operations to IAM actions on buckets and objects.

KMS permissions of encrypted objects and tag permissions of a copied object are not listed: they depend on the stored
object, which the caller knows (see `copy_tag_permissions`).

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission

_BUCKET_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
        "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
        "DeleteBucketCors": "PutBucketCORS",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
        "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
        "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
        "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
        "GetBucketCors": "GetBucketCORS",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
        "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
        "GetBucketLifecycle": "GetLifecycleConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
        "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "GetBucketReplication": "GetReplicationConfiguration",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "HeadBucket": "ListBucket",
        "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
        "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
        "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
        "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
        "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
        "PutBucketCors": "PutBucketCORS",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
        "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
        "PutBucketLifecycle": "PutLifecycleConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "PutBucketReplication": "PutReplicationConfiguration",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    }
)

_OBJECT_ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CompleteMultipartUpload": ("PutObject",),
        "CreateMultipartUpload": ("PutObject",),
        "GetObjectAttributes": ("GetObject", "GetObjectAttributes"),
        "HeadObject": ("GetObject",),
        "ListParts": ("ListMultipartUploadParts",),
        "SelectObjectContent": ("GetObject",),
        "UploadPart": ("PutObject",),
    }
)

# Actions that become ...Version... when the request names a version.
_VERSIONED = frozenset(
    {
        "DeleteObject",
        "DeleteObjectTagging",
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectTagging",
        "GetObjectTorrent",
        "PutObjectAcl",
        "PutObjectTagging",
    }
)

# Parameters of a write that need a permission of their own, besides PutObject.
_WRITE_EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "ACL": "PutObjectAcl",
        "GrantFullControl": "PutObjectAcl",
        "GrantRead": "PutObjectAcl",
        "GrantReadACP": "PutObjectAcl",
        "GrantWriteACP": "PutObjectAcl",
        "ObjectLockLegalHoldStatus": "PutObjectLegalHold",
        "ObjectLockMode": "PutObjectRetention",
        "ObjectLockRetainUntilDate": "PutObjectRetention",
        "Tagging": "PutObjectTagging",
    }
)
_WRITES = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})


def required(call: ApiCall) -> tuple[Permission, ...]:
    """Permissions of an S3 call, in the order in which AWS would report the missing one."""
    return tuple(dict.fromkeys(_required(call)))


def copy_tag_permissions(call: ApiCall) -> tuple[Permission, ...]:
    """What CopyObject needs besides `required` when the source object has tags and they are copied along."""
    if call.operation != "CopyObject" or call.text("TaggingDirective") == "REPLACE":
        return ()
    source, version = _copy_source(call)
    return (
        Permission(f"s3:{_versioned('GetObjectTagging', version)}", source),
        Permission("s3:PutObjectTagging", _object_arn(call)),
    )


def _required(call: ApiCall) -> Iterator[Permission]:
    if call.operation in ("ListBuckets", "ListDirectoryBuckets"):
        yield Permission("s3:ListAllMyBuckets", "*")
    elif call.operation in ("CopyObject", "UploadPartCopy"):
        source, version = _copy_source(call)
        yield Permission(f"s3:{_versioned('GetObject', version)}", source)
        yield Permission("s3:PutObject", _object_arn(call))
        yield from _write_extras(call)
    elif call.operation == "DeleteObjects":
        yield from _batch_delete(call)
    elif call.text("Key") is not None:
        yield from _on_object(call)
    else:
        yield from _on_bucket(call)


def _on_object(call: ApiCall) -> Iterator[Permission]:
    version = call.text("VersionId")
    for action in _OBJECT_ACTIONS.get(call.operation, (call.operation,)):
        yield Permission(f"s3:{_versioned(action, version)}", _object_arn(call))
    yield from _write_extras(call)
    if call.parameters.get("BypassGovernanceRetention"):
        yield Permission("s3:BypassGovernanceRetention", _object_arn(call))


def _on_bucket(call: ApiCall) -> Iterator[Permission]:
    bucket = _bucket_arn(call)
    yield Permission(f"s3:{_BUCKET_ACTIONS.get(call.operation, call.operation)}", bucket)
    if call.operation == "CreateBucket" and call.text("ACL"):
        yield Permission("s3:PutBucketAcl", bucket)
    if call.operation == "CreateBucket" and call.text("ObjectOwnership"):
        yield Permission("s3:PutBucketOwnershipControls", bucket)
    if call.operation == "CreateBucket" and call.parameters.get("ObjectLockEnabledForBucket"):
        yield Permission("s3:PutBucketObjectLockConfiguration", bucket)
        yield Permission("s3:PutBucketVersioning", bucket)


def _write_extras(call: ApiCall) -> Iterator[Permission]:
    if call.operation in _WRITES:
        for parameter, action in _WRITE_EXTRAS.items():
            if call.parameters.get(parameter):
                yield Permission(f"s3:{action}", _object_arn(call))


def _batch_delete(call: ApiCall) -> Iterator[Permission]:
    objects = call.structure("Delete").get("Objects")
    for item in objects if isinstance(objects, list | tuple) else ():
        version = item.get("VersionId")
        resource = f"{_bucket_arn(call)}/{item.get('Key')}"
        yield Permission(f"s3:{_versioned('DeleteObject', version)}", resource)
        if call.parameters.get("BypassGovernanceRetention"):
            yield Permission("s3:BypassGovernanceRetention", resource)


def _versioned(action: str, version: str | None) -> str:
    """GetObject -> GetObjectVersion, GetObjectTagging -> GetObjectVersionTagging."""
    return action.replace("Object", "ObjectVersion", 1) if version and action in _VERSIONED else action


def _copy_source(call: ApiCall) -> tuple[str, str | None]:
    """(object ARN, version) of CopySource, which is a URL-quoted path or a structure."""
    source = call.parameters.get("CopySource")
    if isinstance(source, Mapping):
        version = source.get("VersionId")
        path = f"{source.get('Bucket')}/{source.get('Key')}"
        return _s3_arn(call, path), version if isinstance(version, str) else None
    path, _, query = str(source or "").partition("?versionId=")
    return _s3_arn(call, urllib.parse.unquote(path).removeprefix("/")), query or None


def _object_arn(call: ApiCall) -> str:
    return f"{_bucket_arn(call)}/{call.text('Key') or ''}"


def _bucket_arn(call: ApiCall) -> str:
    bucket = call.text("Bucket") or "*"
    return bucket if bucket.startswith("arn:") else _s3_arn(call, bucket)


def _s3_arn(call: ApiCall, path: str) -> str:
    return call.arn("s3", path, region="", account="")
