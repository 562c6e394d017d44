"""Rows of one side of captured events, and how the rows of both sides are brought together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rows:
    """Typed columns of equal length, and the number of the event that each row is of, ascending."""

    columns: tuple[Any, ...]
    events: Numbers

    @property
    def different_events(self) -> int:
        """How many events have rows."""
        return int(np.count_nonzero(np.diff(self.events, prepend=-1)))

    def renumbered(self, events: Numbers) -> "Rows":
        """The same rows, where event i is now `events[i]`."""
        return Rows(self.columns, events[self.events])

    def only(self, chosen: Mask) -> "Rows":
        """The chosen rows."""
        mask = pa.array(chosen)
        return Rows(tuple(column.filter(mask) for column in self.columns), self.events[chosen])


def empty(schema: pa.Schema) -> Rows:
    """No rows."""
    return Rows(tuple(pa.array([], field.type) for field in schema), np.empty(0, np.int64))


def merged(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts by event; an event is in one part only."""
    filled = [part for part in parts if len(part.events)] or [parts[0]]
    if len(filled) == 1:
        return filled[0]
    events = np.concatenate([part.events for part in filled])
    columns = tuple(pa.concat_arrays(pieces) for pieces in zip(*(part.columns for part in filled), strict=True))
    if (np.diff(events) >= 0).all():
        return Rows(columns, events)
    order = np.argsort(events, kind="stable")
    return Rows(tuple(column.take(pa.array(order)) for column in columns), events[order])


@dataclass(frozen=True, eq=False)
class Aligned:
    """Rows with both sides: `events` and `indexes` (which row of its event) of shape (rows,), and columns of the
    input and of the output. `unequal`: events whose sides differ in their number of rows. `one_each`: row i is the only
    one of event i."""

    events: Numbers
    indexes: Numbers
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    unequal: int = 0
    one_each: bool = False


def aligned(inputs: Rows, outputs: Rows, *, without_input: Mask) -> Aligned:
    """Input rows beside output rows. `without_input`: per event, whether only its output was captured.

    Such an event has its output rows with nulls; one whose output does not fit has its input rows with nulls; one
    whose input gave no rows has none.
    """
    count = len(without_input)
    if _one_each(inputs.events, count) and _one_each(outputs.events, count):
        return Aligned(inputs.events, np.zeros(count, np.int64), inputs.columns, outputs.columns, one_each=True)
    input_counts = np.bincount(inputs.events, minlength=count)
    output_counts = np.bincount(outputs.events, minlength=count)
    counts = np.where(without_input, output_counts, input_counts)
    fitting = output_counts == counts
    events = np.repeat(np.arange(count), counts)
    indexes = np.arange(len(events)) - np.repeat(_starts(counts), counts)
    return Aligned(
        events,
        indexes,
        _placed(inputs.columns, _starts(input_counts)[events] + indexes, ~without_input[events]),
        _placed(outputs.columns, _starts(output_counts)[events] + indexes, fitting[events]),
        unequal=int(((counts > 0) & (output_counts > 0) & ~fitting).sum()),
    )


def _one_each(events: Numbers, count: int) -> bool:
    return len(events) == count and bool((events == np.arange(count)).all())


def _starts(counts: Numbers) -> Numbers:
    """Where the rows of each event begin."""
    starts: Numbers = np.cumsum(counts) - counts
    return starts


def _placed(columns: tuple[Any, ...], positions: Numbers, known: Mask) -> tuple[Any, ...]:
    """The values at the positions, null where they are not known."""
    indices = pa.array(positions, mask=~known)
    return tuple(column.take(indices) for column in columns)
