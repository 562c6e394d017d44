"""Captured requests of an endpoint in S3: the hours of a window, and their merge with ground truth.

Everything is read and written with the job role's own client.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local_cloud.sagemaker.jobs.transfer import split_uri
from local_cloud.sagemaker.monitoring.request import Dataset
from local_cloud.sagemaker.monitoring.windows import Window

_HOUR = re.compile(r"(\d{4}/\d\d/\d\d/\d\d)/[^/]+$")
_HOUR_FORMAT = "%Y/%m/%d/%H"


@dataclass(frozen=True)
class Captures:
    """What an endpoint has captured; `uri` is the destination of its DataCaptureConfig."""

    s3: Any
    uri: str
    endpoint: str

    def hours(self, window: Window) -> list[Dataset]:
        """The hours of the window for which there are objects, by variant; an hour may reach out of the window."""
        base = f"{self.uri.rstrip('/')}/{self.endpoint}/"
        found = {key.removeprefix(split_uri(base)[1]).rsplit("/", 1)[0] for key in self._keys(base, window)}
        return [Dataset(f"{base}{folder}", f"{self.endpoint}/{folder}") for folder in sorted(found)]

    def merged(self, hours: Sequence[Dataset], *, ground_truth: str, window: Window, into: str) -> list[Dataset]:
        """The same hours with a label in each event, below `into`; events without a label are left out.

        A label is looked for among those collected since the window began, by inferenceId, or eventId without one.
        """
        # A label comes after its request, at whatever time.
        since = Window(window.start, datetime.max.replace(tzinfo=UTC))
        labels = {
            str(line.get("eventMetadata", {}).get("eventId")): line.get("groundTruthData")
            for key in self._keys(ground_truth.rstrip("/") + "/", since)
            for line in self._lines(split_uri(ground_truth)[0], key)
        }
        written = []
        for hour in hours:
            events = [event for event in self._labelled(hour, labels) if _inside(event, window)]
            if events:
                dataset = Dataset(f"{into}/{hour.folder}", hour.folder)
                bucket, key = split_uri(f"{dataset.uri}/merged.jsonl")
                lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
                self.s3.put_object(Bucket=bucket, Key=key, Body=io.BytesIO(lines.encode()))
                written.append(dataset)
        return written

    def _labelled(self, hour: Dataset, labels: dict[str, Any]) -> Iterator[dict[str, Any]]:
        bucket, prefix = split_uri(hour.uri)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        for item in (item for answer in pages for item in answer.get("Contents", ())):
            for event in self._lines(bucket, item["Key"]):
                metadata = event.get("eventMetadata", {})
                label = labels.get(str(metadata.get("inferenceId") or metadata.get("eventId")))
                if label is not None:
                    yield {**event, "groundTruthData": label}

    def _keys(self, base: str, window: Window) -> Iterator[str]:
        bucket, prefix = split_uri(base)
        for answer in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in answer.get("Contents", ()):
                match = _HOUR.search(item["Key"])
                hour = datetime.strptime(match[1], _HOUR_FORMAT).replace(tzinfo=UTC) if match else None
                if hour and window.start - timedelta(hours=1) < hour < window.end:
                    yield str(item["Key"])

    def _lines(self, bucket: str, key: str) -> Iterator[dict[str, Any]]:
        """The events of an object; a line that is no JSON object is left out."""
        for line in self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def _inside(event: dict[str, Any], window: Window) -> bool:
    """Whether a request came in the window; one whose time cannot be read is left out."""
    try:
        moment = datetime.fromisoformat(str(event["eventMetadata"]["inferenceTime"]))
    except (KeyError, TypeError, ValueError):
        return False
    return window.start.replace(microsecond=0) <= moment < window.end.replace(microsecond=0)
