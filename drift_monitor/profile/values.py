"""Arrow arrays of any type as numbers or as categories, with what cannot be read counted. Must not raise for a value.

Buffers are read and made directly: pyarrow's own conversions from and to Python and numpy import pandas wherever it is
installed, which takes as long as analysing a million values. So no `pa.array`, `pa.scalar` or `to_numpy` here but for
oddities. The same goes for `pyarrow.compute`, which `cast`, `take`, `filter` and others import: Parquet files that hold
what the monitor works with do without.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import pyarrow as pa
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
    array = decoded(array)
    if _is_text(array.type):
        from drift_monitor.profile.parsing import parsed

        return parsed(array)
    missing = array.null_count
    target = _number_type(array.type)
    if target is None:
        return Numbers(np.empty(0), missing, len(array) - missing)
    array = _cast(array, target)
    values = number_buffer(array, np.float64 if target == pa.float64() else np.int64)
    return Numbers(values[_present(array)] if missing else values, missing, 0)


def as_categories(array: pa.Array) -> pa.Array:
    """The array as texts or as a dictionary of texts, none of them null."""
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string(array.type.value_type) and not array.dictionary.null_count:
            return array
        array = array.dictionary_decode()
    if pa.types.is_string(array.type):
        return array
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        # Bytes that are no UTF-8, lists and records: their Python form is as good a name as any.
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def decoded(array: pa.Array) -> pa.Array:
    """The array's texts themselves."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def texts(values: Sequence[str]) -> pa.Array:
    """An Arrow array of texts."""
    encoded = [value.encode() for value in values]
    ends = np.fromiter(accumulate(map(len, encoded), initial=0), np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def taken(array: pa.Array, at: NDArray[np.int64]) -> list[str | None]:
    """The texts at the given positions; Parquet may hold bytes that are no UTF-8, which are replaced."""
    indices = pa.Array.from_buffers(pa.int64(), len(at), [None, pa.py_buffer(at)])
    found = array.take(indices).cast(pa.binary()).to_pylist()
    return [None if text is None else text.decode("utf-8", "replace") for text in found]


def is_whole(values: NumberArray) -> TypeGuard[NDArray[np.int64]]:
    """Whether these are whole numbers by type."""
    return values.dtype == np.int64


def positions(array: pa.Array, *, among: pa.Array) -> NDArray[np.int32]:
    """Where each text stands in another array, -1 if it does not; neither array has nulls."""
    # A dictionary that serves both has the texts of the first one first.
    both = pa.chunked_array([_numbered(among), _numbered(array)]).unify_dictionaries()
    found = number_buffer(both.chunk(1).indices, np.int32)
    return np.where(found < len(among), found, np.int32(-1))


def index_buffer(indices: pa.Array) -> NDArray[np.int32] | NDArray[np.int64]:
    """Positions in a dictionary, without the nulls; int32 is what pyarrow makes of texts and of Parquet."""
    is_short = pa.types.is_int32(indices.type)
    found = number_buffer(indices, np.int32) if is_short else number_buffer(_cast(indices, pa.int64()), np.int64)
    return found[_present(indices)] if indices.null_count else found


def number_buffer(array: pa.Array, kind: type[np.generic]) -> NDArray[Any]:
    """The array's values as they lie in memory; what stands at a null is arbitrary."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.empty(0, kind)
    return np.frombuffer(data, kind, count=len(array), offset=array.offset * np.dtype(kind).itemsize)


def _numbered(texts: pa.Array) -> pa.DictionaryArray:
    """Each text once, in order, as a dictionary array."""
    indices = pa.py_buffer(np.arange(len(texts), dtype=np.int32))
    return pa.DictionaryArray.from_arrays(pa.Array.from_buffers(pa.int32(), len(texts), [None, indices]), texts)


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


def _present(array: pa.Array) -> NDArray[np.bool_]:
    """Which values are not null; for an array that has nulls. Faster than pyarrow's own way of dropping them."""
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].view(np.bool_)
