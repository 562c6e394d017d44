"""JSON Lines files of flat records, streamed: what batch transform answers with, and other exports.

Must not read captured events (readers/capture.py): `is_json_table` tells the two apart. A value that is an object or a
list is no value of a column; it is null and counted.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json

from drift_monitor.errors import ReaderError
from drift_monitor.readers.blocks import BYTE_ORDER_MARK, GZIP, LONGEST_LINE_BYTES
from drift_monitor.readers.columns import arrow_type, from_values
from drift_monitor.readers.events import is_utf_8
from drift_monitor.readers.health import HealthCounter
from drift_monitor.schema import Column, ColumnType

_CHANGED = re.compile(r"Column\(/([^)]*)\) changed")
_NOT_TABLES = frozenset({"captureData", "groundTruthData", "eventMetadata"})
_BLOCK_BYTES = 4 << 20
_LOOKED_AT = 100


def is_json_table(files: Sequence[Path]) -> bool:
    """Whether the first JSON object of the files is a record, not a captured event or a label."""
    for file in files:
        lines = (line for block in _blocks(file) for line in block.split(b"\n"))
        for line in islice(lines, _LOOKED_AT):
            record = _record(line)
            if record is not None:
                return _NOT_TABLES.isdisjoint(record)
    return False


class JsonTable:
    """One file; mutable while it is read: it learns which columns are not of the schema's types."""

    def __init__(self, file: Path, columns: Mapping[str, Column], health: HealthCounter) -> None:
        self._file = file
        self._columns = columns
        self._health = health
        self._types: dict[str, Any] = {name: arrow_type(column) for name, column in columns.items()}
        self._lines_before = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All records; members have the types that Arrow finds, null where a record lacks them.

        A line that is no JSON object is left out and counted. Raises ReaderError if the file begins with nothing else.
        """
        is_first = True
        for block in _blocks(self._file):
            batch = self._parsed(block)
            if batch is None:
                batch = self._one_by_one(block)
            if is_first and not batch.num_rows:
                raise ReaderError(
                    f"{self._file} has no JSON object in its first line; a JSON Lines table has one record on each line"
                )
            self._lines_before += block.count(b"\n")
            is_first = False
            yield batch
        if is_first:
            yield pa.RecordBatch.from_pylist([], schema=pa.schema([]))

    def _parsed(self, data: bytes) -> pa.RecordBatch | None:
        """The records of whole lines by Arrow's reader; None if it refuses one of them."""
        if not is_utf_8(data):
            return None
        read = pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
        while True:
            schema = pa.schema(list(self._types.items()))
            parse = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer")
            try:
                table = pa_json.read_json(pa.BufferReader(data), read_options=read, parse_options=parse)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                found = _CHANGED.search(str(error))
                if found is None or self._types.pop(found[1], None) is None:
                    return None
                continue
            dates = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
            if not dates:
                return self._occurring(table, data)
            # As they are written: other blocks of the file may have other texts.
            self._types |= dict.fromkeys(dates, pa.string())

    def _occurring(self, table: pa.Table, data: bytes) -> pa.RecordBatch:
        """Without the columns that no record has."""
        names = [
            name
            for name in table.column_names
            if table.column(name).null_count < table.num_rows or json.dumps(name).encode() in data
        ]
        batches = table.select(names).combine_chunks().to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.select(names).schema)

    def _one_by_one(self, data: bytes) -> pa.RecordBatch:
        """The records of lines of which Arrow refuses some, or whose members have values of several types."""
        records = list(self._records(data))
        names = list(dict.fromkeys(name for record in records for name in record))
        arrays = [self._array(name, [record.get(name) for record in records]) for name in names]
        return pa.RecordBatch.from_arrays(arrays, names=names)

    def _records(self, data: bytes) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=self._lines_before + 1):
            if not line.strip():
                continue
            record = _record(line)
            if record is None:
                where = f"{self._file.name}, line {number}: ".encode()
                self._health.unreadable("a line is no JSON object", where + line)
            else:
                yield record

    def _array(self, name: str, values: list[Any]) -> Any:
        nested = sum(isinstance(value, dict | list) for value in values)
        if nested:
            self._health.problem(f"column '{name}' has values that are objects or lists", count=nested)
            values = [None if isinstance(value, dict | list) else value for value in values]
        return from_values(values, self._columns.get(name) or _own_column(name, values), self._health)


def _blocks(file: Path) -> Iterator[bytes]:
    """The file as blocks of whole lines; raises ReaderError if it is damaged."""
    try:
        with file.open("rb") as raw:
            is_zipped = raw.read(len(GZIP)) == GZIP
        with gzip.open(file) if is_zipped else file.open("rb") as stream:
            rest = b""
            while chunk := stream.read(_BLOCK_BYTES):
                lines = (rest + chunk).removeprefix(BYTE_ORDER_MARK)
                end = lines.rfind(b"\n") + 1
                if end:
                    yield lines[:end]
                rest = lines[end:]
                if len(rest) > LONGEST_LINE_BYTES:
                    raise ReaderError(f"{file} has a line of more than 64 MB; a JSON Lines table has a record a line")
            if rest:
                yield rest + b"\n"
    except (EOFError, zlib.error) as error:
        raise ReaderError(f"{file} is damaged ({error}); copy or write it again") from None
    except OSError as error:
        raise ReaderError(f"{file} cannot be read: {error.strerror or error}") from None


def _own_column(name: str, values: Sequence[Any]) -> Column:
    numbers = all(value is None or isinstance(value, int | float) for value in values)
    return Column(name, ColumnType.FRACTIONAL if numbers else ColumnType.STRING)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
