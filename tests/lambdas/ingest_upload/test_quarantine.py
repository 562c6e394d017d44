"""Bad uploads: each is set aside with a report that its supplier can act on, and not one byte is lost."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdas.ingest_upload.logic import Outcome
from lambdas.ingest_upload.upload import LARGEST_COPY
from tests.data_contracts.examples import HEADER, file_of, good_file, row
from tests.lambdas.lake import BUCKET, Lake

SCHEMA = Path(__file__).parents[3] / "docs" / "events" / "file-quarantined.json"


def _rows_with_a_word_in_row_4711() -> bytes:
    rows = [row(number) for number in range(1, 5001)]
    rows[4710] = rows[4710].replace("14711", "about 14711")
    return file_of(rows)


BAD_FILES = {
    "empty": (b"", ["the file is empty"]),
    "header only": (f"{HEADER}\n".encode(), ["fewer rows than the contract demands", "0 row(s), at least 2 needed"]),
    "wrong header": (
        file_of([row(1), row(2)], header=HEADER.replace("price", "Price")),
        ['column "price": column is missing', 'column "Price": column is not in the contract', f"exactly: {HEADER}"],
    ),
    "wrong type far down": (
        _rows_with_a_word_in_row_4711(),
        ['column "price": not a number', "row 4711 (line 4712): about 14711", "5,000 data row(s)"],
    ),
    "latin-1": (good_file().replace(b"make2", b"Citro\xebn"), ["the text is not UTF-8", "row 3 (line 4): byte 0xeb"]),
    "NUL bytes": (good_file().replace(b"make2", b"ma\0ke"), ["NUL byte", "row 3 (line 4)"]),
    "one huge line": (b"x" * 5_000_000, ["the line is longer than 131072 characters"]),
    "repeated row": (file_of([row(1), row(2), row(1)]), ["repeats an earlier row", "row 3 (line 4): row 1"]),
    "sensitive value": (
        good_file().replace(b"trade", b"Jane Doe"),
        ['column "owner": not one of the allowed values, 5 times', "hidden"],
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_set_aside_with_a_report_that_says_what_and_where(lake: Lake, name: str) -> None:
    """The report names the problem, its place, what to do and where the file lies; the event points at it."""
    data, expected = BAD_FILES[name]
    event = lake.put("raw/cars/2017.csv", data)
    version = event["detail"]["object"]["version-id"]
    assert lake.ingest(event) is Outcome.QUARANTINED
    prefix = f"quarantine/cars/2017.csv/{version}/"
    report = lake.report()
    for part in [*expected, "What to do", f"s3://{BUCKET}/{prefix}data", f"version {version}"]:
        assert part in report
    assert "Jane" not in report + lake.text(f"{prefix}report.json")
    assert lake.client.get_object(Bucket=BUCKET, Key=f"{prefix}data")["Body"].read() == data
    (entry,) = lake.events.entries
    detail = json.loads(entry["Detail"])
    assert detail["report"] == f"s3://{BUCKET}/{prefix}report.txt"
    jsonschema.validate(
        {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail},
        json.loads(SCHEMA.read_text()),
    )
    assert lake.listed("raw/") == lake.listed("curated/") == lake.listed("snapshots/") == []


@pytest.mark.parametrize(
    ("key", "folder", "reason"),
    [
        ("raw/boats/a.csv", "boats/a.csv", "there is no data set 'boats'"),
        ("raw/a.csv", "unknown/a.csv", "the file lies directly under raw/"),
        ("raw/cars/a.xlsx", "cars/a.xlsx", "the name does not end in .csv"),
        ("raw/cars/a.csv.gz", "cars/a.csv.gz", "the name does not end in .csv"),
        ("raw/../a.csv", "%2E%2E/a.csv", "there is no data set '..'"),
        ("raw//a.csv", "unknown/a.csv", "there is no data set 'unknown'"),
    ],
)
def test_a_file_in_the_wrong_place_is_set_aside_unread(lake: Lake, key: str, folder: str, reason: str) -> None:
    """The place and the name of a file are told as plainly as its content, and the data sets there are."""
    event = lake.put(key, good_file())
    assert lake.ingest(event) is Outcome.QUARANTINED
    (detail,) = lake.events.of("File Quarantined")
    assert detail["reasons"][0].startswith(reason)
    version = event["detail"]["object"]["version-id"]
    assert f"quarantine/{folder}/{version}/data" in lake.listed()
    if "cars" not in key:
        assert "data sets are: cars" in lake.report()


def test_a_file_too_large_to_copy_is_refused_and_left_in_place(lake: Lake) -> None:
    """S3 copies up to 5 GiB; a larger file gets its report and keeps its place."""
    event = lake.put("raw/cars/huge.csv", good_file())
    event["detail"]["object"]["size"] = LARGEST_COPY + 1
    assert lake.ingest(event) is Outcome.QUARANTINED
    assert "Split it into several files" in lake.report()
    assert lake.listed("raw/") == ["raw/cars/huge.csv"]
    state, events = lake.state(), list(lake.events.entries)
    assert lake.ingest(event) is Outcome.REPEATED
    assert (lake.state(), lake.events.entries) == (state, events)


def test_nothing_is_lost(lake: Lake) -> None:
    """Every version ever uploaded is still there under its version id, byte for byte."""
    bodies = [data for data, _ in BAD_FILES.values()] + [good_file(), good_file(3, start=50)]
    uploads: list[tuple[dict[str, Any], bytes]] = []
    for body in bodies:
        event = lake.put("raw/cars/a.csv", body)
        lake.ingest(event)
        uploads.append((event, body))
    for event, body in uploads:
        version = event["detail"]["object"]["version-id"]
        answer = lake.client.get_object(Bucket=BUCKET, Key="raw/cars/a.csv", VersionId=version)
        assert answer["Body"].read() == body


def test_the_event_of_a_refused_file_twice_changes_nothing(lake: Lake) -> None:
    """The second delivery of the event writes no object and sends no event."""
    event = lake.put("raw/cars/a.csv", b"no table")
    lake.ingest(event)
    state, events = lake.state(), list(lake.events.entries)
    assert lake.ingest(event) is Outcome.REPEATED
    assert (lake.state(), lake.events.entries) == (state, events)


def test_a_corrected_file_under_the_same_name_is_accepted(lake: Lake) -> None:
    """What the report advises works: upload again under the same name, delete nothing."""
    lake.upload("raw/cars/a.csv", b"no table")
    assert lake.upload("raw/cars/a.csv", good_file()) is Outcome.ACCEPTED
    assert lake.listed("raw/") == ["raw/cars/a.csv"]


def test_a_bad_new_version_leaves_the_accepted_one_in_the_data(lake: Lake) -> None:
    """A failed correction does not take data away."""
    lake.upload("raw/cars/a.csv", good_file(5))
    lake.upload("raw/cars/a.csv", b"no table")
    lake.upload("raw/cars/b.csv", good_file(3, start=50))
    assert lake.snapshots()[-1]["rows"] == 8


def test_a_refused_version_does_not_hide_a_newer_one(lake: Lake) -> None:
    """The delete marker is for the refused version only: a newer upload keeps its place."""
    bad, good = lake.put("raw/cars/a.csv", b"no table"), lake.put("raw/cars/a.csv", good_file())
    assert lake.ingest(bad) is Outcome.QUARANTINED
    assert lake.text("raw/cars/a.csv").encode() == good_file()
    assert lake.ingest(good) is Outcome.ACCEPTED


def test_a_good_version_is_accepted_though_its_bad_successor_was_handled_first(lake: Lake) -> None:
    """The function's own delete marker is not taken for a withdrawal by the supplier."""
    good, bad = lake.put("raw/cars/a.csv", good_file()), lake.put("raw/cars/a.csv", b"no table")
    assert lake.ingest(bad) is Outcome.QUARANTINED
    assert lake.ingest(good) is Outcome.ACCEPTED


def test_the_event_stays_small_however_much_is_wrong(lake: Lake) -> None:
    """EventBridge takes 256 KB; a file with hundreds of kinds of problem still gets its event."""
    header = ",".join(f"wrong{number}" for number in range(5000))
    lake.upload("raw/cars/a.csv", file_of([row(1)], header=header))
    (detail,) = lake.events.of("File Quarantined")
    assert len(detail["reasons"]) == 21
    assert "further kind(s) of problem" in detail["reasons"][-1]
