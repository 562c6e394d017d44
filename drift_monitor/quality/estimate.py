"""Quality before the labels arrive, for classifiers that give probabilities; nothing for regression.

A calibrated classifier that says 0.7 is right in 7 of 10 cases, so the expected confusion matrix follows from the
window's own probabilities (confidence-based performance estimation). It holds while the meaning of the probabilities
does, that is under covariate drift; **it cannot see concept drift**, which only labels show.

For regression there is no estimate: a prediction alone says nothing about the size of its error. Methods that learn
the error from the inputs need a second model with its own training, and fail under the same concept drift that makes
prices move. `estimate_quality` gives None then.
"""

import numpy as np

from drift_monitor.quality import binary, multiclass
from drift_monitor.quality.calibration import Calibration
from drift_monitor.quality.classes import Column, class_names
from drift_monitor.quality.constraints import Expectation, judge_all
from drift_monitor.quality.ranking import Flags
from drift_monitor.quality.resampling import RESAMPLES, SEED, Figure, Matrix, Vector, percentile_interval
from drift_monitor.results import Interval, LabelCoverage, ModelQuality

BINARY_METRICS = ("accuracy", "precision", "recall", "f1", "auc")


def estimate_quality(
    problem_type: str,
    *,
    predicted: Column,
    probability: Vector | None,
    calibration: Calibration | None,
    positive: str = "1",
    expectation: Expectation | None = None,
) -> ModelQuality | None:
    """The estimate that is sound for a problem type of Model Monitor; None for regression, and for a classifier
    without probabilities or without a calibration from labelled data. `probability` is that of the positive class, or
    with more than two classes that of the predicted one."""
    if probability is None or calibration is None:
        return None
    if problem_type == binary.PROBLEM_TYPE:
        return estimate_binary(
            predicted, probability, calibration=calibration, positive=positive, expectation=expectation
        )
    if problem_type == multiclass.PROBLEM_TYPE:
        return estimate_multiclass(probability, calibration=calibration, expectation=expectation)
    return None


def estimate_binary(
    predicted: Column,
    probability: Vector,
    *,
    calibration: Calibration,
    positive: str = "1",
    expectation: Expectation | None = None,
) -> ModelQuality:
    """Expected accuracy, precision, recall, F1 and AUC of predictions without labels.

    `probability` is that of the `positive` class, shape (rows,); rows without it or a prediction do not count. The
    intervals are those of the labels' own chance: where measured figures would fall if the calibration is right.
    """
    answers, scores = _usable(predicted, probability)
    is_positive = np.asarray(answers == positive, dtype=np.bool_)
    share = calibration.apply(scores)
    figures = {name: Figure(Interval(value=None)) for name in BINARY_METRICS}
    if len(scores):
        cells = _expected_cells(is_positive, share)
        point, drawn = binary.binary_metrics(cells[None]), binary.binary_metrics(_drawn_cells(is_positive, share))
        for name in BINARY_METRICS[:-1]:
            figures[name] = Figure(percentile_interval(float(point[name][0]), drawn[name]))
        figures["auc"] = Figure(Interval(value=_expected_auc(scores, share)))
    return _result(binary.PROBLEM_TYPE, len(scores), figures, expectation)


def estimate_multiclass(
    confidence: Vector, *, calibration: Calibration, expectation: Expectation | None = None
) -> ModelQuality:
    """Expected accuracy from each row's probability of its predicted class, shape (rows,); NaN does not count.

    The calibration is that of the same confidence against "the prediction was right".
    """
    share = calibration.apply(confidence[np.isfinite(confidence)])
    figures = {"accuracy": Figure(Interval(value=None))}
    if len(share):
        draws = _draws(share, np.random.default_rng(SEED)) / len(share)
        figures["accuracy"] = Figure(percentile_interval(float(share.mean()), draws))
    return _result(multiclass.PROBLEM_TYPE, len(share), figures, expectation)


def _usable(predicted: Column, probability: Vector) -> tuple[np.ndarray, Vector]:
    names = np.asarray(class_names(predicted).to_pylist(), dtype=object)
    known = np.isfinite(probability) & np.asarray([name is not None for name in names], dtype=np.bool_)
    return names[known], probability[known]


def _expected_cells(is_positive: Flags, share: Vector) -> Matrix:
    """Expected confusion matrix of shape (2, 2), negative class first."""
    hits, misses = float(share[is_positive].sum()), float(share[~is_positive].sum())
    positives, negatives = int(is_positive.sum()), int((~is_positive).sum())
    return np.array([[negatives - misses, positives - hits], [misses, hits]])


def _drawn_cells(is_positive: Flags, share: Vector) -> Matrix:
    """Confusion matrices of shape (RESAMPLES, 2, 2) for labels drawn by their probabilities."""
    generator = np.random.default_rng(SEED)
    hits, misses = _draws(share[is_positive], generator), _draws(share[~is_positive], generator)
    cells = np.stack([(~is_positive).sum() - misses, is_positive.sum() - hits, misses, hits], axis=1)
    return cells.reshape(RESAMPLES, 2, 2)


def _draws(share: Vector, generator: np.random.Generator) -> Vector:
    """Numbers of hits among rows with these probabilities: normal with the exact mean and variance, in bounds."""
    spread = np.sqrt((share * (1 - share)).sum())
    draws: Vector = np.clip(generator.normal(share.sum(), spread, size=RESAMPLES), 0, len(share))
    return draws


def _expected_auc(scores: Vector, share: Vector) -> float | None:
    """Expected pairs in order over expected pairs; no interval, since the pairs are far from independent."""
    order = np.argsort(scores, kind="stable")
    _, run = np.unique(scores[order], return_inverse=True)
    positive, negative = np.bincount(run, share[order]), np.bincount(run, 1 - share[order])
    below = np.cumsum(negative) - negative
    # A row is no pair with itself.
    own = np.bincount(run, share[order] * (1 - share[order]))
    pairs = positive.sum() * negative.sum() - own.sum()
    in_order = (positive * below).sum() + (positive * negative - own).sum() / 2
    return float(in_order / pairs) if pairs > 0 else None


def _result(problem_type: str, rows: int, figures: dict[str, Figure], expectation: Expectation | None) -> ModelQuality:
    expected = expectation or Expectation()
    verdict, metrics = judge_all(figures, expected, sufficient=rows >= expected.policy.minimum_rows)
    coverage = LabelCoverage(predictions=rows, labelled=0, unmatched_labels=0)
    return ModelQuality(
        problem_type=problem_type, verdict=verdict, rows=rows, coverage=coverage, metrics=metrics, estimated=True
    )
