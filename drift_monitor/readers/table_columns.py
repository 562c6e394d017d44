"""Columns of tables made what the monitor works with: float64, int64, string or dictionary of strings.

What is of such a type already, as most columns are, is looked at with numpy only.
"""

import math
from typing import Any

import numpy as np
import pyarrow as pa

from drift_monitor.readers.health import HealthCounter
from drift_monitor.schema import Column, ColumnType

_CATEGORIES = pa.dictionary(pa.int32(), pa.string())


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is a string, not dictionary-encoded."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def typed_column(values: Any, column: Column | None, *, name: str, health: HealthCounter) -> Any:
    """The values as `column` says, or in the nearest of the four types if it is None.

    Values that do not fit are null and counted. A numeric column of whole numbers stays int64.
    """
    wanted = column if column is not None else Column(name, own_type(values.type))
    if wanted.type in (ColumnType.INTEGRAL, ColumnType.FRACTIONAL):
        if values.type == pa.int64() or (values.type == pa.float64() and _are_finite(values)):
            return values
        if pa.types.is_boolean(values.type):
            return _as_whole_numbers(values)
    elif values.type == _CATEGORIES and _are_not_empty(values.dictionary):
        return values
    from drift_monitor.readers.converted_columns import converted_column

    return converted_column(values, wanted, health)


def own_type(kind: Any) -> ColumnType:
    """What values of an Arrow type are to the monitor."""
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return ColumnType.INTEGRAL
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ColumnType.FRACTIONAL
    return ColumnType.STRING


def _are_finite(values: Any) -> bool:
    """False if there is NaN or an infinity; also if the sum overflows, or by what stands at a null."""
    if not len(values):
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(np.frombuffer(values.buffers()[1], np.float64, len(values), 8 * values.offset).sum())


def _are_not_empty(texts: Any) -> bool:
    """False if a text is empty or null."""
    if not len(texts):
        return True
    return bool(np.diff(np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)).all())


def _as_whole_numbers(truths: Any) -> Any:
    """0 and 1 as int64, nulls as they are."""
    if not len(truths):
        return pa.nulls(0, pa.int64())
    validity, bits = truths.buffers()
    # Whole bytes from the start of the buffer, so that the validity and the offset of the array stay right.
    numbers = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little", count=truths.offset + len(truths))
    buffers = [validity, pa.py_buffer(numbers.astype(np.int64))]
    return pa.Array.from_buffers(pa.int64(), len(truths), buffers, offset=truths.offset)
