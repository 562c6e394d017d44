"""Captured events of every documented form become typed rows."""

import base64
import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest

from drift_monitor.readers.capture_writer import CapturedCall, CaptureWriter, Payload
from drift_monitor.readers.event_fields import VERIFICATION
from drift_monitor.results import Window
from drift_monitor.schema import Column, ColumnType, DataSchema
from tests.drift_monitor.readers.captured import (
    CSV_ROW,
    HOUR,
    NOON,
    SCHEMA,
    csv_event,
    event,
    read,
    read_lines,
    side,
    values,
)

FORD, AUDI = {"year": 2011, "power": 90.5, "make": "ford"}, {"year": 2012, "power": None, "make": "audi"}
TWO_ROWS = [(2011.0, 90.5, "ford", 1.5), (2012.0, None, "audi", 2.5)]
REQUESTS = {
    "csv": ("2011,90.5,ford\n2012,,audi\n", "CSV"),
    "csv with carriage returns": ("2011,90.5,ford\r\n2012,,audi\r\n", "CSV"),
    "csv with a header": ("year,power,make\n2011,90.5,ford\n2012,,audi", "CSV"),
    "csv with quotes": ('"2011",90.5,"ford"\n2012,"",audi\n', "CSV"),
    "instances": (json.dumps({"instances": [FORD, AUDI]}), "JSON"),
    "records": (json.dumps({"records": [FORD, AUDI]}), "JSON"),
    "instances beside settings": (json.dumps({"instances": [FORD, AUDI], "parameters": {"k": 1}}), "JSON"),
    "list of objects": (json.dumps([FORD, AUDI], indent=1), "JSON"),
    "numbers as text": (json.dumps([{**FORD, "year": "2011", "power": "90.5"}, {**AUDI, "year": "2012"}]), "JSON"),
    "list of lists": ('[[2011, 90.5, "ford"], [2012, null, "audi"]]', "JSON"),
    "instances of lists": ('{"instances": [[2011, 90.5, "ford"], [2012, null, "audi"]]}', "JSON"),
    "features": ('{"instances": [{"features": [2011, 90.5, "ford"]}, {"features": [2012, null, "audi"]}]}', "JSON"),
    "columns": ('{"year": [2011, 2012], "power": [90.5, null], "make": ["ford", "audi"]}', "JSON"),
    "json lines": (json.dumps(FORD) + "\n" + json.dumps(AUDI) + "\n", "JSON"),
    "csv in base64": (base64.b64encode(b"2011,90.5,ford\n2012,,audi").decode(), "BASE64"),
    "json in base64": (base64.b64encode(json.dumps([FORD, AUDI]).encode()).decode(), "BASE64"),
    "json called csv": (json.dumps([FORD, AUDI]), "CSV"),
    "no encoding": (json.dumps([FORD, AUDI]), None),
}
ANSWERS = {
    "csv": ("1.5\n2.5\n", "CSV"),
    "csv in one line": ("1.5\n2.5", "CSV"),
    "predictions": ('{"predictions": [1.5, 2.5]}', "JSON"),
    "predictions as lists": ('{"predictions": [[1.5], [2.5]]}', "JSON"),
    "predictions as objects": ('{"predictions": [{"prediction": 1.5}, {"prediction": 2.5}]}', "JSON"),
    "other name": ('{"predictions": [{"score": 1.5}, {"score": 2.5}]}', "JSON"),
    "list": ("[1.5, 2.5]", "JSON"),
    "column": ('{"prediction": [1.5, 2.5]}', "JSON"),
    "json lines": ('{"prediction": 1.5}\n{"prediction": 2.5}\n', "JSON"),
    "base64": (base64.b64encode(b'{"predictions": [1.5, 2.5]}').decode(), "BASE64"),
}


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("form", REQUESTS)
def test_request_forms(tmp_path: Path, form: str, copies: int) -> None:
    """Each form of a request gives the same rows, alone and among others like it."""
    line = event(side(*REQUESTS[form]), side("1.5\n2.5\n"))
    rows, health = read_lines(tmp_path, [line] * copies)
    assert values(rows, "year", "power", "make", "prediction") == TWO_ROWS * copies
    assert [row["_row"] for row in rows] == [0, 1] * copies
    assert (health.events, health.rows, dict(health.problems)) == (copies, 2 * copies, {})


@pytest.mark.parametrize(
    "form",
    ["csv", "csv with carriage returns", "csv with a header", "csv in base64", "list of objects", "json lines"],
)
def test_usual_forms_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The usual forms with several rows need none of the slow ways, whatever line ends are within."""
    monkeypatch.setattr("drift_monitor.readers.payloads.read_payload", None)
    rows, _ = read_lines(tmp_path, [event(side(*REQUESTS[form]), side("1.5\n2.5\n"))] * 3)
    assert values(rows, "year", "power", "make", "prediction") == TWO_ROWS * 3


@pytest.mark.parametrize("form", ANSWERS)
def test_answer_forms(tmp_path: Path, form: str) -> None:
    """Each form of an answer gives the same predictions."""
    rows, health = read_lines(tmp_path, [event(side("2011,90.5,ford\n2012,,audi"), side(*ANSWERS[form]))] * 2)
    assert [row["prediction"] for row in rows] == [1.5, 2.5] * 2
    assert not health.problems


def test_all_forms_in_one_file(tmp_path: Path) -> None:
    """Forms may change from event to event."""
    lines = [
        event(side(*request), side(*answer), event_id=f"{first}/{second}")
        for first, request in REQUESTS.items()
        for second, answer in ANSWERS.items()
    ]
    rows, health = read_lines(tmp_path, lines)
    assert values(rows, "year", "power", "make", "prediction") == TWO_ROWS * len(lines)
    assert {row["_event_id"] for row in rows} == {f"{first}/{second}" for first in REQUESTS for second in ANSWERS}
    assert not health.problems


def test_single_records(tmp_path: Path) -> None:
    """An object is one record; one that is not like the first is read all the same."""
    lines = [event(side(json.dumps(record), "JSON"), side("3", "JSON")) for record in (FORD, {"year": "2012", "x": 1})]
    rows, health = read_lines(tmp_path, lines)
    assert values(rows, "year", "make", "prediction") == [(2011.0, "ford", 3.0), (2012.0, None, 3.0)]
    assert dict(health.problems) == {"'x' is not a column of the schema": 1}


@pytest.mark.parametrize(
    "other",
    [
        json.dumps({"instances": [FORD, AUDI]}),
        json.dumps(FORD) + "\n" + json.dumps({**AUDI, "year": "2012"}),
        json.dumps({**FORD, "year": "2011"}) + "\n" + json.dumps(AUDI),
    ],
)
def test_events_unlike_the_first(tmp_path: Path, other: str) -> None:
    """An event in another form, or with a line that is written in another way, is read whole and loses nothing."""
    texts = [json.dumps(FORD), other, json.dumps(FORD) + "\n" + json.dumps(AUDI)]
    rows, health = read_lines(tmp_path, [event(side(text, "JSON")) for text in texts])
    assert values(rows, "year", "_row") == [(2011, 0), (2011, 0), (2012, 1), (2011, 0), (2012, 1)]
    assert not health.problems


@pytest.mark.parametrize(
    "payload",
    [
        '{"car": {"year": 2011, "engine": {"power": 90.5}}, "make": "ford"}',
        '{"car.year": 2011, "car": {"engine.power": 90.5}, "make": "ford"}',
    ],
)
def test_nested_json(tmp_path: Path, payload: str) -> None:
    """Members of nested objects are columns with a dot between the names."""
    names = ("car.year", "car.engine.power", "make")
    types = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL, ColumnType.STRING)
    schema = DataSchema(inputs=tuple(Column(name, kind) for name, kind in zip(names, types, strict=True)))
    for text in (payload, f'{{"instances": [{payload}]}}'):
        rows, health = read_lines(tmp_path, [event(side(text, "JSON"), side("1"))] * 2, schema=schema)
        assert values(rows, *names) == [(2011.0, 90.5, "ford")] * 2
        assert not health.problems


def test_numbers_without_text_columns(tmp_path: Path) -> None:
    """Rows of numbers are read by position, and one of another width loses its event only."""
    schema = DataSchema(inputs=(Column("a", ColumnType.FRACTIONAL), Column("b", ColumnType.FRACTIONAL)))
    payloads = ["[[1, 2], [3, 4]]", "[[5, 6], [7]]", "[[8, 9]]"]
    rows, health = read_lines(tmp_path, [event(side(text, "JSON")) for text in payloads], schema=schema)
    assert values(rows, "a", "b") == [(1, 2), (3, 4), (8, 9)]
    assert health.wrong_columns == 1


def test_quoted_cells(tmp_path: Path) -> None:
    """Quotes may hide commas, quotes and line ends, beside events that look alike."""
    texts = ['2011,1,"a,b"', '2012,2,"a ""b"""', '2013,3,"a\nb"', '2014,4,"', "2015,5,c"]
    rows, health = read_lines(tmp_path, [csv_event(text) for text in texts])
    assert values(rows, "year", "make") == [(2011, "a,b"), (2012, 'a "b"'), (2013, "a\nb"), (2015, "c")]
    assert health.wrong_columns == 1


def test_missing_sides(tmp_path: Path) -> None:
    """A side that was not captured is null, and counted; without both there is no row."""
    rows, health = read_lines(tmp_path, [csv_event(), event(side(CSV_ROW)), event(None, side("1\n2")), event()])
    assert values(rows, "year", "prediction", "_row") == [(2011, 12.5, 0), (2011, None, 0), (None, 1, 0), (None, 2, 1)]
    assert (health.events, health.without_input, health.without_output) == (4, 2, 2)


def test_unequal_rows(tmp_path: Path) -> None:
    """Predictions that cannot be matched with their records are dropped, not shifted."""
    lines = [csv_event(f"{CSV_ROW}\n{CSV_ROW}", "1\n2\n3"), csv_event(answer="7"), csv_event(answer="a,b")]
    rows, health = read_lines(tmp_path, lines)
    assert sorted((row["_row"], row["prediction"] or 0) for row in rows) == [(0, 0), (0, 0), (0, 7), (1, 0)]
    assert dict(health.problems) == {
        "input and output differ in their number of rows": 1,
        "output: a record does not have 1 values": 1,
    }
    assert health.wrong_columns == 0


def test_batch_transform_output(tmp_path: Path) -> None:
    """Captured answers of batch transform count as outputs, with and without events of an endpoint beside them."""
    line = csv_event().replace("endpointOutput", "batchTransformOutput")
    for lines in ([line], [csv_event(), line, "{}"]):
        rows, _ = read_lines(tmp_path, lines)
        assert {row["prediction"] for row in rows} == {12.5}


def test_event_ids(tmp_path: Path) -> None:
    """The caller's inference id is the id, where there is one."""
    ids = [None, "mine", "", None]
    lines = [event(side(CSV_ROW), event_id=f"e{n}", inference_id=value) for n, value in enumerate(ids)]
    rows, _ = read_lines(tmp_path, lines)
    assert sorted(row["_event_id"] for row in rows) == ["e0", "e2", "e3", "mine"]


def test_requests_of_a_verification_are_left_out(tmp_path: Path) -> None:
    """They repeat a few records after every release; the health tells how many there were."""
    callers = [csv_event(event_id="a"), event(side(CSV_ROW), side("12.5"), event_id="b", inference_id="order-4711")]
    own = [
        event(side(CSV_ROW), side("1"), event_id=f"v{number}", inference_id=f"{VERIFICATION}{number}")
        for number in (1, 2)
    ]
    rows, health = read_lines(tmp_path, [own[0], *callers, own[1]])
    assert values(rows, "_event_id") == [("a",), ("order-4711",)]
    assert health.problems == {"requests of a release's verification are left out": 2}


def test_window(tmp_path: Path) -> None:
    """Only events from the start to just before the end count, whatever folder they lie in."""
    times = ["2026-11-26T11:59:59Z", "2026-11-26T12:00:00Z", "2026-11-26T14:59:59+02:00", "2026-11-26T13:00:00Z"]
    folder = tmp_path / "2026/11/26/13"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("\n".join(csv_event(event_id=f"e{n}", time=time) for n, time in enumerate(times)))
    rows, health = read([tmp_path], window=HOUR)
    assert [row["_event_id"] for row in rows] == ["e1", "e2"]
    assert [row["_time"] for row in rows] == [NOON, NOON + timedelta(minutes=59, seconds=59)]
    assert (health.events, health.outside_window, health.empty_hours) == (2, 2, ())


def test_times(tmp_path: Path) -> None:
    """Where an event has no time, its folder's hour stands in; without a folder it is outside every window."""
    line = event(side(CSV_ROW), time=None)
    folder = tmp_path / "in/2026/11/26/12"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(line + "\n" + csv_event(time="2026-11-26T12: 15: 00Z") + "\n")
    (tmp_path / "loose.jsonl").write_text(line)
    rows, health = read([folder, tmp_path / "loose.jsonl"], window=HOUR)
    assert [row["_time"] for row in rows] == [NOON, NOON + timedelta(minutes=15)]
    assert health.problems["an event has no time that can be read"] == 2
    assert health.outside_window == 1


def test_empty_hours(tmp_path: Path) -> None:
    """Hours of the window without an event are named."""
    window = Window(start=NOON - timedelta(hours=1, minutes=30), end=NOON + timedelta(hours=2))
    _, health = read_lines(tmp_path, [csv_event()], window=window)
    assert health.empty_hours == ("2026-11-26T10:00:00Z", "2026-11-26T11:00:00Z", "2026-11-26T13:00:00Z")


def test_files_and_folders(tmp_path: Path) -> None:
    """Folders are read in the order of their names, compressed files and files without a last newline included."""
    base = tmp_path / "endpoint/variant/2026/11/26/12"
    base.mkdir(parents=True)
    for number in range(300):
        (base / f"{number:03d}.jsonl").write_text(csv_event(event_id=f"e{number:03d}"))
    (base / "300.jsonl.gz").write_bytes(gzip.compress(csv_event(event_id="e300").encode()))
    (base / "301.jsonl").write_bytes(b"\xef\xbb\xbf" + csv_event(event_id="e301").encode())
    (base / "manifest").write_text("no capture")
    rows, health = read([tmp_path])
    assert [row["_event_id"] for row in rows] == [f"e{number:03d}" for number in range(302)]
    assert (health.files, health.events, dict(health.problems)) == (302, 302, {})


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files give the same rows however their lines fall into blocks, and with lines longer than a block."""
    lines = [csv_event(f"2011,{number},{'x' * (number * 37 % 1999)}", event_id=str(number)) for number in range(200)]
    lines[30] = csv_event(f"2011,30,{'x' * 50_000}", event_id="30")
    for hour in (12, 13):
        folder = tmp_path / f"2026/11/26/{hour}"
        folder.mkdir(parents=True)
        (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
        (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + "\n".join(lines[::-1]).encode() + b"\n"))
        (folder / "c.jsonl").write_text("\ufeff" + event(side(FORD), time=None, event_id=f"without time, {hour}"))
    expected, health = read([tmp_path])
    assert len(expected) == 2 * (2 * len(lines) + 1)
    for size in (1 << 12, (1 << 13) + 1, 1 << 16):
        monkeypatch.setattr("drift_monitor.readers.blocks.BLOCK_BYTES", size)
        assert read([tmp_path]) == (expected, health)


def test_written_by_the_capture_writer(tmp_path: Path) -> None:
    """What the writer for other hosts writes is read back, from the folder of its hour."""
    writer = CaptureWriter(tmp_path, endpoint="cars", variant="AllTraffic")
    request, answer = Payload(b"2011,90.5,ford\n", "text/csv"), Payload(b'{"predictions": [1.5]}', "application/json")
    for minutes in (0, 30, 70):
        time = NOON + timedelta(minutes=minutes)
        file = writer.write(CapturedCall(time=time, input=request, output=answer, inference_id=f"id-{minutes}"))
    assert file.parent == tmp_path / "cars/AllTraffic/2026/11/26/13"
    rows, health = read([tmp_path], window=HOUR)
    assert values(rows, "_event_id", *(column.name for column in SCHEMA.columns)) == [
        ("id-0", 1.5, 2011, 90.5, "ford"),
        ("id-30", 1.5, 2011, 90.5, "ford"),
    ]
    assert health.outside_window == 1
