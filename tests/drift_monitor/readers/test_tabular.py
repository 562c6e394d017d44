"""Parquet and CSV tables as batches of the schema's types."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from drift_monitor.errors import ReaderError
from drift_monitor.readers import csv_tables
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.table_columns import typed_column
from drift_monitor.readers.tabular import read_table
from drift_monitor.schema import Column, ColumnType, DataSchema
from tests.drift_monitor.readers.captured import rows_of
from tests.drift_monitor.readers.tables import ALLOWED, SCHEMA


def table(path: Path, schema: DataSchema | None = SCHEMA) -> tuple[list[dict[str, Any]], HealthCounter, pa.Schema]:
    """All rows, the health, and the schema of the last batch."""
    health = HealthCounter()
    batches = list(read_table(path, schema=schema, health=health))
    return rows_of(batches), health, batches[-1].schema


def written(path: Path, columns: dict[str, Any], kind: str) -> Path:
    """A table in a file of this kind."""
    file = path / f"data.{kind}"
    content = pa.table(columns)
    pq.write_table(content, file) if kind == "parquet" else pa_csv.write_csv(content, file)
    return file


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_tables(tmp_path: Path, kind: str, rows: int, schema: DataSchema | None) -> None:
    """Tables of any length come with their columns, with and without a schema."""
    columns = {"year": [2011, 2012, None], "power": [1.5, None, 1e308], "make": ["ford", "audi", None]}
    content = {name: pa.array(values)[:rows] for name, values in columns.items()}
    found, health, arrow = table(written(tmp_path, content, kind), schema)
    assert [list(row.values()) for row in found] == [list(row) for row in zip(*columns.values(), strict=True)][:rows]
    assert arrow.names == list(columns)
    assert rows == 0 or set(arrow.types) <= ALLOWED
    assert (health.files, health.rows, dict(health.result().problems)) == (1, rows, {})


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_other_columns(tmp_path: Path, kind: str) -> None:
    """Unknown columns stay and missing ones stay missing, for the checks to report."""
    _, _, arrow = table(written(tmp_path, {"year": [1], "color": ["red"], "doors": [4]}, kind))
    assert arrow.names == ["year", "color", "doors"]
    assert set(arrow.types) <= ALLOWED


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_values_that_do_not_fit(tmp_path: Path, kind: str) -> None:
    """What is no number where one should be is null and counted; what stands for a missing value is null."""
    columns = {
        "year": ["2011", "2011-02-03", "NA", ""],
        "power": [1.0, float("inf"), float("nan"), None],
        "make": [3, 4, 5, None],
    }
    found, health, _ = table(written(tmp_path, columns, kind))
    assert [tuple(row.values()) for row in found] == [
        (2011, 1, "3"),
        (None, None, "4"),
        (None, None, "5"),
        (None, None, None),
    ]
    assert dict(health.result().problems) == {
        "a value of column 'year' is not a number": 1,
        "a value of column 'power' is not a number": 1,
    }


def test_arrow_types(tmp_path: Path) -> None:
    """Every type of Parquet becomes one of four, or null with a count."""
    columns = {
        "year": pa.array([date(2011, 1, 1)]),
        "power": pa.array([1.5], pa.float32()),
        "make": pa.array([3.0], pa.float64()),
        "flag": pa.array([True]),
        "price": pa.array([1], pa.decimal128(5, 2)),
        "big": pa.array([2**63], pa.uint64()),
        "tags": pa.array([["a"]]),
        "nothing": pa.nulls(1),
        "when": pa.array([date(2011, 1, 1)]),
        "long": pa.array(["a"], pa.large_string()),
        "code": pa.array(["a"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.large_string())),
    }
    found, health, arrow = table(written(tmp_path, columns, "parquet"))
    assert set(arrow.types) <= ALLOWED
    assert list(found[0].values()) == [None, 1.5, "3", 1, 1.0, 2.0**63, None, None, "2011-01-01", "a", "a"]
    assert dict(health.result().problems) == {
        "column 'year' has values of type date32[day], which cannot be used": 1,
        "column 'tags' has values of type list<element: string>, which cannot be used": 1,
    }


@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_late_surprises_in_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: DataSchema | None) -> None:
    """A text in a number column, or a row of another width, far behind the start costs itself only, and counts once."""
    monkeypatch.setattr(csv_tables, "_BLOCK_BYTES", 1 << 10)
    lines = ["year,power,make", *(f"{n},{n}.5,m{n}" for n in range(500))]
    lines[101] += ",too,many"
    lines[301] = "unknown,300.5,m300"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found, health, arrow = table(tmp_path, schema)
    assert [row["year"] for row in found] == [*range(100), *range(101, 300), None, *range(301, 500)]
    assert arrow.types == [pa.float64(), pa.float64(), pa.string()]
    assert dict(health.result().problems) == {
        "a row does not have 3 values": 1,
        "a value of column 'year' is not a number": 1,
    }


def test_parquet_that_needs_no_conversion(tmp_path: Path) -> None:
    """Whole batches of every plain type, nulls among them, are the values of the file; an empty text is null."""
    rows = 70_001
    columns = {
        "year": pa.array([n if n % 3 else None for n in range(rows)]),
        "power": pa.array([n / 7 if n % 5 else None for n in range(rows)]),
        "make": pa.array([f"m{n % 9}" if n % 4 else None for n in range(rows)]),
        "flag": pa.array([bool(n % 2) if n % 7 else None for n in range(rows)]),
    }
    found, health, arrow = table(written(tmp_path, columns, "parquet"))
    expected = {**columns, "flag": columns["flag"].cast(pa.int8())}
    assert {name: [row[name] for row in found] for name in columns} == {
        name: array.to_pylist() for name, array in expected.items()
    }
    assert arrow.types == [pa.int64(), pa.float64(), pa.dictionary(pa.int32(), pa.string()), pa.int64()]
    assert dict(health.result().problems) == {}
    texts = written(tmp_path, {"make": ["ford", "", None]}, "parquet")
    assert [row["make"] for row in table(texts)[0]] == ["ford", None, None]


def test_parts_of_arrays_are_typed_where_they_begin() -> None:
    """A slice has an offset into buffers that it shares with the rest, which has other values."""
    for array, kind in (
        (pa.array([True, None, False, True, None, True]), ColumnType.INTEGRAL),
        (pa.array([float("inf"), 1.0, None, 2.0, float("nan"), 3.0]), ColumnType.FRACTIONAL),
        (pa.array(["", "a", None, "b", "", "c"]).dictionary_encode(), ColumnType.STRING),
    ):
        for begin, rows in ((1, 3), (3, 1), (2, 0)):
            part = array.slice(begin, rows)
            typed = typed_column(part, Column("x", kind), name="x", health=HealthCounter())
            assert typed.to_pylist() == part.to_pylist()
    late = pa.array([1.0, float("inf"), 2.0]).slice(1)
    assert typed_column(late, None, name="x", health=HealthCounter()).to_pylist() == [None, 2.0]


def test_plain_parquet_is_analysed_without_slow_imports(tmp_path: Path) -> None:
    """pyarrow.compute costs a tenth of the time that a million rows need, pandas several times as much."""
    columns = {"year": [1, 2], "power": [1.5, None], "make": ["ford", None], "flag": [True, False]}
    file = written(tmp_path, columns, "parquet")
    program = (
        "import sys; from pathlib import Path; from drift_monitor.profile.dataset import Profiler, ProfileAnchors;"
        "from drift_monitor.profile.categorical import CategoricalProfile as C; import numpy as np;"
        "from drift_monitor.readers.tabular import read_table; from drift_monitor.schema import *;"
        "known = C(categories=('ford',), counts=np.array([1]), new={}, other=0, missing=0);"
        "kinds = {'year': 'Integral', 'power': 'Fractional', 'make': 'String', 'flag': 'Integral'};"
        "schema = DataSchema(inputs=tuple(Column(n, ColumnType(k)) for n, k in kinds.items()), outputs=());"
        "profiler = Profiler(ProfileAnchors(columns={'make': known}));"
        "[profiler.add(batch) for batch in read_table(Path(sys.argv[1]), schema=schema)];"
        "assert profiler.result().columns['make'].counts.tolist() == [1];"
        "print(sorted({'pyarrow.compute', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_folders(tmp_path: Path) -> None:
    """All files below a folder are one table, but for markers like _SUCCESS."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"make": [name]}), tmp_path / name / "part.parquet")
    (tmp_path / "_metadata.parquet").touch()
    assert [row["make"] for row in table(tmp_path)[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.parquet", b"PAR1 torn", "cannot be read"),
        ("a.csv", b"", "needs a header"),
        ("a.csv", b"year,year\n1,2\n", "column 'year' twice"),
        ("a.csv", "make\ncitroën\n".encode("latin-1"), "UTF"),
        ("a.txt", b"year\n1\n", "is no data file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """A file that cannot be read at all is an error that names it and says why."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReaderError, match=reason):
        table(tmp_path / name)


def test_two_formats(tmp_path: Path) -> None:
    """A folder with both formats is refused, for it is not clear what the data set is."""
    written(tmp_path, {"year": [1]}, "csv")
    written(tmp_path, {"year": [1]}, "parquet")
    with pytest.raises(ReaderError, match="CSV and Parquet"):
        table(tmp_path)
