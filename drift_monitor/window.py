"""One pass over the rows of a window: what each analysis needs of them is collected, the rows themselves are not kept.

Must not judge anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from drift_monitor.profile.dataset import DatasetProfile, ProfileAnchors, Profiler
from drift_monitor.readers.columns import arrow_type
from drift_monitor.readers.ground_truth import LABEL, Labels
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import LabelCoverage
from drift_monitor.sampling import RowSample
from drift_monitor.schema import Column, DataSchema


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowData:
    """The rows of a window and where their labels are: in `labels`, by event, or in the column `label_column`."""

    batches: Iterable[pa.RecordBatch]
    health: HealthCounter
    labels: Labels | None = None
    label_column: str | None = None


class LabelledRows(Protocol):
    """Takes rows with the inputs of the schema and the column `_label`, some of them null."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Take those of the rows that have a label."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to collect: `columns` of all rows beside the label (memory grows with the rows), `sampled` of some."""

    schema: DataSchema
    anchors: ProfileAnchors
    columns: Sequence[str] = ()
    sampled: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Collected:
    """`table`: the wanted columns and `_label`, null where there is no label; `sample`: None if there were no rows."""

    profile: DatasetProfile
    table: pa.Table
    sample: pa.Table | None
    coverage: LabelCoverage


class Collector:
    """Takes the rows of one window of `data`; mutable. The data's label is no strange column of it."""

    def __init__(self, wanted: Wanted, data: WindowData) -> None:
        self._wanted = wanted
        self._data = data
        self._profiler, self._sample = Profiler(wanted.anchors), RowSample(wanted.sampled)
        self._names = [*dict.fromkeys(wanted.columns), LABEL]
        self._kept: list[pa.RecordBatch] = []
        self._without_input = self._without_output = 0

    def add(self, batch: pa.RecordBatch, complete: pa.RecordBatch) -> None:
        """Take a batch, as it was read and as `completed` gives it."""
        self._profiler.add(batch)
        self._count_sides(complete)
        if self._wanted.sampled:
            self._sample.add(complete)
        if self._wanted.columns:
            self._kept.append(complete.select(self._names))

    def result(self, coverage: LabelCoverage | None = None) -> Collected:
        """What was collected so far; `coverage` is that of the table itself if it is not given."""
        table = _table(self._kept, self._names, self._wanted.schema)
        return Collected(
            profile=self._profile(),
            table=table,
            sample=self._sample.table(),
            coverage=_coverage(table) if coverage is None else coverage,
        )

    def _count_sides(self, complete: pa.RecordBatch) -> None:
        health, schema = self._data.health, self._wanted.schema
        if health.without_input:
            self._without_input += _empty_rows(complete, schema.inputs)
        if health.without_output:
            self._without_output += _empty_rows(complete, schema.outputs)

    def _profile(self) -> DatasetProfile:
        """What was not captured is not known, which is something else than missing."""
        profile, schema = self._profiler.result(), self._wanted.schema
        unknown = dict.fromkeys((column.name for column in schema.inputs), self._without_input)
        unknown |= dict.fromkeys((column.name for column in schema.outputs), self._without_output)
        columns = {
            name: replace(column, missing=column.missing - unknown[name]) if unknown.get(name) else column
            for name, column in profile.columns.items()
        }
        # Answers that the baseline was not made of, and the label, are no strange columns.
        known = {column.name for column in schema.columns} | {self._data.label_column, *schema.ignored}
        return replace(profile, columns=columns, extra=frozenset(profile.extra - known))


def collect(data: WindowData, wanted: Wanted, *, labelled: LabelledRows | None = None) -> Collected:
    """Read the window."""
    collector = Collector(wanted, data)
    for batch in data.batches:
        complete = completed(batch, wanted.schema, data)
        collector.add(batch, complete)
        if labelled is not None:
            labelled.add(complete)
    return collector.result(data.labels.coverage() if data.labels is not None else None)


def completed(batch: pa.RecordBatch, schema: DataSchema, data: WindowData) -> pa.RecordBatch:
    """The batch with the column `_label`, and with nulls for the columns that it lacks: the checks report those."""
    return _with_label(_with_all(batch, schema), data)


def _with_all(batch: pa.RecordBatch, schema: DataSchema) -> pa.RecordBatch:
    for column in schema.columns:
        if column.name not in batch.schema.names:
            batch = batch.append_column(column.name, pa.nulls(batch.num_rows, arrow_type(column)))
    return batch


def _with_label(batch: pa.RecordBatch, data: WindowData) -> pa.RecordBatch:
    if data.labels is not None:
        return batch.append_column(LABEL, data.labels.of_rows(batch))
    if data.label_column is not None and data.label_column in batch.schema.names:
        return batch.append_column(LABEL, batch.column(data.label_column))
    return batch.append_column(LABEL, pa.nulls(batch.num_rows, pa.float64()))


def _table(batches: Sequence[pa.RecordBatch], names: Sequence[str], schema: DataSchema) -> pa.Table:
    """The batches as one; files of a data set may differ in the types of their columns."""
    if not batches:
        types = {column.name: arrow_type(column) for column in schema.columns}
        return pa.table({name: pa.array([], types.get(name, pa.float64())) for name in names})
    return pa.concat_tables([_plain(batch) for batch in batches], promote_options="permissive")


def _plain(batch: pa.RecordBatch) -> pa.Table:
    columns = {
        field.name: column.dictionary_decode() if pa.types.is_dictionary(field.type) else column
        for field, column in zip(batch.schema, batch.columns, strict=True)
    }
    return pa.table(columns)


def _coverage(table: pa.Table) -> LabelCoverage:
    labelled = table.num_rows - table.column(LABEL).null_count
    return LabelCoverage(predictions=table.num_rows, labelled=labelled, unmatched_labels=0)


def _empty_rows(batch: pa.RecordBatch, columns: Sequence[Column]) -> int:
    """Rows in which all of the columns are null: those of a request of which that side was not captured."""
    empty = np.ones(batch.num_rows, np.bool_)
    for column in columns:
        empty &= batch.column(column.name).is_null().to_numpy(zero_copy_only=False)
        if not empty.any():
            break
    return int(empty.sum())
