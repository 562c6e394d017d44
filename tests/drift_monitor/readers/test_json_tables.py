"""JSON Lines of flat records as batches of the schema's types."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from drift_monitor.errors import ReaderError
from drift_monitor.readers import json_tables
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.json_tables import is_json_table
from drift_monitor.readers.tabular import read_table
from drift_monitor.schema import DataSchema
from tests.drift_monitor.readers.captured import csv_event, rows_of
from tests.drift_monitor.readers.tables import ALLOWED, SCHEMA

RECORD = {"year": 2011, "power": 90.5, "make": "ford"}


def _read(
    path: Path, lines: list[str | bytes], schema: DataSchema | None = SCHEMA
) -> tuple[list[dict[str, Any]], HealthCounter, list[pa.Schema]]:
    """All rows, the health, and the schemas of the batches."""
    file = path / "data.jsonl"
    file.write_bytes(b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines))
    health = HealthCounter()
    batches = list(read_table(file, schema=schema, health=health))
    return rows_of(batches), health, [batch.schema for batch in batches]


@pytest.mark.parametrize("schema", [SCHEMA, None])
@pytest.mark.parametrize("rows", [0, 1, 300])
def test_records_are_rows(
    tmp_path: Path, schema: DataSchema | None, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many blocks they come in; a member that a record lacks is null."""
    monkeypatch.setattr(json_tables, "_BLOCK_BYTES", 1000)
    records = [{**RECORD, "power": number / 2, "day": "2026-11-26"} for number in range(rows)]
    records[2:3] = [{"year": 2012, "make": None}] if rows > 2 else []
    found, health, schemas = _read(tmp_path, [json.dumps(record) for record in records], schema)
    assert [{name: row.get(name) for name in ("year", "power", "make", "day")} for row in found] == [
        {name: record.get(name) for name in ("year", "power", "make", "day")} for record in records
    ]
    assert all(set(one.types) <= ALLOWED for one in schemas)
    assert (health.files, health.rows, health.unreadable_lines, dict(health.result().problems)) == (1, rows, 0, {})


def test_values_of_other_types_are_read_as_far_as_possible(tmp_path: Path) -> None:
    """Codes as numbers, numbers as texts, truth values, NaN: in any mixture; what cannot be used is counted."""
    odd: list[dict[str, Any]] = [
        {"year": "2012", "power": True, "make": 7},
        {"year": 2013.0, "power": "n/a", "make": "audi"},
        {"year": "soon", "power": float("nan"), "make": ["ford"]},
        {"make": {"name": "ford"}, "power": 1e308},
    ]
    wanted = [
        {"year": 2012, "power": 1.0, "make": "7"},
        {"year": 2013, "power": None, "make": "audi"},
        {"year": None, "power": None, "make": None},
        {"year": None, "power": 1e308, "make": None},
    ]
    found, health, _ = _read(tmp_path, [json.dumps(record) for record in odd])
    assert found == wanted
    assert dict(health.result().problems) == {
        "a value of column 'year' is not a number": 1,
        "column 'make' has values that are objects or lists": 2,
    }
    # By themselves each kind is read by Arrow, with the same result.
    for record, row in zip(odd[:2], wanted, strict=False):
        assert _read(tmp_path, [json.dumps(record)] * 2)[0] == [row] * 2


@pytest.mark.parametrize("bad", ['{"year": 20', "[1, 2]", "hello", "1" * 5000, b'{"make": "citro\xebn"}\n'])
def test_a_bad_line_costs_itself_only(tmp_path: Path, bad: str | bytes) -> None:
    """It is counted, and told with its file and number."""
    good = json.dumps(RECORD)
    found, health, _ = _read(tmp_path, [good, "", bad, good])
    assert found == [RECORD, RECORD]
    result = health.result()
    assert dict(result.problems) == {"a line is no JSON object": 1}
    assert result.examples["a line is no JSON object"].startswith("data.jsonl, line 3: ")
    assert result.unusable_share == pytest.approx(1 / 3)


def test_a_column_that_no_record_has_is_missing(tmp_path: Path) -> None:
    """Not null: the checks tell the one from the other."""
    _, _, (arrow,) = _read(tmp_path, [json.dumps({"year": 2011, "make": None})])
    assert sorted(arrow.names) == ["make", "year"]


def test_what_is_no_json_lines_is_refused(tmp_path: Path) -> None:
    """Another format, a damaged archive: an error that names the file and says what it should be."""
    for content, reason in (
        (b"year,make\n2011,ford\n", "one record on each line"),
        (b'[{"a": 1},\n{"a": 2}]\n', "one record"),
    ):
        with pytest.raises(ReaderError, match=rf"data\.jsonl.*{reason}"):
            _read(tmp_path, [content])
    (tmp_path / "data.jsonl").unlink()
    packed = gzip.compress(json.dumps(RECORD).encode() * 100)
    (tmp_path / "torn.jsonl.gz").write_bytes(packed[:-12])
    with pytest.raises(ReaderError, match=r"torn\.jsonl\.gz is damaged"):
        list(read_table(tmp_path, schema=SCHEMA))


def test_records_are_told_from_captured_events(tmp_path: Path) -> None:
    """By the first line that is JSON; where there is none, bad lines are those of captured requests."""
    for lines, expected in (
        (["torn {", json.dumps(RECORD)], True),
        ([csv_event()], False),
        ([json.dumps({"groundTruthData": {"data": "1"}})], False),
        (["hello"], False),
        ([], False),
    ):
        (tmp_path / "data.jsonl").write_text("\n".join(lines))
        assert is_json_table([tmp_path / "data.jsonl"]) is expected
