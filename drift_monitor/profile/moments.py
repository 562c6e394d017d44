"""Mean and standard deviation that can be merged and that no magnitude of the values can break.

Must not use the linear algebra of numpy: its threads cost more than the arithmetic here.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Squares of values outside of these magnitudes overflow or vanish, so such values are scaled first.
_LARGEST_PLAIN = 1e150
_SMALLEST_PLAIN = 1e-140
# So many values stay in the processor's cache between one operation and the next.
_CACHED = 8192
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Moments of finite values; `std` is the population's, all are in the column's unit.

    Nothing is infinite: a `total` beyond the largest double stays at it. Merging agrees with one pass over all values
    to rounding (whole numbers: exactly, as long as the total is below 2**53).
    """

    count: int = 0
    total: float = 0.0
    mean: float = 0.0
    std: float = 0.0
    minimum: float | None = None
    maximum: float | None = None

    def merge(self, other: "Moments") -> "Moments":
        """Moments of both sets of values."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        share, other_share = self.count / count, other.count / count
        total = self.total + other.total
        minimum = min(_known(self.minimum), _known(other.minimum))
        maximum = max(_known(self.maximum), _known(other.maximum))
        exact = abs(total) < _LARGEST and max(abs(self.total), abs(other.total)) < _LARGEST
        mean = total / count if exact else self.mean * share + other.mean * other_share
        # Halved before the subtraction, doubled through the weight (which is at most 1/2): cannot overflow.
        gap = self.mean / 2 - other.mean / 2
        std = math.hypot(
            math.sqrt(share) * self.std,
            math.sqrt(other_share) * other.std,
            2 * math.sqrt(share * other_share) * gap,
        )
        return Moments(
            count=count,
            total=_saturated(total),
            mean=min(max(mean, minimum), maximum),
            std=_saturated(std),
            minimum=minimum,
            maximum=maximum,
        )


def moments_of_values(values: NDArray[np.float64], *, total: float) -> Moments:
    """Moments of finite values in any order; `total` is their sum, which may have overflowed."""
    if not len(values):
        return Moments()
    minimum, maximum = float(values.min()), float(values.max())
    if minimum == maximum:
        total = _saturated(minimum * len(values))
        return Moments(count=len(values), total=total, mean=minimum, minimum=minimum, maximum=maximum)
    largest = max(abs(minimum), abs(maximum))
    if _SMALLEST_PLAIN < largest < _LARGEST_PLAIN:
        mean = total / len(values)
        std = _standard_deviation(values, mean)
    else:
        exponent = math.frexp(largest)[1]
        scaled = np.ldexp(values, -exponent)
        scaled_mean = float(scaled.mean())
        mean = math.ldexp(scaled_mean, exponent)
        std = math.ldexp(_standard_deviation(scaled, scaled_mean), exponent)
        total = _saturated(mean * len(values))
    mean = min(max(mean, minimum), maximum)
    return Moments(count=len(values), total=total, mean=mean, std=std, minimum=minimum, maximum=maximum)


def moments_of_weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Moments:
    """Moments of ascending finite values that occur `weights` times each, the sum of which is a whole number."""
    if not len(values):
        return Moments()
    minimum, maximum = float(values[0]), float(values[-1])
    exponent = math.frexp(max(abs(minimum), abs(maximum)))[1]
    scaled, shares = np.ldexp(values, -exponent), weights / weights.sum()
    scaled_mean = float((scaled * shares).sum())
    mean = min(max(math.ldexp(scaled_mean, exponent), minimum), maximum)
    scaled_std = math.sqrt(float((shares * (scaled - scaled_mean) ** 2).sum()))
    count = round(float(weights.sum()))
    return Moments(
        count=count,
        total=_saturated(mean * count),
        mean=mean,
        std=math.ldexp(scaled_std, exponent),
        minimum=minimum,
        maximum=maximum,
    )


def moments_of_counts(counts: NDArray[np.int64], first: int) -> Moments:
    """Moments of whole numbers, of which `counts[i]` have the value `first + i`; the ends of `counts` are not 0."""
    count = int(counts.sum())
    places = np.arange(len(counts))
    total = int((counts * places).sum())
    distance = places - total / count
    whole_total = first * count + total
    return Moments(
        count=count,
        total=float(whole_total),
        mean=whole_total / count,
        std=math.sqrt(float((counts * distance * distance).sum()) / count),
        minimum=float(first),
        maximum=float(first + len(counts) - 1),
    )


def _standard_deviation(values: NDArray[np.float64], mean: float) -> float:
    squares, memory = 0.0, np.empty(min(len(values), _CACHED))
    for start in range(0, len(values), _CACHED):
        part = values[start : start + _CACHED]
        distance = np.subtract(part, mean, out=memory[: len(part)])
        squares += float(np.einsum("i,i->", distance, distance))  # one pass, and not the linear algebra
    return math.sqrt(squares / len(values))


def _saturated(value: float) -> float:
    return min(max(value, -_LARGEST), _LARGEST)


def _known(value: float | None) -> float:
    if value is None:
        raise ValueError("moments of at least one value have a minimum and a maximum")
    return value
