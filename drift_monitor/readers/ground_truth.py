"""Ground truth files: labels by event, joined to captured rows, with how many have one and how late labels came.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
Holds the labels in memory (about 100 bytes each), never the captured rows.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_monitor.readers.blocks import list_files, read_blocks
from drift_monitor.readers.capture import EVENT_ID, ROW, TIME
from drift_monitor.readers.columns import from_texts
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.label_lines import LabelLines, read_label_lines
from drift_monitor.readers.rows import Mask, Numbers
from drift_monitor.readers.times import TIME_TYPE
from drift_monitor.results import LabelCoverage
from drift_monitor.schema import Column, ColumnType

LABEL = "_label"
LabelValue = str | int | float | bool


@dataclass(kw_only=True, eq=False)
class Labels:
    """Labels of events: `ids` (all different), `times` of arrival (null if not known), `starts` and `counts` of their
    values in `values` (one per row of the event; float64, or string if one of them is no number).

    `duplicates`: labels that a later one of the same event replaced. Mutable: it counts what is joined; `unequal` are
    events with another number of rows than their label has values.
    """

    ids: Any
    times: Any
    starts: Numbers
    counts: Numbers
    values: Any
    duplicates: int = 0
    unequal: int = 0
    _predictions: int = 0
    _labelled: int = 0
    _met: Mask = field(init=False)
    _waited: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._met = np.zeros(len(self.counts), np.bool_)

    def of_rows(self, batch: pa.RecordBatch) -> Any:
        """The labels of the rows of a batch of `read_capture`, null where there is none.

        Events must be whole, as `read_capture` gives them; one that has another number of rows than its label has
        values gets none.
        """
        self._predictions += batch.num_rows
        if not batch.num_rows or not len(self.counts):
            return pa.nulls(batch.num_rows, self.values.type)
        found = pc.index_in(batch.column(EVENT_ID), value_set=self.ids)
        known = found.is_valid().to_numpy(zero_copy_only=False)
        labels = pc.fill_null(found, 0).to_numpy()
        rows = batch.column(ROW).to_numpy()
        firsts = np.flatnonzero(rows == 0)
        event_rows = np.diff(firsts, append=len(rows))
        fitting = known & (self.counts[labels] == np.repeat(event_rows, event_rows))
        self.unequal += int((known & ~fitting)[firsts].sum())
        values = self.values.take(pa.array(self.starts[labels] + rows, mask=~fitting))
        self._count(labels, batch.column(TIME), values)
        self._met[labels[known]] = True
        return values

    def coverage(self) -> LabelCoverage:
        """Over all rows that were joined so far. Labels of events outside the capture count as unmatched."""
        waited = np.concatenate(self._waited) if self._waited else None
        quantiles = (None, None) if waited is None else np.quantile(waited, (0.5, 0.95)).tolist()
        return LabelCoverage(
            predictions=self._predictions,
            labelled=self._labelled,
            unmatched_labels=int(self.counts[~self._met].sum()),
            lateness_seconds_p50=quantiles[0],
            lateness_seconds_p95=quantiles[1],
        )

    def _count(self, labels: Numbers, predicted: Any, values: Any) -> None:
        labelled = values.is_valid()
        self._labelled += labelled.true_count
        arrived = self.times.take(pa.array(labels[labelled.to_numpy(zero_copy_only=False)]))
        waited = pc.subtract(arrived, predicted.filter(labelled)).drop_null()
        if len(waited):
            seconds = waited.cast(pa.int64()).to_numpy() / 1e6
            # The hour of a label's folder may begin before a prediction of the same hour.
            self._waited.append(np.maximum(seconds, 0).astype(np.float32))


def read_labels(paths: Sequence[Path], *, health: HealthCounter | None = None) -> Labels:
    """The labels of ground truth files, or of the .jsonl and .jsonl.gz files below folders.

    Of several labels of one event the latest counts, and of those that came at the same time the one read last. Lines
    that are no label are counted in `health`. Raises ReaderError if a path does not exist or cannot be read.
    """
    counter = health if health is not None else HealthCounter()
    lines = [
        read_label_lines(block.text, folder_hour=block.hour, health=counter)
        for block in read_blocks(list_files(paths), counter)
    ]
    labels = _latest(_together(lines))
    counter.events += len(labels.counts) + labels.duplicates
    counter.problem("a label was replaced by a later one of the same event", count=labels.duplicates)
    return labels


def join_labels(batches: Iterable[pa.RecordBatch], labels: Labels, *, label: str = LABEL) -> Iterator[pa.RecordBatch]:
    """Captured rows with their label as the column `label`; rows without one are left out.

    `labels.coverage()` afterwards tells how many those were.
    """
    for batch in batches:
        values = labels.of_rows(batch)
        yield batch.append_column(label, values).filter(values.is_valid())


def label_line(event_id: str, value: LabelValue | Sequence[LabelValue]) -> str:
    """One line of a ground truth file, with its newline.

    `event_id`: the inference id that was sent with the request, else the event id of the capture. `value`: the label,
    or one for each record of the request.
    """
    values = [value] if isinstance(value, (str, int, float)) else value
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(item)] for item in values)
    truth = {"data": text.getvalue().removesuffix("\n"), "encoding": "CSV"}
    line = {"groundTruthData": truth, "eventMetadata": {"eventId": event_id}, "eventVersion": "0"}
    return json.dumps(line, separators=(",", ":")) + "\n"


def _cell(value: LabelValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _together(lines: Sequence[LabelLines]) -> LabelLines:
    if not lines:
        return LabelLines(
            pa.array([], pa.string()), pa.array([], TIME_TYPE), np.empty(0, np.int64), pa.array([], pa.string())
        )
    return LabelLines(
        pa.concat_arrays([part.ids for part in lines]),
        pa.concat_arrays([part.times for part in lines]),
        np.concatenate([part.counts for part in lines]),
        pa.concat_arrays([part.values for part in lines]),
    )


def _latest(lines: LabelLines) -> Labels:
    """The latest label of each event. One of unknown time is older than all others."""
    times = pc.fill_null(lines.times.cast(pa.int64()), np.iinfo(np.int64).min).to_numpy()
    events = lines.ids.dictionary_encode().indices.to_numpy()
    order = np.lexsort((np.arange(len(events)), times, events))
    last = np.ones(len(order), np.bool_)
    last[:-1] = np.diff(events[order]) != 0
    kept = np.sort(order[last])
    return Labels(
        ids=lines.ids.take(pa.array(kept)),
        times=lines.times.take(pa.array(kept)),
        starts=(np.cumsum(lines.counts) - lines.counts)[kept],
        counts=lines.counts[kept],
        values=_typed(lines.values),
        duplicates=len(events) - len(kept),
    )


def _typed(texts: Any) -> Any:
    """Numbers if all labels are, else the texts."""
    health = HealthCounter()
    numbers = from_texts(texts, Column("label", ColumnType.FRACTIONAL), health)
    return from_texts(texts, Column("label", ColumnType.STRING), health) if health.result().problems else numbers
