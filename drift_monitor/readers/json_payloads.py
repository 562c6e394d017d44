"""JSON payloads of many events in one call of Arrow's JSON reader.

The first payload shows the form (json_form.py); what has another form, or is refused, is handed back as odd.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.columns import arrow_schema, from_arrow
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.json_form import WRAPPER, Element, JsonForm, form_of
from drift_monitor.readers.json_objects import read_objects
from drift_monitor.readers.payload_lines import NEWLINE, as_lines, bytes_of, count_byte, offsets_of
from drift_monitor.readers.records import unknown_column
from drift_monitor.readers.rows import Mask, Numbers, Rows, empty
from drift_monitor.schema import Column


class JsonPayloads:
    """Reads JSON payloads of one side."""

    def __init__(self, columns: Sequence[Column], health: HealthCounter) -> None:
        self._columns = tuple(columns)
        self._health = health
        self._empty = empty(arrow_schema(columns))

    def read(self, texts: Any) -> tuple[Rows, Numbers]:
        """Rows of the payloads (lines, one at least, no nulls), and the numbers of those that are odd, ascending."""
        rows = self._empty
        form = self._form(texts)
        if form is not None:
            for name in form.unknown:
                self._health.problem(unknown_column(name))
            objects, owners = _objects(texts, form)
            rows = self._read(objects, owners, form)
            if len(owners) != len(texts):
                rows = _of_all_lines(rows, owners)
        taken = np.zeros(len(texts), np.bool_)
        taken[rows.events] = True
        return rows, np.flatnonzero(~taken)

    def _form(self, texts: Any) -> JsonForm | None:
        try:
            # A payload of several lines has an object on each.
            return form_of(json.loads(texts[0].as_py().strip().split("\n{")[0]), self._columns)
        except (ValueError, RecursionError):
            return None

    def _read(self, objects: Any, owners: Numbers, form: JsonForm) -> Rows:
        """Rows of the objects that have the form and that Arrow does not refuse."""
        if not len(objects):
            return self._empty
        offsets = offsets_of(objects)
        table, numbers = read_objects(bytes_of(objects), offsets - offsets[0], form.arrow_schema())
        owners = owners[numbers]
        if form.element is Element.NUMBERS:
            rows = self._of_numbers(table.column(0).combine_chunks(), owners)
        elif form.element is Element.COLUMNS:
            rows = self._of_columns(table, form, owners)
        elif form.member is None:
            rows = self._of_objects(_as_struct(table), form, owners)
        else:
            lists = table.column(0).combine_chunks()
            rows = self._of_items(lists.flatten(), form, owners[pc.list_parent_indices(lists).to_numpy()])
        return _without_empty(rows)

    def _of_items(self, items: Any, form: JsonForm, owners: Numbers) -> Rows:
        if form.element is Element.OBJECT:
            return self._of_objects(items, form, owners)
        return Rows((from_arrow(items, self._columns[0], self._health),), owners)

    def _of_objects(self, structs: Any, form: JsonForm, owners: Numbers) -> Rows:
        columns = tuple(
            pa.nulls(len(structs), self._empty.columns[index].type)
            if path is None
            else from_arrow(pc.struct_field(structs, list(path)), self._columns[index], self._health)
            for index, path in enumerate(form.paths)
        )
        return Rows(columns, owners)

    def _of_numbers(self, lists: Any, owners: Numbers) -> Rows:
        records = lists.flatten()
        owners = owners[pc.list_parent_indices(lists).to_numpy()]
        width = len(self._columns)
        right = _true(pc.equal(pc.list_value_length(records), width))
        right &= ~np.isin(owners, owners[~right])
        values = records.filter(pa.array(right)).flatten()
        columns = tuple(
            from_arrow(values.take(pa.array(np.arange(index, len(values), width))), column, self._health)
            for index, column in enumerate(self._columns)
        )
        return Rows(columns, owners[right])

    def _of_columns(self, table: pa.Table, form: JsonForm, owners: Numbers) -> Rows:
        structs = _as_struct(table)
        lists = [None if path is None else pc.struct_field(structs, list(path)) for path in form.paths]
        lengths = [pc.list_value_length(column) for column in lists if column is not None]
        right = np.logical_and.reduce([_true(pc.equal(length, lengths[0])) for length in lengths])
        chosen = pa.array(right)
        counts = lengths[0].filter(chosen).to_numpy()
        columns = tuple(
            pa.nulls(int(counts.sum()), self._empty.columns[index].type)
            if column is None
            else from_arrow(column.filter(chosen).flatten(), self._columns[index], self._health)
            for index, column in enumerate(lists)
        )
        return Rows(columns, np.repeat(owners[right], counts))


def _objects(texts: Any, form: JsonForm) -> tuple[Any, Numbers]:
    """One JSON object in a line each, and the number of the text that it is of."""
    owners = np.arange(len(texts))
    if count_byte(bytes_of(texts), NEWLINE) > len(texts):
        texts = pc.ascii_rtrim(texts, "\n")
        if form.member is None and form.element is Element.OBJECT:
            lists = pc.split_pattern(texts, "\n")
            texts, owners = as_lines(lists.flatten()), owners[pc.list_parent_indices(lists).to_numpy()]
        else:
            texts = as_lines(pc.replace_substring(texts, "\n", " "))
    long = np.diff(offsets_of(texts)) >= len("{}\n")
    if not long.all():
        texts, owners = texts.filter(pa.array(long)), owners[long]
    if form.member == WRAPPER:
        texts = pc.binary_join_element_wise(f'{{"{WRAPPER}":', pc.ascii_rtrim(texts, "\n"), "}\n", "")
    return texts, owners


def _as_struct(table: pa.Table) -> Any:
    chunks = table.to_struct_array()
    # Combining a single one would copy it.
    return chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()


def _of_all_lines(rows: Rows, owners: Numbers) -> Rows:
    """Without the events of which some lines gave rows and others did not."""
    size = int(owners.max(initial=-1)) + 1
    complete = np.bincount(rows.events, minlength=size) == np.bincount(owners, minlength=size)
    return rows.only(complete[rows.events])


def _without_empty(rows: Rows) -> Rows:
    """Without the events that have a record of nulls only: they may be of another form."""
    if not len(rows.events) or not all(column.null_count for column in rows.columns):
        return rows
    nothing = np.logical_and.reduce([_true(column.is_null()) for column in rows.columns])
    return rows.only(~np.isin(rows.events, rows.events[nothing]))


def _true(values: Any) -> Mask:
    """A boolean array as a mask; null is not true."""
    mask: Mask = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return mask
