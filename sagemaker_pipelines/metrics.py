"""Regression metrics with bootstrap intervals, for candidates, champions and slices alike.

The resampling is the monitor's: one interval means the same at a release and in production.
All errors are prediction minus actual. `mae`, `rmse` and `mse` are in the label's unit (its square for `mse`),
`mape` and `bias` (mean signed relative error) are in percent of the actual value.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drift_monitor.quality.resampling import bootstrap_means

Vector = npt.NDArray[np.float64]

METRICS = ("mae", "mse", "rmse", "r2", "mape", "bias")


@dataclass(frozen=True)
class Interval:
    """A value with the standard deviation and the 95 % interval of its bootstrap distribution."""

    value: float
    standard_deviation: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """As Model Monitor writes a metric, with the interval beside it."""
        return {
            "value": self.value,
            "standard_deviation": self.standard_deviation,
            "interval_95_low": self.low,
            "interval_95_high": self.high,
        }


def regression_metrics(actual: Vector, predicted: Vector) -> dict[str, float]:
    """Every metric of METRICS for vectors of shape (rows,), rows >= 1 and actual > 0."""
    means = _columns(actual, predicted).mean(axis=0, keepdims=True)
    return {name: float(values[0]) for name, values in _metrics(means).items()}


def bootstrap_metrics(actual: Vector, predicted: Vector) -> dict[str, Interval]:
    """Every metric of METRICS with its interval over seeded resamples of the rows."""
    point = regression_metrics(actual, predicted)
    resampled = _metrics(bootstrap_means(_columns(actual, predicted)))
    return {name: _interval(point[name], resampled[name]) for name in METRICS}


def paired_difference(errors: Vector, other_errors: Vector) -> Interval:
    """Mean of `errors - other_errors` over the same rows, with the interval of the paired bootstrap."""
    difference = errors - other_errors
    return _interval(float(difference.mean()), bootstrap_means(difference[:, None])[:, 0])


def group_metrics(
    actual: Vector, predicted: Vector, groups: Iterable[str], *, minimum_size: int
) -> dict[str, dict[str, float]]:
    """Rows, mae, mape and bias per group that has at least `minimum_size` rows, by group name."""
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    result: dict[str, dict[str, float]] = {}
    for group in sorted(members):
        rows = members[group]
        if len(rows) >= minimum_size:
            metrics = regression_metrics(actual[rows], predicted[rows])
            result[group] = {"rows": float(len(rows)), **{name: metrics[name] for name in ("mae", "mape", "bias")}}
    return result


def _columns(actual: Vector, predicted: Vector) -> Vector:
    """What every metric is a function of the means of; shape (rows, 6)."""
    error = predicted - actual
    relative = error / actual
    return np.stack([np.abs(error), error**2, np.abs(relative), relative, actual, actual**2], axis=1)


def _metrics(means: Vector) -> dict[str, Vector]:
    """From (m, 6) means of `_columns`, m values of each metric."""
    mae, mse, mape, bias, mean, mean_square = means.T
    variance = np.maximum(mean_square - mean**2, np.finfo(np.float64).tiny)
    # A single row or equal prices have no variance to explain; R2 is 0 by convention then.
    r2 = np.where(variance > 1e-12 * mean_square, 1.0 - mse / variance, 0.0)
    return {"mae": mae, "mse": mse, "rmse": np.sqrt(mse), "r2": r2, "mape": mape * 100, "bias": bias * 100}


def _interval(point: float, values: Vector) -> Interval:
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(value=point, standard_deviation=float(values.std(ddof=1)), low=float(low), high=float(high))
