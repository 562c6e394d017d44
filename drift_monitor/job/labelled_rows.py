"""Rows of production that have a label, as a CSV file: data for the next training. Must not judge or check them."""

import csv
from io import TextIOBase
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from drift_monitor.quality.classes import class_names
from drift_monitor.readers.ground_truth import LABEL
from drift_monitor.schema import DataSchema


class LabelledFile:
    """A file with the model's inputs and the label under its own name; made with the first labelled row, if any.

    A context manager. Whole numbers have no decimal point, missing values are empty.
    """

    def __init__(self, path: Path, *, schema: DataSchema, label: str) -> None:
        self._path = path
        self._columns = [column.name for column in schema.inputs]
        self._label = label
        self._file: TextIOBase | None = None
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Write those of the rows that have a label."""
        labelled = batch.filter(batch.column(LABEL).is_valid())
        if not labelled.num_rows:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file, lineterminator="\n").writerow([*self._columns, self._label])
        columns = [class_names(labelled.column(name)).to_pylist() for name in (*self._columns, LABEL)]
        csv.writer(self._file, lineterminator="\n").writerows(zip(*columns, strict=True))
        self.rows += labelled.num_rows

    def __enter__(self) -> "LabelledFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
