"""The entry point of the ingest function: events in, outcomes out, settings from the environment."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from lambdas.ingest_upload import handler
from lambdas.shared.errors import SettingsError
from tests.data_contracts.examples import CARS_TOML, good_file
from tests.lambdas.lake import BUCKET, Lake, created_event

CONTRACT_URI = f"s3://{BUCKET}/contracts/cars.toml"


@pytest.fixture
def deployed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """The function's environment as its stack sets it, and a queue behind the bus."""
    lake.client.put_object(Bucket=BUCKET, Key="contracts/cars.toml", Body=CARS_TOML.encode())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LAKE_BUCKET", BUCKET)
    monkeypatch.setenv("EVENT_BUS", "default")
    monkeypatch.setenv("DATA_CONTRACTS", json.dumps({"cars": CONTRACT_URI}))
    handler.ingestion.cache_clear()
    yield lake
    handler.ingestion.cache_clear()


def _queue_of_events() -> tuple[Any, str]:
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ours", EventPattern=json.dumps({"source": ["cd4ml.ingest"]}))
    events.put_targets(Rule="ours", Targets=[{"Id": "queue", "Arn": arn}])
    return sqs, url


def test_an_upload_ends_in_an_event_on_the_bus(deployed: Lake) -> None:
    """From the S3 event to the Snapshot Created event that a rule delivers."""
    sqs, url = _queue_of_events()
    event = deployed.put("raw/cars/a.csv", good_file())
    assert handler.handle(event, None) == {"outcome": "accepted"}
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    body = json.loads(message["Body"])
    assert (body["source"], body["detail-type"]) == ("cd4ml.ingest", "Snapshot Created")
    assert body["detail"]["rows"] == 5


def test_a_contract_is_read_once_per_cold_start(deployed: Lake) -> None:
    """The second invocation works although the contract is gone."""
    handler.handle(deployed.put("raw/cars/a.csv", good_file()), None)
    deployed.client.delete_object(Bucket=BUCKET, Key="contracts/cars.toml")
    assert handler.handle(deployed.put("raw/cars/b.csv", b"no table"), None) == {"outcome": "quarantined"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "expected an S3 Object Created event"),
        ({"source": "aws.s3", "detail-type": "Object Created"}, "lacks a field"),
        ({"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": []}}, "lacks a field"),
        (created_event("", "v", size=1), "names no bucket or no key"),
        (created_event("raw/cars/a.csv", "", size=1), "switch on versioning of the bucket"),
    ],
)
def test_a_malformed_event_is_logged_and_dropped(
    deployed: Lake, capsys: pytest.CaptureFixture[str], event: dict[str, Any], message: str
) -> None:
    """No retry could mend it, so the invocation succeeds, and the log says what is wrong."""
    assert handler.handle(event, None) == {"outcome": "dropped"}
    line = json.loads(capsys.readouterr().out)
    assert line["level"] == "ERROR"
    assert message in line["message"]


def test_missing_settings_are_named_all_at_once(deployed: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment without its settings fails with their names."""
    monkeypatch.delenv("LAKE_BUCKET")
    monkeypatch.setenv("EVENT_BUS", "")
    with pytest.raises(SettingsError, match="LAKE_BUCKET, EVENT_BUS; set them on the function"):
        handler.handle(deployed.put("raw/cars/a.csv", good_file()), None)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("cars", "must be JSON of the form"),
        ('{"cars": 3}', "must be JSON of the form"),
        ('{"cars": "https://x/y"}', "no S3 URI"),
        ('{"cars": "s3://cd4ml-lake/nowhere"}', "is not at s3://cd4ml-lake/nowhere"),
        ('{"cars": "s3://cd4ml-lake/raw/broken"}', "not valid TOML"),
        (f'{{"boats": "{CONTRACT_URI}"}}', "is the contract of cars, not of boats"),
    ],
)
def test_a_wrong_data_contracts_setting_is_told_plainly(deployed: Lake, setting: str, message: str) -> None:
    """Whatever is wrong with the contracts of a deployment, the error says which and where."""
    deployed.put("raw/broken", b"=")
    with pytest.raises(SettingsError, match=message):
        handler.read_contracts(deployed.client, setting)
