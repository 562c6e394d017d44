"""What becomes of an upload, good or bad, on the deployed app."""

import hashlib
import json
import threading
from pathlib import Path

import jsonschema
import pytest

from tests.journeys.deployed_app import DeployedApp, csv_of

_SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"


def _report(app: DeployedApp) -> dict[str, object]:
    (key,) = [key for key in app.keys("quarantine/") if key.endswith("report.json")]
    report: dict[str, object] = json.loads(app.read(key))
    return report


def _with_row(body: bytes, row: int, column: str, value: str) -> bytes:
    """The file with one value of one data row (counted from 1) replaced."""
    lines = body.decode().splitlines()
    position = lines[0].split(",").index(column)
    cells = lines[row].split(",")
    lines[row] = ",".join([*cells[:position], value, *cells[position + 1 :]])
    return ("\n".join(lines) + "\n").encode()


def _renamed(rows: bytes, number: int) -> bytes:
    """The same cars under other model names, so that no row repeats another."""
    for digit in b"01234":
        rows = rows.replace(b" %c," % digit, b" %c-%d," % (digit, number))
    return rows


def test_a_good_file_becomes_a_snapshot(lake: DeployedApp) -> None:
    """It is kept under its hash, listed for SageMaker, described with version and rows, and announced."""
    body = csv_of(2001, 2002)
    version = lake.upload("a.csv", body)

    digest = hashlib.sha256(body).hexdigest()
    data_version, files = lake.snapshot()
    (announced,) = lake.events("Snapshot Created")
    assert lake.read(f"curated/car_prices/{digest}.csv") == body
    assert json.loads(lake.object(files)) == [{"prefix": f"s3://{lake.lake}/curated/car_prices/"}, f"{digest}.csv"]
    manifest = lake.read(f"snapshots/car_prices/{data_version}/manifest.json").decode()
    assert all(part in manifest for part in (version, digest, "raw/car_prices/a.csv"))
    assert (announced["detail"]["dataVersion"], announced["detail"]["rows"]) == (data_version, 120)
    jsonschema.validate(announced, json.loads((_SCHEMAS / "snapshot-created.json").read_text()))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(csv_of(2001).replace(b"engine_hp", b"horse_power", 1), "engine_hp", id="wrong header"),
        pytest.param(b"", "empty", id="empty file"),
        pytest.param(csv_of(2001) + csv_of(2001).split(b"\n", 1)[1], "duplicate", id="duplicated rows"),
        pytest.param(_with_row(csv_of(2001, rows=5000), 4711, "year", "soon"), "4711", id="wrong type in row 4,711"),
        pytest.param(csv_of(2001).replace(b"Audi", b"\xff\xfe"), "UTF-8", id="wrong encoding"),
    ],
)
def test_a_bad_file_is_quarantined_and_nothing_is_lost(lake: DeployedApp, body: bytes, told: str) -> None:
    """The report says what is wrong and where; the bytes stay readable in quarantine and under their version."""
    version = lake.upload("bad.csv", body)

    (data,) = [key for key in lake.keys("quarantine/") if key.endswith("/data")]
    (event,) = lake.events("File Quarantined")
    assert told.lower() in json.dumps(_report(lake)).lower()
    assert lake.read(data) == body
    assert lake.read("raw/car_prices/bad.csv", VersionId=version) == body
    assert lake.keys("curated/") == []
    assert lake.keys("snapshots/") == []
    jsonschema.validate(event, json.loads((_SCHEMAS / "file-quarantined.json").read_text()))


def test_the_same_content_twice_is_one_snapshot(lake: DeployedApp) -> None:
    """A file that comes again, under its own or another name, is told as a duplicate and changes nothing."""
    body = csv_of(2001)
    lake.upload("a.csv", body)
    before = lake.snapshot()

    lake.upload("a.csv", body)
    lake.upload("b.csv", body)

    assert lake.snapshot() == before
    assert len(lake.events("Snapshot Created")) == 1
    assert [event["detail"]["key"] for event in lake.events("Duplicate Upload Ignored")] == [
        "raw/car_prices/a.csv",
        "raw/car_prices/b.csv",
    ]


def test_two_uploads_at_once_are_both_in_the_newest_snapshot(lake: DeployedApp) -> None:
    """Whoever finishes last sees the other: no upload is forgotten."""
    bodies = {f"{year}.csv": csv_of(year) for year in (2001, 2002, 2003, 2004)}
    threads = [threading.Thread(target=lake.upload, args=item) for item in bodies.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    largest = max((event["detail"] for event in lake.events("Snapshot Created")), key=lambda detail: detail["files"])
    assert (largest["files"], largest["rows"]) == (4, 240)


def test_a_file_of_300_megabytes_is_taken_with_a_sample_checked(lake: DeployedApp) -> None:
    """It passes within the function's own memory and time, and the manifest says that a sample was checked."""
    header, rows = csv_of(2001, rows=2000).split(b"\n", 1)
    count = 300_000_000 // len(rows) + 1
    body = header + b"\n" + b"".join(_renamed(rows, number) for number in range(count))

    lake.upload("large.csv", body)

    data_version, _ = lake.snapshot()
    manifest = json.loads(lake.read(f"snapshots/car_prices/{data_version}/manifest.json"))
    assert "sample" in json.dumps(manifest)
    assert hashlib.sha256(body).hexdigest() in json.dumps(manifest)
    assert len(body) > 300_000_000
