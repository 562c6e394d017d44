"""Data capture of an endpoint (or of batch transform) as typed record batches, and what became of the events.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
A bad record never ends the reading: it is counted in the health. Memory is bounded by the size of a block of lines.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.blocks import list_files, read_blocks
from drift_monitor.readers.columns import arrow_schema
from drift_monitor.readers.event_fields import VERIFICATION
from drift_monitor.readers.events import read_events
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.payloads import PayloadReader
from drift_monitor.readers.rows import aligned
from drift_monitor.readers.times import TIME_TYPE, hours_of, read_times
from drift_monitor.results import Window
from drift_monitor.schema import DataSchema

EVENT_ID, TIME, ROW = "_event_id", "_time", "_row"
# Small batches make the profiles slow: each compares all its edges with every batch.
_BATCH_ROWS = 1 << 16


def read_capture(
    paths: Sequence[Path], *, schema: DataSchema, window: Window | None, health: HealthCounter
) -> Iterator[pa.RecordBatch]:
    """Rows of the captured events of a window (all events if it is None), in the order of the files.

    Columns: those of `schema`, outputs first (float64 or string); `_event_id` (the caller's inference id, else
    SageMaker's), `_time` (UTC), `_row` (index of the row in its event). A side that was not captured is null; an event
    whose input cannot be read gives no rows. Batches have about 65,000 rows; an event is never split.
    `paths`: files, or folders with .jsonl and .jsonl.gz files. Raises ReaderError if one does not exist or be read.
    """
    if window is not None:
        health.expect(window)
    return _combined(_EventReader(schema, window, health).read(list_files(paths)))


def capture_schema(schema: DataSchema) -> pa.Schema:
    """The Arrow schema of the batches."""
    own = [(EVENT_ID, pa.string()), (TIME, TIME_TYPE), (ROW, pa.int64())]
    return pa.schema([*arrow_schema(schema.columns), *(pa.field(name, kind) for name, kind in own)])


class _EventReader:
    """Turns events into rows, block by block."""

    def __init__(self, schema: DataSchema, window: Window | None, health: HealthCounter) -> None:
        self._inputs = PayloadReader("input", schema.inputs, health)
        self._outputs = PayloadReader("output", schema.outputs, health)
        self._schema = capture_schema(schema)
        moments = () if window is None else (window.start, window.end)
        # Made once: a scalar costs more than comparing a block's times with it.
        self._limits = tuple(pa.scalar(moment, TIME_TYPE) for moment in moments)
        self._health = health

    def read(self, files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
        for block in read_blocks(files, self._health):
            captured = read_events(block.text, self._health)
            all_times = read_times(captured.column("time"), folder_hour=block.hour, health=self._health)
            events, times = self._of_callers(*self._in_window(captured, all_times))
            if events.num_rows:
                yield self._rows(events, times)

    def _in_window(self, events: pa.RecordBatch, times: Any) -> tuple[pa.RecordBatch, Any]:
        """The events of the window: folders hold more than it, for they go by the hour."""
        if self._limits:
            start, end = self._limits
            # Null, where the time is not known, is outside.
            inside = pc.and_(pc.greater_equal(times, start), pc.less(times, end))
            outside = len(times) - inside.true_count
            if outside:
                self._health.outside_window += outside
                events, times = events.filter(inside), times.filter(inside)
        for hour in hours_of(times):
            self._health.saw_hour(hour)
        return events, times

    def _of_callers(self, events: pa.RecordBatch, times: Any) -> tuple[pa.RecordBatch, Any]:
        """The events without those of a release's verification, which would be drift after every release."""
        verifying = pc.starts_with(events.column("id"), VERIFICATION)
        if verifying.true_count:
            self._health.problem("requests of a release's verification are left out", count=verifying.true_count)
            # Null, where there is no id at all, is a caller's.
            callers = pc.invert(pc.fill_null(verifying, False))
            events, times = events.filter(callers), times.filter(callers)
        return events, times

    def _rows(self, events: pa.RecordBatch, times: Any) -> pa.RecordBatch:
        inputs, outputs = events.column("input"), events.column("output")
        without_input = inputs.is_null().to_numpy(zero_copy_only=False)
        input_rows = self._inputs.read(inputs, events.column("input_encoding"))
        rows = aligned(
            input_rows, self._outputs.read(outputs, events.column("output_encoding")), without_input=without_input
        )
        self._health.events += events.num_rows
        self._health.rows += len(rows.events)
        self._health.without_input += inputs.null_count
        self._health.without_output += outputs.null_count
        self._health.wrong_columns += events.num_rows - inputs.null_count - input_rows.different_events
        self._health.problem("input and output differ in their number of rows", count=rows.unequal)
        ids = events.column("id")
        if not rows.one_each:
            of_rows = pa.array(rows.events)
            ids, times = ids.take(of_rows), times.take(of_rows)
        own = (ids, times, pa.array(rows.indexes))
        return pa.RecordBatch.from_arrays([*rows.outputs, *rows.inputs, *own], schema=self._schema)


def _combined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in larger batches."""
    pending: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        pending.append(batch)
        rows += batch.num_rows
        if rows >= _BATCH_ROWS:
            yield pa.concat_batches(pending)
            pending, rows = [], 0
    if rows:
        yield pa.concat_batches(pending)
