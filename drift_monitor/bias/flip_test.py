"""Clarify's flip test: would the facet's rows be predicted differently, were they in the other group?

The prediction "in the other group" is the majority of the 5 nearest rows there (1 if there are at most 10), as in
Clarify. Where Clarify takes Euclidean distance over raw numeric columns, so that the one with the largest unit
decides, numbers are here divided by their standard deviation and a category counts as 0 (same) or 1 (another). The
facet column must not be among the features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.bias.groups import Flags, group_codes
from drift_monitor.quality.classes import Column

_NEIGHBOURS, _FEW_ROWS = 5, 10
# Distances are of all pairs: a seeded sample of each side bounds them.
MAXIMUM_ROWS = 1000
_SEED = 20
_PORTION = 100

Indices = npt.NDArray[np.int64]


def flips(columns: Sequence[Column], *, in_facet: Flags, predicted: Flags) -> Indices:
    """Per sampled row of the facet: 1 if its neighbours are accepted and it is not, -1 the other way round, else 0.

    All arrays have the same rows. FT is the mean; both sides must have a row and there must be a column.
    """
    generator = np.random.default_rng(_SEED)
    facet, others = (_sample(np.flatnonzero(side), generator) for side in (in_facet, ~in_facet))
    features = [_encode(column) for column in columns]
    neighbours = _NEIGHBOURS if len(others) > _FEW_ROWS else 1
    answers = []
    for part in np.array_split(facet, -(-len(facet) // _PORTION)):
        distance = sum(feature.distances(part, others) for feature in features)
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
        answers.append(predicted[others][nearest].mean(axis=1) > 0.5)
    return np.concatenate(answers).astype(np.int64) - predicted[facet]


@dataclass(frozen=True)
class _Feature:
    values: npt.NDArray[np.float64]
    is_category: bool

    def distances(self, rows: Indices, others: Indices) -> npt.NDArray[np.float64]:
        """Squared distance of each row to each other one; shape (rows, others)."""
        difference = self.values[rows][:, None] - self.values[others][None, :]
        return (difference != 0).astype(np.float64) if self.is_category else difference**2


def _encode(column: Column) -> _Feature:
    """Codes of a category, or numbers in units of their standard deviation with the mean for a missing one."""
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return _Feature(group_codes(column, len(column)).astype(np.float64), is_category=True)
    numbers = np.asarray(pc.cast(column, pa.float64()), dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    mean, spread = (known.mean(), known.std()) if len(known) else (0.0, 0.0)
    return _Feature((np.where(np.isfinite(numbers), numbers, mean) - mean) / (spread or 1.0), is_category=False)


def _sample(rows: Indices, generator: np.random.Generator) -> Indices:
    if len(rows) <= MAXIMUM_ROWS:
        return rows
    return np.sort(generator.choice(rows, MAXIMUM_ROWS, replace=False))
