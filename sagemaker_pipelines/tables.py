"""CSV tables with a header between the steps: read and written the same way everywhere.

Values stay the strings of the file until a feature specification gives them a meaning.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagemaker_pipelines.errors import StepError


@dataclass(frozen=True)
class Table:
    """Rows of strings below named columns."""

    columns: tuple[str, ...]
    rows: list[list[str]]

    def values(self, column: str) -> list[str]:
        """All values of one column; raises StepError if the table has no such column."""
        index = self._index(column)
        return [row[index] for row in self.rows]

    def select(self, columns: Sequence[str]) -> "Table":
        """The same rows with these columns, in this order."""
        indexes = [self._index(column) for column in columns]
        return Table(tuple(columns), [[row[index] for index in indexes] for row in self.rows])

    def where(self, keep: Iterable[bool]) -> "Table":
        """The rows for which `keep` is true."""
        return Table(self.columns, [row for row, kept in zip(self.rows, keep, strict=True) if kept])

    def _index(self, column: str) -> int:
        if column not in self.columns:
            raise StepError(f"there is no column '{column}' among {', '.join(self.columns)}")
        return self.columns.index(column)


def read_table(path: Path) -> Table:
    """A table from a CSV file; raises StepError naming file and row if it is missing or ragged."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise StepError(f"{path} is missing: the step before this one should have written it") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise StepError(f"{path} is not a CSV file ({error})") from None
    if len(rows) < 2:
        raise StepError(f"{path} holds no rows")
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != width:
            raise StepError(f"{path} row {number} has {len(row)} values, the header {width}")
    return Table(tuple(rows[0]), rows[1:])


def write_table(path: Path, table: Table) -> None:
    """Write a table as CSV with a header and Unix line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)
