"""Quality of a binary classifier in a window: Model Monitor's metrics, curves and confusion matrix.

`*_best_constant_classifier` is the highest value of the metric that always giving one and the same class reaches, the
bar that any model should clear. (AWS's two published examples always take class 1, also where class 0 is right more
often; for recall, precision and the F-scores that is the same.) Must not read files.
"""

from dataclasses import dataclass

import numpy as np

from drift_monitor.quality.classes import Codes, Column, code_classes, confusion_counts, confusion_table
from drift_monitor.quality.constraints import Expectation, is_sufficient, judge_all
from drift_monitor.quality.ranking import Flags, area_under_curve, auc_interval, curves
from drift_monitor.quality.resampling import (
    RESAMPLES,
    SEED,
    Figure,
    Matrix,
    Vector,
    deviation,
    percentile_interval,
    subsamples,
)
from drift_monitor.results import LabelCoverage, ModelQuality

PROBLEM_TYPE = "BinaryClassification"
BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
BEST_CONSTANT = "_best_constant_classifier"
# Jeffreys' prior of each cell of the confusion matrix: a recall of 0 or 1 from a few rows is not certain.
_PRIOR = 0.5


@dataclass(frozen=True)
class _Outcome:
    """Which rows are of the positive class and are predicted so, and its probability where the model gives one."""

    actual: Flags
    predicted: Flags
    probability: Vector | None

    def cells(self, rows: Codes | slice = slice(None)) -> Codes:
        """Confusion matrix of some of the rows, negative class first."""
        actual, predicted = self.actual[rows].astype(np.int64), self.predicted[rows].astype(np.int64)
        return confusion_counts(actual, predicted, classes=2)

    def ranked(self, rows: Codes | slice = slice(None)) -> tuple[Flags, Vector]:
        """Class and probability of those of the rows that have a probability."""
        if self.probability is None:
            return np.zeros(0, dtype=np.bool_), np.zeros(0)
        actual, probability = self.actual[rows], self.probability[rows]
        known = np.isfinite(probability)
        return actual[known], probability[known]


def evaluate_binary(
    actual: Column,
    predicted: Column,
    *,
    coverage: LabelCoverage,
    probability: Vector | None = None,
    positive: str = "1",
    expectation: Expectation | None = None,
) -> ModelQuality:
    """Quality over columns of equal length; `probability` is that of the `positive` class, every other is negative.

    Rows without a label or a prediction do not count. `auc` and the curves are missing without probabilities.
    """
    expected = expectation or Expectation()
    coded = code_classes(actual, predicted)
    position = coded.names.index(positive) if positive in coded.names else -1
    outcome = _Outcome(
        actual=coded.actual == position,
        predicted=coded.predicted == position,
        probability=probability[coded.usable] if probability is not None else None,
    )
    rows = len(outcome.actual)
    verdict, metrics = judge_all(_figures(outcome), expected, sufficient=is_sufficient(rows, coverage, expected.policy))
    return ModelQuality(
        problem_type=PROBLEM_TYPE,
        verdict=verdict,
        rows=rows,
        coverage=coverage,
        metrics=metrics,
        confusion=confusion_table(outcome.cells(), (_negative_name(coded.names, positive), positive)),
        curves=curves(*outcome.ranked()),
    )


def binary_metrics(cells: Matrix) -> dict[str, Vector]:
    """Every metric but `auc` from confusion matrices of shape (m, 2, 2), negative class first; NaN where undefined."""
    true_negative, false_positive, false_negative, true_positive = cells.reshape(-1, 4).T
    positives, negatives = true_positive + false_negative, true_negative + false_positive
    rows = positives + negatives
    with np.errstate(all="ignore"):
        share = positives / rows
        metrics = {
            "recall": true_positive / positives,
            "precision": true_positive / (true_positive + false_positive),
            "accuracy": (true_positive + true_negative) / rows,
            "true_positive_rate": true_positive / positives,
            "true_negative_rate": true_negative / negatives,
            "false_positive_rate": false_positive / negatives,
            "false_negative_rate": false_negative / positives,
            **{name: _f_score(true_positive, false_positive, false_negative, beta) for name, beta in BETAS.items()},
        }
        constant = {
            "recall": positives / positives,
            "precision": share,
            "accuracy": np.maximum(share, 1 - share),
            **{name: _f_score(positives, negatives, 0 * positives, beta) for name, beta in BETAS.items()},
        }
    return {**metrics, **{name + BEST_CONSTANT: value for name, value in constant.items()}}


def cell_draws(cells: Codes) -> Matrix:
    """Confusion matrices that the counted one may stand for: shares of shape (RESAMPLES, 2, 2), seeded."""
    draws = np.random.default_rng(SEED).dirichlet(cells.reshape(-1) + _PRIOR, size=RESAMPLES)
    return draws.reshape(RESAMPLES, 2, 2)


def _f_score(hits: Vector, false_alarms: Vector, misses: Vector, beta: float) -> Vector:
    weight = beta * beta
    return (1 + weight) * hits / ((1 + weight) * hits + weight * misses + false_alarms)


def _figures(outcome: _Outcome) -> dict[str, Figure]:
    cells = outcome.cells()
    parts = list(subsamples(len(outcome.actual)))
    spread = binary_metrics(np.array([outcome.cells(part) for part in parts], dtype=np.float64).reshape(-1, 2, 2))
    drawn = binary_metrics(cell_draws(cells))
    figures = {
        name: Figure(percentile_interval(float(value[0]), drawn[name]), deviation(spread[name]))
        for name, value in binary_metrics(cells[None].astype(np.float64)).items()
    }
    areas = np.array([area_under_curve(*outcome.ranked(part)) for part in parts])
    return {**figures, "auc": Figure(auc_interval(*outcome.ranked()), deviation(areas))}


def _negative_name(names: tuple[str, ...], positive: str) -> str:
    others = [name for name in names if name != positive]
    if len(others) == 1:
        return others[0]
    return "0" if not others and positive != "0" else f"not {positive}"
