"""The release records and the answers to requests, which the release's functions keep in the artifact bucket.

Must not write.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from releases.names import Names

SUCCEEDED = "Succeeded"


@dataclass(frozen=True)
class ReleaseBook:
    """The records of one project; `s3` is a boto3 client."""

    s3: Any
    names: Names

    def newest_first(self) -> Iterator[dict[str, Any]]:
        """The records, read one by one."""
        prefix = self.names.records_prefix
        for key in sorted(self._keys(prefix), reverse=True):
            if "/" not in key.removeprefix(prefix):
                yield self._read(key)

    def live_before(self) -> Iterator[str]:
        """ARNs of the versions that were live, the latest first."""
        return (str(record["to"]) for record in self.newest_first() if record["result"] == SUCCEEDED)

    def answers(self) -> set[str]:
        """Keys of all answers to requests so far."""
        return set(self._keys(f"{self.names.records_prefix}requests/"))

    def answer(self, package_arn: str, *, not_in: set[str]) -> dict[str, Any] | None:
        """The answer to a request about a version that came after `not_in` was taken; None while there is none."""
        for key in self.answers() - not_in:
            document = self._read(key)
            if document["request"]["model_package_arn"] == package_arn:
                answer: dict[str, Any] = document["answer"]
                return answer
        return None

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.names.artifact_bucket, Prefix=prefix)
        return (entry["Key"] for page in pages for entry in page.get("Contents", ()))

    def _read(self, key: str) -> dict[str, Any]:
        body = self.s3.get_object(Bucket=self.names.artifact_bucket, Key=key)["Body"].read()
        content: dict[str, Any] = json.loads(body)
        return content
