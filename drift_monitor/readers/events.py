"""Captured events of a block of lines, as text columns (EVENT_SCHEMA). Must not look into the payloads.

Three ways, each for what the one before leaves over: by the common layout of the lines, by Arrow's JSON parser, and
line by line with the reasons why a line is no event.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_monitor.readers.event_fields import BATCH_OUTPUT, EVENT_SCHEMA, INPUT, NO_EVENTS, OUTPUT, event_key
from drift_monitor.readers.event_layout import read_by_layout
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.json_objects import read_objects
from drift_monitor.readers.payload_lines import NEWLINE, as_line, as_lines, places_of
from drift_monitor.readers.rows import Numbers

_SIDE = pa.struct([("data", pa.string()), ("encoding", pa.string())])
_JSON_SCHEMA = pa.schema(
    [
        ("captureData", pa.struct([(name, _SIDE) for name in (INPUT, OUTPUT, BATCH_OUTPUT)])),
        ("eventMetadata", pa.struct([(name, pa.string()) for name in ("eventId", "inferenceId", "inferenceTime")])),
    ]
)
_NOT_JSON = "a line is not JSON"
_NO_EVENT = "a line is no captured event"
_NOT_UTF_8 = "a line is not UTF-8"
_ASCII_BYTES = 128
Bytes = NDArray[np.uint8]


def read_events(text: Bytes, health: HealthCounter) -> pa.RecordBatch:
    """Events of whole lines, each with its newline, in their order; lines that are none are counted in `health`.

    The text is not what it was afterwards.
    """
    text = lines_in_utf_8(text, health)
    ends = places_of(text == NEWLINE) + 1
    if not len(ends):
        return NO_EVENTS
    starts = np.concatenate(([0], ends[:-1]))
    events, taken = read_by_layout(text, starts, ends)
    if len(taken) == len(ends):
        return events
    left = ends - starts > len(b"\r\n")
    left[taken] = False
    lines = _lines(text, starts, ends, np.flatnonzero(left))
    parsed, numbers = _parsed(lines)
    refused = np.flatnonzero(~np.isin(lines.numbers, numbers, assume_unique=True))
    read, read_numbers = _one_by_one(lines, refused, health)
    together = pa.concat_batches([events, parsed, read])
    order = np.concatenate((taken, numbers, read_numbers))
    return together if (np.diff(order) > 0).all() else together.take(pa.array(np.argsort(order)))


def parse_object(line: str) -> dict[str, Any] | None:
    """The JSON object of a line; None if it is another value. Raises ValueError if it is not JSON."""
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value if isinstance(value, dict) else None


def lines_in_utf_8(text: Bytes, health: HealthCounter) -> Bytes:
    """The lines that are UTF-8; others are counted."""
    if text.max(initial=0) < _ASCII_BYTES:
        return text
    data = text.tobytes()
    if is_utf_8(data):
        return text
    kept = bytearray()
    for line in data.removesuffix(b"\n").split(b"\n"):
        if is_utf_8(line):
            kept += line + b"\n"
        else:
            health.unreadable(_NOT_UTF_8, line)
    return np.frombuffer(kept, np.uint8)


def is_utf_8(data: bytes) -> bool:
    """Whether all of it is UTF-8; Arrow's parsers do not look."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def as_text(value: Any) -> str | None:
    """A text that can be written as UTF-8: JSON may hold half a surrogate pair."""
    return None if value is None else str(value).encode(errors="replace").decode()


@dataclass(frozen=True, eq=False)
class _Lines:
    """Some lines of a text: line i goes from `cuts[i]` to `cuts[i + 1]` in `data`, and is `numbers[i]` in the text."""

    data: bytes
    cuts: Numbers
    numbers: Numbers


def _lines(text: Bytes, starts: Numbers, ends: Numbers, numbers: Numbers) -> _Lines:
    if len(numbers) == len(ends):
        return _Lines(text.tobytes(), np.append(starts, len(text)), numbers)
    starts, ends = starts[numbers], ends[numbers]
    texts = [text[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return _Lines(b"".join(texts), np.concatenate(([0], np.cumsum(ends - starts))), numbers)


def _parsed(lines: _Lines) -> tuple[pa.RecordBatch, Numbers]:
    """Events by Arrow's parser, with the numbers of their lines."""
    table, places = read_objects(lines.data, lines.cuts, _JSON_SCHEMA)
    sides, metadata = (table.column(name).combine_chunks() for name in _JSON_SCHEMA.names)
    output, batch_output = (_member(sides, name, "data") for name in (OUTPUT, BATCH_OUTPUT))
    encoding, batch_encoding = (_member(sides, name, "encoding") for name in (OUTPUT, BATCH_OUTPUT))
    read = {
        "id": event_key(_member(metadata, "eventId"), _member(metadata, "inferenceId")),
        "time": _member(metadata, "inferenceTime"),
        "input": as_lines(_member(sides, INPUT, "data")),
        "input_encoding": _member(sides, INPUT, "encoding"),
        "output": as_lines(pc.coalesce(output, batch_output)),
        "output_encoding": pc.coalesce(encoding, batch_encoding),
    }
    events = pa.RecordBatch.from_arrays([read[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)
    complete = pc.and_(sides.is_valid(), metadata.is_valid())
    return events.filter(complete), lines.numbers[places][complete.to_numpy(zero_copy_only=False)]


def _member(array: Any, *names: str) -> Any:
    return pc.struct_field(array, list(names))


def _one_by_one(lines: _Lines, places: Numbers, health: HealthCounter) -> tuple[pa.RecordBatch, Numbers]:
    """Events of lines that Arrow refuses, with the numbers of these lines; what is no event is counted."""
    events = []
    numbers = []
    for place in places.tolist():
        line = lines.data[lines.cuts[place] : lines.cuts[place + 1]]
        if not line.strip():
            continue
        try:
            value = parse_object(line.decode())
        except ValueError:
            health.unreadable(_NOT_JSON, line)
            continue
        event = None if value is None else _event(value)
        if event is None:
            health.unreadable(_NO_EVENT, line)
        else:
            events.append(event)
            numbers.append(lines.numbers[place])
    return pa.RecordBatch.from_pylist(events, schema=EVENT_SCHEMA), np.array(numbers, np.int64)


def _event(value: Mapping[str, Any]) -> dict[str, str | None] | None:
    sides, metadata = value.get("captureData"), value.get("eventMetadata")
    if not isinstance(sides, dict) or not isinstance(metadata, dict):
        return None
    output = sides.get(OUTPUT)
    input_data, input_encoding = _side(sides.get(INPUT))
    output_data, output_encoding = _side(sides.get(BATCH_OUTPUT) if output is None else output)
    return {
        "id": as_text(metadata.get("inferenceId")) or as_text(metadata.get("eventId")),
        "time": as_text(metadata.get("inferenceTime")),
        "input": input_data,
        "input_encoding": input_encoding,
        "output": output_data,
        "output_encoding": output_encoding,
    }


def _side(side: Any) -> tuple[str | None, str | None]:
    """Payload and encoding of a side; a payload that is JSON itself instead of text is taken as such."""
    if not isinstance(side, dict):
        return None, None
    data = side.get("data")
    if data is None:
        return None, as_text(side.get("encoding"))
    if isinstance(data, str):
        return as_line(str(as_text(data))), as_text(side.get("encoding"))
    return as_line(json.dumps(data)), "JSON"
