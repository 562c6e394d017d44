"""Arrow arrays of any type as numbers or as categories, with what cannot be read counted. Must not raise for a value.

Buffers are read and made directly: pyarrow's own conversions from and to Python and numpy import pandas wherever it is
installed, which takes as long as analysing a million values. So no `pa.array`, `pa.scalar` or `to_numpy` here but for
oddities.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NumberArray = NDArray[np.int64] | NDArray[np.float64]


class Numbers(NamedTuple):
    """`values` is int64 or float64 (NaN possible) without nulls; `mismatched` counts what is no number."""

    values: NumberArray
    missing: int
    mismatched: int

    @classmethod
    def none(cls, rows: int) -> "Numbers":
        """Rows without the column."""
        return cls(np.empty(0), rows, 0)


def as_numbers(array: pa.Array) -> Numbers:
    """The numbers of an array; texts are parsed, an empty text is missing, times become whole numbers of their unit."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if _is_text(array.type):
        return _parsed(array)
    missing = array.null_count
    target = _number_type(array.type)
    if target is None:
        return Numbers(np.empty(0), missing, len(array) - missing)
    array = _cast(array, target)
    values = _buffer(array, np.float64 if target == pa.float64() else np.int64)
    if not missing:
        return Numbers(values, 0, 0)
    if is_whole(values):
        return Numbers(values[_present(array)], missing, 0)
    # NaN is missing as well. Leaving the nulls out takes much longer than sorting them with the rest.
    return Numbers(np.where(_present(array), values, np.nan), 0, 0)


def as_categories(array: pa.Array) -> pa.Array:
    """The array as texts or as a dictionary of texts."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # Bytes that are no UTF-8, lists and records: their Python form is as good a name as any.
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def texts(values: Sequence[str]) -> pa.Array:
    """An Arrow array of texts."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers).cast(pa.string())


def taken(array: pa.Array, at: NDArray[np.int64]) -> list[str | None]:
    """The texts at the given positions; Parquet may hold bytes that are no UTF-8, which are replaced."""
    indices = pa.Array.from_buffers(pa.int64(), len(at), [None, pa.py_buffer(at)])
    found = array.take(indices).cast(pa.binary()).to_pylist()
    return [None if text is None else text.decode("utf-8", "replace") for text in found]


def is_whole(values: NumberArray) -> TypeGuard[NDArray[np.int64]]:
    """Whether these are whole numbers by type."""
    return values.dtype == np.int64


def positions(array: pa.Array, *, among: pa.Array) -> NDArray[np.int64]:
    """Where each text stands in another array, -1 if it does not."""
    found = pc.index_in(array, value_set=among)
    known = _buffer(_cast(found.is_valid(), pa.int64()), np.int64)
    return np.where(known == 1, _buffer(_cast(found, pa.int64()), np.int64), -1)


def index_buffer(indices: pa.Array) -> NDArray[np.int32] | NDArray[np.int64]:
    """Positions in a dictionary, without the nulls; int32 is what pyarrow makes of texts and of Parquet."""
    present = indices.drop_null() if indices.null_count else indices
    if pa.types.is_int32(present.type):
        return _buffer(present, np.int32)
    return _buffer(_cast(present, pa.int64()), np.int64)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _number_type(kind: pa.DataType) -> pa.DataType | None:
    """What a type is cast to before it is counted; None for a type that holds no number."""
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_uint64(kind):
        return pa.float64()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        return None if pa.types.is_interval(kind) else pa.int64()
    return pa.float64() if pa.types.is_null(kind) else None


def _cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_date32(array.type) or pa.types.is_time32(array.type):
        array = array.cast(pa.int32())
    return array if array.type == target else array.cast(target, safe=False)


def _buffer(array: pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    """The array's values as they lie in memory; what stands at a null is arbitrary."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, kind)
    return np.frombuffer(data, kind, count=len(array), offset=array.offset * np.dtype(kind).itemsize)


def _present(array: pa.Array) -> NDArray[np.bool_]:
    """Which values are not null; for an array that has nulls. Faster than pyarrow's own way of dropping them."""
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].view(np.bool_)


def _parsed(array: pa.Array) -> Numbers:
    given = pc.utf8_trim_whitespace(array.drop_null())
    given = given.filter(pc.binary_length(given).cast(pa.bool_()))
    missing = len(array) - len(given)
    try:
        return Numbers(_buffer(given.cast(pa.float64()), np.float64), missing, 0)
    except pa.ArrowInvalid:
        values = [_number(value) for value in given.to_pylist()]
        known = [value for value in values if value is not None]
        return Numbers(np.array(known, np.float64), missing, len(values) - len(known))


def _number(text: str) -> float | None:
    """As Arrow reads it, which is plainer than Python: no underscores, no digits of other scripts."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None
