"""One pass over the rows of a window: what each analysis needs of them is collected, the rows themselves are not kept.

Must not judge anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from drift_monitor.profile.dataset import DatasetProfile, ProfileAnchors, Profiler
from drift_monitor.readers.columns import arrow_type
from drift_monitor.readers.ground_truth import LABEL, Labels
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import LabelCoverage
from drift_monitor.sampling import RowSample
from drift_monitor.schema import DataSchema


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


def collect(data: WindowData, wanted: Wanted, *, labelled: LabelledRows | None = None) -> Collected:
    """Read the window."""
    profiler, sample = Profiler(wanted.anchors), RowSample(wanted.sampled)
    names = [*dict.fromkeys(wanted.columns), LABEL]
    kept: list[pa.RecordBatch] = []
    for batch in data.batches:
        profiler.add(batch)
        complete = _with_label(_completed(batch, wanted.schema), data)
        if wanted.sampled:
            sample.add(complete)
        if wanted.columns:
            kept.append(complete.select(names))
        if labelled is not None:
            labelled.add(complete)
    table = _table(kept, names, wanted.schema)
    return Collected(
        profile=_without_own(profiler.result(), wanted.schema, data.label_column),
        table=table,
        sample=sample.table(),
        coverage=data.labels.coverage() if data.labels is not None else _coverage(table),
    )


def _completed(batch: pa.RecordBatch, schema: DataSchema) -> pa.RecordBatch:
    """The batch with nulls for the columns that it lacks; the checks report those that are missing."""
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


def _without_own(profile: DatasetProfile, schema: DataSchema, label: str | None) -> DatasetProfile:
    """Answers that the baseline was not made of, and the label, are no strange columns."""
    known = {column.name for column in schema.columns} | ({label} if label else set())
    return DatasetProfile(
        rows=profile.rows, columns=profile.columns, seen=profile.seen, extra=frozenset(profile.extra - known)
    )
