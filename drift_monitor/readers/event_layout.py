"""Events of one writer by their common layout: all lines equal but for a few strings, so nothing has to be parsed.

The first line of a block says where those strings, the fields, are. A line is taken only if every byte outside its
fields is that of the first line, and nothing in them is escaped but quotes in payloads, as those of JSON are; all
others are left to the JSON parser.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_monitor.readers.event_fields import EVENT_SCHEMA, FIELD_PATHS, NO_EVENTS, event_key
from drift_monitor.readers.payload_lines import NEWLINE, bytes_of, places_of

_QUOTE, _BACKSLASH = b'"\\'
_ESCAPED_LINE_ENDS = b"nr"
_PAYLOADS = ("input", "output")
# How much longer than twice the first payload others may be before all quotes are looked at.
_SPARE_BYTES = 32
Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class _Field:
    """A string that differs from line to line: its place in the first line, without its quotes, and which of all
    strings of the line it is."""

    name: str
    begin: int
    end: int
    index: int


@dataclass(frozen=True)
class _Layout:
    """`line`: the first line with its newline. `fields`: in the order of the line. `quotes`: how many it has.
    `constants`: further texts of the event, the same in every line."""

    line: bytes
    fields: tuple[_Field, ...]
    quotes: int
    constants: Mapping[str, str]


@dataclass(frozen=True)
class _Marks:
    """Of a text: which bytes are quotes that begin or end a string, whether quotes are escaped, and the places of
    backslashes that escape anything else, ascending."""

    quotes: Mask
    escaped_quotes: bool
    other_escapes: Positions


@dataclass(frozen=True)
class _Lines:
    """Lines of a text: where each begins and ends (after its newline), and where its fields do, without their quotes.

    All arrays have the shape (lines,).
    """

    starts: Positions
    ends: Positions
    spans: Mapping[str, tuple[Positions, Positions]]

    def only(self, chosen: Mask) -> "_Lines":
        if chosen.all():
            return self
        spans = {name: (begins[chosen], ends[chosen]) for name, (begins, ends) in self.spans.items()}
        return _Lines(self.starts[chosen], self.ends[chosen], spans)


def read_by_layout(text: Bytes, starts: Positions, ends: Positions) -> tuple[pa.RecordBatch, Positions]:
    """Events (EVENT_SCHEMA) of the lines that have the layout of the first one, and the numbers of these lines.

    `text`: lines in UTF-8, at least one, each with its newline; `starts` and `ends` (after the newline) say where.
    The lines that are taken are not what they were afterwards.
    """
    layout = _layout_of(text[: ends[0]])
    if layout is None:
        return NO_EVENTS, np.empty(0, np.int64)
    marks = _marks(text)
    lines = _unescaped(_equal_lines(text, starts, ends, layout=layout, marks=marks), text, marks)
    if not len(lines.starts):
        return NO_EVENTS, np.empty(0, np.int64)
    numbers = np.arange(len(starts)) if len(lines.starts) == len(starts) else np.searchsorted(starts, lines.starts)
    return _events(text, layout, lines, escaped=marks.escaped_quotes), numbers


def _marks(text: Bytes) -> _Marks:
    quotes = text == _QUOTE
    backslashes = text == _BACKSLASH
    if not backslashes.any():
        return _Marks(quotes, escaped_quotes=False, other_escapes=np.empty(0, np.int64))
    # The last byte is a newline, so that every backslash has a byte behind it. Of `\\"` the first backslash is another
    # escape, which is enough to leave its line out.
    others = places_of(backslashes[:-1] & ~quotes[1:])
    escaped = backslashes[:-1] & quotes[1:]
    quotes[1:] ^= escaped
    return _Marks(quotes, bool(escaped.any()), others)


def _layout_of(text: Bytes) -> _Layout | None:
    """The layout of an event's line; None if it is no event."""
    line = text.tobytes()
    try:
        strings = list(_strings(json.loads(line, object_pairs_hook=tuple), ()))
    except (ValueError, RecursionError):
        return None
    quotes = np.flatnonzero(_marks(text).quotes).tolist()
    if len(quotes) != 2 * len(strings):
        return None
    found = {FIELD_PATHS[path]: index for index, (path, _) in enumerate(strings) if path in FIELD_PATHS}
    constants = {name: strings[index][1] for name, index in found.items() if name.endswith("_encoding")}
    fields = [
        _Field(name, quotes[2 * index] + 1, quotes[2 * index + 1], index)
        for name, index in found.items()
        if name not in constants
    ]
    names = {field.name for field in fields}
    if not {"event_id", "time"} <= names or names.isdisjoint(_PAYLOADS):
        return None
    return _Layout(line, tuple(sorted(fields, key=lambda field: field.begin)), len(quotes), constants)


def _strings(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...] | None, str]]:
    """All strings of a JSON value in the order of its text, each with its path; a key has none.

    Objects are tuples of pairs here. Raises ValueError for a field that is an object or a list.
    """
    if isinstance(value, str):
        yield path, value
    elif path in FIELD_PATHS and value is not None:
        raise ValueError(path)
    elif isinstance(value, tuple):
        for key, member in value:
            yield None, key
            yield from _strings(member, (*path, key))
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member, (*path, "[]"))


def _equal_lines(text: Bytes, starts: Positions, ends: Positions, *, layout: _Layout, marks: _Marks) -> _Lines:
    """The lines that differ from the layout's line in its fields only, which hold none of the marked quotes."""
    quotes = marks.quotes
    if np.count_nonzero(quotes) == layout.quotes * len(starts):
        lines = _equal_outside_fields(_by_lengths(quotes, starts, ends, layout), text, layout)
        # If all lines have the quotes of the layout outside their fields, there are none within.
        if len(lines.starts) == len(starts) and (not marks.escaped_quotes or _all_end_at(quotes, lines)):
            return lines
    return _equal_outside_fields(_by_quotes(quotes, starts, ends, layout), text, layout)


def _all_end_at(quotes: Mask, lines: _Lines) -> bool:
    """Whether what closes the fields are quotes that are not escaped themselves."""
    return all(bool(quotes[ends].all()) for _, ends in lines.spans.values())


def _by_lengths(quotes: Mask, starts: Positions, ends: Positions, layout: _Layout) -> _Lines:
    """Lines whose payloads alone differ in length from the first line's: a guess, but cheap.

    What stands before the payloads is as far from the line's start as in the first line, and what stands behind them
    as far from its end. The quote that opens the second payload is sought backwards from its end.
    """
    payloads = [field for field in layout.fields if field.name in _PAYLOADS]
    first, last = payloads[0], payloads[-1]
    behind = ends - starts - len(layout.line)
    closes = starts + last.end + behind
    window = min(2 * (last.end - last.begin) + _SPARE_BYTES, int(closes.min()))
    between = behind if first is last or window < 1 else _after_quote(quotes, closes, window) - starts - last.begin

    def moved(place: int) -> Positions:
        if place <= first.begin:
            return starts + place
        return starts + place + (behind if place >= last.end else between)

    return _Lines(starts, ends, {field.name: (moved(field.begin), moved(field.end)) for field in layout.fields})


def _after_quote(quotes: Mask, closes: Positions, window: int) -> Positions:
    """Where the text after the last quote before each position begins; the position itself if there is none near."""
    pieces = np.ndarray((len(quotes) - window + 1,), f"V{window}", quotes, 0, (1,))[closes - window]
    after: Positions = closes - pieces.view(np.bool_).reshape(-1, window)[:, ::-1].argmax(axis=1)
    return after


def _by_quotes(marks: Mask, starts: Positions, ends: Positions, layout: _Layout) -> _Lines:
    """Lines with as many quotes as the layout, whatever the length of their fields."""
    quotes = np.flatnonzero(marks)
    last = np.searchsorted(quotes, ends)
    first = np.concatenate(([0], last[:-1]))
    right = last - first == layout.quotes
    firsts = first[right]
    spans = {
        field.name: (quotes[firsts + 2 * field.index] + 1, quotes[firsts + 2 * field.index + 1])
        for field in layout.fields
    }
    return _Lines(starts[right], ends[right], spans)


def _equal_outside_fields(lines: _Lines, text: Bytes, layout: _Layout) -> _Lines:
    cuts = [0, *(cut for field in layout.fields for cut in (field.begin, field.end)), len(layout.line)]
    regions = [layout.line[begin:end] for begin, end in zip(cuts[::2], cuts[1::2], strict=True)]
    # All lengths first: they make sure that the bytes looked at are the line's own.
    for index, region in enumerate(regions):
        begins, ends = _region(lines, layout, index)
        lines = lines.only(ends - begins == len(region))
    for field in layout.fields:
        begins, ends = lines.spans[field.name]
        lines = lines.only(begins <= ends)
    for index, region in enumerate(regions):
        lines = lines.only(_starts_with(text, _region(lines, layout, index)[0], region))
    return lines


def _region(lines: _Lines, layout: _Layout, index: int) -> tuple[Positions, Positions]:
    """Where the bytes between the field before this index and the field at it begin and end, quotes included."""
    begins = lines.spans[layout.fields[index - 1].name][1] if index else lines.starts
    ends = lines.spans[layout.fields[index].name][0] if index < len(layout.fields) else lines.ends
    return begins, ends


def _starts_with(text: Bytes, begins: Positions, expected: bytes) -> Mask:
    """Whether `text` has the expected bytes at each position. They must end within it, and hold no zero byte."""
    # A fixed-length text at every byte, of which those at the positions are picked.
    length = len(expected)
    found = np.ndarray((len(text) - length + 1,), f"S{length}", text, 0, (1,))[begins]
    if found.tobytes() == expected * len(begins):
        return np.ones(len(begins), np.bool_)
    equal: Mask = found == np.bytes_(expected)
    return equal


def _unescaped(lines: _Lines, text: Bytes, marks: _Marks) -> _Lines:
    """The lines without escapes, but for quotes in a payload and line ends that close one: these are left out of it."""
    if marks.escaped_quotes:
        for name in lines.spans.keys() - set(_PAYLOADS):
            escaped = pc.match_substring(_texts(text, *lines.spans[name]), "\\")
            lines = lines.only(~escaped.to_numpy(zero_copy_only=False))
    places = marks.other_escapes
    if not len(places):
        return lines
    spans = dict(lines.spans)
    closing = np.zeros(len(lines.starts), np.int64)
    for name in spans.keys() & set(_PAYLOADS):
        begins, ends = spans[name]
        for letter in _ESCAPED_LINE_ENDS:
            closed = (ends - begins >= 2) & (text[ends - 1] == letter) & (text[ends - 2] == _BACKSLASH)
            ends = ends - 2 * closed
            closing += closed
        spans[name] = (begins, ends)
    escapes = np.searchsorted(places, lines.ends) - np.searchsorted(places, lines.starts)
    return _Lines(lines.starts, lines.ends, spans).only(escapes == closing)


def _events(text: Bytes, layout: _Layout, lines: _Lines, *, escaped: bool) -> pa.RecordBatch:
    """Events of the lines; `escaped`: whether payloads may have escaped quotes."""
    rows = len(lines.starts)
    fields = {
        name: _payloads(text, *span, escaped=escaped) if name in _PAYLOADS else _texts(text, *span)
        for name, span in lines.spans.items()
    }
    inference_ids, event_ids = fields.get("inference_id"), fields["event_id"]
    fields["id"] = event_ids if inference_ids is None else event_key(event_ids, inference_ids)
    fields |= {name: pa.repeat(_scalar(value), rows) for name, value in layout.constants.items()}
    absent = pa.nulls(rows, pa.string())
    return pa.RecordBatch.from_arrays([fields.get(name, absent) for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)


# Making a scalar costs more than repeating it, and there are only a few encodings.
@lru_cache(maxsize=16)
def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.string())


def _payloads(text: Bytes, begins: Positions, ends: Positions, *, escaped: bool) -> pa.StringArray:
    """The payloads, each with a newline, which takes the place of what closed it."""
    text[ends] = NEWLINE
    payloads = _texts(text, begins, ends + 1)
    if not escaped:
        return payloads
    data = bytes_of(payloads).to_pybytes().translate(None, b"\\")
    offsets = np.zeros(len(payloads) + 1, np.int32)
    offsets[1:] = places_of(np.frombuffer(data, np.uint8) == NEWLINE) + 1
    return pa.StringArray.from_buffers(len(payloads), pa.py_buffer(offsets), pa.py_buffer(data))


def _texts(text: Bytes, begins: Positions, ends: Positions) -> pa.StringArray:
    """The pieces of a text. They are every second string of an array that also has the gaps between them."""
    offsets = np.empty(2 * len(begins) + 1, np.int32)
    offsets[0:-1:2] = begins
    offsets[1::2] = ends
    offsets[-1] = offsets[-2] if len(begins) else 0
    pieces = pa.StringArray.from_buffers(2 * len(begins), pa.py_buffer(offsets), pa.py_buffer(text))
    return pieces.take(pa.array(np.arange(0, 2 * len(begins), 2)))
