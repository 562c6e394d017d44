"""Run by the runtime image's Python: exports small models of several forms and prints how each one fared, as JSON."""

import json
from typing import Any

import numpy as np
from onnx import load_from_string
from onnxruntime import InferenceSession
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sagemaker_pipelines.onnx_export import encode_and_export

# Columns 0 and 3 are numbers, 1 has the codes 0 to 3 and 2 the codes 0 to 9; 4 belongs to no transformer.
_NUMBERS, _CATEGORIES = [0, 3], [1, 2]
_CODES = [np.arange(4.0), np.arange(10.0)]


def _linear(
    *,
    scaler: Any = None,
    codes: Any = None,
    ridge: Any = None,
    swapped: bool = False,
    weights: Any = None,
    **one_hot: Any,
) -> Any:
    encoder = OneHotEncoder(categories=codes or _CODES, handle_unknown="ignore", sparse_output=False, **one_hot)
    columns = [("numeric", scaler or StandardScaler(), _NUMBERS), ("category", encoder, _CATEGORIES)]
    transformer = ColumnTransformer(columns[::-1] if swapped else columns, transformer_weights=weights)
    return make_pipeline(transformer, ridge or Ridge(alpha=0.1))


_MODELS = {
    "as trained": _linear(),
    "category first": _linear(swapped=True),
    "weighted columns": _linear(weights={"numeric": 2.0}),
    "other scaler": _linear(scaler=MinMaxScaler()),
    "no mean": _linear(scaler=StandardScaler(with_mean=False)),
    "first category dropped": _linear(drop="first"),
    "codes with a gap": _linear(codes=[np.array([0.0, 1.0, 3.0]), np.arange(10.0)]),
    "other regressor": _linear(ridge=Lasso(alpha=0.001)),
    "trees": HistGradientBoostingRegressor(max_iter=5),
}


def _report(model: Any) -> dict[str, Any]:
    generator = np.random.default_rng(1)
    codes = generator.integers([4, 10], size=(400, 2))
    numbers = generator.normal([2010, 200, 0], [5, 80, 1], size=(400, 3))
    matrix = np.column_stack([numbers[:, 0], codes, numbers[:, 1:]]).astype(np.float32)
    target = 9 + 0.1 * (matrix[:, 0] - 2010) + 0.3 * matrix[:, 1] - 0.05 * matrix[:, 2] + 0.002 * matrix[:, 3]
    # The code 0 stands for what was not seen; some records of the first column have it, none of the second.
    seen = matrix[:, 2] > 0
    model.fit(matrix[seen], target[seen])
    form, expected = encode_and_export(model, matrix)
    session = InferenceSession(form, providers=["CPUExecutionProvider"])
    together = session.run(None, {"features": matrix})[0].reshape(-1)
    alone = np.concatenate([session.run(None, {"features": row[None]})[0].reshape(-1) for row in matrix])
    return {
        "operators": len(load_from_string(form).graph.node),
        "difference": float(np.abs(together - expected).max()),
        "alone": float(np.abs(together - alone).max()),
        "again": encode_and_export(model, matrix)[0] == form,
    }


if __name__ == "__main__":
    print(json.dumps({name: _report(model) for name, model in _MODELS.items()}))
