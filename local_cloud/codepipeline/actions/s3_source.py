"""S3 source: one version of an object becomes the source artifact, unchanged.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
"""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, ActionShape, ActionWork
from local_cloud.codepipeline.declaration import ActionDeclaration

_MISSING = ("404", "NoSuchKey", "NoSuchVersion", "NotFound")


class S3Source:
    """Source/AWS/S3/1."""

    shape = ActionShape(
        outputs=(1, 1),
        required=frozenset({"S3Bucket", "S3ObjectKey"}),
        optional=frozenset({"PollForSourceChanges", "AllowOverrideForS3ObjectKey"}),
    )

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """The bucket is not polled here, and the default is to poll."""
        if action.configuration.get("PollForSourceChanges", "true").lower() != "false":
            yield (
                "polling for source changes is not emulated by the local cloud; set PollForSourceChanges to false "
                "and start the pipeline yourself or by an EventBridge rule"
            )

    def run(self, work: ActionWork) -> ActionOutcome:
        """Copy the newest version, or the one that the start of the execution asked for."""
        s3 = work.role.client("s3")
        bucket = work.configuration["S3Bucket"]
        key = self._key(work)
        _require_versions(s3, bucket)
        version = work.source_revisions.get("S3_OBJECT_VERSION_ID")
        try:
            found = s3.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            which = f"version {version} of the object" if version else "object"
            message = f"The {which} with key '{key}' does not exist in bucket '{bucket}'."
            raise ActionFailure(message, code="ConfigurationError") from None
        (place,) = work.outputs.values()
        work.store.write(s3, place, found["Body"].read())
        version = found["VersionId"]
        summary = f"Amazon S3 version id: {version}"
        variables = {"BucketName": bucket, "ETag": found["ETag"].strip('"'), "ObjectKey": key, "VersionId": version}
        return ActionOutcome(summary=summary, external_id=version, variables=variables, revision=(version, summary))

    def _key(self, work: ActionWork) -> str:
        override = work.source_revisions.get("S3_OBJECT_KEY")
        if override is None:
            return work.configuration["S3ObjectKey"]
        if work.configuration.get("AllowOverrideForS3ObjectKey", "false").lower() != "true":
            message = "The action does not allow another S3_OBJECT_KEY (AllowOverrideForS3ObjectKey is not true)"
            raise ActionFailure(message, code="ConfigurationError")
        return override


def _require_versions(s3: Any, bucket: str) -> None:
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        message = f"The bucket '{bucket}' is not versioned; a source bucket must have versioning enabled."
        raise ActionFailure(message, code="ConfigurationError")
