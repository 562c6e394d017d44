"""What the order of a classifier's probabilities is worth: AUC with its interval, and the two curves.

Exact over all rows and ties, in O(n log n). Knows no threshold.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from drift_monitor.quality.proportions import wilson
from drift_monitor.quality.resampling import Vector
from drift_monitor.results import Interval

Flags = npt.NDArray[np.bool_]
Curve = Mapping[str, tuple[float, ...]]

ROC_CURVE = "receiver_operating_characteristic_curve"
PRECISION_RECALL_CURVE = "precision_recall_curve"
# A plot shows no more, and the files stay small whatever the number of rows.
_CURVE_POINTS = 200
_Z = 1.959963984540054


def area_under_curve(positive: Flags, probability: Vector) -> float:
    """Share of the pairs of a positive and a negative row that are in order, ties counting half; NaN without pairs."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return math.nan
    ranks = _mid_ranks(probability)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def auc_interval(positive: Flags, probability: Vector) -> Interval:
    """AUC with DeLong's variance (Biometrics 44, 1988) on the logit scale.

    A perfect or perfectly wrong order has no variance; Wilson's interval of the smaller class stands in.
    """
    area = area_under_curve(positive, probability)
    if math.isnan(area):
        return Interval(value=None)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    ranks = _mid_ranks(probability)
    # For each row the share of the other class that it is ranked rightly against.
    over_negatives = (ranks[positive] - _mid_ranks(probability[positive])) / negatives
    under_positives = 1 - (ranks[~positive] - _mid_ranks(probability[~positive])) / positives
    variance = _variance(over_negatives) / positives + _variance(under_positives) / negatives
    if not 0 < area < 1 or not variance > 0:
        smaller = min(positives, negatives)
        return wilson(area * smaller, smaller)
    centre = math.log(area / (1 - area))
    half = _Z * math.sqrt(variance) / (area * (1 - area))
    return Interval(value=area, low=_logistic(centre - half), high=_logistic(centre + half))


def curves(positive: Flags, probability: Vector) -> dict[str, Curve]:
    """Points of both curves, thinned evenly to at most 200; empty if a class has no row.

    The ROC curve runs from (0, 0) to (1, 1); the other starts at recall 0 with the precision of the first point.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return {}
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(positive[order])
    taken = np.arange(1, len(order) + 1)
    # Rows of equal probability cannot be told apart by any threshold: only the last of each run is a point.
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, min(len(ends), _CURVE_POINTS)).astype(np.int64))]
    hits, taken = hits[ends], taken[ends]
    recalls, precisions = hits / positives, hits / taken
    return {
        ROC_CURVE: {
            "false_positive_rates": _points(0.0, (taken - hits) / negatives),
            "true_positive_rates": _points(0.0, recalls),
        },
        PRECISION_RECALL_CURVE: {
            "precisions": _points(float(precisions[0]), precisions),
            "recalls": _points(0.0, recalls),
        },
    }


def _mid_ranks(values: Vector) -> Vector:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Vector = (last - (counts - 1) / 2)[inverse]
    return ranks


def _variance(values: Vector) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _logistic(value: float) -> float:
    return 0.5 * (1 + math.tanh(value / 2))


def _points(first: float, values: Vector) -> tuple[float, ...]:
    return (first, *(float(value) for value in values))
