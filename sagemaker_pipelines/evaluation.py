"""Is a candidate good enough? Compares it with absolute limits, a plain estimate and the live champion.

Knows predictions and limits, not files: reading and writing is the Evaluate step's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sagemaker_pipelines.metrics import (
    Vector,
    bootstrap_metrics,
    group_metrics,
    paired_difference,
    regression_metrics,
)

Groups = Mapping[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class Limits:
    """What a candidate must keep; all in percent, `minimum_improvement` of the champion's mean absolute error."""

    maximum_mape: float
    maximum_bias: float
    maximum_slice_mape: float
    minimum_improvement: float
    minimum_slice_rows: int


@dataclass(frozen=True)
class Predictions:
    """Actual values and what candidate, plain estimate and champion (if there is one) predict for the same rows."""

    actual: Vector
    candidate: Vector
    plain: Vector
    champion: Vector | None


def evaluate(
    predictions: Predictions, *, slices: Mapping[str, list[str]], limits: Limits, same_artifact: bool
) -> dict[str, Any]:
    """Metrics, slices, comparison and decision; `slices` gives each row's group per dimension."""
    actual = predictions.actual
    metrics = bootstrap_metrics(actual, predictions.candidate)
    groups = {
        dimension: group_metrics(actual, predictions.candidate, names, minimum_size=limits.minimum_slice_rows)
        for dimension, names in slices.items()
    }
    plain = regression_metrics(actual, predictions.plain)
    comparison = _compare(predictions)
    reasons = [
        *_absolute_reasons({name: interval.value for name, interval in metrics.items()}, plain, limits),
        *_slice_reasons(groups, limits),
        *_champion_reasons(comparison, limits, same_artifact=same_artifact),
    ]
    return {
        "regression_metrics": {name: interval.to_json() for name, interval in metrics.items()},
        "dataset": {"item_count": len(actual)},
        "slices": groups,
        "plain_baseline": plain,
        "champion_comparison": comparison,
        "decision": {
            "accepted": 0 if reasons else 1,
            "reasons": reasons,
            # One string, since a pipeline's Fail step cannot join a list.
            "summary": "; ".join(reasons) if reasons else "every limit is kept",
        },
    }


def _compare(predictions: Predictions) -> dict[str, Any] | None:
    if predictions.champion is None:
        return None
    champion = regression_metrics(predictions.actual, predictions.champion)
    difference = paired_difference(
        np.abs(predictions.candidate - predictions.actual), np.abs(predictions.champion - predictions.actual)
    )
    return {
        "champion": champion,
        "mae_difference": difference.to_json(),
        "mae_change_percent": 100 * difference.value / max(champion["mae"], np.finfo(float).tiny),
    }


def _absolute_reasons(metrics: Mapping[str, float], plain: Mapping[str, float], limits: Limits) -> list[str]:
    reasons = []
    if metrics["mape"] > limits.maximum_mape:
        reasons.append(f"MAPE {metrics['mape']:.1f} % is above the limit of {limits.maximum_mape:g} %")
    if abs(metrics["bias"]) > limits.maximum_bias:
        reasons.append(f"bias {metrics['bias']:+.1f} % is beyond the limit of ±{limits.maximum_bias:g} %")
    if metrics["mae"] >= plain["mae"]:
        reasons.append(f"MAE {metrics['mae']:.0f} does not beat the plain baseline's {plain['mae']:.0f}")
    return reasons


def _slice_reasons(groups: Groups, limits: Limits) -> list[str]:
    return [
        f"MAPE {metrics['mape']:.1f} % for {dimension} '{group}' ({metrics['rows']:.0f} rows) is above the limit "
        f"of {limits.maximum_slice_mape:g} %"
        for dimension, by_group in groups.items()
        for group, metrics in by_group.items()
        if metrics["mape"] > limits.maximum_slice_mape
    ]


def _champion_reasons(comparison: Mapping[str, Any] | None, limits: Limits, *, same_artifact: bool) -> list[str]:
    if comparison is None:
        return []
    if same_artifact:
        return ["the candidate is the champion, byte for byte: nothing new to approve"]
    change = comparison["mae_change_percent"]
    if change < -limits.minimum_improvement:
        return []
    difference = comparison["mae_difference"]
    return [
        f"MAE changes by {change:+.1f} % against the champion on the same holdout "
        f"({difference['value']:+.0f}, 95 % interval {difference['interval_95_low']:+.0f} to "
        f"{difference['interval_95_high']:+.0f}), an improvement of more than "
        f"{limits.minimum_improvement:g} % is asked for"
    ]
