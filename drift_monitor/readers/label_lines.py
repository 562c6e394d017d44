"""Lines of ground truth files as arrays: whose label it is, when it came, and its values as text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from drift_monitor.readers.events import Bytes, as_text, lines_in_utf_8, parse_object
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.records import PayloadError, decode_base64, read_payload
from drift_monitor.readers.rows import Numbers
from drift_monitor.readers.times import read_times

_NAMES = ("id", "time", "data", "encoding")
_LINE_SCHEMA = pa.schema([(name, pa.string()) for name in _NAMES])
_JSON_SCHEMA = pa.schema(
    [
        ("groundTruthData", pa.struct([("data", pa.string()), ("encoding", pa.string())])),
        ("eventMetadata", pa.struct([("eventId", pa.string()), ("inferenceTime", pa.string())])),
    ]
)
_PARSE_OPTIONS = pa_json.ParseOptions(explicit_schema=_JSON_SCHEMA, unexpected_field_behavior="ignore")
# One value as it is; anything else may be several, or quoted.
_SINGLE_VALUE = r'^[^\s,"\[{][^\n\r,"]*\n?$'


@dataclass(frozen=True, eq=False)
class LabelLines:
    """One label per event id: `counts` says how many of the `values` (strings, in the same order) each has."""

    ids: Any
    times: Any
    counts: Numbers
    values: Any


def read_label_lines(text: Bytes, *, folder_hour: datetime | None, health: HealthCounter) -> LabelLines:
    """The labels of whole lines. One that has no event id or no value is counted as unreadable.

    A label's time is its inferenceTime, else its folder's hour, else null.
    """
    data = lines_in_utf_8(text, health).tobytes()
    lines = _parsed(data)
    if lines is None:
        lines = _line_by_line(data, health)
    simple = pc.and_(
        pc.equal(lines.column("encoding"), "CSV"), pc.match_substring_regex(lines.column("data"), _SINGLE_VALUE)
    )
    if pc.all(simple, skip_nulls=False).as_py():
        counts, values = np.ones(len(lines), np.int64), pc.ascii_rtrim_whitespace(lines.column("data"))
    else:
        lines, counts, values = _several_values(lines, health)
    # Most labels have no time of their own, which is nothing to report.
    times = read_times(lines.column("time"), folder_hour=folder_hour, health=HealthCounter())
    return LabelLines(lines.column("id"), times, counts, values)


def _parsed(data: bytes) -> pa.RecordBatch | None:
    """All lines by Arrow's parser; None if it refuses one, or one is no label."""
    options = pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        table = pa_json.read_json(pa.BufferReader(data), read_options=options, parse_options=_PARSE_OPTIONS)
    except pa.ArrowInvalid:
        return None
    truth, metadata = (table.column(name).combine_chunks() for name in _JSON_SCHEMA.names)
    columns = [
        pc.struct_field(metadata, "eventId"),
        pc.struct_field(metadata, "inferenceTime"),
        pc.struct_field(truth, "data"),
        pc.struct_field(truth, "encoding"),
    ]
    if table.num_rows != data.count(b"\n") or columns[0].null_count or columns[2].null_count:
        return None
    return pa.RecordBatch.from_arrays(columns, schema=_LINE_SCHEMA)


def _line_by_line(data: bytes, health: HealthCounter) -> pa.RecordBatch:
    labels = []
    for line in data.decode().split("\n"):
        if not line.strip():
            continue
        try:
            value = parse_object(line)
        except ValueError:
            health.unreadable("a line is not JSON", line)
            continue
        label = None if value is None else _label(value)
        if label is None:
            health.unreadable("a line is no ground truth", line)
        else:
            labels.append(label)
    return pa.RecordBatch.from_pylist(labels, schema=_LINE_SCHEMA)


def _label(value: Mapping[str, Any]) -> dict[str, str | None] | None:
    truth, metadata = value.get("groundTruthData"), value.get("eventMetadata")
    if not isinstance(truth, dict) or not isinstance(metadata, dict):
        return None
    data, event_id = truth.get("data"), metadata.get("eventId")
    if data is None or not event_id:
        return None
    text = as_text(data) if isinstance(data, str) else json.dumps(data)
    encoding = as_text(truth.get("encoding")) if isinstance(data, str) else "JSON"
    return {
        "id": as_text(event_id),
        "time": as_text(metadata.get("inferenceTime")),
        "data": text,
        "encoding": encoding,
    }


def _several_values(lines: pa.RecordBatch, health: HealthCounter) -> tuple[pa.RecordBatch, Numbers, Any]:
    kept: list[int] = []
    counts: list[int] = []
    values: list[str | None] = []
    encodings = lines.column("encoding").to_pylist()
    for index, (text, encoding) in enumerate(zip(lines.column("data").to_pylist(), encodings, strict=True)):
        try:
            found = _values(decode_base64(text) if encoding == "BASE64" else text)
        except PayloadError:
            found = []
        if all(value is None for value in found):
            health.unreadable("a label has no value", text)
            continue
        kept.append(index)
        counts.append(len(found))
        values += found
    return lines.take(pa.array(kept, pa.int64())), np.array(counts, np.int64), pa.array(values, pa.string())


def _values(text: str) -> list[str | None]:
    """Labels of an event's rows: one per line, or all in one line."""
    try:
        rows = read_payload(text, ("label",)).rows
    except PayloadError:
        width = len(text.strip().split(","))
        if width < 2 or "\n" in text.strip():
            raise
        (row,) = read_payload(text, ("label",) * width).rows
        rows = [[cell] for cell in row]
    return [None if row[0] in (None, "") else _written(row[0]) for row in rows]


def _written(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(as_text(value))
