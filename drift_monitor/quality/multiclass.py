"""Quality of a classifier with any number of classes: Model Monitor's weighted metrics and confusion matrix.

Per class the metric is weighted by the class's share of the actual labels; a class that is never predicted has
precision 0, as scikit-learn has it with zero_division=0. Must not read files.
"""

import numpy as np

from drift_monitor.errors import SettingsError
from drift_monitor.quality.binary import BEST_CONSTANT, BETAS
from drift_monitor.quality.classes import Column, code_classes, confusion_counts, confusion_table
from drift_monitor.quality.constraints import Expectation, is_sufficient, judge_all
from drift_monitor.quality.proportions import wilson
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
from drift_monitor.results import Interval, LabelCoverage, ModelQuality

PROBLEM_TYPE = "MulticlassClassification"
# Figures that are shares of rows, with an interval of their own.
_SHARES = ("accuracy", "weighted_recall")
_MAXIMUM_CLASSES = 500
_PORTION_CELLS = 2_000_000


def evaluate_multiclass(
    actual: Column, predicted: Column, *, coverage: LabelCoverage, expectation: Expectation | None = None
) -> ModelQuality:
    """Quality over columns of equal length; rows without a label or a prediction do not count.

    Raises SettingsError for more than 500 classes: then the label is not a class.
    """
    expected = expectation or Expectation()
    coded = code_classes(actual, predicted)
    rows, classes = len(coded.actual), len(coded.names)
    if classes > _MAXIMUM_CLASSES:
        raise SettingsError(
            f"labels and predictions have {classes} different values, more than the {_MAXIMUM_CLASSES} classes that "
            "can be compared; is the problem type Regression?"
        )
    counts = confusion_counts(coded.actual, coded.predicted, classes=classes)
    parts = [confusion_counts(coded.actual[part], coded.predicted[part], classes=classes) for part in subsamples(rows)]
    spread = multiclass_metrics(np.array(parts, dtype=np.float64).reshape(len(parts), classes, classes))
    figures = {
        name: Figure(interval, deviation(spread[name])) for name, interval in _intervals(counts.astype(float)).items()
    }
    verdict, metrics = judge_all(figures, expected, sufficient=is_sufficient(rows, coverage, expected.policy))
    return ModelQuality(
        problem_type=PROBLEM_TYPE,
        verdict=verdict,
        rows=rows,
        coverage=coverage,
        metrics=metrics,
        confusion=confusion_table(counts, coded.names),
    )


def multiclass_metrics(counts: Matrix) -> dict[str, Vector]:
    """Every metric from confusion matrices of shape (m, classes, classes), actual class first; NaN without rows."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    actual, predicted = counts.sum(axis=2), counts.sum(axis=1)
    rows = actual.sum(axis=1)
    largest = actual.max(axis=1, initial=0.0)
    with np.errstate(all="ignore"):
        weights, share = actual / rows[:, None], largest / rows
        constant = {"accuracy": share, "weighted_recall": share, "weighted_precision": share**2}
        metrics = {
            "accuracy": hits.sum(axis=1) / rows,
            "weighted_recall": (weights * _ratio(hits, actual)).sum(axis=1),
            "weighted_precision": (weights * _ratio(hits, predicted)).sum(axis=1),
        }
        for name, beta in BETAS.items():
            weight = beta * beta
            score = _ratio((1 + weight) * hits, weight * actual + predicted)
            metrics[f"weighted_{name}"] = (weights * score).sum(axis=1)
            constant[f"weighted_{name}"] = share * (1 + weight) * share / (weight * share + 1)
    return {**metrics, **{name + BEST_CONSTANT: value for name, value in constant.items()}}


def _ratio(numerator: Matrix, denominator: Matrix) -> Matrix:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _intervals(counts: Matrix) -> dict[str, Interval]:
    """Wilson's interval for shares of rows, else that of resampled rows: a resample of rows is one of the cells."""
    point = multiclass_metrics(counts[None])
    rows = int(counts.sum())
    if not rows:
        return {name: Interval(value=None) for name in point}
    resampled = _resampled(counts)
    hits = float(np.trace(counts))
    return {
        name: wilson(hits, rows) if name in _SHARES else percentile_interval(float(value[0]), resampled[name])
        for name, value in point.items()
    }


def _resampled(counts: Matrix) -> dict[str, Vector]:
    """Metrics of RESAMPLES matrices, in portions that stay small with many classes; cells without rows stay empty."""
    generator = np.random.default_rng(SEED)
    flat = counts.reshape(-1)
    occupied = np.flatnonzero(flat)
    rows, shares = int(flat.sum()), flat[occupied] / flat.sum()
    portion = min(max(_PORTION_CELLS // len(flat), 1), RESAMPLES)
    parts = []
    for start in range(0, RESAMPLES, portion):
        cells = np.zeros((min(portion, RESAMPLES - start), len(flat)))
        cells[:, occupied] = generator.multinomial(rows, shares, size=len(cells))
        parts.append(multiclass_metrics(cells.reshape(-1, *counts.shape)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
