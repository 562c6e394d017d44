"""Counts of one numeric column at the baseline's edges: a histogram with equal mass in its bins.

For a column of n baseline values the edges are all its distinct values if there are at most BINS + 1 of them, else
the values at BINS + 1 even ranks. Fewer than n / BINS values lie strictly between two neighbours, and values that
equal an edge are counted apart, so the distance to any other data follows from the counts to within 1 / BINS
(drift/distances.py), ties included. Counts are integers: profiles of the same edges merge by addition, in any order.
Must not know what a distance or an alarm is.
"""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from drift_monitor.errors import BaselineError
from drift_monitor.profile.moments import (
    Moments,
    moments_of_counts,
    moments_of_offsets,
    moments_of_sorted,
    moments_of_weighted,
)
from drift_monitor.profile.values import NumberArray, Numbers, is_whole

FloatArray = NDArray[np.float64]
CountArray = NDArray[np.int64]

BINS = 4096

# So many values are sorted at once: fewer make the search for the edges dear, more leave the processor's cache.
_BLOCK = 131_072
# Whole numbers within such a range fit in 32 bits.
_SHORT = 2**31
# Whole numbers up to this size are exact as float64, which the edges are.
_EXACT = 2**53


@dataclass(frozen=True, kw_only=True, eq=False)
class NumericProfile:
    """How many values lie below each edge, and how many at it or below.

    `edges`: ascending and unique (float64, may begin or end with an infinity). `below[i]`: values < edges[i];
    `up_to[i]`: values <= edges[i]. `present`: values that are numbers, infinities included; `missing`: null or NaN;
    `mismatched`: values that are no numbers (texts); `fractional`: numbers that are not whole, counted only where the
    baseline has none; `excess_below`, `excess_above`: by how much the finite values outside of the finite edges lie
    beyond them, summed. `rank_error`: by how much a count may be wrong, as a share of `present` (imported sketches).
    """

    edges: FloatArray
    below: CountArray
    up_to: CountArray
    present: int
    missing: int
    mismatched: int = 0
    fractional: int = 0
    negative: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    moments: Moments = field(default_factory=Moments)
    excess_below: float = 0.0
    excess_above: float = 0.0
    rank_error: float = 0.0

    def merge(self, other: "NumericProfile") -> "NumericProfile":
        """The profile of both sets of values. Raises BaselineError if the edges differ."""
        if not np.array_equal(self.edges, other.edges):
            raise BaselineError("profiles that were counted against different baselines cannot be merged")
        return NumericProfile(
            edges=self.edges,
            below=self.below + other.below,
            up_to=self.up_to + other.up_to,
            present=self.present + other.present,
            missing=self.missing + other.missing,
            mismatched=self.mismatched + other.mismatched,
            fractional=self.fractional + other.fractional,
            negative=self.negative + other.negative,
            positive_infinities=self.positive_infinities + other.positive_infinities,
            negative_infinities=self.negative_infinities + other.negative_infinities,
            moments=self.moments.merge(other.moments),
            excess_below=self.excess_below + other.excess_below,
            excess_above=self.excess_above + other.excess_above,
            rank_error=max(self.rank_error, other.rank_error),
        )


def edges_of_sorted(values: FloatArray) -> FloatArray:
    """The edges of ascending values, which have no NaN."""
    if not len(values):
        return np.empty(0)
    distinct = values[np.concatenate(([True], values[1:] != values[:-1]))]
    if len(distinct) <= BINS + 1:
        return distinct
    ranks = np.append(np.arange(BINS) * len(values) // BINS, len(values) - 1)
    return np.unique(values[ranks])


def profile_of_values(batches: list[Numbers]) -> NumericProfile:
    """A baseline's profile, with edges of its own. Empties the list: its values are held a second time while sorted."""
    missing = sum(batch.missing for batch in batches)
    mismatched = sum(batch.mismatched for batch in batches)
    values = np.concatenate([np.empty(0), *(batch.values for batch in batches)])
    batches.clear()
    values.sort()
    present = values[: values.searchsorted(np.nan)]
    counter = NumericCounter(edges_of_sorted(present), count_fractional=True)
    counter.add(Numbers(np.empty(0), missing + len(values) - len(present), mismatched))
    for start in range(0, len(present), _BLOCK):
        counter.add(Numbers(present[start : start + _BLOCK], 0, 0))
    return counter.result()


def profile_of_weighted(values: FloatArray, weights: FloatArray, *, missing: int, rank_error: float) -> NumericProfile:
    """A baseline's profile from ascending unique values and how often each occurs, as a quantile sketch has them.

    All values are edges. Moments are those of the weighted values.
    """
    up_to = np.rint(np.cumsum(weights)).astype(np.int64)
    below = np.concatenate((np.zeros(1, np.int64), up_to[:-1])) if len(up_to) else up_to
    finite = np.isfinite(values)
    return NumericProfile(
        edges=values.astype(np.float64),
        below=below,
        up_to=up_to,
        present=int(up_to[-1]) if len(up_to) else 0,
        missing=missing,
        fractional=int(weights[finite & (values != np.trunc(values))].sum()),
        negative=int(weights[values < 0].sum()),
        positive_infinities=int(weights[values == np.inf].sum()),
        negative_infinities=int(weights[values == -np.inf].sum()),
        moments=moments_of_weighted(values[finite], weights[finite]),
        rank_error=rank_error,
    )


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
        # Memory of its own: arrays that come and go cost page faults, which are dearer than the arithmetic.
        self._block: NumberArray = np.empty(0)
        self._filled = 0

    def add(self, numbers: Numbers) -> None:
        """Count a batch."""
        self._missing += numbers.missing
        self._mismatched += numbers.mismatched
        values = numbers.values
        if len(values) and (not len(self._block) or self._block.dtype != values.dtype):
            self._count_block()
            self._block = cast(NumberArray, np.empty(_BLOCK, values.dtype))
        while len(values):
            taken = values[: _BLOCK - self._filled]
            self._block[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            values = values[len(taken) :]
            if self._filled == _BLOCK:
                self._count_block()

    def add_missing(self, rows: int) -> None:
        """Count rows that do not have the column."""
        self._missing += rows

    def result(self) -> NumericProfile:
        """The profile of all values so far."""
        self._count_block()
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

    def _count_block(self) -> None:
        """Count what is in the block, which is empty afterwards."""
        values = self._block[: self._filled]
        self._filled = 0
        if not len(values):
            return
        if is_whole(values):
            self._count_whole(values)
        else:
            self._count_unsorted(cast(FloatArray, values))

    def _count_whole(self, values: NDArray[np.int64]) -> None:
        """Whole numbers are counted as distances from the least one: tallied if their range is small, else sorted in
        half of the bytes, which takes half of the time. Overwrites the values."""
        first, last = int(values.min()), int(values.max())
        span = last - first + 1
        if span >= _SHORT or max(-first, last) >= _EXACT:
            self._count_unsorted(values.astype(np.float64))
            return
        at = [np.clip(edges - first, 0, span) for edges in (np.ceil(self._edges), np.floor(self._edges) + 1)]
        below, up_to = (places.astype(np.int32) for places in at)
        zero = np.int32(min(max(-first, 0), span))
        np.subtract(values, first, out=values)
        if span <= 2 * len(values):
            counts = np.bincount(values)
            smaller = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))  # smaller[i]: values < first + i
            self._below += smaller[below]
            self._up_to += smaller[up_to]
            self._negative += int(smaller[zero])
            moments = moments_of_counts(counts, first)
        else:
            offsets = np.sort(values.astype(np.int32))
            self._below += offsets.searchsorted(below)
            self._up_to += offsets.searchsorted(up_to)
            self._negative += int(offsets.searchsorted(zero))
            moments = moments_of_offsets(offsets, first)
        self._present += len(values)
        self._moments = self._moments.merge(moments)
        if len(self._finite_edges) and (first < self._finite_edges[0] or last > self._finite_edges[-1]):
            outside = (values < self._finite_edges[0] - first) | (values > self._finite_edges[-1] - first)
            self._add_excess(np.sort((values[outside] + first).astype(np.float64)))

    def _count_unsorted(self, values: FloatArray) -> None:
        """Sorts in place: the values are a copy."""
        values.sort()
        present = int(values.searchsorted(np.nan)) if np.isnan(values[-1]) else len(values)
        self._missing += len(values) - present
        if not present:
            return
        values = values[:present]
        below = values.searchsorted(self._edges, "left")
        self._below += below
        # Only where the search ended at the edge's own value is the count up to it another one.
        tied = np.flatnonzero(values[np.minimum(below, present - 1)] == self._edges)
        below[tied] = values.searchsorted(self._edges[tied], "right")
        self._up_to += below
        self._present += present
        self._negative += int(values.searchsorted(0.0, "left"))
        low, high = int(values.searchsorted(-np.inf, "right")), int(values.searchsorted(np.inf, "left"))
        self._infinities[0] += low
        self._infinities[1] += present - high
        finite = values[low:high]
        if self._count_fractional:
            self._fractional += int(np.count_nonzero(finite != np.trunc(finite)))
        self._moments = self._moments.merge(moments_of_sorted(finite))
        self._add_excess(finite)

    def _add_excess(self, finite: FloatArray) -> None:
        if not len(self._finite_edges) or not len(finite):
            return
        lowest, highest = self._finite_edges[0], self._finite_edges[-1]
        with np.errstate(over="ignore"):  # an infinite excess is an answer: the distance is without bounds
            self._excess[0] += float((lowest - finite[: finite.searchsorted(lowest, "left")]).sum())
            self._excess[1] += float((finite[finite.searchsorted(highest, "right") :] - highest).sum())
