"""Who belongs to a group: by values of a column, or by a threshold that a number exceeds. Must not count or judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.errors import SettingsError
from drift_monitor.quality.classes import Column, class_names

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows whose value is one of `values`, or is a number above `threshold`; exactly one of the two is given."""

    values: tuple[str, ...] = ()
    threshold: float | None = None

    def __post_init__(self) -> None:
        if bool(self.values) == (self.threshold is not None):
            raise SettingsError("a group of a bias analysis needs either values or a threshold")

    @property
    def text(self) -> str:
        """Clarify's value_or_threshold."""
        return ",".join(self.values) if self.threshold is None else f"({self.threshold:g}, inf)"

    def members(self, column: Column) -> tuple[Flags, Flags]:
        """Which rows belong, and which rows have a value at all; raises SettingsError for a threshold on text."""
        if self.threshold is None:
            names = class_names(column)
            return _flags(pc.is_in(names, value_set=pa.array(self.values, pa.string()))), _flags(pc.is_valid(names))
        try:
            numbers = np.asarray(pc.cast(column, pa.float64()), dtype=np.float64)
        except pa.ArrowInvalid as error:
            raise SettingsError(f"the threshold {self.threshold:g} needs a column of numbers ({error})") from None
        return numbers > self.threshold, ~np.isnan(numbers)


def parse_group(values_or_threshold: Sequence[Any], *, numeric: bool) -> Group:
    """A group of Clarify's analysis_config.json: one number for a numeric column is a threshold, all else are values.

    Clarify guesses from the data whether numbers are codes; here the column's type in the schema decides, and a code
    is a string there.
    """
    given = list(values_or_threshold)
    if numeric and len(given) == 1:
        try:
            return Group(threshold=float(given[0]))
        except (TypeError, ValueError):
            raise SettingsError(f"the threshold of a bias analysis should be a number, not {given[0]!r}") from None
    return Group(values=tuple(_text(value) for value in given))


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A column whose group is compared with everybody else."""

    column: str
    group: Group


def column_of(table: Any, name: str, *, role: str) -> Column:
    """A column of an Arrow table or batch; raises SettingsError naming what it was wanted for."""
    if name not in table.schema.names:
        raise SettingsError(f"the {role} '{name}' of the bias analysis is not a column of the data")
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def group_codes(column: Column | None, rows: int) -> npt.NDArray[np.int64]:
    """A number per distinct value of the group variable (missing is a value of its own); all 0 without one."""
    if column is None:
        return np.zeros(rows, dtype=np.int64)
    encoded = class_names(column).dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices, dtype=np.int64)


def _flags(column: Column) -> Flags:
    return np.asarray(column, dtype=np.bool_)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(int(value)) if isinstance(value, bool) else str(value)
