"""Good uploads: the curated copy, the snapshot and its events, duplicates and overwritten files."""

import hashlib
import json
from pathlib import Path

import jsonschema

from lambdas.ingest_upload.logic import Outcome
from tests.data_contracts.examples import good_file
from tests.lambdas.lake import BUCKET, Lake

SCHEMAS = Path(__file__).parents[3] / "docs" / "events"


def _assert_events_fit_their_schemas(lake: Lake) -> None:
    for entry in lake.events.entries:
        schema = json.loads((SCHEMAS / f"{entry['DetailType'].lower().replace(' ', '-')}.json").read_text())
        event = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": json.loads(entry["Detail"]),
        }
        jsonschema.validate(event, schema)


def test_a_good_file_becomes_a_snapshot_that_names_exact_versions(lake: Lake) -> None:
    """The content-addressed copy, both manifests and one event say the same."""
    data = good_file(5)
    digest = hashlib.sha256(data).hexdigest()
    event = lake.put("raw/cars/2017/part 1+ü.csv", data, Metadata={"supplier": "acme"}, ContentType="text/csv")
    assert lake.ingest(event) is Outcome.ACCEPTED
    copy = lake.client.get_object(Bucket=BUCKET, Key=f"curated/cars/{digest}.csv")
    assert copy["Body"].read() == data
    assert (copy["Metadata"], copy["ContentType"]) == ({"supplier": "acme"}, "text/csv")
    (created,) = lake.snapshots()
    version = created["dataVersion"]
    assert created == {
        "dataset": "cars",
        "dataVersion": version,
        "manifest": {"bucket": BUCKET, "key": f"snapshots/cars/{version}/manifest.json"},
        "filesManifest": f"s3://{BUCKET}/snapshots/cars/{version}/files.manifest",
        "rows": 5,
        "files": 1,
    }
    (file,) = lake.json(created["manifest"]["key"])["files"]
    assert (file["key"], file["version_id"]) == (f"curated/cars/{digest}.csv", copy["VersionId"])
    assert (file["source_key"], file["source_version_id"]) == (
        "raw/cars/2017/part 1+ü.csv",
        event["detail"]["object"]["version-id"],
    )
    assert (file["sha256"], file["rows"], file["checked"]) == (digest, 5, "all")
    assert lake.json(f"snapshots/cars/{version}/files.manifest") == [
        {"prefix": f"s3://{BUCKET}/curated/cars/"},
        f"{digest}.csv",
    ]
    assert lake.text("raw/cars/2017/part 1+ü.csv").encode() == data
    _assert_events_fit_their_schemas(lake)


def test_the_same_event_twice_changes_nothing(lake: Lake) -> None:
    """EventBridge delivers at least once; the second delivery writes no object and sends no event."""
    event = lake.put("raw/cars/a.csv", good_file())
    lake.ingest(event)
    state, events = lake.state(), list(lake.events.entries)
    assert lake.ingest(event) is Outcome.REPEATED
    assert (lake.state(), lake.events.entries) == (state, events)


def test_each_new_file_extends_the_snapshot(lake: Lake) -> None:
    """A snapshot holds every accepted file, sorted by content."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/b.csv", good_file(3, start=100))
    first, second = lake.snapshots()
    assert (first["files"], second["files"], second["rows"]) == (1, 2, 8)
    digests = [file["sha256"] for file in lake.json(second["manifest"]["key"])["files"]]
    assert digests == sorted(digests)


def test_the_data_version_depends_on_the_content_only(lake: Lake) -> None:
    """Other names and another order of upload give the same version."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/b.csv", good_file(3, start=100))
    version = lake.snapshots()[-1]["dataVersion"]
    for key in lake.listed("snapshots/"):
        lake.client.delete_object(Bucket=BUCKET, Key=key)
    lake.upload("raw/cars/y.csv", good_file(3, start=100))
    lake.upload("raw/cars/x.csv", good_file(5))
    assert lake.snapshots()[-1]["dataVersion"] == version


def test_the_same_content_under_another_name_is_a_duplicate(lake: Lake) -> None:
    """The second upload is announced as ignored and makes no new snapshot."""
    lake.upload("raw/cars/a.csv", good_file())
    event = lake.put("raw/cars/copy of a.csv", good_file())
    assert lake.ingest(event) is Outcome.DUPLICATE
    assert lake.events.of("Duplicate Upload Ignored") == [
        {
            "dataset": "cars",
            "key": "raw/cars/copy of a.csv",
            "versionId": event["detail"]["object"]["version-id"],
            "duplicateOf": "raw/cars/a.csv",
        }
    ]
    assert len(lake.snapshots()) == 1
    _assert_events_fit_their_schemas(lake)
    state, events = lake.state(), list(lake.events.entries)
    assert lake.ingest(event) is Outcome.REPEATED
    assert (lake.state(), lake.events.entries) == (state, events)


def test_the_same_file_uploaded_again_is_a_duplicate_of_itself(lake: Lake) -> None:
    """A supplier who sends a file twice gets one snapshot."""
    lake.upload("raw/cars/a.csv", good_file())
    assert lake.upload("raw/cars/a.csv", good_file()) is Outcome.DUPLICATE
    assert lake.events.of("Duplicate Upload Ignored")[0]["duplicateOf"] == "raw/cars/a.csv"
    assert len(lake.snapshots()) == 1


def test_a_duplicate_keeps_its_content_when_the_first_file_is_overwritten(lake: Lake) -> None:
    """Content leaves a snapshot only when no raw file holds it any more."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/b.csv", good_file(5))
    lake.upload("raw/cars/a.csv", good_file(3, start=50))
    assert (lake.snapshots()[-1]["files"], lake.snapshots()[-1]["rows"]) == (2, 8)


def test_an_overwritten_file_replaces_its_old_content(lake: Lake) -> None:
    """The newest snapshot holds the new content of a key, and the old snapshot still holds the old one."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/a.csv", good_file(6))
    first, second = lake.snapshots()
    assert (first["rows"], second["rows"], second["files"]) == (5, 6, 1)
    (old,) = lake.json(first["manifest"]["key"])["files"]
    assert lake.text(old["key"]).encode() == good_file(5)


def test_data_that_returns_to_an_earlier_state_is_current_and_announced_again(lake: Lake) -> None:
    """The content alone makes the version, so the third snapshot is the first one; a pointer says which counts."""
    for rows in (5, 6, 5):
        lake.upload("raw/cars/a.csv", good_file(rows))
    first, second, third = (snapshot["dataVersion"] for snapshot in lake.snapshots())
    assert first == third != second
    assert lake.current() == {"data_version": first, "revision": 3}


def test_a_withdrawn_record_takes_its_file_out_of_the_next_snapshot(lake: Lake) -> None:
    """A deleted raw file stays part of the data; without its acceptance record it goes, as the runbook says."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/b.csv", good_file(3, start=50))
    lake.client.delete_object(Bucket=BUCKET, Key="raw/cars/a.csv")
    lake.upload("raw/cars/c.csv", good_file(2, start=90))
    assert lake.snapshots()[-1]["rows"] == 10
    lake.client.delete_object(Bucket=BUCKET, Key="snapshots/cars/files/raw%2Fcars%2Fa.csv.json")
    lake.upload("raw/cars/c.csv", good_file(2, start=90))
    assert lake.snapshots()[-1]["rows"] == 5


def test_a_window_of_production_may_be_small_where_an_upload_may_not(lake: Lake) -> None:
    """One labelled request is data; the same file from a person would be an export that broke off."""
    assert lake.upload("raw/cars/captured/outcomes-20261123T180000Z.csv", good_file(1)) is Outcome.ACCEPTED
    assert lake.upload("raw/cars/1.csv", good_file(1)) is Outcome.QUARANTINED
    assert lake.upload("raw/cars/captured/outcomes-20261124T180000Z.csv", good_file(1, start=9)) is Outcome.ACCEPTED
    assert [snapshot["rows"] for snapshot in lake.snapshots()] == [1, 2]


def test_events_of_one_key_in_the_wrong_order_end_with_the_newest_content(lake: Lake) -> None:
    """S3's sequencer, not the order of delivery, says which version of a file counts."""
    old, new = lake.put("raw/cars/a.csv", good_file(5)), lake.put("raw/cars/a.csv", good_file(6))
    old["detail"]["object"]["sequencer"] = "0062E99A88DC407460"
    new["detail"]["object"]["sequencer"] = "0062E99A88DC4074601"
    assert lake.ingest(new) is Outcome.ACCEPTED
    assert lake.ingest(old) is Outcome.SUPERSEDED
    assert [snapshot["rows"] for snapshot in lake.snapshots()] == [6]


def test_a_file_that_vanished_is_no_error(lake: Lake) -> None:
    """A file that was deleted before it was read is logged; a retry could not bring it back."""
    event = lake.put("raw/cars/a.csv", good_file())
    lake.client.delete_object(Bucket=BUCKET, Key="raw/cars/a.csv")
    assert lake.ingest(event) is Outcome.VANISHED
    gone = lake.put("raw/cars/b.csv", good_file())
    gone["detail"]["object"]["version-id"] = "never-there"
    assert lake.ingest(gone) is Outcome.VANISHED
    assert lake.listed("curated/") == []
    assert lake.events.entries == []


def test_folders_other_prefixes_and_other_buckets_are_ignored(lake: Lake) -> None:
    """The function never reacts to what it writes itself, whatever the rule lets through."""
    foreign = lake.put("raw/cars/a.csv", good_file())
    foreign["detail"]["bucket"]["name"] = "another-bucket"
    events = [lake.put("raw/cars/", b""), lake.put("curated/cars/x.csv", good_file()), foreign]
    state = lake.state()
    assert {lake.ingest(event) for event in events} == {Outcome.IGNORED}
    assert lake.state() == state


def test_very_long_names_keep_apart(lake: Lake) -> None:
    """Names that quoting would make longer than an S3 key have records of their own all the same."""
    long = "raw/cars/" + "ü" * 480
    lake.upload(f"{long}1.csv", good_file(5))
    lake.upload(f"{long}2.csv", good_file(5, start=50))
    assert lake.snapshots()[-1]["files"] == 2
    assert all(len(key.encode()) <= 1024 for key in lake.listed())
