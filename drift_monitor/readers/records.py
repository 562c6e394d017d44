"""One payload at a time, whatever its form: rows of values in the order of the columns, or the reason why not.

Slow and tolerant; the fast readers hand over what is odd. Must not convert values.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Members that hold the records of a request or of an answer, unless a column has that name.
LIST_NAMES = ("instances", "records", "predictions", "inputs", "outputs", "data", "rows", "results")
_NO_RECORDS = "a payload has no records"
_DEEPEST = 32
_NAME_CHARACTERS = 60
Row = list[Any]


class PayloadError(Exception):
    """A payload gives no rows; the text is the reason, the same for all payloads of its kind."""


@dataclass(frozen=True)
class Records:
    """Rows of values, and names in the payload that are no columns."""

    rows: list[Row]
    unknown: tuple[str, ...] = ()


def unknown_column(name: str) -> str:
    """The reason under which a name that is no column is counted."""
    return f"'{name[:_NAME_CHARACTERS]}' is not a column of the schema"


def decode_base64(text: str) -> str:
    """The text behind Base64. Raises PayloadError if it is no Base64, or no text."""
    try:
        return base64.b64decode(text, validate=False).decode("utf-8").removeprefix("\ufeff")
    except ValueError:
        raise PayloadError("a payload is not text in Base64") from None


def read_payload(text: str, names: Sequence[str]) -> Records:
    """Records of a payload that is JSON, JSON Lines or CSV, which its first character tells. Raises PayloadError."""
    start = text.lstrip()[:1]
    if not start:
        raise PayloadError("a payload is empty")
    if start in "{[":
        return _of_json(text, names)
    try:
        return _of_csv(text, names)
    except PayloadError:
        if start != '"':
            raise
        return _of_json(text, names)


def _of_csv(text: str, names: Sequence[str]) -> Records:
    try:
        rows: list[Row] = [list(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise PayloadError(f"a payload is not CSV ({error})") from None
    if rows and [cell.strip() for cell in rows[0]] == list(names):
        del rows[0]
    return Records(_positional(rows, names))


def _of_json(text: str, names: Sequence[str]) -> Records:
    try:
        values = [json.loads(text)]
    except RecursionError:
        raise PayloadError("a payload is nested too deeply") from None
    except ValueError:
        values = list(_of_json_lines(text))
    rows: list[Row] = []
    unknown: dict[str, None] = {}
    for value in values:
        records = _of_value(value, names)
        rows += records.rows
        unknown.update(dict.fromkeys(records.unknown))
    return Records(rows, tuple(unknown))


def _of_json_lines(text: str) -> Iterator[Any]:
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                raise PayloadError("a payload is not JSON") from None


def _of_value(value: Any, names: Sequence[str]) -> Records:
    """Records of a JSON value: an object, a list of objects or of lists, columns, or one of these as a member."""
    value = _unwrapped(value, names)
    if isinstance(value, dict):
        return _of_object(value, names)
    if not isinstance(value, list):
        return Records(_positional([[value]], names))
    if not value:
        raise PayloadError(_NO_RECORDS)
    if all(isinstance(item, dict) for item in value):
        parts = [_of_object(item, names) for item in value]
        unknown = dict.fromkeys(name for part in parts for name in part.unknown)
        return Records([row for part in parts for row in part.rows], tuple(unknown))
    if all(isinstance(item, list) for item in value):
        return Records(_positional(value, names))
    if any(isinstance(item, (dict, list)) for item in value):
        raise PayloadError("a payload mixes records of several kinds")
    # Plain values: one row, or one row each where there is a single column.
    return Records(_positional([[item] for item in value] if len(names) == 1 else [value], names))


def _unwrapped(value: Any, names: Sequence[str]) -> Any:
    """The member that holds the records."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict) or any(name in value for name in names):
            return value
        inner = next((name for name in LIST_NAMES if name in value), None)
        if inner is None or (isinstance(value[inner], dict) and _flat(value).keys() & set(names)):
            return value
        value = value[inner]
    raise PayloadError("a payload is nested too deeply")


def _of_object(value: Mapping[str, Any], names: Sequence[str]) -> Records:
    flat = _flat(value) if any(isinstance(member, dict) for member in value.values()) else value
    unknown = tuple(flat.keys() - set(names))
    if len(unknown) == len(flat):
        return _of_single_member(value, names)
    columns = [flat.get(name) for name in names]
    lengths = {len(column) for column in columns if isinstance(column, list)}
    if not lengths:
        return Records([columns], unknown)
    if len(lengths) > 1 or not all(column is None or isinstance(column, list) for column in columns):
        raise PayloadError("a payload has columns of different lengths")
    length = lengths.pop()
    filled = [[None] * length if column is None else column for column in columns]
    return Records([list(row) for row in zip(*filled, strict=True)], unknown)


def _of_single_member(value: Mapping[str, Any], names: Sequence[str]) -> Records:
    """{"features": [1, 2, 3]}, or an answer under a name of its own."""
    only = next(iter(value.values())) if len(value) == 1 else None
    cells = only if isinstance(only, list) else [only]
    if len(value) != 1 or len(cells) != len(names) or any(isinstance(cell, (dict, list)) for cell in cells):
        raise PayloadError("a record has none of the columns")
    return Records([list(cells)])


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Members by name, those of nested objects with a dot between the names."""
    flat: dict[str, Any] = {}
    for key, member in value.items():
        if isinstance(member, dict) and member and depth < _DEEPEST:
            flat |= _flat(member, f"{prefix}{key}.", depth + 1)
        else:
            flat[prefix + key] = member
    return flat


def _positional(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    if not rows:
        raise PayloadError(_NO_RECORDS)
    if any(len(row) != len(names) for row in rows):
        raise PayloadError(f"a record does not have {len(names)} values")
    return list(rows)
