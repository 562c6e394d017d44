"""Distances between two profiles of one column that were counted at the same edges or categories.

All follow from the counts alone. Must not decide whether a distance matters.
"""

from dataclasses import dataclass

import numpy as np

from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.numeric import CountArray, FloatArray, NumericProfile

_NUMERIC_GROUPS = 10
_CATEGORY_GROUPS = 100


@dataclass(frozen=True, kw_only=True)
class Distance:
    """The true distance is at least `value` and at most `value + error`, both 0 to 1."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts of the same cells in both data sets: what Population Stability Index and Jensen-Shannon compare."""

    baseline: CountArray
    current: CountArray


def kolmogorov_smirnov(baseline: NumericProfile, current: NumericProfile) -> Distance:
    """The largest difference of the distribution functions; both profiles have values.

    At each edge it is known from both sides. Between two edges the functions only rise, so that they are nowhere
    farther apart than the lower end of one and the upper end of the other: that bounds the error.
    """
    low, high = _shares(baseline), _shares(current)
    value = float(np.abs(low - high).max(initial=0.0))
    # Gaps lie from one edge's count up to it to the next edge's count below it, the outer two from 0 and to 1.
    starts, ends = np.append(0.0, low[1::2]), np.append(low[0::2], 1.0)
    other_starts, other_ends = np.append(0.0, high[1::2]), np.append(high[0::2], 1.0)
    most = float(max((ends - other_starts).max(), (other_ends - starts).max()))
    error = max(0.0, most - value) + baseline.rank_error + current.rank_error
    return Distance(value=min(value, 1.0), error=min(error, 1.0 - min(value, 1.0)))


def wasserstein(baseline: NumericProfile, current: NumericProfile) -> float | None:
    """The area between the distribution functions in standard deviations of the baseline; infinities are left out.

    Straight lines between the edges. None if the baseline is constant and the window is not the same, or if there
    are no finite values.
    """
    finite = np.isfinite(baseline.edges)
    edges = baseline.edges[finite]
    if not len(edges) or not current.moments.count:
        return None
    difference = _finite_shares(baseline, finite) - _finite_shares(current, finite)
    unit = baseline.moments.std or 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        inside = float(_areas(difference[1:-1:2], difference[2::2], np.diff(edges / unit)).sum())
        outside = (current.excess_below + current.excess_above) / current.moments.count / unit
    area = inside + outside
    if not np.isfinite(area) or (area > 0 and not baseline.moments.std):
        return None
    return area


def numeric_cells(baseline: NumericProfile, current: NumericProfile) -> Cells:
    """Tenths of the baseline. An edge that holds more than a tenth (ties) is a cell of its own."""
    return _grouped(_cell_counts(baseline), _cell_counts(current), groups=_NUMERIC_GROUPS)


def category_counts(baseline: CategoricalProfile, current: CategoricalProfile) -> Cells:
    """Each category by itself, the baseline's first, then those that only one window has, then all untracked ones."""
    names = sorted(baseline.new.keys() | current.new.keys())
    new = [np.array([profile.new.get(name, 0) for name in names], np.int64) for profile in (baseline, current)]
    if baseline.other:
        # A new category may be one of those that the baseline could not list, so it is compared with all of them.
        untracked = [np.array([int(counts.sum())]) for counts in new]
        new = [untracked[0] + baseline.other, untracked[1] + current.other]
    else:
        new = [np.append(new[0], 0), np.append(new[1], current.other)]
    return Cells(np.append(baseline.counts, new[0]), np.append(current.counts, new[1]))


def largest_share_difference(baseline: CategoricalProfile, current: CategoricalProfile) -> Distance:
    """The largest difference of any category's shares (Model Monitor's LInfinity); both profiles have values.

    Values of categories beyond the limit could all be of one category: that is the error.
    """
    cells = category_counts(baseline, current)
    tracked = slice(None) if baseline.other else slice(0, -1)
    shares = cells.baseline[tracked] / baseline.present - cells.current[tracked] / current.present
    value = float(np.abs(shares).max(initial=0.0))
    untracked = max(baseline.other / baseline.present, current.other / current.present)
    return Distance(value=value, error=max(0.0, untracked - value))


def category_cells(baseline: CategoricalProfile, current: CategoricalProfile) -> Cells:
    """Hundredths of the baseline: frequent categories by themselves, rare ones together with their neighbours."""
    counts = category_counts(baseline, current)
    return _grouped(counts.baseline, counts.current, groups=_CATEGORY_GROUPS)


def population_stability_index(cells: Cells) -> float:
    """Sum of (q - p) ln(q / p), with half a value added to every cell so that an empty one stays finite."""
    count = len(cells.baseline)
    p = (cells.baseline + 0.5) / (cells.baseline.sum() + 0.5 * count)
    q = (cells.current + 0.5) / (cells.current.sum() + 0.5 * count)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(cells: Cells) -> float:
    """The Jensen-Shannon distance: root of the divergence to base 2, 0 to 1."""
    p, q = cells.baseline / cells.baseline.sum(), cells.current / cells.current.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def _shares(profile: NumericProfile) -> FloatArray:
    """The distribution function below and up to each edge, in turn."""
    shares: FloatArray = np.column_stack((profile.below, profile.up_to)).ravel() / profile.present
    return shares


def _finite_shares(profile: NumericProfile, finite: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    counts = np.column_stack((profile.below[finite], profile.up_to[finite])).ravel() - profile.negative_infinities
    shares: FloatArray = counts / profile.moments.count
    return shares


def _areas(left: FloatArray, right: FloatArray, width: FloatArray) -> FloatArray:
    """Areas between zero and straight lines from `left` to `right`, which may cross zero in between."""
    total = np.abs(left) + np.abs(right)
    crossing = (left * right) < 0
    heights = np.where(crossing, (left**2 + right**2) / np.where(total > 0, total, 1.0), total)
    areas: FloatArray = heights / 2 * width
    return areas


def _cell_counts(profile: NumericProfile) -> CountArray:
    """Below the first edge, at it, between it and the next, ..., above the last."""
    cumulative = np.column_stack((profile.below, profile.up_to)).ravel()
    return np.diff(cumulative, prepend=0, append=profile.present)


def _grouped(baseline: CountArray, current: CountArray, *, groups: int) -> Cells:
    """Neighbouring cells joined until each has about the same share of the baseline; a cell is never split."""
    middles = (np.cumsum(baseline) - baseline / 2) / baseline.sum()
    group = np.minimum((middles * groups).astype(np.int64), groups - 1)
    joined = [np.bincount(group, weights=counts, minlength=groups).astype(np.int64) for counts in (baseline, current)]
    used = (joined[0] > 0) | (joined[1] > 0)
    return Cells(joined[0][used], joined[1][used])


def _relative_entropy(p: FloatArray, q: FloatArray) -> float:
    positive = p > 0
    return float((p[positive] * np.log2(p[positive] / q[positive])).sum())
