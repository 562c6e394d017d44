"""Counts the values of one numeric column at given edges, batch by batch. Must not choose the edges."""

import math
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from drift_monitor.profile.edge_grid import EdgeGrid, grid_of
from drift_monitor.profile.moments import Moments, moments_of_counts, moments_of_values
from drift_monitor.profile.numeric import FloatArray, NumericProfile, edges_of_sorted
from drift_monitor.profile.values import NumberArray, Numbers, is_whole

# Smaller batches are joined up to this size.
_LARGE = 32_768
# So many values are sorted at once: fewer make the search for the edges dear, more leave the processor's cache.
_BLOCK = 131_072
# Whole numbers up to this size are exact as float64, which the edges are.
_EXACT = 2**53


def profile_of_values(batches: list[Numbers]) -> NumericProfile:
    """A baseline's profile, with edges of its own. Empties the list: its values are held a second time while sorted."""
    missing = sum(batch.missing for batch in batches)
    mismatched = sum(batch.mismatched for batch in batches)
    values = np.concatenate([np.empty(0), *(batch.values for batch in batches)])
    batches.clear()
    values.sort()
    present = values[: values.searchsorted(np.nan)]
    counter = NumericCounter(edges_of_sorted(present), count_fractional=True)
    counter.add(Numbers(present, missing + len(values) - len(present), mismatched))
    return counter.result()


class _Pile:
    """Arrays of one type that are to be counted together; mutable."""

    def __init__(self) -> None:
        self._arrays: list[NumberArray] = []
        self.size = 0

    def add(self, values: NumberArray) -> None:
        if len(values):
            self._arrays.append(values)
            self.size += len(values)

    def fits(self, values: NumberArray) -> bool:
        return not self._arrays or self._arrays[0].dtype == values.dtype

    def taken(self) -> NumberArray:
        """A copy of all values, which are given up; float64 if there are none."""
        joined = np.concatenate(self._arrays) if self._arrays else np.empty(0)
        self._arrays, self.size = [], 0
        return cast(NumberArray, joined)


class NumericCounter:
    """Counts values at given edges; mutable. `count_fractional`: whether numbers that are not whole are counted."""

    def __init__(self, edges: FloatArray, *, count_fractional: bool) -> None:
        self._edges = edges
        self._count_fractional = count_fractional
        self._finite_edges = edges[np.isfinite(edges)]
        self._below = np.zeros(len(edges), np.int64)
        self._up_to = np.zeros(len(edges), np.int64)
        self._present = self._missing = self._mismatched = self._fractional = self._negative = 0
        self._infinities = [0, 0]
        self._excess = [0.0, 0.0]
        self._moments = Moments()
        self._gaps = np.zeros(2 * len(self._finite_edges) + 1, np.int64)
        self._small, self._unsorted = _Pile(), _Pile()

    def add(self, numbers: Numbers) -> None:
        """Count a batch."""
        self._missing += numbers.missing
        self._mismatched += numbers.mismatched
        values = numbers.values
        if len(values) >= _LARGE:
            for start in range(0, len(values), _BLOCK):
                self._count(values[start : start + _BLOCK])
        elif len(values):
            if not self._small.fits(values):
                self._count(self._small.taken())
            self._small.add(values)
            if self._small.size >= _LARGE:
                self._count(self._small.taken())

    def add_missing(self, rows: int) -> None:
        """Count rows that do not have the column."""
        self._missing += rows

    def result(self) -> NumericProfile:
        """The profile of all values so far."""
        self._count(self._small.taken())
        self._sort()
        self._add_gaps()
        return NumericProfile(
            edges=self._edges,
            below=self._below.copy(),
            up_to=self._up_to.copy(),
            present=self._present,
            missing=self._missing,
            mismatched=self._mismatched,
            fractional=self._fractional,
            negative=self._negative,
            negative_infinities=self._infinities[0],
            positive_infinities=self._infinities[1],
            moments=self._moments,
            excess_below=self._excess[0],
            excess_above=self._excess[1],
        )

    @cached_property
    def _grid(self) -> EdgeGrid | None:
        return grid_of(self._finite_edges)

    def _count(self, values: NumberArray) -> None:
        if not len(values):
            return
        if not is_whole(values):
            self._count_numbers(cast(FloatArray, values))
            return
        first, last = int(values.min()), int(values.max())
        if last - first < 2 * len(values) and max(-first, last) < _EXACT:
            self._tally(values, first, last)
        else:
            self._count_numbers(values.astype(np.float64))

    def _tally(self, values: NDArray[np.int64], first: int, last: int) -> None:
        """Count whole numbers of a small range one by one."""
        is_near_zero = first >= 0 and last < 2 * len(values)
        counts = np.bincount(values)[first:] if is_near_zero else np.bincount(values - first)
        smaller = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))  # smaller[i]: values < first + i
        span = len(counts)
        self._below += smaller[np.clip(np.ceil(self._edges) - first, 0, span).astype(np.int64)]
        self._up_to += smaller[np.clip(np.floor(self._edges) + 1 - first, 0, span).astype(np.int64)]
        self._present += len(values)
        self._negative += int(smaller[min(max(-first, 0), span)])
        self._add_moments(moments_of_counts(counts, first), values)

    def _count_numbers(self, values: FloatArray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(values.sum())
            if not math.isfinite(total):
                values = self._finite(values)
                total = float(values.sum())
        self._present += len(values)
        moments = moments_of_values(values, total=total)
        if moments.minimum is not None and moments.minimum < 0:
            self._negative += int(np.count_nonzero(values < 0))
        if self._count_fractional:
            self._fractional += int(np.count_nonzero(values != np.trunc(values)))
        self._add_moments(moments, values)
        self._count_at_edges(values)

    def _finite(self, values: FloatArray) -> FloatArray:
        """The finite ones of the values; the others are counted."""
        low, high = (int(np.count_nonzero(values == infinity)) for infinity in (-np.inf, np.inf))
        finite = values[np.isfinite(values)]
        self._present += low + high
        self._missing += len(values) - len(finite) - low - high
        self._negative += low
        self._infinities[0] += low
        self._infinities[1] += high
        self._below += low * (self._edges > -np.inf)
        self._up_to += low + high * (self._edges == np.inf)
        return finite

    def _count_at_edges(self, values: FloatArray) -> None:
        if len(values) >= _LARGE and self._grid is not None:
            counts, rest = self._grid.count(values)
            if len(rest) > len(values) // 4:
                self._grid = None  # the edges have ties or a tail that the grid is too coarse for
            self._gaps += counts
            values = rest
        self._unsorted.add(values)
        if self._unsorted.size >= _BLOCK:
            self._sort()

    def _add_gaps(self) -> None:
        """Add up what the grid counted: none below an edge at minus infinity, all below one at infinity."""
        cumulative = np.cumsum(self._gaps)
        self._gaps[:] = 0
        finite = np.isfinite(self._edges)
        self._below[finite] += cumulative[0:-1:2]
        self._up_to[finite] += cumulative[1::2]
        infinite = self._edges == np.inf
        self._below[infinite] += cumulative[-1]
        self._up_to[infinite] += cumulative[-1]

    def _sort(self) -> None:
        """Count at the edges what the grid did not place."""
        values = cast(FloatArray, self._unsorted.taken())
        if not len(values):
            return
        values.sort()
        below = values.searchsorted(self._edges, "left")
        self._below += below
        # Only where the search ended at the edge's own value is the count up to it another one.
        tied = np.flatnonzero(values[np.minimum(below, len(values) - 1)] == self._edges)
        below[tied] = values.searchsorted(self._edges[tied], "right")
        self._up_to += below

    def _add_moments(self, moments: Moments, values: NumberArray) -> None:
        """Add the moments of the values, and by how much these lie beyond the edges."""
        self._moments = self._moments.merge(moments)
        if not len(self._finite_edges) or moments.minimum is None or moments.maximum is None:
            return
        lowest, highest = self._finite_edges[0], self._finite_edges[-1]
        with np.errstate(over="ignore"):  # an infinite excess is an answer: the distance is without bounds
            if moments.minimum < lowest:
                self._excess[0] += float((lowest - values[values < lowest]).sum())
            if moments.maximum > highest:
                self._excess[1] += float((values[values > highest] - highest).sum())
