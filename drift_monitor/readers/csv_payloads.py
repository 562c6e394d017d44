"""CSV payloads of many events in one call of Arrow's CSV reader.

What it cannot take over with certainty about which row is of which event is handed back as odd.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from drift_monitor.readers.columns import arrow_schema, arrow_type, finite, from_texts, is_numeric
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.payload_lines import NEWLINE, as_lines, bytes_of, count_byte, offsets_of
from drift_monitor.readers.rows import Numbers, Rows, empty
from drift_monitor.schema import Column

_QUOTE = b'"'[0]
# Readers agree on these only: a quoted cell begins and ends with its quotes, and quotes in it are doubled.
_CELL = r'(?:[^",\r\n]*|"(?:[^"\r\n]|"")*")'
_QUOTED_RECORD = f"^{_CELL}(?:,{_CELL})*\n$"
_BAD_COLUMN = re.compile(r"In CSV column #(\d+)")


class _Lines(NamedTuple):
    """One CSV record each, with its newline, and the number of the text that it is of."""

    texts: Any
    owners: Numbers

    @property
    def data(self) -> pa.Buffer:
        return bytes_of(self.texts)


class CsvPayloads:
    """Reads CSV payloads of one side; remembers which columns have texts that are no numbers."""

    def __init__(self, columns: Sequence[Column], health: HealthCounter) -> None:
        self._columns = tuple(columns)
        self._health = health
        self._not_records = pa.array(["\n", ",".join(column.name for column in columns) + "\n"], pa.string())
        self._as_text = {index for index, column in enumerate(columns) if not is_numeric(column)}

    def read(self, texts: Any) -> tuple[Rows, Numbers]:
        """Rows of the payloads (lines, one at least, no nulls), and the numbers of those that are odd, ascending."""
        lines = _lines(texts, self._not_records)
        rows = self._read(lines)
        if rows is None:
            # A lone carriage return ends a line too; without these the number of lines is certain.
            without = pc.invert(pc.match_substring(lines.texts, "\r"))
            rows = self._read(_chosen(lines, without))
        rows = empty(arrow_schema(self._columns)) if rows is None else rows
        taken = np.zeros(len(texts), np.bool_)
        taken[rows.events] = True
        return rows, np.flatnonzero(~taken)

    def _read(self, lines: _Lines) -> Rows | None:
        """Rows of the texts of which all lines have the right width; None if lines and rows do not match."""
        if not len(lines.owners):
            return empty(arrow_schema(self._columns))
        bad: list[int] = []
        records = self._records(lines.data, bad)
        if records is None or records.num_rows + len(bad) != len(lines.owners):
            return None
        columns = tuple(
            self._typed(values, column) for values, column in zip(records.columns, self._columns, strict=True)
        )
        if not bad:
            return Rows(columns, lines.owners)
        good = np.ones(len(lines.owners), np.bool_)
        good[bad] = False
        rows = Rows(columns, lines.owners[good])
        return rows.only(~np.isin(rows.events, lines.owners[bad]))

    def _records(self, data: pa.Buffer, bad: list[int]) -> pa.RecordBatch | None:
        """The records of a CSV text; numbers of lines with another width are added to `bad`."""

        def skip(row: pa_csv.InvalidRow) -> str:
            bad.append(row.number - 1)
            return "skip"

        names = [str(index) for index in range(len(self._columns))]
        read = pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=data.size + 1)
        parse = pa_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=skip)
        while True:
            bad.clear()
            try:
                table = pa_csv.read_csv(
                    pa.BufferReader(data), read_options=read, parse_options=parse, convert_options=self._conversion()
                )
                # What is read as one block is one batch; where all lines are bad there is none.
                batches = table.to_batches()
                return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
            except pa.ArrowInvalid as error:
                column = _BAD_COLUMN.search(str(error))
                if column is None or int(column[1]) in self._as_text:
                    return None
                self._as_text.add(int(column[1]))

    def _conversion(self) -> pa_csv.ConvertOptions:
        types = {
            str(index): pa.string() if index in self._as_text else arrow_type(column)
            for index, column in enumerate(self._columns)
        }
        return pa_csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True, check_utf8=False)

    def _typed(self, values: Any, column: Column) -> Any:
        if not is_numeric(column):
            return values
        if pa.types.is_string(values.type):
            return from_texts(values, column, self._health)
        return finite(values, column.name, self._health)


def _lines(texts: Any, not_records: Any) -> _Lines:
    """The records of the payloads, without those of which it is not certain where they end."""
    lines = _Lines(texts, np.arange(len(texts)))
    if count_byte(lines.data, _QUOTE):
        unquoted = pc.invert(pc.match_substring(texts, '"'))
        lines = _chosen(lines, pc.or_(unquoted, pc.match_substring_regex(texts, _QUOTED_RECORD)))
    if count_byte(lines.data, NEWLINE) > len(lines.texts):
        lists = pc.split_pattern(pc.ascii_rtrim(lines.texts, "\n"), "\n")
        lines = _Lines(as_lines(lists.flatten()), lines.owners[pc.list_parent_indices(lists).to_numpy()])
    lengths = np.diff(offsets_of(lines.texts))
    if not any((lengths == length).any() for length in np.diff(offsets_of(not_records))):
        return lines
    useless = pc.is_in(lines.texts, value_set=not_records)
    return _chosen(lines, pc.invert(useless)) if useless.true_count else lines


def _chosen(lines: _Lines, mask: Any) -> _Lines:
    return _Lines(lines.texts.filter(mask), lines.owners[mask.to_numpy(zero_copy_only=False)])
