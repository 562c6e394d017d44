"""TreeSHAP for a sum of regression trees: each prediction split exactly into one contribution per feature.

These are the Shapley values of Lundberg's path-dependent TreeSHAP (Nature Machine Intelligence 2, 2020): a feature that
is not known sends a row down both branches, by the shares of the background rows that went there. Their sum and the
expected value are the prediction, and unlike the older path method (Saabas) a feature that matters more never gets
less. The background is given: no training count is read from the model.

Per leaf with value v and features i on its path, the row either keeps to the path's conditions on i (o_i = 1) or not
(0), and z_i is the share of background rows that keep to them where it forks. The Shapley value of i is then
v (o_i - z_i) times the integral over t from 0 to 1 of the product over j != i of (o_j t + z_j (1 - t)): a polynomial,
which Gauss-Legendre quadrature integrates without error. Needs numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatMatrix = npt.NDArray[np.float32]
Contributions = npt.NDArray[np.float64]

# Share of a row that each leaf has beside those of the background, so that no branch is impossible.
_PRIOR = 1e-6


@dataclass(frozen=True)
class Tree:
    """One tree by node, the root first: a leaf has feature -1 and a value, an inner node sends a row with
    x[feature] <= threshold to `left`, a larger one to `right`, and a NaN to `left` if `missing_left`."""

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Paths:
    """The leaves of a tree by the features on their paths, padded to the longest; shape (leaves, depth) or (leaves,).

    A row keeps to the conditions if low < x <= high, or x is NaN and `missing` is true. A padded entry has feature 0
    and bounds that every row keeps to.
    """

    feature: npt.NDArray[np.int64]
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    missing: npt.NDArray[np.bool_]
    share: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]

    def kept(self, matrix: FloatMatrix) -> npt.NDArray[np.bool_]:
        """Whether rows keep to the conditions; shape (rows, leaves, depth)."""
        values = matrix[:, self.feature]
        kept: npt.NDArray[np.bool_] = ((values > self.low) & (values <= self.high)) | (np.isnan(values) & self.missing)
        return kept


@dataclass(frozen=True)
class _Condition:
    """What a path asks of one feature."""

    low: float = -np.inf
    high: float = np.inf
    missing: bool = True
    share: float = 1.0


class TreeExplainer:
    """Contributions of the features to the sum of some trees and a constant."""

    method = "path-dependent TreeSHAP"

    def __init__(self, trees: Sequence[Tree], *, constant: float, background: FloatMatrix) -> None:
        """`background`: rows of the training data, shape (rows, features), by which unknown features are averaged."""
        self._features = background.shape[1]
        self._paths = [_paths(tree, background) for tree in trees]
        # With no feature known, a leaf is reached with the product of all its shares.
        self.expected_value = constant + sum(
            float((paths.value * paths.share.prod(axis=1)).sum()) for paths in self._paths
        )

    def contributions(self, matrix: FloatMatrix) -> Contributions:
        """Shape (rows, features), in units of the trees' sum; with `expected_value` each row adds up to it."""
        result = np.zeros((len(matrix), self._features))
        for paths in self._paths:
            result += _contributions(paths, matrix, self._features)
        return result


def _contributions(paths: _Paths, matrix: FloatMatrix, features: int) -> Contributions:
    kept = paths.kept(matrix)
    depth = paths.feature.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss(max(1, (depth + 1) // 2))
    integral = np.zeros(kept.shape)
    for position, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        factors = paths.share * (1 - position) + kept * position
        integral += weight * factors.prod(axis=2, keepdims=True) / factors
    by_path = integral * (kept - paths.share) * paths.value[:, None]
    to_feature = np.zeros((paths.feature.size, features))
    to_feature[np.arange(paths.feature.size), paths.feature.reshape(-1)] = 1.0
    contributions: Contributions = by_path.reshape(len(matrix), -1) @ to_feature
    return contributions


def _paths(tree: Tree, background: FloatMatrix) -> _Paths:
    conditions = _leaf_conditions(tree, _covers(tree, background))
    leaves = sorted(conditions)
    depth = max(1, *(len(conditions[leaf]) for leaf in leaves))
    padded = [[*conditions[leaf].items(), *[(0, _Condition())] * (depth - len(conditions[leaf]))] for leaf in leaves]
    return _Paths(
        feature=np.array([[feature for feature, _ in path] for path in padded]),
        low=np.array([[condition.low for _, condition in path] for path in padded], dtype=np.float32),
        high=np.array([[condition.high for _, condition in path] for path in padded], dtype=np.float32),
        missing=np.array([[condition.missing for _, condition in path] for path in padded]),
        share=np.array([[condition.share for _, condition in path] for path in padded]),
        value=tree.value[leaves],
    )


def _covers(tree: Tree, background: FloatMatrix) -> npt.NDArray[np.float64]:
    """Background rows that reach each node, and a trace more; shape (nodes,)."""
    covers = np.zeros(len(tree.feature))
    pending = [(0, np.arange(len(background)))]
    order = []
    while pending:
        node, rows = pending.pop()
        order.append(node)
        if tree.feature[node] < 0:
            covers[node] = len(rows) + _PRIOR
            continue
        values = background[rows, tree.feature[node]]
        goes_left = np.where(np.isnan(values), tree.missing_left[node], values <= tree.threshold[node])
        pending += [(int(tree.left[node]), rows[goes_left]), (int(tree.right[node]), rows[~goes_left])]
    for node in reversed(order):
        if tree.feature[node] >= 0:
            covers[node] = covers[tree.left[node]] + covers[tree.right[node]]
    return covers


def _leaf_conditions(tree: Tree, covers: npt.NDArray[np.float64]) -> dict[int, dict[int, _Condition]]:
    """By leaf, what its path asks of each feature on it."""
    result: dict[int, dict[int, _Condition]] = {}
    pending: list[tuple[int, dict[int, _Condition]]] = [(0, {})]
    while pending:
        node, path = pending.pop()
        feature = int(tree.feature[node])
        if feature < 0:
            result[node] = path
            continue
        before, threshold = path.get(feature, _Condition()), float(tree.threshold[node])
        missing_left = bool(tree.missing_left[node])
        for child, low, high, missing in (
            (int(tree.left[node]), before.low, min(before.high, threshold), missing_left),
            (int(tree.right[node]), max(before.low, threshold), before.high, not missing_left),
        ):
            share = before.share * float(covers[child] / covers[node])
            condition = _Condition(low, high, before.missing and missing, share)
            pending.append((child, {**path, feature: condition}))
    return result
