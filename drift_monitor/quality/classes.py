"""Class labels from wherever they come, in one spelling: captured numbers, strings and booleans meet here.

A model may answer 1.0 where the label file says "1".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# pyarrow has no type information: an Array or ChunkedArray of numbers, strings, dictionaries or booleans.
Column = Any
Codes = npt.NDArray[np.int64]
# A float holds every whole number up to here.
_LARGEST_WHOLE = 2**53


@dataclass(frozen=True)
class CodedClasses:
    """Actual and predicted classes as positions in `names` (sorted), for the rows that have both.

    `usable`: which of the given rows these are.
    """

    names: tuple[str, ...]
    actual: Codes
    predicted: Codes
    usable: npt.NDArray[np.bool_]


def class_names(column: Column) -> Column:
    """The column as strings: whole numbers without a decimal point, booleans as 0 and 1, NaN as null."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        finite = pc.if_else(pc.is_finite(column), column, None)
        whole = pc.and_(pc.equal(pc.floor(finite), finite), pc.less(pc.abs(finite), _LARGEST_WHOLE))
        column = finite.cast(pa.int64()) if pc.all(whole).as_py() is not False else finite
    return column.cast(pa.string())


def code_classes(actual: Column, predicted: Column) -> CodedClasses:
    """Both columns in one code; rows without a value on either side are left out."""
    sides = [class_names(actual), class_names(predicted)]
    usable = np.asarray(pc.and_(pc.is_valid(sides[0]), pc.is_valid(sides[1])))
    sides = [side.filter(pa.array(usable)) for side in sides]
    names = tuple(sorted({name for side in sides for name in pc.unique(side).to_pylist()}))
    positions = pa.array(names, type=pa.string())
    actual_codes, predicted_codes = (
        np.asarray(pc.index_in(side, value_set=positions)).astype(np.int64) for side in sides
    )
    return CodedClasses(names=names, actual=actual_codes, predicted=predicted_codes, usable=usable)


def confusion_counts(actual: Codes, predicted: Codes, *, classes: int) -> Codes:
    """Rows by actual (first axis) and predicted class (second); shape (classes, classes)."""
    counts = np.bincount(actual * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def confusion_table(counts: Codes, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """The counts under the names of the classes, as Model Monitor's confusion_matrix."""
    return {
        name: {other: int(count) for other, count in zip(names, row, strict=True)}
        for name, row in zip(names, counts, strict=True)
    }
