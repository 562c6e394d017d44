"""Events taken by their layout are those that a JSON parser finds."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from drift_monitor.readers.event_layout import read_by_layout
from drift_monitor.readers.events import read_events
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.payload_lines import places_of
from tests.drift_monitor.readers.captured import csv_event, event, side

ROWS = ["1,2,a", "1000000,2,abc\n", "", "3,4,é\r\n", "5,6," + "x" * 500, '7,8,"a"', '""', '{"year": "9"}\n']
ODD = [
    csv_event("1,2,a\\n"),
    csv_event("1\n2"),
    csv_event("1,2,a").replace('"CSV"', '"csv"', 1),
    csv_event("1,2,a").replace('"INPUT"', '"INPUTS"', 1),
    csv_event("1,2,a").replace('"data": "1', '"x": "", "data": "1', 1),
    csv_event("1,2,a").replace("}", " }", 1),
    event(side("1,2,a")),
    event(side("1,2,a"), side("7"), inference_id="i"),
    csv_event('1,2,"a\\"'),
    csv_event("1,2,\\"),
    csv_event("1,2,a", event_id='"e'),
    csv_event("1,2,a", event_id="\\e"),
]


def json_event(request: dict[str, Any], answer: dict[str, Any]) -> str:
    """An event with JSON on both sides."""
    return event(side(json.dumps(request), "JSON"), side(json.dumps(answer), "JSON"))


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
        found = read_events(as_text(text), HealthCounter())
        assert [trimmed(row) for row in found.to_pylist()] == [trimmed(plain(line)) for line in text]


def test_lines_of_one_writer_need_no_parser() -> None:
    """Lines that differ in payloads, ids and times only are all taken, and nothing else is."""
    lines = [csv_event(f"{n},{n * 7},make{n}\n", str(n / 7), event_id=f"e{n}") for n in range(2000)]
    assert taken(lines) == list(range(2000))
    odd = len(ODD)
    assert taken([*lines, *ODD, *lines]) == [*range(2000), *range(2000 + odd, 4000 + odd)]
    quoted = [
        json_event({"year": n, "make": f"make{n}", "x": "y" * (n % 7)}, {"prediction": n / 7}) for n in range(2000)
    ]
    assert taken(quoted) == list(range(2000))
    assert taken([*quoted, *ODD, *quoted]) == [*range(2000), *range(2000 + odd, 4000 + odd)]
    assert taken([*lines, *quoted]) == list(range(2000))


@pytest.mark.parametrize("neighbour", [csv_event("1,2,a"), csv_event('1,2,"a"'), csv_event("1,2,a\n")])
@pytest.mark.parametrize("odd", [r"a\\", r"a\\n", r"a\\\"", r"a\n\n", r"a\nb", r"a\t", r"a\u0041", r"a\/", 'a"b', 'a"'])
def test_escapes_that_need_the_parser(odd: str, neighbour: str) -> None:
    """In a payload quotes and a last line end may be escaped and nothing else; in an id nothing may."""
    lines = [neighbour] * 20
    lines[5] = csv_event("1,2,a").replace('"1,2,a"', f'"{odd}"')
    lines[9] = csv_event("1,2,a").replace('"e"', f'"{odd}"')
    lines[13] = csv_event("1,2,a").replace('"e"', r'"\"e"')
    assert taken(lines) == [number for number in range(20) if number not in (5, 9, 13)]


def test_an_escaped_end_does_not_make_up_for_a_quote() -> None:
    """A torn payload, of which the last quote is escaped, is not taken, nor is one with a quote more."""
    lines = [csv_event('1,2,"a"')] * 9
    lines[3], lines[6] = (csv_event("1,2,a").replace('"1,2,a"', data) for data in (r'"1,2,a\"', '"1,2"a"'))
    assert taken(lines) == [0, 1, 2, 4, 5, 7, 8]


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 40))
def test_places_of(bits: list[bool], cut: int) -> None:
    """The places of true values, whatever the length of the mask and wherever it begins in memory."""
    mask = np.array(bits, np.bool_)[cut:]
    assert places_of(mask).tolist() == np.flatnonzero(mask).tolist()


def test_a_further_member_is_no_part_of_a_payload() -> None:
    """A line that has more than the others, at the end of a payload, is not taken for a longer payload."""
    lines = [csv_event(f"{n},{n},m") for n in range(50)]
    lines[20] = lines[20].replace(',m"', ',m", "x": "y"')
    assert taken(lines) == [*range(20), *range(21, 50)]


def taken(lines: list[str]) -> list[int]:
    """Numbers of the lines that are read by their layout."""
    text = as_text(lines)
    ends = np.flatnonzero(text == ord("\n")) + 1
    return list(read_by_layout(text, np.concatenate(([0], ends[:-1])), ends)[1])


def as_text(lines: list[str]) -> NDArray[np.uint8]:
    """The lines as the bytes of a block."""
    return np.frombuffer(bytearray("".join(line + "\n" for line in lines).encode()), np.uint8)


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
