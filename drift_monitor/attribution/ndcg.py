"""Normalised discounted cumulative gain between two orders of the features, as Clarify's attribution monitor has it.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

import numpy as np
import numpy.typing as npt

Attributions = npt.NDArray[np.float64]


def ndcg(baseline: Attributions, current: Attributions) -> Attributions:
    """NDCG of each row of `current`, shape (m, features), against `baseline`, shape (features,): 1 for the same order.

    The gain of a place is what the *baseline* attributes to the feature that holds it now. Equal features keep the
    baseline's order; a baseline that attributes nothing to anything has no order, and NaN.
    """
    baseline = np.abs(baseline)
    by_importance = np.argsort(-baseline, kind="stable")
    gains, now = baseline[by_importance], np.abs(current)[:, by_importance]
    discounts = 1.0 / np.log2(np.arange(len(gains)) + 2)
    ideal = float(gains @ discounts)
    order = np.argsort(-now, axis=1, kind="stable")
    if not ideal > 0:
        return np.full(len(current), np.nan)
    values: Attributions = gains[order] @ discounts / ideal
    return values
