"""The distribution that a numeric profile describes, between its edges by straight lines: quantiles and counts.

For plots, buckets and imported limits; what alarms depend on uses the exact counts instead.
"""

import numpy as np

from drift_monitor.profile.numeric import CountArray, FloatArray, NumericProfile


def quantiles(profile: NumericProfile, shares: FloatArray) -> FloatArray:
    """The values below which the given shares (0 to 1, ascending) of the finite values lie; empty without any."""
    points, counts = _curve(profile)
    if not len(points):
        return np.empty(0)
    first, last = counts[0], counts[-1]
    found: FloatArray = np.interp(first + shares * (last - first), counts, points)
    return found


def count_below(profile: NumericProfile, points: FloatArray) -> FloatArray:
    """How many values lie below each of the points; exact at the edges."""
    curve_points, counts = _curve(profile)
    if not len(curve_points):
        return np.full(len(points), float(profile.negative_infinities))
    at = np.searchsorted(profile.edges, points, "left")
    exact = (at < len(profile.edges)) & (profile.edges[np.minimum(at, len(profile.edges) - 1)] == points)
    # numpy takes the last of equal points, which is the count up to it: right for a point past an edge.
    between = np.interp(points, curve_points, counts, left=profile.negative_infinities)
    counted: FloatArray = np.where(exact, profile.below[np.minimum(at, len(profile.edges) - 1)], between)
    return counted


def _curve(profile: NumericProfile) -> tuple[FloatArray, FloatArray]:
    """Corners of the cumulative count over the finite values: two at each edge, one at the least and greatest value."""
    least, greatest = profile.moments.minimum, profile.moments.maximum
    if least is None or greatest is None:
        return np.empty(0), np.empty(0)
    inside = (profile.edges >= least) & (profile.edges <= greatest)
    points = np.repeat(profile.edges[inside], 2)
    counts: CountArray = np.column_stack((profile.below[inside], profile.up_to[inside])).ravel()
    points = np.concatenate(([least], points, [greatest]))
    ends = profile.negative_infinities, profile.present - profile.positive_infinities
    return points, np.concatenate((ends[:1], counts, ends[1:])).astype(np.float64)
