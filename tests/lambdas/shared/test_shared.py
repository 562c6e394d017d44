"""What both functions share: the log, the bus and the bucket."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.shared.errors import EventDeliveryError
from lambdas.shared.events import Event, EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket, split_uri
from tests.lambdas.lake import BUCKET, Lake


class _Bus:
    """Answers with the given numbers of failed entries, one per call."""

    def __init__(self, *failed: int) -> None:
        self.failed = list(failed)
        self.calls = 0

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803  boto3's own name
        self.calls += 1
        entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
        return {"FailedEntryCount": self.failed.pop(0), "Entries": [entry]}


def test_a_refused_event_is_sent_once_more() -> None:
    """PutEvents answers 200 with failed entries; one retry gets over a short throttling."""
    client = _Bus(1, 0)
    EventBus(client, bus="b", source="s", retry_after=0).send(Event("Snapshot Created", {}))
    assert client.calls == 2


def test_an_event_refused_twice_is_an_error_that_says_why() -> None:
    """The retry is bounded, and the bus's own reason is in the message."""
    with pytest.raises(EventDeliveryError, match=r"Snapshot Created.*refused twice by the bus b: InternalFailure"):
        EventBus(_Bus(1, 1), bus="b", source="s", retry_after=0).send(Event("Snapshot Created", {}))


def test_a_log_line_is_one_json_object_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields that sound like secrets are masked, line breaks stay inside the line."""
    JsonLog("f").warning("two\nlines", rows=3, api_token="t", aws_secret_access_key="s")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "level": "WARNING",
        "function": "f",
        "message": "two\nlines",
        "rows": 3,
        "api_token": "(masked)",
        "aws_secret_access_key": "(masked)",
    }


def test_conditional_writes_let_the_first_one_win(lake: Lake) -> None:
    """Create and replace say whether they took effect."""
    bucket = Bucket(lake.client, BUCKET)
    assert bucket.create_json("a", 1)
    assert not bucket.create_json("a", 2)
    document = bucket.read_json("a")
    assert document is not None
    assert bucket.replace_json("a", 3, etag=document.etag)
    assert not bucket.replace_json("a", 4, etag=document.etag)
    assert not bucket.replace_json("missing", 4, etag=document.etag)
    assert lake.json("a") == 3


def test_only_a_missing_object_is_none(lake: Lake) -> None:
    """An error other than absence, for example a missing bucket, is not mistaken for absence."""
    bucket = Bucket(lake.client, BUCKET)
    assert bucket.head("missing") is None
    assert bucket.read_json("missing") is None
    assert bucket.download("missing", "some-version") is None
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Bucket(lake.client, "another-bucket").read_json("missing")


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3://bucket/", "https://bucket/key"])
def test_a_text_that_is_no_s3_uri_is_refused(uri: str) -> None:
    """Only s3://bucket/key is an S3 URI."""
    with pytest.raises(ValueError, match="no S3 URI"):
        split_uri(uri)
    assert split_uri("s3://bucket/a/b") == ("bucket", "a/b")
