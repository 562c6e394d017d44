"""Typed columns from what files hold: numbers are finite or null, texts are never empty.

Values that cannot be converted become null and are counted with the column's name. Must not know of files or events.
"""

import math
from collections.abc import Iterable, Sequence
from types import NoneType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.health import HealthCounter
from drift_monitor.schema import Column, ColumnType

_NUMERIC = (ColumnType.FRACTIONAL, ColumnType.INTEGRAL)
_PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"
_MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none"})
_TRUTH = {"true": 1.0, "false": 0.0}
# Made once: a scalar costs more than a call on a few thousand values.
_EMPTY, _NO_TEXT = pa.scalar("", pa.string()), pa.scalar(None, pa.string())


def is_numeric(column: Column) -> bool:
    """Whether a column is read as a number; one of unknown type is read as text."""
    return column.type in _NUMERIC


def arrow_type(column: Column) -> Any:
    """The type of a captured column: float64 or string. Integral columns are float64 too, so that 2.5 stays visible."""
    return pa.float64() if is_numeric(column) else pa.string()


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Schema of captured columns."""
    return pa.schema([(column.name, arrow_type(column)) for column in columns])


def from_values(values: Sequence[Any], column: Column, health: HealthCounter) -> Any:
    """A column from Python values as JSON or CSV have them: texts, numbers, truth values, None."""
    kinds = set(map(type, values))
    if kinds <= {str, NoneType}:
        return from_texts(pa.array([_as_text(value) for value in values], pa.string()), column, health)
    if not is_numeric(column):
        return pa.array([_as_text(value) for value in values], pa.string())
    if kinds <= {float, NoneType}:
        return finite(pa.array(values, pa.float64()), column.name, health)
    return pa.array([_as_number(value, column, health) for value in values], pa.float64())


def from_texts(texts: Any, column: Column, health: HealthCounter) -> Any:
    """A column from a string array; an empty text is missing."""
    if not is_numeric(column):
        return without_empty(texts)
    trimmed = pc.utf8_trim_whitespace(texts)
    plain = pc.fill_null(pc.match_substring_regex(trimmed, _PLAIN_NUMBER), False)
    numbers = pc.cast(pc.if_else(plain, trimmed, None), pa.float64())
    odd = pc.and_(pc.invert(plain), pc.is_valid(trimmed))
    others = trimmed.filter(odd).to_pylist()
    if others:
        values = pa.array([_as_number(text, column, health) for text in others], pa.float64())
        numbers = pc.replace_with_mask(numbers, odd, values)
    return finite(numbers, column.name, health)


def without_empty(texts: Any) -> Any:
    """A string array with null for empty texts."""
    empty = pc.equal(texts, _EMPTY)
    return pc.if_else(empty, _NO_TEXT, texts) if empty.true_count else texts


def from_arrow(values: Any, column: Column, health: HealthCounter) -> Any:
    """A column from an Arrow array of numbers, truth values or texts, whatever the column's own type."""
    kind = values.type
    if pa.types.is_string(kind):
        return from_texts(values, column, health)
    if not is_numeric(column):
        return pc.cast(values, pa.string())
    if pa.types.is_boolean(kind):
        values = pc.cast(values, pa.uint8())
    return finite(pc.cast(values, pa.float64(), safe=False), column.name, health)


def finite(numbers: Any, name: str, health: HealthCounter) -> Any:
    """A float64 array without infinities, which are counted, and without NaN, which means missing."""
    # The sum shows at once that there is nothing to replace; it may overflow without an infinity.
    if math.isfinite(pc.sum(numbers).as_py() or 0.0):
        return numbers
    infinite = pc.sum(pc.is_inf(numbers)).as_py()
    health.problem(_not_a_number(name), "an infinite number", count=infinite or 0)
    return pc.if_else(pc.is_finite(numbers), numbers, None)


def _as_text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        # JSON may hold half a surrogate pair, which UTF-8 cannot.
        return value.encode(errors="replace").decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _as_number(value: Any, column: Column, health: HealthCounter) -> float | None:
    try:
        number = float(value) if isinstance(value, (int, float)) else _number_of_text(value)
    except (ValueError, OverflowError):
        number = math.inf
    if number is None or math.isnan(number):
        return None
    if math.isinf(number):
        health.problem(_not_a_number(column.name), _as_text(value) or "")
        return None
    return number


def _number_of_text(value: Any) -> float | None:
    """The number of a text, None for what stands for a missing value; raises ValueError for anything else."""
    if value is None:
        return None
    text = str(value).strip().lower()
    if text in _MISSING_WORDS:
        return None
    # float() takes more than files mean: 1_000, and digits of other scripts.
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return _TRUTH[text] if text in _TRUTH else float(text)


def _not_a_number(name: str) -> str:
    return f"a value of column '{name}' is not a number"
