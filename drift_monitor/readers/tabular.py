"""Tables in Parquet or CSV files, batch by batch: training data for a baseline, batch transform's data for a window.

Must not change what a table has: columns that the schema does not know stay, those that are missing stay missing, and
the checks report both. Types are made those of the schema.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drift_monitor.errors import ReaderError
from drift_monitor.readers.csv_tables import CsvTable
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.table_columns import is_text, typed_column
from drift_monitor.schema import Column, DataSchema

_BUFFER_BYTES = 1 << 16
_BATCH_ROWS = 1 << 16
_SUFFIXES = (".parquet", ".csv")


def read_table(
    path: Path, *, schema: DataSchema | None, health: HealthCounter | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a file, or of all .parquet or all .csv files below a folder, in the order of their names.

    With a schema its numeric columns are float64 or int64 and its others string or dictionary; without one the types
    are those of the file. NaN and empty texts are null; what is not a number where one should be is null and counted
    in `health`. The first batch of a file may be
    empty: it tells the columns.
    Raises ReaderError if there is no such file, or if one is damaged.
    """
    counter = health if health is not None else HealthCounter()
    columns = {column.name: column for column in schema.columns} if schema is not None else {}
    return _read(table_files(path), columns, counter)


def table_files(path: Path) -> list[Path]:
    """The data files at a path, all of one format. Raises ReaderError if there are none."""
    if path.is_file() and path.suffix.lower() in _SUFFIXES:
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in _SUFFIXES and file.is_file() and not file.name.startswith((".", "_"))
    )
    formats = {file.suffix.lower() for file in found}
    if len(formats) > 1:
        raise ReaderError(f"{path} has Parquet and CSV files; keep the files of one data set in one format")
    if not found:
        raise ReaderError(f"{path} is no .parquet or .csv file, nor a folder with such files")
    return found


def _read(files: list[Path], columns: Mapping[str, Column], health: HealthCounter) -> Iterator[pa.RecordBatch]:
    for file in files:
        health.files += 1
        try:
            is_parquet = file.suffix.lower() == ".parquet"
            batches = _parquet(file) if is_parquet else CsvTable(file, columns, health).batches()
            for batch in batches:
                health.rows += batch.num_rows
                arrays = [
                    typed_column(array, columns.get(field.name), name=field.name, health=health)
                    for field, array in zip(batch.schema, batch.columns, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
        except OSError as error:
            raise ReaderError(f"{file} cannot be read: {error.strerror or error}") from None
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = str(error).split("\n", maxsplit=1)[0]
            raise ReaderError(f"{file} cannot be read ({reason}); is it a complete {file.suffix} file?") from None


def _parquet(file: Path) -> Iterator[pa.RecordBatch]:
    # Pre-buffering would hold whole row groups in memory, reading without a buffer whole columns of them.
    texts = [field.name for field in pq.read_schema(file) if is_text(field.type)]
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES, read_dictionary=texts) as source:
        yield pa.RecordBatch.from_pylist([], schema=source.schema_arrow)
        yield from source.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
