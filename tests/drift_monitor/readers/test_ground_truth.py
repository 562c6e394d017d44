"""Labels by event, joined to captured rows."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drift_monitor.readers.capture import read_capture
from drift_monitor.readers.ground_truth import Labels, join_labels, label_line, read_labels
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import LabelCoverage
from tests.drift_monitor.readers.captured import CSV_ROW, NOON, SCHEMA, csv_event, event, rows_of, side, values


def labels_of(folder: Path, *lines: str, hour: str = "2026/11/26/15") -> Labels:
    """Labels of one file in the folder of an hour."""
    file = folder / "truth" / hour / "labels.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines))
    return read_labels([folder / "truth"])


def joined(tmp_path: Path, captured: list[str], labels: Labels) -> list[dict[str, Any]]:
    """Captured rows with their labels."""
    file = tmp_path / "capture.jsonl"
    file.write_text("\n".join(captured))
    batches = read_capture([file], schema=SCHEMA, window=None, health=HealthCounter())
    return rows_of(join_labels(batches, labels))


def test_join_and_coverage(tmp_path: Path) -> None:
    """Rows get the label of their event; the others are left out, and counted."""
    labels = labels_of(tmp_path, *(label_line(f"e{n}", n * 10) for n in range(5)))
    rows = joined(tmp_path, [csv_event(event_id=f"e{n}") for n in range(3, 7)], labels)
    assert values(rows, "_event_id", "_label") == [("e3", 30.0), ("e4", 40.0)]
    waited = timedelta(hours=2, minutes=30).total_seconds()
    assert labels.coverage() == LabelCoverage(
        predictions=4, labelled=2, unmatched_labels=3, lateness_seconds_p50=waited, lateness_seconds_p95=waited
    )


@pytest.mark.parametrize(
    ("data", "encoding"),
    [("1\n0", "CSV"), ("1,0", "CSV"), ("[1, 0]", "JSON"), ('{"predictions": [1, 0]}', "JSON"), ("MQowCg==", "BASE64")],
)
def test_events_of_several_rows(tmp_path: Path, data: str, encoding: str) -> None:
    """Labels of an event are those of its rows, in their order; with another number of rows none is used."""
    line = {"groundTruthData": {"data": data, "encoding": encoding}, "eventMetadata": {"eventId": "two"}}
    labels = labels_of(tmp_path, json.dumps(line) + "\n", label_line("one", [1, 0]), label_line("three", 5))
    two = event(side(f"{CSV_ROW}\n{CSV_ROW}"), event_id="two")
    rows = joined(tmp_path, [two, csv_event(event_id="one"), csv_event(event_id="three")], labels)
    assert sorted(values(rows, "_event_id", "_row", "_label")) == [("three", 0, 5), ("two", 0, 1), ("two", 1, 0)]
    assert labels.unequal == 1


def test_latest_label_wins(tmp_path: Path) -> None:
    """Of several labels of an event the one that arrived last counts, whatever the order of the files."""
    late, early = "2026/11/26/15", "2026/11/25/15"
    labels_of(tmp_path, label_line("a", 1), label_line("b", 1), label_line("b", 2), hour=late)
    labels_of(tmp_path, label_line("a", 3), hour=early)
    labels = read_labels([tmp_path / "truth" / late, tmp_path / "truth" / early])
    rows = joined(tmp_path, [csv_event(event_id="a"), csv_event(event_id="b")], labels)
    assert values(rows, "_event_id", "_label") == [("a", 1), ("b", 2)]
    assert labels.duplicates == 2


def test_time_of_a_label(tmp_path: Path) -> None:
    """A time of its own comes before the folder's hour, and a label is never early."""
    own = json.loads(label_line("a", 1))
    own["eventMetadata"]["inferenceTime"] = "2026-11-26T12:31:00Z"
    labels = labels_of(tmp_path, json.dumps(own) + "\n", label_line("b", 1), hour="2026/11/26/12")
    joined(tmp_path, [csv_event(event_id="a"), csv_event(event_id="b")], labels)
    assert labels.times.to_pylist() == [NOON + timedelta(minutes=31), NOON]
    assert labels.coverage().lateness_seconds_p50 == 30
    assert labels.coverage().lateness_seconds_p95 == pytest.approx(57)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 2.5, "3"], [1.0, 2.5, 3.0]),
        ([True, False, True], [1.0, 0.0, 1.0]),
        (["cat", "a, b", 'say "x"'], ["cat", "a, b", 'say "x"']),
        (["cat", "1", "line\nend"], ["cat", "1", "line\nend"]),
    ],
)
def test_round_trip_of_values(tmp_path: Path, given: list[Any], expected: list[Any]) -> None:
    """What `label_line` writes is read back: as numbers if all labels are, else as texts."""
    labels = labels_of(tmp_path, *(label_line(f"e{n}", value) for n, value in enumerate(given)))
    rows = joined(tmp_path, [csv_event(event_id=f"e{n}") for n in range(len(given))], labels)
    assert [row["_label"] for row in rows] == expected


def test_bad_lines(tmp_path: Path) -> None:
    """A line that is no label is counted with its reason."""
    file = tmp_path / "labels.jsonl"
    bad = [
        "{",
        "[1]",
        '{"groundTruthData": {"data": "1"}}',
        json.dumps({**json.loads(label_line("x", 1)), "groundTruthData": {}}),
    ]
    empty = label_line("y", "")
    file.write_bytes(
        "\n".join([label_line("a", 1).strip(), *bad, empty]).encode() + b"\xff\n" + label_line("b", 2).encode()
    )
    health = HealthCounter()
    labels = read_labels([file], health=health)
    assert labels.ids.to_pylist() == ["a", "b"]
    assert dict(health.result().problems) == {
        "a line is not JSON": 1,
        "a line is no ground truth": 3,
        "a line is not UTF-8": 1,
        "a label has no value": 1,
    }


def test_no_labels(tmp_path: Path) -> None:
    """Without labels there are no rows, and the coverage says so."""
    labels = read_labels([tmp_path])
    assert joined(tmp_path, [csv_event()], labels) == []
    assert labels.coverage() == LabelCoverage(predictions=1, labelled=0, unmatched_labels=0)
    assert labels.coverage().share == 0
