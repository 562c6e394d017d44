"""The form of JSON payloads, as seen in one of them: where its records are, and what each column is written as."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyarrow as pa

from drift_monitor.readers.columns import arrow_type, is_numeric
from drift_monitor.readers.records import LIST_NAMES
from drift_monitor.schema import Column

# The name under which a list is put into an object, for Arrow reads objects only.
WRAPPER = "list"
Path = tuple[str, ...]


class Element(Enum):
    """What a record is: an object, a plain value, a list of numbers; or an object of lists holds all records."""

    OBJECT = "object"
    VALUE = "value"
    NUMBERS = "numbers"
    COLUMNS = "columns"


@dataclass(frozen=True)
class JsonForm:
    """`member`: the member with the list of records, None if the payload is the record itself (or one per line).

    `paths`: member names that lead to each column, None where the payload lacks it; `types`: what Arrow reads it as.
    `unknown`: names in the payload that are no columns.
    """

    member: str | None
    element: Element
    paths: tuple[Path | None, ...]
    types: tuple[Any, ...]
    unknown: tuple[str, ...] = ()

    def arrow_schema(self) -> pa.Schema:
        """The schema by which Arrow reads the payloads."""
        if self.element is Element.VALUE:
            item = self.types[0]
        elif self.element is Element.NUMBERS:
            item = pa.list_(pa.float64())
        else:
            tree: dict[str, Any] = {}
            for path, kind in zip(self.paths, self.types, strict=True):
                if path is not None:
                    _put(tree, path, pa.list_(kind) if self.element is Element.COLUMNS else kind)
            fields = [pa.field(name, _struct(member)) for name, member in tree.items()]
            if self.member is None:
                return pa.schema(fields)
            item = pa.struct(fields)
        return pa.schema([(self.member, pa.list_(item))])


def form_of(value: Any, columns: Sequence[Column]) -> JsonForm | None:
    """The form of a decoded payload; None if it is none that Arrow's reader can be used for."""
    member = _list_member(value, columns)
    items = value if member == WRAPPER and isinstance(value, list) else value[member] if member is not None else None
    if items is None:
        return _object_form(None, value, columns) if isinstance(value, dict) else None
    first = items[0] if items else None
    if isinstance(first, dict):
        return _object_form(member, first, columns)
    if isinstance(first, list):
        fits = len(first) == len(columns) and all(is_numeric(column) for column in columns)
        return JsonForm(member, Element.NUMBERS, (), ()) if fits else None
    kind = _written_as(first, columns[0]) if len(columns) == 1 and first is not None else None
    return None if kind is None else JsonForm(member, Element.VALUE, (), (kind,))


def _list_member(value: Any, columns: Sequence[Column]) -> str | None:
    if isinstance(value, list):
        return WRAPPER
    if not isinstance(value, dict) or any(column.name in value for column in columns):
        return None
    member = next((name for name in LIST_NAMES if name in value), None)
    return member if member is not None and isinstance(value[member], list) else None


def _object_form(member: str | None, value: Mapping[str, Any], columns: Sequence[Column]) -> JsonForm | None:
    leaves = {".".join(path): (path, leaf) for path, leaf in _leaves(value, ())}
    names = [column.name for column in columns]
    found = [leaves.get(name) for name in names]
    lists = [isinstance(item[1], list) for item in found if item is not None]
    if not lists or any(lists) != all(lists) or (lists[0] and member is not None):
        return None
    types = []
    for item, column in zip(found, columns, strict=True):
        sample = item[1] if item is not None else None
        kind = _written_as(next(iter(sample), None) if isinstance(sample, list) else sample, column)
        if kind is None:
            return None
        types.append(kind)
    paths = tuple(None if item is None else item[0] for item in found)
    unknown = tuple(name for name in leaves if name not in set(names))
    return JsonForm(member, Element.COLUMNS if lists[0] else Element.OBJECT, paths, tuple(types), unknown)


def _leaves(value: Mapping[str, Any], prefix: Path) -> Iterator[tuple[Path, Any]]:
    for name, member in value.items():
        if isinstance(member, dict) and member:
            yield from _leaves(member, (*prefix, name))
        else:
            yield (*prefix, name), member


def _written_as(sample: Any, column: Column) -> Any:
    """The Arrow type for a column that is written like the sample; None if Arrow cannot read it."""
    if sample is None:
        return arrow_type(column)
    if isinstance(sample, bool):
        return pa.bool_()
    if isinstance(sample, str):
        return pa.string()
    if isinstance(sample, (int, float)) and is_numeric(column):
        return pa.float64()
    return pa.int64() if isinstance(sample, int) else None


def _put(tree: dict[str, Any], path: Path, kind: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = kind


def _struct(member: Any) -> Any:
    if not isinstance(member, dict):
        return member
    return pa.struct([pa.field(name, _struct(inner)) for name, inner in member.items()])
