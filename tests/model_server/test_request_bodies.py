"""Bodies to rows: every accepted form, every refusal, and arbitrary input."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_server.errors import RecordError, RequestError
from model_server.media_types import MediaType
from model_server.request_bodies import BodyParser
from model_server.scoring import Encoder, Feature, FeatureSpec

SPEC = FeatureSpec(
    dataset="cars",
    label="msrp",
    features=(
        Feature("make", median=None, categories=("Audi", "Ford"), required=True),
        Feature("engine_hp", median=150.0, categories=()),
    ),
)
PARSER = BodyParser(SPEC, maximum_rows=3)
RECORDS = [{"make": "Audi", "engine_hp": 200}, {"make": "Ford", "engine_hp": "90.5"}]
ROWS = [["Audi", "200"], ["Ford", "90.5"]]


def parse(body: bytes | str, media_type: MediaType) -> list[list[str]]:
    """Rows of a body given as text or bytes."""
    return PARSER.parse(body.encode() if isinstance(body, str) else body, media_type)


def parse_json(value: Any) -> list[list[str]]:
    """Rows of a JSON body."""
    return parse(json.dumps(value), MediaType.JSON)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_csv_is_one_record_per_line_with_or_without_a_last_line_end(end: str) -> None:
    """Batch transform cuts files anywhere between lines."""
    assert parse("Audi,200\nFord,90.5" + end, MediaType.CSV) == ROWS


def test_csv_values_may_be_quoted() -> None:
    """A value may hold a comma, a quote or a line end."""
    assert parse('"A ""b"", c\nd",1\n', MediaType.CSV) == [['A "b", c\nd', "1"]]


def test_a_byte_order_mark_belongs_to_no_value() -> None:
    """Spreadsheets write one."""
    assert parse(b"\xef\xbb\xbfAudi,200", MediaType.CSV) == [["Audi", "200"]]


@pytest.mark.parametrize("name", ["instances", "records"])
def test_json_takes_a_named_list(name: str) -> None:
    """The two names that clients of SageMaker use."""
    assert parse_json({name: RECORDS}) == ROWS


def test_json_takes_a_bare_list_of_objects_or_of_lists() -> None:
    """By name, or in the order of the specification."""
    assert parse_json(RECORDS) == ROWS
    assert parse_json([["Audi", 200], ["Ford", "90.5"]]) == ROWS


def test_json_takes_a_single_object() -> None:
    """One record need not be wrapped."""
    assert parse_json(RECORDS[0]) == ROWS[:1]


def test_json_lines_has_one_record_per_line() -> None:
    """Objects and lists alike; a line separator inside of a string is no line end."""
    body = '{"make": "Au\u2028di", "engine_hp": 200}\n["Ford", 90.5]\n'

    assert parse(body, MediaType.JSON_LINES) == [["Au\u2028di", "200"], ["Ford", "90.5"]]


@pytest.mark.parametrize("record", [{"make": "Audi"}, {"make": "Audi", "engine_hp": None}, ["Audi", ""]])
def test_a_missing_value_is_an_empty_string(record: Any) -> None:
    """Left out, null and empty are the same: what an empty field of a CSV file is."""
    assert parse_json([record]) == [["Audi", ""]]


def test_json_numbers_keep_their_value() -> None:
    """The text of a number reads as the same number."""
    values = [0, -0.0, 1e-300, 0.1, 123456789.123, 10**17]

    assert [float(parse_json([["Audi", value]])[0][1]) for value in values] == values


@pytest.mark.parametrize(
    ("record", "row", "field", "reason"),
    [
        ({"make": "Audi", "colour": "red"}, 2, "colour", r"none of the model's \(make, engine_hp\)"),
        ({"make": 3}, 2, "make", "should be a text, not a number"),
        ({"make": "Audi", "engine_hp": True}, 2, "engine_hp", "should be a number, not a truth value"),
        ({"make": "Audi", "engine_hp": [1]}, 2, "engine_hp", "should be a number, not a list"),
        ({"make": {}}, 2, "make", "should be a text, not an object"),
        (["Audi"], 2, None, r"has 1 values instead of 2 \(make, engine_hp\)"),
        ("Audi", 2, None, "should be an object or a list"),
        (None, 2, None, "should be an object or a list"),
    ],
)
def test_a_wrong_record_is_named(record: Any, row: int, field: str | None, reason: str) -> None:
    """Row from 1, field and reason, so that the caller can correct it."""
    with pytest.raises(RecordError, match=reason) as caught:
        parse_json([RECORDS[0], record])

    assert (caught.value.row, caught.value.field) == (row, field)


def test_a_header_is_refused() -> None:
    """Its names would otherwise be scored as a record of unseen categories."""
    with pytest.raises(RecordError, match="row 1 is a header; send the records alone"):
        parse("make,engine_hp\nAudi,200\n", MediaType.CSV)


@pytest.mark.parametrize(
    ("body", "media_type", "reason"),
    [
        (b"", MediaType.CSV, "holds no records"),
        (b"\n\n", MediaType.CSV, "holds no records"),
        (b"[]", MediaType.JSON, "holds no records"),
        (b"\n", MediaType.JSON_LINES, "holds no records"),
        (b"Audi,\xff", MediaType.CSV, r"not UTF-8 \(byte 6\)"),
        (b'Audi,"200', MediaType.CSV, "not CSV: line 1: unexpected end of data"),
        (b'"Audi" x,200', MediaType.CSV, "not CSV"),
        (b"Audi," + b"9" * 200_000, MediaType.CSV, "field larger than field limit"),
        (b'{"instances": [', MediaType.JSON, "not JSON: Expecting value at character 16"),
        (b"17", MediaType.JSON, "should be an object, or a list"),
        (b'{"instances": 17}', MediaType.JSON, "should be an object, or a list"),
        (b'{"instances": [], "parameters": {}}', MediaType.JSON, "beside 'instances' the body has 'parameters'"),
        (b"[" * 100_000, MediaType.JSON, "nested too deeply"),
        (b"[[1, " + b"9" * 5000 + b"]]", MediaType.JSON, "too many digits"),
        (b'["Audi", 1]\n\n["Ford", 2]', MediaType.JSON_LINES, "line 2 is not JSON"),
    ],
)
def test_a_wrong_body_is_refused_with_a_reason(body: bytes, media_type: MediaType, reason: str) -> None:
    """Status 400 and a sentence."""
    with pytest.raises(RequestError, match=reason) as caught:
        PARSER.parse(body, media_type)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("line", "media_type", "join"),
    [
        ("Audi,1", MediaType.CSV, "{}\n{}\n{}\n{}"),
        ('["Audi",1]', MediaType.JSON_LINES, "{}\n{}\n{}\n{}"),
        ('["Audi",1]', MediaType.JSON, "[{},{},{},{}]"),
    ],
)
def test_too_many_records_are_refused(line: str, media_type: MediaType, join: str) -> None:
    """Status 413, and the limit itself is allowed."""
    body = join.format(line, line, line, line)
    with pytest.raises(RequestError, match="3 records at most") as caught:
        parse(body, media_type)

    assert caught.value.status == 413
    assert len(parse(body.replace(line, "", 1).replace("[,", "[").lstrip("\n"), media_type)) == 3


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=300), media_type=st.sampled_from(MediaType))
def test_any_bytes_are_parsed_or_refused(body: bytes, media_type: MediaType) -> None:
    """Nothing but our own two errors comes out, whatever comes in."""
    try:
        rows = PARSER.parse(body, media_type)
    except (RequestError, RecordError):
        return
    assert all(isinstance(value, str) for row in rows for value in row)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_NAMED = st.dictionaries(st.sampled_from(["make", "engine_hp", "instances", "records", "x"]), _VALUES, max_size=4)


@settings(max_examples=300, deadline=None)
@given(value=_VALUES | _NAMED | st.lists(_NAMED, max_size=4))
def test_any_json_is_scored_or_refused(value: Any) -> None:
    """Every JSON value either becomes a matrix of finite numbers or is refused by one of our errors."""
    try:
        matrix = Encoder(SPEC).encode(parse_json(value))
    except (RequestError, RecordError):
        return
    assert abs(matrix).max() <= 1e15


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=12)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=3))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    """Quotes, commas, line ends, control characters and every script."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)

    assert parse(text.getvalue(), MediaType.CSV) == [list(row) for row in rows]
