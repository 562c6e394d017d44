"""One S3 bucket as this project uses it: versioned, with conditional writes that make concurrent
invocations safe.

Must not know the lake's layout. A missing object is None, any other error of S3 is raised as it is.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

# 405: the version asked for is a delete marker, which has no content.
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "405", "MethodNotAllowed"})
# 409: S3 saw two conditional writes at the same moment and let neither decide.
_CONDITION_FAILED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """What S3 says of one version of an object; `size` in bytes."""

    version_id: str
    size: int
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object read from S3, with the ETag that a conditional replacement needs."""

    value: Mapping[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Download:
    """One version of an object and its bytes, to be read once."""

    version: ObjectVersion
    chunks: Iterator[bytes]


def split_uri(uri: str) -> tuple[str, str]:
    """`s3://bucket/key` as (bucket, key); ValueError when it is none."""
    bucket, separator, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not separator or not key:
        raise ValueError(f"{uri!r} is no S3 URI of the form s3://bucket/key")
    return bucket, key


class Bucket:
    """One bucket. `client` is a boto3 S3 client."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def uri(self, key: str) -> str:
        """The S3 URI of `key`."""
        return f"s3://{self.name}/{key}"

    def head(self, key: str, version_id: str | None = None) -> ObjectVersion | None:
        """The given, or else the current, version; None when there is none or it is deleted."""
        try:
            answer = self._client.head_object(Bucket=self.name, Key=key, **_version(version_id))
        except ClientError as error:
            _raise_unless(error, _MISSING)
            return None
        return _object_version(answer)

    def download(self, key: str, version_id: str) -> Download | None:
        """The content of exactly that version; None when it no longer exists."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key, VersionId=version_id)
        except ClientError as error:
            _raise_unless(error, _MISSING)
            return None
        return Download(_object_version(answer), answer["Body"].iter_chunks(_CHUNK))

    def read_text(self, key: str) -> str | None:
        """The current content as UTF-8 text; None when there is none."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            _raise_unless(error, _MISSING)
            return None
        return str(answer["Body"].read().decode("utf-8"))

    def read_json(self, key: str) -> Document | None:
        """The current JSON object under `key`; None when there is none."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            _raise_unless(error, _MISSING)
            return None
        return Document(json.loads(answer["Body"].read()), str(answer["ETag"]))

    def write(self, key: str, body: str, *, content_type: str) -> None:
        """Write `body`, whatever is there."""
        self._client.put_object(Bucket=self.name, Key=key, Body=body.encode(), ContentType=content_type)

    def write_json(self, key: str, value: object) -> None:
        """Write `value` as JSON, whatever is there."""
        self.write(key, canonical_json(value), content_type="application/json")

    def create_json(self, key: str, value: object) -> bool:
        """Write `value` as JSON only if nothing is there; False when something is."""
        return self._write_if(key, value, {"IfNoneMatch": "*"})

    def replace_json(self, key: str, value: object, *, etag: str) -> bool:
        """Replace the JSON object that had `etag`; False when it has changed or gone since it was read."""
        return self._write_if(key, value, {"IfMatch": etag})

    def _write_if(self, key: str, value: object, condition: Mapping[str, str]) -> bool:
        body = canonical_json(value).encode()
        try:
            self._client.put_object(Bucket=self.name, Key=key, Body=body, ContentType="application/json", **condition)
        except ClientError as error:
            # IfMatch on a key that is no longer there answers 404.
            _raise_unless(error, _CONDITION_FAILED | _MISSING)
            return False
        return True

    def copy(self, key: str, version_id: str, *, to: str) -> str:
        """Copy one version inside the bucket, with its metadata; gives the version id of the copy.

        S3 copies up to 5 GiB in one request:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        """
        source = {"Bucket": self.name, "Key": key, "VersionId": version_id}
        answer = self._client.copy_object(Bucket=self.name, Key=to, CopySource=source)
        return str(answer["VersionId"])

    def hide(self, key: str, *, etag: str) -> None:
        """Put a delete marker on `key` if its content still has `etag`; every version stays retrievable."""
        try:
            self._client.delete_object(Bucket=self.name, Key=key, IfMatch=etag)
        except ClientError as error:
            _raise_unless(error, _CONDITION_FAILED | _MISSING)

    def list(self, prefix: str) -> dict[str, str]:
        """`{key: ETag}` of all current objects under `prefix`, sorted by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", ())}

    def keys(self, prefix: str, *, after: str = "", before: str = "") -> Iterator[str]:
        """Keys of all current objects under `prefix`, in order; only those behind `after` and ahead of `before`.

        S3 lists from `after` on and no further than is read, so that a part of a long folder costs little.
        """
        request = {"Bucket": self.name, "Prefix": prefix, **({"StartAfter": after} if after else {})}
        for page in self._client.get_paginator("list_objects_v2").paginate(**request):
            for entry in page.get("Contents", ()):
                if before and entry["Key"] >= before:
                    return
                yield str(entry["Key"])


def canonical_json(value: object) -> str:
    """JSON that is the same for the same value, and still readable."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _object_version(answer: Mapping[str, Any]) -> ObjectVersion:
    return ObjectVersion(
        version_id=str(answer.get("VersionId", "null")),
        size=int(answer["ContentLength"]),
        etag=str(answer["ETag"]),
        last_modified=answer["LastModified"],
    )


def _raise_unless(error: ClientError, codes: frozenset[str]) -> None:
    """Raise `error`, unless S3 answered one of `codes`."""
    if error.response["Error"]["Code"] not in codes:
        raise error
