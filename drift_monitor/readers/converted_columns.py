"""Columns of tables that are not yet what the monitor works with: converted, and counted where they cannot be.

Imports pyarrow's functions, which takes as long as analysing a hundred thousand rows: import it where it is needed.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.columns import finite, from_texts, is_numeric
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.table_columns import is_text
from drift_monitor.schema import Column


def converted_column(values: Any, column: Column, health: HealthCounter) -> Any:
    """The values as `column` says; those that do not fit are null and counted.

    `table_columns` has dealt with the plain cases, truth values as numbers among them.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _of_dictionary(values, column, health)
    if is_text(kind):
        return from_texts(values.cast(pa.string()), column, health)
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.float64() if is_numeric(column) else pa.string())
    return _number(values, column, health) if is_numeric(column) else _text(values, column, health)


def _of_dictionary(values: Any, column: Column, health: HealthCounter) -> Any:
    if is_numeric(column):
        return from_texts(values.cast(pa.string()), column, health)
    texts = values.dictionary.cast(pa.string())
    if pc.any(pc.equal(texts, "")).as_py():
        return from_texts(values.cast(pa.string()), column, health)
    return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), texts)


def _number(values: Any, column: Column, health: HealthCounter) -> Any:
    kind = values.type
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return values.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        return finite(values.cast(pa.float64(), safe=False), column.name, health)
    return _unusable(values, pa.float64(), column, health)


def _text(values: Any, column: Column, health: HealthCounter) -> Any:
    if pa.types.is_floating(values.type):
        # A code that the writer made a float, for some were missing: 3.0 is category 3.
        whole = values.cast(pa.float64())
        if pc.all(pc.equal(pc.floor(whole), whole)).as_py() and (pc.max(pc.abs(whole)).as_py() or 0) < 2**53:
            values = whole.cast(pa.int64())
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _unusable(values, pa.string(), column, health)


def _unusable(values: Any, kind: Any, column: Column, health: HealthCounter) -> Any:
    reason = f"column '{column.name}' has values of type {values.type}, which cannot be used"
    health.problem(reason, count=len(values) - values.null_count)
    return pa.nulls(len(values), kind)
