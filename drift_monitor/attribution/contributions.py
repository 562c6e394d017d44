"""Native contributions of a served model's features: from the artifact and a sample of the training data.

No shadow endpoint and no sampling of feature subsets, which Clarify's KernelSHAP needs. Tree ensembles are explained by
TreeSHAP, everything additive by its effects; another model is refused, never approximated. The pickle in an artifact is
not opened.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from drift_monitor.attribution.additive import AdditiveExplainer, Score
from drift_monitor.attribution.onnx_trees import read_tree_ensemble
from drift_monitor.attribution.trees import Contributions, FloatMatrix, TreeExplainer

# Enough for mean contributions within a few percent, and a second of TreeSHAP over 200 trees.
MAXIMUM_ROWS = 1000


class Explainer(Protocol):
    """What both kinds of explanation offer; sums are in units of the model's raw output (a logarithm, say)."""

    method: str
    expected_value: float

    def contributions(self, matrix: FloatMatrix) -> Contributions:
        """Shape (rows, features); with `expected_value` each row adds up to the raw prediction."""


def explainer(model: bytes, *, score: Score, background: FloatMatrix) -> Explainer:
    """The explanation that fits an ONNX model; `background` are encoded training rows, `score` its raw predictions.

    Raises UnsupportedModelError or NotAdditiveError, both MonitorError, for a model that neither fits.
    """
    ensemble = read_tree_ensemble(model)
    if ensemble is None:
        return AdditiveExplainer(score, background=background)
    return TreeExplainer(ensemble.trees, constant=ensemble.constant, background=background)


def sample_rows(matrix: FloatMatrix, *, rows: int = MAXIMUM_ROWS) -> FloatMatrix:
    """At most so many rows, spread evenly from the first to the last: the same ones in every run."""
    if len(matrix) <= rows:
        return matrix
    return matrix[np.linspace(0, len(matrix) - 1, rows).astype(np.int64)]


def global_attribution(contributions: Contributions, features: Sequence[str]) -> Mapping[str, float]:
    """Mean absolute contribution by feature, as Clarify's global_shap_values with agg_method mean_abs."""
    means = np.abs(contributions).mean(axis=0) if len(contributions) else np.zeros(len(features))
    return dict(zip(features, means.tolist(), strict=True))
