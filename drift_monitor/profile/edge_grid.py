"""Which edges are below a value, without sorting: 5 ns a value, where sorting takes 9.

The span of the edges is divided into cells of one width. Subtracting, multiplying and cutting off the fraction keep the
order of numbers, rounding included, and the edges' cells are computed as the values' are: a value in a lower cell than
an edge is below it. Where a cell has one edge or none, a comparison with the next edge decides exactly. Values of
crowded cells are handed back. Must not know what is done with the counts.
"""

import numpy as np
from numpy.typing import NDArray

from drift_monitor.profile.numeric import CountArray, FloatArray

_CELLS = 1 << 15
# A tail of this share of the edges lies outside of the cells if it is longer than all that is between the tails.
_TAIL = 64
# Fewer edges come from equal values, and those sort faster than the grid places them.
_FEWEST = 2048


class EdgeGrid:
    """Cells over at least two different edges, ascending and finite; see `grid_of`."""

    def __init__(self, edges: FloatArray, *, first: float, last: float) -> None:
        self._first, self._last, self._scale = first, last, _CELLS / (last - first)
        edges_in = np.bincount(self._cells(edges), minlength=_CELLS + 1)
        # A value's code is twice the number of edges below its cell, plus 1 if it equals the next edge, 2 if it exceeds
        # it: an odd code is an edge, an even one a gap. A code beyond the last gap stands for crowded cells.
        self._crowded = 2 * len(edges) + 2
        self._codes = np.where(edges_in > 1, self._crowded, 2 * (np.cumsum(edges_in) - edges_in))
        self._next_edge = np.repeat(np.append(edges, [np.inf, np.inf]), 2)

    def count(self, values: FloatArray) -> tuple[CountArray, FloatArray]:
        """How many of the finite values are in each gap and at each edge, in turn, and those in crowded cells."""
        codes = self._codes.take(self._cells(values), mode="clip")
        edges = self._next_edge.take(codes, mode="clip")
        codes += (values >= edges).view(np.int8) + (values > edges).view(np.int8)
        counts = np.bincount(codes, minlength=self._crowded + 1)
        rest = values[codes == self._crowded] if counts[self._crowded] else values[:0]
        return counts[: self._crowded - 1], rest

    def _cells(self, values: FloatArray) -> NDArray[np.int64]:
        inside = np.clip(values, self._first, self._last)
        inside -= self._first
        inside *= self._scale
        return inside.astype(np.int64)


def grid_of(edges: FloatArray) -> EdgeGrid | None:
    """The grid of finite edges, or None if they are few, too close to each other or too far apart."""
    if len(edges) < _FEWEST:
        return None
    tail = len(edges) // _TAIL
    first, last = float(edges[tail]), float(edges[-1 - tail])
    with np.errstate(over="ignore", divide="ignore"):
        width = np.float64(last) - first
        first = float(edges[0]) if first - edges[0] < width else first
        last = float(edges[-1]) if edges[-1] - last < width else last
        scale = _CELLS / (np.float64(last) - first)
    return EdgeGrid(edges, first=first, last=last) if 0 < scale < np.inf else None
