"""TreeSHAP against its definition, worked out over every subset of the features."""

import math
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from drift_monitor.attribution.trees import FloatMatrix, Tree, TreeExplainer


def _forest(seed: int, *, features: int = 4, missing: bool = False) -> tuple[list[Tree], float, FloatMatrix]:
    """Trees of a fitted model, its constant, and the rows that it was fitted on."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(0, 6, (300, features)).astype(np.float32)
    if missing:
        matrix[generator.random(matrix.shape) < 0.2] = np.nan
    filled = np.nan_to_num(matrix, nan=9.0)
    target = filled.prod(axis=1) ** 0.5 + generator.normal(0, 0.1, 300)
    model = HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=20, min_samples_leaf=3).fit(matrix, target)
    # What the Export step's ONNX form holds as well; the model itself checks it below.
    trees = [_tree(predictor[0].nodes) for predictor in model._predictors]
    constant = float(np.ravel(model._baseline_prediction)[0])
    explained = TreeExplainer(trees, constant=constant, background=matrix)
    predicted = explained.contributions(matrix).sum(axis=1) + explained.expected_value
    assert predicted == pytest.approx(model.predict(matrix), abs=1e-6)
    return trees, constant, matrix


def _tree(nodes: Any) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(leaf, -1, nodes["feature_idx"]),
        threshold=nodes["num_threshold"].astype(np.float32),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"],
    )


def _expectation(tree: Tree, row: FloatMatrix, known: frozenset[int], background: FloatMatrix, node: int = 0) -> float:
    """What the tree gives if only some features are known: down both branches, by the background's shares."""
    feature = int(tree.feature[node])
    if feature < 0:
        return float(tree.value[node])
    children = (int(tree.left[node]), int(tree.right[node]))

    def goes_left(values: FloatMatrix) -> npt.NDArray[np.bool_]:
        return np.where(np.isnan(values), bool(tree.missing_left[node]), values <= tree.threshold[node])

    left = goes_left(background[:, feature])
    parts = (background[left], background[~left])
    if feature in known:
        side = 0 if goes_left(row[feature : feature + 1])[0] else 1
        return _expectation(tree, row, known, parts[side], children[side])
    return sum(
        len(part) / len(background) * _expectation(tree, row, known, part, child)
        for part, child in zip(parts, children, strict=True)
        if len(part)
    )


def _shapley(trees: list[Tree], row: FloatMatrix, background: FloatMatrix) -> list[float]:
    features = range(background.shape[1])
    count = len(features)

    def worth(known: frozenset[int]) -> float:
        return sum(_expectation(tree, row, known, background) for tree in trees)

    return [
        sum(
            math.factorial(size)
            * math.factorial(count - size - 1)
            / math.factorial(count)
            * (worth(frozenset(others) | {feature}) - worth(frozenset(others)))
            for size in range(count)
            for others in combinations([other for other in features if other != feature], size)
        )
        for feature in features
    ]


@pytest.mark.parametrize("missing", [False, True])
def test_contributions_are_shapley_values(missing: bool) -> None:
    """Every subset of four features, two trees with repeated splits, with and without missing values."""
    trees, constant, matrix = _forest(1, missing=missing)

    found = TreeExplainer(trees, constant=constant, background=matrix).contributions(matrix[:4])

    for row, contributions in zip(matrix[:4], found, strict=True):
        assert contributions == pytest.approx(_shapley(trees, row, matrix), abs=1e-4)


def test_contributions_and_expected_value_are_the_prediction_on_rows_of_any_kind() -> None:
    """Also for rows unlike the background, and for a background that leaves branches empty; checked in `_forest`."""
    trees, constant, matrix = _forest(2)
    narrow, wide = matrix[matrix[:, 0] < 2], matrix * 3 - 4

    first = TreeExplainer(trees, constant=constant, background=matrix)
    second = TreeExplainer(trees, constant=constant, background=narrow)

    predicted = first.contributions(wide).sum(axis=1) + first.expected_value
    assert second.contributions(wide).sum(axis=1) + second.expected_value == pytest.approx(predicted, abs=1e-6)


def test_the_expected_value_is_the_mean_prediction_of_the_background() -> None:
    """And a feature that no tree asks for gets nothing."""
    trees, constant, matrix = _forest(3, features=5)
    explained = TreeExplainer(trees, constant=constant, background=matrix)
    contributions = explained.contributions(matrix)
    used = {int(feature) for tree in trees for feature in tree.feature}

    mean = float((contributions.sum(axis=1) + explained.expected_value).mean())

    assert explained.expected_value == pytest.approx(mean, abs=1e-4)
    assert {feature for feature in range(5) if np.abs(contributions[:, feature]).sum() == 0} == set(range(5)) - used


def test_a_single_leaf_is_its_value() -> None:
    """A tree that never split has no contribution to give."""
    leaf = Tree(
        feature=np.array([-1]),
        threshold=np.zeros(1, dtype=np.float32),
        left=np.array([-1]),
        right=np.array([-1]),
        missing_left=np.array([False]),
        value=np.array([2.5]),
    )
    explained = TreeExplainer([leaf], constant=1.0, background=np.zeros((3, 2), dtype=np.float32))

    assert explained.expected_value == pytest.approx(3.5, abs=1e-5)
    assert explained.contributions(np.zeros((2, 2), dtype=np.float32)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
