"""A sample of the rows of a stream of batches: evenly spread, the same in every run, in bounded memory."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from drift_monitor.attribution.contributions import MAXIMUM_ROWS


class RowSample:
    """Keeps every n-th row, with an n that doubles when there are too many; mutable."""

    def __init__(self, columns: Sequence[str], *, rows: int = MAXIMUM_ROWS) -> None:
        self._columns = list(columns)
        self._most = 4 * rows
        self._step = 1
        self._seen = 0
        self._kept: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows of a batch, which has all the columns."""
        first = -self._seen % self._step
        self._seen += batch.num_rows
        if first < batch.num_rows:
            self._kept.append(batch.select(self._columns).take(_every(first, batch.num_rows, self._step)))
        if sum(kept.num_rows for kept in self._kept) > self._most:
            whole = pa.concat_batches(self._kept)
            while whole.num_rows > self._most // 2:
                whole = whole.take(_every(0, whole.num_rows, 2))
                self._step *= 2
            self._kept = [whole]

    def table(self) -> pa.Table | None:
        """The rows so far, at most four times as many as asked for; None if there were none."""
        return pa.Table.from_batches(self._kept) if self._kept else None


def _every(first: int, rows: int, step: int) -> pa.Array:
    return pa.array(np.arange(first, rows, step))
