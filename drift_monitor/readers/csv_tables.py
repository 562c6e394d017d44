"""CSV files with a header, streamed. A value that is no number turns its column into text from there on."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from drift_monitor.errors import ReaderError
from drift_monitor.readers.columns import arrow_type, from_texts
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.table_columns import own_type
from drift_monitor.schema import Column

_BLOCK_BYTES = 8 << 20
_BAD_COLUMN = re.compile(r"In CSV column #(\d+)")


class CsvTable:
    """One file; mutable while it is read: it learns which columns are numbers and which of them have other texts."""

    def __init__(self, file: Path, columns: Mapping[str, Column], health: HealthCounter) -> None:
        """Raises ReaderError if the file has no header, or a column twice."""
        self._file = file
        self._columns = dict(columns)
        self._health = health
        self._names = _header(file)
        self._as_text: set[str] = set()
        self._last_bad_row = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows. Columns of the schema have its types, others the type that Arrow finds in the first of them.

        A row of another width is left out and counted. Raises ArrowInvalid if the file is not CSV in UTF-8.
        """
        done = 0
        while True:
            try:
                # After a value that is no number, from the start again: up to there it was read without it.
                for number, batch in enumerate(self._typed()):
                    if number >= done:
                        done = number + 1
                        yield self._with_numbers(batch)
                return
            except pa.ArrowInvalid as error:
                found = _BAD_COLUMN.search(str(error))
                name = self._names[int(found[1])] if found is not None else None
                if name is None or name in self._as_text:
                    raise
                self._as_text.add(name)

    def _typed(self) -> Iterator[pa.RecordBatch]:
        types = {name: arrow_type(column) for name, column in self._columns.items()}
        types |= dict.fromkeys(self._as_text, pa.string())
        convert = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
        read = pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES)
        parse = pa_csv.ParseOptions(invalid_row_handler=self._skip)
        with pa_csv.open_csv(self._file, read_options=read, convert_options=convert, parse_options=parse) as source:
            for field in source.schema:
                if field.name not in self._columns and not pa.types.is_null(field.type):
                    self._columns[field.name] = Column(field.name, own_type(field.type))
            yield pa.RecordBatch.from_pylist([], schema=source.schema)
            yield from source

    def _with_numbers(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text columns made numbers again."""
        arrays = list(batch.columns)
        for index, name in enumerate(batch.schema.names):
            if name in self._as_text and name in self._columns:
                arrays[index] = from_texts(arrays[index], self._columns[name], self._health)
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)

    def _skip(self, row: pa_csv.InvalidRow) -> str:
        if row.number > self._last_bad_row:
            self._last_bad_row = row.number
            self._health.wrong_columns += 1
            self._health.problem(f"a row does not have {row.expected_columns} values", row.text)
        return "skip"


def _header(file: Path) -> list[str]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        names = next(csv.reader(stream), None)
    if not names:
        raise ReaderError(f"{file} is empty; a CSV file needs a header with the names of its columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ReaderError(f"{file} has the column '{twice[0]}' twice; give each column a name of its own")
    return names
