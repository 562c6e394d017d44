"""Tables in Parquet, CSV or JSON Lines files, batch by batch: training data for a baseline, batch transform's data for
a window.

Must not change what a table has: columns that the schema does not know stay, those that are missing stay missing, and
the checks report both. Types are made those of the schema.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drift_monitor.errors import ReaderError
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.table_columns import is_text, typed_column
from drift_monitor.schema import Column, DataSchema

_BUFFER_BYTES = 1 << 16
_BATCH_ROWS = 1 << 16
_FORMATS = {".parquet": "Parquet", ".csv": "CSV", ".jsonl": "JSON Lines", ".jsonl.gz": "JSON Lines"}
# Labels of captured requests, which may lie among the files of a window, are no table.
LABEL_FOLDER = "ground-truth"


def read_table(
    path: Path, *, schema: DataSchema | None, health: HealthCounter | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a file, or of all .parquet, .csv or .jsonl files below a folder, in the order of their names.

    With a schema its numeric columns are float64 or int64 and its others string or dictionary; without one the types
    are those of the file. NaN and empty texts are null; what is not a number where one should be is null and counted
    in `health`. The first batch of a file may be empty: it tells the columns.
    Raises ReaderError if there is no such file, or if one is damaged.
    """
    counter = health if health is not None else HealthCounter()
    columns = {column.name: column for column in schema.columns} if schema is not None else {}
    return _read(table_files(path), columns, counter)


def table_files(path: Path) -> list[Path]:
    """The data files at a path, all of one format. Raises ReaderError if there are none."""
    if path.is_file() and _format(path):
        return [path]
    found = sorted(file for file in path.rglob("*") if _format(file) and file.is_file() and _is_data(file, path))
    formats = sorted({str(_format(file)) for file in found})
    if len(formats) > 1:
        raise ReaderError(f"{path} has {' and '.join(formats)} files; keep the files of one data set in one format")
    if not found:
        raise ReaderError(_nothing(path))
    return found


def _nothing(path: Path) -> str:
    wanted = ", ".join(dict.fromkeys(_FORMATS))
    if not path.exists():
        return f"{path} does not exist; name a file ({wanted}), or a folder with such files"
    if path.is_dir():
        return f"{path} has no data files ({wanted}) in it"
    return f"{path} is no data file; its name should end with {wanted}"


def _is_data(file: Path, folder: Path) -> bool:
    return LABEL_FOLDER not in file.relative_to(folder).parts and not file.name.startswith((".", "_"))


def _format(file: Path) -> str | None:
    name = file.name.lower()
    return next((kind for suffix, kind in _FORMATS.items() if name.endswith(suffix)), None)


def _read(files: list[Path], columns: Mapping[str, Column], health: HealthCounter) -> Iterator[pa.RecordBatch]:
    for file in files:
        health.files += 1
        try:
            for batch in _batches(file, columns, health):
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
            if "UTF8" in reason:
                raise ReaderError(f"{file} is not UTF-8 ({reason}); write it in that encoding") from None
            raise ReaderError(f"{file} cannot be read ({reason}); is it a complete {file.suffix} file?") from None


def _batches(file: Path, columns: Mapping[str, Column], health: HealthCounter) -> Iterator[pa.RecordBatch]:
    kind = _format(file)
    if kind == "Parquet":
        return _parquet(file)
    return _csv(file, columns, health) if kind == "CSV" else _json(file, columns, health)


def _parquet(file: Path) -> Iterator[pa.RecordBatch]:
    # Pre-buffering would hold whole row groups in memory, reading without a buffer whole columns of them.
    texts = [field.name for field in pq.read_schema(file) if is_text(field.type)]
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES, read_dictionary=texts) as source:
        schema = source.schema_arrow
        yield pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
        yield from source.iter_batches(batch_size=_BATCH_ROWS, use_threads=False)


def _csv(file: Path, columns: Mapping[str, Column], health: HealthCounter) -> Iterator[pa.RecordBatch]:
    # Imports pyarrow's functions, which takes a fifth of the time that a million rows in Parquet need.
    from drift_monitor.readers.csv_tables import CsvTable

    return CsvTable(file, columns, health).batches()


def _json(file: Path, columns: Mapping[str, Column], health: HealthCounter) -> Iterator[pa.RecordBatch]:
    # As for CSV.
    from drift_monitor.readers.json_tables import JsonTable

    return JsonTable(file, columns, health).batches()
