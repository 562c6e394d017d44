"""Bad captures are counted with a reason and an example, and never end the reading."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_monitor.errors import ReaderError
from drift_monitor.readers.capture import capture_schema, read_capture
from drift_monitor.readers.health import EXAMPLE_CHARACTERS, HealthCounter
from tests.drift_monitor.readers.captured import CSV_ROW, SCHEMA, csv_event, event, read, read_lines, side, values

GOOD = csv_event()
BAD_LINES: dict[str, tuple[str | bytes, str]] = {
    "torn": (GOOD[:200], "a line is not JSON"),
    "no JSON": ("hello", "a line is not JSON"),
    "wrong encoding": (GOOD.replace("ford", "citroën").encode("latin-1"), "a line is not UTF-8"),
    "another encoding": (GOOD.encode("utf-16"), "a line is not UTF-8"),
    "zero bytes": (b"\0" * 50, "a line is not JSON"),
    "two objects": (GOOD + GOOD, "a line is not JSON"),
    "no object": ("[1, 2]", "a line is no captured event"),
    "another object": ('{"a": 1}', "a line is no captured event"),
    "sides that are none": ('{"captureData": "x", "eventMetadata": {}}', "a line is no captured event"),
    "deep nesting": ("[" * 100_000, "a line is not JSON"),
    "a number of many digits": ("1" * 5000, "a line is not JSON"),
}
BAD_REQUESTS = {
    "too few values": ("2011,90.5", "CSV", "input: a record does not have 3 values"),
    "too many values": ("2011,90.5,ford,x", "CSV", "input: a record does not have 3 values"),
    "one row of another width": (f"{CSV_ROW}\n2011\n{CSV_ROW}", "CSV", "input: a record does not have 3 values"),
    "open quote": ('2011,90.5,"ford', "CSV", "input: a payload is not CSV (unexpected end of data)"),
    "empty": ("", "CSV", "input: a payload is empty"),
    "a header only": ("year,power,make", "CSV", "input: a payload has no records"),
    "torn JSON": ('{"instances": [{"year": 20', "JSON", "input: a payload is not JSON"),
    "two objects": ('{"year": 1}{"year": 2}', "JSON", "input: a payload is not JSON"),
    "other names": ('{"instances": [{"jahr": 2011}]}', "JSON", "input: a record has none of the columns"),
    "no records": ('{"instances": []}', "JSON", "input: a payload has no records"),
    "columns of two lengths": (
        '{"year": [1, 2], "make": ["a"]}',
        "JSON",
        "input: a payload has columns of different lengths",
    ),
    "mixed": ('[{"year": 1}, [1, 2, 3]]', "JSON", "input: a payload mixes records of several kinds"),
    "deep JSON": ("[" * 100_000, "JSON", "input: a payload is nested too deeply"),
    "no Base64": ("a", "BASE64", "input: a payload is not text in Base64"),
    "an image": ("iVBORw0KGgoAAAANSUhEUg==", "BASE64", "input: a payload is not text in Base64"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
@pytest.mark.parametrize("place", [0, 1])
def test_bad_lines(tmp_path: Path, kind: str, place: int) -> None:
    """A line that is no event costs itself only, wherever it stands."""
    line, reason = BAD_LINES[kind]
    lines: list[str | bytes] = [GOOD, GOOD, GOOD]
    lines.insert(place, line)
    rows, health = read_lines(tmp_path, lines)
    assert len(rows) == 3
    assert (health.events, health.unreadable_lines) == (3, health.problems[reason])
    assert list(health.problems) == [reason]
    assert len(health.examples[reason]) <= EXAMPLE_CHARACTERS
    assert health.unusable_share == health.unreadable_lines / (3 + health.unreadable_lines)


@pytest.mark.parametrize("kind", BAD_REQUESTS)
def test_bad_requests(tmp_path: Path, kind: str) -> None:
    """An input that cannot be read costs its own event only, whatever the others are."""
    text, encoding, reason = BAD_REQUESTS[kind]
    bad = event(side(text, encoding), side("1"))
    alike = event(side('{"year": 2011, "power": 90.5, "make": "ford"}', "JSON"), side("1"))
    for good in (GOOD, alike):
        rows, health = read_lines(tmp_path, [good, bad, good])
        assert values(rows, "year", "power", "make") == [(2011, 90.5, "ford")] * 2
        assert (health.events, health.wrong_columns, dict(health.problems)) == (3, 1, {reason: 1})


def test_bad_values(tmp_path: Path) -> None:
    """A value that is no finite number is null and counted; the largest numbers are numbers."""
    written = [
        "1e308",
        "-1e308",
        "1e400",
        "inf",
        "nan",
        "NA",
        "2026-11-26",
        "12 km",
        " 7 ",
        "+8",
        "1_000",
        "٣",
        "true",
        "",
    ]
    expected = [1e308, -1e308, None, None, None, None, None, None, 7.0, 8.0, None, None, 1.0, None]
    reason = "a value of column 'power' is not a number"
    for lines in (
        [csv_event(f"2011,{text},ford") for text in written],
        [event(side(json.dumps({"year": 2011, "power": text, "make": "ford"}), "JSON"), side("1")) for text in written],
        [event(side(f'{{"year": 1, "power": {text}}}', "JSON")) for text in ("1e308", "1e400", "[]", "{}")],
    ):
        rows, health = read_lines(tmp_path, lines)
        if len(lines) == len(written):
            assert sorted(map(str, (row["power"] for row in rows))) == sorted(map(str, expected))
            assert dict(health.problems) == {reason: 6}
        else:
            assert {row["power"] for row in rows} == {1e308, None}


def test_dates_in_a_number_column(tmp_path: Path) -> None:
    """A column full of dates is null, and says so with one example."""
    rows, health = read_lines(tmp_path, [csv_event("2011-02-03,1,ford") for _ in range(50)])
    assert [row["year"] for row in rows] == [None] * 50
    assert dict(health.problems) == {"a value of column 'year' is not a number": 50}
    assert health.examples["a value of column 'year' is not a number"] == "2011-02-03"


def test_all_null_column(tmp_path: Path) -> None:
    """A column without values keeps its type, in CSV and in JSON."""
    for line in (csv_event("2011,,"), event(side('{"year": 2011, "power": null}', "JSON"))):
        rows, health = read_lines(tmp_path, [line] * 3)
        assert values(rows, "year", "power", "make") == [(2011, None, None)] * 3
        assert not health.problems


def test_empty_files(tmp_path: Path) -> None:
    """Nothing captured gives no rows and no error."""
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.jsonl").write_text("\n\n")
    rows, health = read([tmp_path])
    assert rows == []
    assert (health.files, health.events, dict(health.problems)) == (2, 0, {"a file is empty": 1})
    assert health.unusable_share is None


def test_damaged_gzip(tmp_path: Path) -> None:
    """Of a torn archive, the whole lines before the damage count."""
    lines = "".join(csv_event(f"{number},1.5,ford") + "\n" for number in range(2000))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-2000])
    rows, health = read([tmp_path])
    assert 100 < len(rows) < 2000
    assert health.problems["a gzip file is damaged"] == 1


def test_lines_longer_than_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without an end does not fill the memory."""
    monkeypatch.setattr("drift_monitor.readers.blocks.BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr("drift_monitor.readers.blocks.LONGEST_LINE_BYTES", 1 << 14)
    rows, health = read_lines(tmp_path, [GOOD, "x" * 100_000, GOOD])
    assert len(rows) == 2
    assert health.problems["a line is too long"] >= 1


def test_missing_path(tmp_path: Path) -> None:
    """A path that does not exist is an error that names it."""
    with pytest.raises(ReaderError, match=r"nowhere does not exist; name"):
        read_capture([tmp_path / "nowhere"], schema=SCHEMA, window=None, health=HealthCounter())


def test_examples_do_not_leak(tmp_path: Path) -> None:
    """Of an unreadable payload only the beginning is shown."""
    _, health = read_lines(tmp_path, [event(side("secret," * 100))])
    (example,) = health.examples.values()
    assert len(example) <= EXAMPLE_CHARACTERS


def test_reasons_are_bounded(tmp_path: Path) -> None:
    """A flood of different names does not make the report endless."""
    payloads = [json.dumps({"year": 1, f"name{number}": 1}) for number in range(500)]
    _, health = read_lines(tmp_path, [event(side(text, "JSON")) for text in payloads])
    assert len(health.problems) <= 65


_alphabet = st.text(st.sampled_from('0129.,-e"\\\n\r {}[]:aé\u2028\0'), max_size=25)
_payloads = st.one_of(
    _alphabet,
    st.sampled_from([*(text for text, _, _ in BAD_REQUESTS.values() if len(text) < 1000), CSV_ROW, CSV_ROW + "\n"]),
    st.lists(st.sampled_from(["1", "-2.5", "", "a", '"a"', '"b,c"', "1e3"]), min_size=2, max_size=4).map(",".join),
    st.recursive(
        st.sampled_from([None, True, 1, 2.5, "a", ""]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["year", "power", "make", "data", "x"]), inner)
        ),
        max_leaves=12,
    ).map(json.dumps),
)
_sides = st.none() | st.builds(side, _payloads, st.sampled_from(["CSV", "JSON", "BASE64", None, "?"]))
_events = st.builds(event, _sides, _sides, event_id=st.sampled_from("abc"), inference_id=st.none() | st.just("i"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.binary(max_size=60) | _events.map(str.encode) | _events.map(lambda text: text[:90].encode()), max_size=8
    )
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Whatever the bytes, reading ends, the batches have the one schema, and the counts add up."""
    file = tmp_path_factory.mktemp("capture") / "a.jsonl"
    file.write_bytes(b"\n".join(lines))
    health = HealthCounter()
    batches = list(read_capture([file], schema=SCHEMA, window=None, health=health))
    assert all(batch.schema == capture_schema(SCHEMA) for batch in batches)
    for batch in batches:
        batch.validate(full=True)
    assert health.rows == sum(batch.num_rows for batch in batches)


@settings(max_examples=80, deadline=None)
@given(st.lists(_events, min_size=2, max_size=8))
def test_neighbours_do_not_matter(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """An event gives the same rows among others as alone."""
    folder = tmp_path_factory.mktemp("capture")
    alone = [row for line in lines for row in read_lines(folder, [line])[0]]
    together, _ = read_lines(folder, lines)
    assert sorted(map(repr, together)) == sorted(map(repr, alone))
