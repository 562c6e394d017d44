"""Columns of a data set by name and type, in the order of a headerless record. Must not read or infer anything."""

from dataclasses import dataclass
from enum import StrEnum


class ColumnType(StrEnum):
    """Model Monitor's `inferred_type`."""

    INTEGRAL = "Integral"
    FRACTIONAL = "Fractional"
    STRING = "String"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Column:
    """One column; a number that stands for a category (a code) is STRING."""

    name: str
    type: ColumnType


@dataclass(frozen=True, kw_only=True)
class DataSchema:
    """Inputs of the model in the order of a headerless record, and the columns that it answers with.

    `ignored`: further columns that tables may have, and that are neither read nor reported.
    """

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...] = (Column("prediction", ColumnType.FRACTIONAL),)
    ignored: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, outputs first, as Model Monitor orders a captured row."""
        return self.outputs + self.inputs
