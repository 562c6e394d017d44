"""How often a classifier that says 70 % is right: learned where labels exist, used where there are none yet.

Isotonic regression over bins of equal mass, in numpy. Whoever estimates quality without labels needs it, because the
raw score of most models is no probability. Must not be fitted on the window that it is used for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drift_monitor.errors import BaselineError
from drift_monitor.quality.ranking import Flags
from drift_monitor.quality.resampling import Vector

MINIMUM_ROWS = 200
_BINS = 50
_ROWS_PER_BIN = 20


@dataclass(frozen=True)
class Calibration:
    """Observed share of hits by score: linear between the points, constant beyond the first and last."""

    scores: tuple[float, ...]
    shares: tuple[float, ...]

    def apply(self, scores: Vector) -> Vector:
        """Probabilities of shape (rows,) for scores of the same shape."""
        calibrated: Vector = np.interp(scores, self.scores, self.shares)
        return calibrated

    def to_json(self) -> dict[str, list[float]]:
        """The form that `parse_calibration` reads."""
        return {"scores": list(self.scores), "shares": list(self.shares)}


def parse_calibration(value: Mapping[str, Any]) -> Calibration:
    """A calibration from its JSON form; raises BaselineError if it is malformed."""
    try:
        calibration = Calibration(*(tuple(float(item) for item in value[name]) for name in ("scores", "shares")))
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"the calibration of the baseline is malformed ({error!r})") from None
    if not calibration.scores or len(calibration.scores) != len(calibration.shares):
        raise BaselineError("the calibration of the baseline should have as many shares as scores, and at least one")
    return calibration


def fit_calibration(scores: Vector, hits: Flags) -> Calibration | None:
    """Calibration from scores and whether each was right; None below 200 rows, which say too little."""
    known = np.isfinite(scores)
    scores, hits = scores[known], hits[known]
    if len(scores) < MINIMUM_ROWS:
        return None
    order = np.argsort(scores, kind="stable")
    bins = min(_BINS, len(scores) // _ROWS_PER_BIN)
    starts = np.arange(bins) * len(scores) // bins
    sizes = np.diff(starts, append=len(scores))
    means = np.add.reduceat(scores[order], starts) / sizes
    shares = _increasing(np.add.reduceat(hits[order].astype(np.float64), starts) / sizes, sizes.astype(np.float64))
    # Equal scores in neighbouring bins are one point: the last one, as np.interp needs increasing scores.
    last = np.append(np.diff(means) > 0, True)
    return Calibration(tuple(means[last].tolist()), tuple(shares[last].tolist()))


def _increasing(values: Vector, weights: Vector) -> Vector:
    """The nearest sequence that never falls: neighbours that do are pooled (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, length = value, weight, 1
        while pools and pools[-1][0] >= mean:
            earlier_mean, earlier_mass, earlier_length = pools.pop()
            mean = (mean * mass + earlier_mean * earlier_mass) / (mass + earlier_mass)
            mass, length = mass + earlier_mass, length + earlier_length
        pools.append((mean, mass, length))
    return np.repeat([mean for mean, _, _ in pools], [length for _, _, length in pools])
