"""Contributions to a model that is a sum of one function per feature, such as a linear one over scaled numbers and
one-hot codes: found by asking the model, whatever its graph looks like.

In such a model changing one feature changes the prediction by the same amount whatever the others are, so one
reference row with one value exchanged tells that feature's whole function. A contribution is the function's value minus
its mean over the background: coefficient * (x - mean) for a linear model, and the exact Shapley value for any additive
one. A one-hot family is one feature here from the start. That the model *is* additive is checked on every call.
"""

from collections.abc import Callable

import numpy as np

from drift_monitor.attribution.trees import Contributions, FloatMatrix
from drift_monitor.errors import MonitorError
from drift_monitor.quality.resampling import Vector

Score = Callable[[FloatMatrix], Vector]

# Of the predictions' range and size: ONNX Runtime calculates in float32.
_TOLERANCE = 1e-4


class NotAdditiveError(MonitorError):
    """The model's features interact, so that this explanation does not hold for it."""


class AdditiveExplainer:
    """Contributions of the features to the raw prediction of an additive model."""

    method = "additive effects"

    def __init__(self, score: Score, *, background: FloatMatrix) -> None:
        """`score` gives raw predictions of shape (rows,). Raises NotAdditiveError if the background's do not add up."""
        self._score = score
        self._reference = background[:1]
        effects = self._effects(background)
        self._means: Vector = effects.mean(axis=0)
        self.expected_value = float(self._start + self._means.sum())
        self._check(background, effects)

    def contributions(self, matrix: FloatMatrix) -> Contributions:
        """Shape (rows, features), in units of the raw prediction; with `expected_value` each row adds up to it."""
        effects = self._effects(matrix)
        self._check(matrix, effects)
        centred: Contributions = effects - self._means
        return centred

    @property
    def _start(self) -> float:
        return float(self._score(self._reference)[0])

    def _effects(self, matrix: FloatMatrix) -> Contributions:
        """What each value changes in the reference's prediction; one call of the model for all features together."""
        distinct = [np.unique(column, return_inverse=True) for column in matrix.T]
        trials = np.repeat(self._reference, 1 + sum(len(values) for values, _ in distinct), axis=0)
        starts = 1 + np.cumsum([0, *(len(values) for values, _ in distinct)])
        for feature, (values, _) in enumerate(distinct):
            trials[starts[feature] : starts[feature + 1], feature] = values
        scores = self._score(trials)
        changes = scores - scores[0]
        effects: Contributions = np.stack(
            [changes[starts[feature] + inverse] for feature, (_, inverse) in enumerate(distinct)], axis=1
        )
        return effects

    def _check(self, matrix: FloatMatrix, effects: Contributions) -> None:
        predicted = self._score(matrix)
        largest = float(np.abs(self._start + effects.sum(axis=1) - predicted).max(initial=0.0))
        allowed = _TOLERANCE * max(
            1.0, float(np.abs(predicted).max(initial=0.0)), float(np.abs(effects).max(initial=0.0))
        )
        if not largest <= allowed:
            raise NotAdditiveError(
                f"contributions of single features miss a prediction by {largest:.3g}, so the features interact; only "
                "additive models and tree ensembles can be explained without sampling"
            )
