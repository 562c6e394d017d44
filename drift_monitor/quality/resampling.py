"""Intervals by the bootstrap at a cost that does not grow with its resamples, and Model Monitor's standard deviation.

Seeded: the same rows in the same order give the same figures. Knows no metric.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drift_monitor.results import Interval

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

RESAMPLES = 1000
SEED = 20
# Model Monitor gives a standard deviation from this many rows on: over five random samples of 80 %.
SUBSAMPLED_ROWS, SUBSAMPLES, SUBSAMPLE_SHARE = 200, 5, 0.8
_GROUPS = 1000
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Figure:
    """A metric of the window with its interval and Model Monitor's standard deviation."""

    observed: Interval
    standard_deviation: float | None = None


def bootstrap_means(columns: Matrix) -> Matrix:
    """Means of (rows, k) columns in RESAMPLES resamples with replacement; shape (RESAMPLES, k).

    More than 1,000 rows are dealt at random into 1,000 groups which are resampled in their place: the means then vary
    as those of resampled rows do, at the same cost for a thousand rows and for ten million.
    """
    generator = np.random.default_rng(SEED)
    rows = len(columns)
    groups = min(rows, _GROUPS)
    starts = np.arange(groups) * rows // groups
    sums = np.add.reduceat(columns[generator.permutation(rows)], starts, axis=0)
    sizes = np.diff(starts, append=rows)
    weights = generator.multinomial(groups, np.full(groups, 1.0 / groups), size=RESAMPLES).astype(np.float64)
    means: Matrix = (weights @ sums) / (weights @ sizes)[:, None]
    return means


def subsamples(rows: int) -> Iterator[Indices]:
    """Model Monitor's five random 80 % of the row numbers; none if there are fewer than 200 rows."""
    if rows < SUBSAMPLED_ROWS:
        return
    generator = np.random.default_rng(SEED)
    for _ in range(SUBSAMPLES):
        yield np.sort(generator.permutation(rows)[: int(rows * SUBSAMPLE_SHARE)])


def deviation(values: Vector) -> float | None:
    """Sample standard deviation of a metric over the subsamples; None without any, or where one is undefined."""
    return float(values.std(ddof=1)) if len(values) > 1 and bool(np.isfinite(values).all()) else None


def percentile_interval(value: float, resampled: Vector) -> Interval:
    """The value with the middle 95 % of its resamples; all None where the value or too many resamples are undefined.

    The interval is widened to hold the value, which a skewed distribution of resamples may leave out.
    """
    defined = resampled[np.isfinite(resampled)]
    if not np.isfinite(value):
        return Interval(value=None)
    if len(defined) < 0.9 * len(resampled):
        return Interval(value=value)
    low, high = np.quantile(defined, _TAILS)
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))


def figures_from_means(columns: Matrix, metrics: Callable[[Matrix], Mapping[str, Vector]]) -> dict[str, Figure]:
    """Metrics that are functions of the columns' means, each with its interval and deviation.

    `columns` has the shape (rows, k), rows >= 1; `metrics` takes means of shape (m, k) and gives m values each, with
    NaN or infinity where one is undefined.
    """
    with np.errstate(all="ignore"):
        point = metrics(columns.mean(axis=0, keepdims=True))
        resampled = metrics(bootstrap_means(columns))
        parts = [columns[chosen].mean(axis=0) for chosen in subsamples(len(columns))]
        spread = metrics(np.stack(parts)) if parts else {}
    return {
        name: Figure(percentile_interval(float(value[0]), resampled[name]), deviation(spread.get(name, np.empty(0))))
        for name, value in point.items()
    }
