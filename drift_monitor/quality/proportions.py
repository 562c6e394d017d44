"""Intervals of shares that stay honest where a bootstrap does not: few rows, and shares of 0 or 1.

Wilson's score interval, and Newcombe's for a difference of two shares (Statistics in Medicine 17, 1998, methods 3 and
10). A bootstrap of 5 hits in 5 says "1, for certain"; these do not.
"""

import math

from drift_monitor.results import Interval

_Z = 1.959963984540054  # 97.5 % of the normal distribution


def wilson(hits: float, rows: float) -> Interval:
    """The share of `hits` in `rows` with its 95 % interval; all None without rows."""
    if rows <= 0:
        return Interval(value=None)
    share = hits / rows
    square = _Z * _Z / rows
    centre = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    # The ends of 0 and 1 are exact; rounding alone would put the value outside.
    return Interval(value=share, low=min(max(centre - half, 0.0), share), high=max(min(centre + half, 1.0), share))


def newcombe(first: Interval, second: Interval) -> Interval:
    """Difference `first - second` of two Wilson intervals over different rows; all None if one share is undefined."""
    if first.value is None or second.value is None:
        return Interval(value=None)
    assert first.low is not None  # noqa: S101  a Wilson interval has both ends or no value
    assert first.high is not None  # noqa: S101
    assert second.low is not None  # noqa: S101
    assert second.high is not None  # noqa: S101
    difference = first.value - second.value
    return Interval(
        value=difference,
        low=difference - math.hypot(first.value - first.low, second.high - second.value),
        high=difference + math.hypot(first.high - first.value, second.value - second.low),
    )
