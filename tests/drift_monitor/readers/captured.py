"""What the tests of the readers share: a schema, events as hosts write them, and reading them all."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from drift_monitor.readers.capture import read_capture
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import CaptureHealth, Window
from drift_monitor.schema import Column, ColumnType, DataSchema

SCHEMA = DataSchema(
    inputs=(
        Column("year", ColumnType.INTEGRAL),
        Column("power", ColumnType.FRACTIONAL),
        Column("make", ColumnType.STRING),
    )
)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = Window(start=NOON, end=NOON.replace(hour=13))
CSV_ROW = "2011,90.5,ford"


def side(data: Any, encoding: str | None = "CSV") -> dict[str, Any]:
    """One side of an event."""
    return {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": encoding}


def event(
    request: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
    *,
    event_id: str = "e",
    time: str | None = "2026-11-26T12:30:00Z",
    inference_id: str | None = None,
) -> str:
    """A captured event as one line without its newline."""
    sides = {"endpointInput": request, "endpointOutput": answer}
    metadata = {"eventId": event_id, "inferenceId": inference_id, "inferenceTime": time}
    return json.dumps(
        {
            "captureData": {name: value for name, value in sides.items() if value is not None},
            "eventMetadata": {name: value for name, value in metadata.items() if value is not None},
            "eventVersion": "0",
        }
    )


def csv_event(
    row: str = CSV_ROW, answer: str = "12.5", *, event_id: str = "e", time: str = "2026-11-26T12:30:00Z"
) -> str:
    """An event with CSV on both sides."""
    return event(side(row), side(answer), event_id=event_id, time=time)


def read(
    paths: Sequence[Path], *, window: Window | None = None, schema: DataSchema = SCHEMA
) -> tuple[list[dict[str, Any]], CaptureHealth]:
    """All rows, and the health."""
    health = HealthCounter()
    batches = list(read_capture(paths, schema=schema, window=window, health=health))
    return rows_of(batches), health.result()


def read_lines(
    tmp_path: Path, lines: Iterable[str | bytes], **options: Any
) -> tuple[list[dict[str, Any]], CaptureHealth]:
    """All rows of one file with these lines, and the health."""
    file = tmp_path / "capture.jsonl"
    file.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    return read([file], **options)


def rows_of(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    """Rows of batches as dictionaries."""
    return [row for batch in batches for row in batch.to_pylist()]


def values(rows: Iterable[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
