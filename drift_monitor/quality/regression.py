"""Quality of a regression model in a window: Model Monitor's metrics, and the error's sign.

`mae`, `rmse` and `mse` are in the label's unit (its square for `mse`). `mape` and `bias` are in percent of the actual
value's size; `bias` is the mean signed error, so that a model that estimates too low has a negative one. A change of
the relation between inputs and label, which no monitor of the inputs sees, shows there first. Must not read files.
"""

import numpy as np

from drift_monitor.quality.constraints import Expectation, is_sufficient, judge_all
from drift_monitor.quality.resampling import Figure, Matrix, Vector, figures_from_means
from drift_monitor.results import Interval, LabelCoverage, ModelQuality

PROBLEM_TYPE = "Regression"
METRICS = ("mae", "mse", "rmse", "r2", "mape", "bias")


def evaluate_regression(
    actual: Vector, predicted: Vector, *, coverage: LabelCoverage, expectation: Expectation | None = None
) -> ModelQuality:
    """Quality over rows of shape (rows,) each; a row with NaN or infinity on either side does not count.

    Actual values of 0 have no relative error and do not count in `mape` and `bias`. Equal actual values leave no
    variance to explain, so `r2` is None then.
    """
    expected = expectation or Expectation()
    usable = np.isfinite(actual) & np.isfinite(predicted)
    rows = int(usable.sum())
    figures = {name: Figure(Interval(value=None)) for name in METRICS}
    if rows:
        figures = figures_from_means(_columns(actual[usable], predicted[usable]), _metrics)
    verdict, metrics = judge_all(figures, expected, sufficient=is_sufficient(rows, coverage, expected.policy))
    return ModelQuality(problem_type=PROBLEM_TYPE, verdict=verdict, rows=rows, coverage=coverage, metrics=metrics)


def _columns(actual: Vector, predicted: Vector) -> Matrix:
    """Per row: size and square of the error, sizes of the relative error, whether it counts, actual and its square."""
    with np.errstate(all="ignore"):
        error = predicted - actual
        counts = (actual != 0).astype(np.float64)
        relative = np.divide(error, np.abs(actual), out=np.zeros_like(error), where=actual != 0)
        # The variance does not depend on the centre, but its rounding error does.
        centred = actual - actual.mean()
        return np.stack([np.abs(error), error**2, np.abs(relative), relative, counts, centred, centred**2], axis=1)


def _metrics(means: Matrix) -> dict[str, Vector]:
    mae, mse, mape, bias, counted, mean, mean_square = means.T
    variance = mean_square - mean**2
    r2 = np.where(variance > 1e-12 * mean_square, 1.0 - mse / variance, np.nan)
    return {
        "mae": mae,
        "mse": mse,
        "rmse": np.sqrt(mse),
        "r2": r2,
        "mape": 100 * mape / counted,
        "bias": 100 * bias / counted,
    }
