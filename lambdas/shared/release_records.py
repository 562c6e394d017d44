"""Release records: one JSON object per execution of the release pipeline, which says who released what, when, why.

s3://<artifact bucket>/releases/<project>/<start, UTC>-<execution id>.json, so that the order of the keys is the
order of the releases. Must not decide what a record says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdas.shared.s3 import Bucket

SUCCEEDED = "Succeeded"


@dataclass(frozen=True, slots=True)
class ReleaseRecords:
    """The records of one project in the artifact bucket."""

    bucket: Bucket
    project: str

    @property
    def prefix(self) -> str:
        """Where the records lie; ends with a slash."""
        return f"releases/{self.project}/"

    def key(self, *, started: datetime, execution_id: str) -> str:
        """Key of the record of one execution."""
        return f"{self.prefix}{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{execution_id}.json"

    def newest_first(self) -> Iterator[Mapping[str, Any]]:
        """The records, read one by one."""
        keys = [key for key in self.bucket.list(self.prefix) if "/" not in key.removeprefix(self.prefix)]
        for key in sorted(keys, reverse=True):
            document = self.bucket.read_json(key)
            if document is not None:
                yield document.value

    def live_before(self, execution_id: str | None = None) -> Iterator[str]:
        """ARNs of the versions that were live, the latest first; without what `execution_id` made live."""
        for record in self.newest_first():
            if record["result"] == SUCCEEDED and record["execution_id"] != execution_id:
                yield str(record["to"])
