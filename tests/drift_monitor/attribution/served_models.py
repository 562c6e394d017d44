"""Explains models in the form in which they are served; run by the runtime image's Python, which has ONNX.

Prints one JSON object: per model the method and how far contributions are from the prediction, and refusals.
"""

import json
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from drift_monitor.attribution.contributions import explainer
from drift_monitor.attribution.onnx_trees import UnsupportedModelError
from drift_monitor.attribution.trees import FloatMatrix
from drift_monitor.quality.resampling import Vector
from sagemaker_pipelines.onnx_export import to_onnx

CODES = 4


def _models() -> dict[str, Any]:
    columns = ColumnTransformer(
        [
            ("numeric", StandardScaler(), [0, 1]),
            ("category", OneHotEncoder(categories=[np.arange(CODES, dtype=np.float64)], sparse_output=False), [2]),
        ]
    )
    return {
        "boosted": HistGradientBoostingRegressor(max_iter=15, max_leaf_nodes=8),
        "forest": RandomForestRegressor(n_estimators=4, max_depth=4, random_state=1),
        "ridge": make_pipeline(columns, Ridge()),
    }


def _score(model: bytes, matrix: FloatMatrix) -> Vector:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    result: Vector = session.run(None, {session.get_inputs()[0].name: matrix})[0].reshape(-1).astype(np.float64)
    return result


def _explained(model: Any, background: FloatMatrix, rows: FloatMatrix) -> dict[str, Any]:
    target = background[:, 0] * (1 + (background[:, 2] == 1)) - background[:, 1]
    onnx_model = to_onnx(model.fit(background, target), features=3)
    explained = explainer(onnx_model, score=lambda matrix: _score(onnx_model, matrix), background=background)
    contributions = explained.contributions(rows)
    distance = np.abs(contributions.sum(axis=1) + explained.expected_value - _score(onnx_model, rows)).max()
    expected = abs(explained.expected_value - _score(onnx_model, background).mean())
    return {"method": explained.method, "distance": float(distance), "expected": float(expected)}


def _refusal(operators: tuple[str, ...]) -> str:
    """Why a graph of these operators, which is not valid otherwise, is refused."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])
    nodes = [helper.make_node(name, ["x"], ["x"], domain="ai.onnx.ml") for name in operators]
    model = helper.make_model(helper.make_graph(nodes, "g", [value], [value])).SerializeToString()
    try:
        explainer(model, score=lambda matrix: np.zeros(len(matrix)), background=np.zeros((1, 1), dtype=np.float32))
    except UnsupportedModelError as error:
        return str(error)
    return ""


def main() -> None:
    """Explain each model and print what was found."""
    generator = np.random.default_rng(1)
    matrices = [
        np.column_stack([generator.normal(size=(rows, 2)), generator.integers(0, CODES, rows)]).astype(np.float32)
        for rows in (400, 50)
    ]
    result: dict[str, Any] = {name: _explained(model, *matrices) for name, model in _models().items()}
    result["refusals"] = [_refusal(("TreeEnsembleClassifier",)), _refusal(("Scaler", "TreeEnsembleRegressor"))]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
