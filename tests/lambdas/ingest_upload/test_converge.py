"""Crashes and simultaneous uploads: however invocations are cut or interleaved, the end is the same."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from lambdas.ingest_upload.logic import Outcome
from lambdas.shared.errors import ConflictError, EventDeliveryError
from tests.data_contracts.examples import good_file
from tests.lambdas.lake import Disturbed, Lake

WRITES = ("put_object", "copy_object", "delete_object")


class _Died(Exception):
    """Stands for the end of the process in the middle of an invocation."""


def _die_before_write(number: int) -> Callable[[str, Mapping[str, Any]], None]:
    """Die ahead of the `number`-th write, 0 for the first."""
    writes = count()

    def before(operation: str, request: Mapping[str, Any]) -> None:
        if operation in WRITES and next(writes) == number:
            raise _Died

    return before


def _crash_everywhere(lake: Lake, upload: Callable[[int], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """For each write of an invocation: upload, die before that write, repeat the event, give it."""
    for number in range(20):
        event = upload(number)
        try:
            lake.ingest(event, Disturbed(lake.client, _die_before_write(number)))
        except _Died:
            lake.ingest(event)
            yield event
        else:
            return


def test_an_accepted_upload_converges_after_a_crash_before_any_write(lake: Lake) -> None:
    """The repeated event completes the copy, the record, both manifests, the pointer and the announcement."""
    crashes = 0
    for _ in _crash_everywhere(lake, lambda n: lake.put(f"raw/cars/{n}.csv", good_file(5, start=100 * n))):
        crashes += 1
        snapshot = lake.snapshots()[-1]
        assert snapshot["files"] == crashes
        manifest = lake.json(snapshot["manifest"]["key"])
        assert manifest["rows"] == 5 * crashes
        assert lake.current()["data_version"] == snapshot["dataVersion"]
        assert len(lake.json(snapshot["filesManifest"].partition("cd4ml-lake/")[2])) == crashes + 1
    assert crashes == 6


def test_a_duplicate_converges_after_a_crash_before_any_write(lake: Lake) -> None:
    """The repeated event announces the duplicate and leaves the data as it was."""
    lake.upload("raw/cars/first.csv", good_file())
    crashes = 0
    for event in _crash_everywhere(lake, lambda n: lake.put(f"raw/cars/{n}.csv", good_file())):
        crashes += 1
        detail = lake.events.of("Duplicate Upload Ignored")[-1]
        assert detail["key"] == event["detail"]["object"]["key"]
        assert len(lake.snapshots()) == 1
    assert crashes == 3


def test_a_refused_upload_converges_after_a_crash_before_any_write(lake: Lake) -> None:
    """The repeated event completes the copy, the reports, the announcement and the delete marker."""
    crashes = 0
    for event in _crash_everywhere(lake, lambda n: lake.put(f"raw/cars/{n}.csv", b"no table")):
        crashes += 1
        entry = event["detail"]["object"]
        prefix = f"quarantine/cars/{entry['key'].removeprefix('raw/cars/')}/{entry['version-id']}/"
        assert [key.removeprefix(prefix) for key in lake.listed(prefix)] == [
            "announced.json",
            "data",
            "report.json",
            "report.txt",
        ]
        assert lake.listed("raw/") == []
        assert {detail["key"] for detail in lake.events.of("File Quarantined")} >= {entry["key"]}
    assert crashes == 5


def test_a_bus_that_refuses_an_event_costs_no_event(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The invocation fails, is repeated, and then announces the snapshot that it had written already."""
    event = lake.put("raw/cars/a.csv", good_file())
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
    with monkeypatch.context() as patch:
        patch.setattr(lake.events, "put_events", lambda Entries: refusal)  # noqa: N803  boto3's own name
        with pytest.raises(EventDeliveryError, match=r"Snapshot Created.*ThrottlingException: slow"):
            lake.ingest(event)
    assert lake.ingest(event) is Outcome.REPEATED
    assert len(lake.snapshots()) == 1


def _run_once_before(lake: Lake, is_moment: Callable[[str, Mapping[str, Any]], bool], other: dict[str, Any]) -> Any:
    """An S3 client that, at the first such moment, lets the invocation for `other` run from begin to end."""
    moments = count()

    def before(operation: str, request: Mapping[str, Any]) -> None:
        if is_moment(operation, request) and next(moments) == 0:
            lake.ingest(other)

    return Disturbed(lake.client, before)


def _is_record_write(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "put_object" and "/files/" in request["Key"]


def _is_listing(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "list_objects_v2"


def _is_manifest_write(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "put_object" and request["Key"].endswith("manifest.json")


def _is_pointer_write(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "put_object" and request["Key"].endswith("current.json")


def _is_announcement(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "head_object" and "/announced/" in request["Key"]


@pytest.mark.parametrize(
    "moment", [_is_record_write, _is_listing, _is_manifest_write, _is_pointer_write, _is_announcement]
)
def test_of_two_uploads_at_once_the_current_snapshot_holds_both(
    lake: Lake, moment: Callable[[str, Mapping[str, Any]], bool]
) -> None:
    """Wherever the second invocation comes in between, the union of both uploads is announced and stays current."""
    first, second = lake.put("raw/cars/a.csv", good_file(5)), lake.put("raw/cars/b.csv", good_file(3, start=50))
    assert lake.ingest(first, _run_once_before(lake, moment, second)) is Outcome.ACCEPTED
    assert max(snapshot["rows"] for snapshot in lake.snapshots()) == 8
    assert lake.json(f"snapshots/cars/{lake.current()['data_version']}/manifest.json")["rows"] == 8
    if moment is not _is_announcement:
        assert lake.snapshots()[-1]["rows"] == 8


@pytest.mark.parametrize("moment", [_is_record_write, _is_listing, _is_manifest_write, _is_pointer_write])
def test_of_two_versions_of_one_key_at_once_the_newer_one_counts(
    lake: Lake, moment: Callable[[str, Mapping[str, Any]], bool]
) -> None:
    """The invocation for the older version cannot overwrite the record of the newer one."""
    old, new = lake.put("raw/cars/a.csv", good_file(5)), lake.put("raw/cars/a.csv", good_file(6))
    old["detail"]["object"]["sequencer"], new["detail"]["object"]["sequencer"] = "0A", "0B"
    lake.ingest(old, _run_once_before(lake, moment, new))
    assert [snapshot["rows"] for snapshot in lake.snapshots()][-1] == 6
    assert lake.json(f"snapshots/cars/{lake.current()['data_version']}/manifest.json")["rows"] == 6


def test_an_invocation_that_has_seen_less_does_not_take_the_pointer_back(lake: Lake) -> None:
    """It dies before it can look again, and yet the current snapshot is that of the invocation that saw both files."""
    lake.upload("raw/cars/a.csv", good_file(5))
    first = lake.put("raw/cars/b.csv", good_file(3, start=50))
    second = lake.put("raw/cars/c.csv", good_file(2, start=90))
    written: list[str] = []

    def before(operation: str, request: Mapping[str, Any]) -> None:
        if written:
            raise _Died
        if _is_pointer_write(operation, request):
            lake.ingest(second)
            written.append(request["Key"])

    with pytest.raises(_Died):
        lake.ingest(first, Disturbed(lake.client, before))
    assert lake.json(f"snapshots/cars/{lake.current()['data_version']}/manifest.json")["rows"] == 10


def test_uploads_without_end_leave_the_rest_to_a_retry(lake: Lake) -> None:
    """With another file admitted in each of its rounds an invocation gives up, and its repetition finds the end."""
    event, others = lake.put("raw/cars/a.csv", good_file(5)), count()

    def before(operation: str, request: Mapping[str, Any]) -> None:
        if _is_pointer_write(operation, request):
            number = next(others)
            other = lake.put(f"raw/cars/other {number}.csv", good_file(3, start=50 * (number + 1)))
            with pytest.raises(_Died):
                lake.ingest(other, Disturbed(lake.client, _die_before_write(2)))

    with pytest.raises(ConflictError, match="admitted 5 times"):
        lake.ingest(event, Disturbed(lake.client, before))
    assert lake.ingest(event) is Outcome.REPEATED
    assert lake.json(f"snapshots/cars/{lake.current()['data_version']}/manifest.json")["rows"] == 5 + 5 * 3


def test_a_file_that_vanishes_while_it_is_handled_is_no_error(lake: Lake) -> None:
    """The version is removed for good between the first look and the reading."""
    event = lake.put("raw/cars/a.csv", good_file())
    entry = event["detail"]["object"]

    def before(operation: str, request: Mapping[str, Any]) -> None:
        if operation == "get_object" and request.get("VersionId"):
            lake.client.delete_object(Bucket="cd4ml-lake", Key=entry["key"], VersionId=entry["version-id"])

    assert lake.ingest(event, Disturbed(lake.client, before)) is Outcome.VANISHED
    assert lake.events.entries == []
