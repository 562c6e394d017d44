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
from drift_monitor.readers.rows import Numbers, Rows, empty
from drift_monitor.schema import Column

_NEWLINE, _QUOTE = b'\n"'
# Readers agree on these only: a quoted cell begins and ends with its quotes, and quotes in it are doubled.
_CELL = r'(?:[^",\r\n]*|"(?:[^"\r\n]|"")*")'
_QUOTED_RECORD = f"^{_CELL}(?:,{_CELL})*$"
_BAD_COLUMN = re.compile(r"In CSV column #(\d+)")


class _Lines(NamedTuple):
    """One CSV record each, the number of the text that it is of, and all records with a newline between them."""

    texts: Any
    owners: Numbers
    data: pa.Buffer


class CsvPayloads:
    """Reads CSV payloads of one side; remembers which columns have texts that are no numbers."""

    def __init__(self, columns: Sequence[Column], health: HealthCounter) -> None:
        self._columns = tuple(columns)
        self._health = health
        self._header = ",".join(column.name for column in columns)
        self._as_text = {index for index, column in enumerate(columns) if not is_numeric(column)}

    def read(self, texts: Any) -> tuple[Rows, Numbers]:
        """Rows of the payloads (a string array without nulls), and the numbers of those that are odd, ascending."""
        lines = _lines(texts, self._header)
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
        table = self._table(lines.data, bad)
        if table is None or table.num_rows + len(bad) != len(lines.owners):
            return None
        columns = tuple(
            self._typed(table.column(index).combine_chunks(), column) for index, column in enumerate(self._columns)
        )
        if not bad:
            return Rows(columns, lines.owners)
        good = np.ones(len(lines.owners), np.bool_)
        good[bad] = False
        rows = Rows(columns, lines.owners[good])
        return rows.only(~np.isin(rows.events, lines.owners[bad]))

    def _table(self, data: pa.Buffer, bad: list[int]) -> pa.Table | None:
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
                return pa_csv.read_csv(
                    pa.BufferReader(data), read_options=read, parse_options=parse, convert_options=self._conversion()
                )
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


def _lines(texts: Any, header: str) -> _Lines:
    """The records of the payloads, without those of which it is not certain where they end, and without headers."""
    lines = _Lines(texts, np.arange(len(texts)), _joined(texts))
    if _count(lines.data, _NEWLINE) >= len(texts):
        texts = pc.ascii_rtrim(texts, "\r\n")
        lines = lines._replace(texts=texts, data=_joined(texts))
    if _count(lines.data, _QUOTE):
        unquoted = pc.invert(pc.match_substring(lines.texts, '"'))
        lines = _chosen(lines, pc.or_(unquoted, pc.match_substring_regex(lines.texts, _QUOTED_RECORD)))
    if _count(lines.data, _NEWLINE) >= len(lines.texts):
        lists = pc.split_pattern(lines.texts, "\n")
        records = pc.ascii_rtrim(lists.flatten(), "\r")
        lines = _Lines(records, lines.owners[pc.list_parent_indices(lists).to_numpy()], _joined(records))
    useless = pc.or_(pc.equal(lines.texts, ""), pc.equal(lines.texts, header))
    return _chosen(lines, pc.invert(useless)) if useless.true_count else lines


def _chosen(lines: _Lines, mask: Any) -> _Lines:
    texts = lines.texts.filter(mask)
    return _Lines(texts, lines.owners[mask.to_numpy(zero_copy_only=False)], _joined(texts))


def _joined(texts: Any) -> pa.Buffer:
    everything = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    return pc.binary_join(everything, "\n")[0].as_buffer()


def _count(data: pa.Buffer, byte: int) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == byte))
