"""A lake for tests: a versioned bucket of moto, an event bus that remembers, and an S3 client that can be disturbed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.ingest_upload.logic import Ingestion, Outcome
from lambdas.ingest_upload.upload import parse_upload
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket
from tests.data_contracts.examples import cars

BUCKET = "cd4ml-lake"


@dataclass
class RememberedEvents:
    """Stands for EventBridge: takes every event and keeps it."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803  boto3's own name
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

    def of(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of all events of one type."""
        return [json.loads(entry["Detail"]) for entry in self.entries if entry["DetailType"] == detail_type]


class Disturbed:
    """An S3 client that runs `before` ahead of every call; what it raises, the caller sees."""

    def __init__(self, client: Any, before: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._client = client
        self._before = before

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        if name == "get_paginator":
            self._before("list_objects_v2", {})
            return operation

        def call(**request: Any) -> Any:
            self._before(name, request)
            return operation(**request)

        return call


class Lake:
    """The bucket under test and what an uploader does with it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.events = RememberedEvents()
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def ingestion(self, client: Any = None) -> Ingestion:
        """The function's logic on this lake."""
        bus = EventBus(self.events, bus="default", source="cd4ml.ingest", retry_after=0)
        return Ingestion(Bucket(client or self.client, BUCKET), bus, {"cars": cars()}, JsonLog("test"))

    def put(self, key: str, body: bytes, **more: Any) -> dict[str, Any]:
        """Upload `body`; gives the event that S3 sends."""
        answer = self.client.put_object(Bucket=BUCKET, Key=key, Body=body, **more)
        return created_event(key, answer["VersionId"], size=len(body))

    def ingest(self, event: Mapping[str, Any], client: Any = None) -> Outcome:
        """What the function makes of `event`."""
        return self.ingestion(client).ingest(parse_upload(event))

    def upload(self, key: str, body: bytes) -> Outcome:
        """Upload and ingest."""
        return self.ingest(self.put(key, body))

    def listed(self, prefix: str = "") -> list[str]:
        """All current keys."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def text(self, key: str) -> str:
        """The current content of `key`."""
        return str(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def json(self, key: str) -> Any:
        """The current content of `key`, parsed."""
        return json.loads(self.text(key))

    def state(self) -> dict[str, str]:
        """Every version of every object, delete markers included: equal states mean that nothing was written."""
        listing = self.client.list_object_versions(Bucket=BUCKET)
        entries = [*listing.get("Versions", ()), *listing.get("DeleteMarkers", ())]
        return {f"{entry['Key']} {entry['VersionId']}": entry.get("ETag", "deleted") for entry in entries}

    def current(self) -> Any:
        """What names the current snapshot."""
        return self.json("snapshots/cars/current.json")

    def snapshots(self) -> list[dict[str, Any]]:
        """The details of all snapshot events, in order."""
        return self.events.of("Snapshot Created")

    def report(self) -> str:
        """The readable report of the only file in quarantine."""
        (key,) = [key for key in self.listed("quarantine/") if key.endswith("/report.txt")]
        return self.text(key)


def created_event(key: str, version_id: str, *, size: int, sequencer: str = "") -> dict[str, Any]:
    """An "Object Created" event as S3 sends it to EventBridge."""
    entry = {"key": key, "size": size, "etag": "e", "version-id": version_id, "sequencer": sequencer}
    return {
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"version": "0", "bucket": {"name": BUCKET}, "object": entry, "reason": "PutObject"},
    }
