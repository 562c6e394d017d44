"""Counts of one numeric column at the baseline's edges: a histogram with equal mass in its bins.

For a column of n baseline values the edges are all its distinct values if there are at most BINS + 1 of them, else
the values at BINS + 1 even ranks. Fewer than n / BINS values lie strictly between two neighbours, and values that
equal an edge are counted apart, so the distance to any other data follows from the counts to within 1 / BINS
(drift/distances.py), ties included. Counts are integers: profiles of the same edges merge by addition, in any order.
Must not know what a distance or an alarm is.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drift_monitor.errors import BaselineError
from drift_monitor.profile.moments import Moments, moments_of_weighted

FloatArray = NDArray[np.float64]
CountArray = NDArray[np.int64]

BINS = 4096


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
