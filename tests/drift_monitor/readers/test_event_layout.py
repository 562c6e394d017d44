"""Events taken by their layout are those that a JSON parser finds."""

import json

import numpy as np
import pytest

from drift_monitor.readers.event_layout import read_by_layout
from drift_monitor.readers.events import read_events
from drift_monitor.readers.health import HealthCounter
from tests.drift_monitor.readers.captured import csv_event, event, side

ROWS = ["1,2,a", "1000000,2,abc\n", "", "3,4,é\r\n", "5,6," + "x" * 500]
ODD = [
    csv_event('1,2,"a"'),
    csv_event("1,2,a\\n"),
    csv_event("1\n2"),
    csv_event("1,2,a").replace('"CSV"', '"csv"', 1),
    csv_event("1,2,a").replace('"INPUT"', '"INPUTS"', 1),
    csv_event("1,2,a").replace('"data": "1', '"x": "", "data": "1', 1),
    csv_event("1,2,a").replace("}", " }", 1),
    event(side("1,2,a")),
    event(side("1,2,a"), side("7"), inference_id="i"),
]


def compact(line: str) -> str:
    """The event without its spaces, and with its letters as they are."""
    return json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("first", [*ROWS, *ODD])
def test_same_events_as_parsing(first: str) -> None:
    """Whatever the first line is, each line gives the event that parsing it alone gives, in the same order."""
    lines = [first if first in ODD else csv_event(first, answer="0.5")]
    lines += [
        csv_event(row, answer=answer, event_id=f"id{n}") for n, row in enumerate(ROWS) for answer in ("", "7", "8" * 90)
    ]
    lines += ODD
    for text in (lines, [compact(line) for line in lines]):
        found = read_events("".join(line + "\n" for line in text).encode(), HealthCounter())
        assert [trimmed(row) for row in found.to_pylist()] == [trimmed(plain(line)) for line in text]


def test_lines_of_one_writer_need_no_parser() -> None:
    """Lines that differ in payloads, ids and times only are all taken, and nothing else is."""
    lines = [csv_event(f"{n},{n * 7},make{n}\n", str(n / 7), event_id=f"e{n}") for n in range(2000)]
    assert taken(lines) == list(range(2000))
    odd = len(ODD)
    assert taken([*lines, *ODD, *lines]) == [*range(2000), *range(2000 + odd, 4000 + odd)]


def test_a_further_member_is_no_part_of_a_payload() -> None:
    """A line that has more than the others, at the end of a payload, is not taken for a longer payload."""
    lines = [csv_event(f"{n},{n},m") for n in range(50)]
    lines[20] = lines[20].replace(',m"', ',m", "x": "y"')
    assert taken(lines) == [*range(20), *range(21, 50)]


def taken(lines: list[str]) -> list[int]:
    """Numbers of the lines that are read by their layout."""
    data = "".join(line + "\n" for line in lines).encode()
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    return list(read_by_layout(data, np.concatenate(([0], ends[:-1])), ends)[1])


def plain(line: str) -> dict[str, str | None]:
    """The event of a line."""
    value = json.loads(line)
    sides, metadata = value["captureData"], value["eventMetadata"]
    found = {"id": metadata.get("inferenceId") or metadata["eventId"], "time": metadata["inferenceTime"]}
    for name, side_name in (("input", "endpointInput"), ("output", "endpointOutput")):
        found[name] = sides.get(side_name, {}).get("data")
        found[f"{name}_encoding"] = sides.get(side_name, {}).get("encoding")
    return found


def trimmed(row: dict[str, str | None]) -> dict[str, str | None]:
    """Without the line ends that close a payload, which have no meaning."""
    return {name: value.rstrip("\r\n") if value else value for name, value in row.items()}
