"""Profiles of plain numpy arrays, for the tests of what is computed from them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
from numpy.typing import NDArray

from drift_monitor.baseline import build_baseline
from drift_monitor.profile.dataset import DatasetProfile, ProfileAnchors, Profiler
from drift_monitor.schema import Column, ColumnType, DataSchema

Values: TypeAlias = NDArray[Any] | Sequence[object] | pa.Array


def schema_of(**types: ColumnType) -> DataSchema:
    """A schema of inputs only."""
    return DataSchema(inputs=tuple(Column(name, kind) for name, kind in types.items()), outputs=())


def batch(columns: Mapping[str, Values]) -> pa.RecordBatch:
    """One batch; None is null, as is NaN in a list."""
    return pa.record_batch(
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    )


def baseline_profile(columns: Mapping[str, Values], schema: DataSchema) -> DatasetProfile:
    """The profile of a baseline with these columns."""
    return build_baseline([batch(columns)], schema=schema).profile


def window_profile(
    columns: Mapping[str, Values], anchors: ProfileAnchors, *, rows_at_once: int = 10**9
) -> DatasetProfile:
    """The profile of a window that is read in batches of the given size."""
    profiler = Profiler(anchors)
    whole = batch(columns)
    for start in range(0, whole.num_rows, rows_at_once):
        profiler.add(whole.slice(start, rows_at_once))
    return profiler.result()
