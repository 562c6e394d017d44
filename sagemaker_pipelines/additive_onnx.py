"""A linear model on scaled numbers and one-hot codes as eight ONNX operators, by looking its terms up.

skl2onnx makes some thirty operators of such a pipeline, and a matrix of mostly zeros with a column for each category;
running them takes longer than to read and encode a record and to write its answer. The prediction is a sum with one
term per feature, though: a number's is a product, a category's stands in a table. Only for models that have this form
and no other; whether the result predicts the same is not decided here, but by the parity check of every export.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper
from sklearn.base import RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Floats = npt.NDArray[np.float64]

# Of operator set 17; what skl2onnx writes for that, too.
_IR_VERSION = 8
_INPUT, _OUTPUT = "features", "variable"


@dataclass(frozen=True)
class AdditiveModel:
    """A prediction as a sum: (value - center) * weight for every number, a term of the table for every category.

    `numbers` and `categories` are columns of the matrix. The terms of `categories[i]` begin at `starts[i]` of `table`,
    in the order of their codes; the intercept is part of the first category's.
    """

    numbers: list[int]
    centers: Floats
    weights: Floats
    categories: list[int]
    starts: list[int]
    table: Floats


def additive_model(model: RegressorMixin) -> AdditiveModel | None:
    """The terms of a fitted ridge on scaled numbers and one-hot codes; None for a model of any other form."""
    columns = _columns(model)
    if columns is None:
        return None
    (scaler, numbers), (one_hot, categories) = columns
    coefficients = np.array(model[-1].coef_, dtype=np.float64).reshape(-1)
    weights, table = np.split(coefficients, [len(numbers)])
    starts = np.cumsum([0, *map(len, one_hot.categories_[:-1])])
    table[: len(one_hot.categories_[0])] += model[-1].intercept_
    return AdditiveModel(
        numbers=numbers,
        centers=scaler.mean_,
        weights=weights / scaler.scale_,
        categories=categories,
        starts=starts.tolist(),
        table=table,
    )


def _columns(model: RegressorMixin) -> tuple[tuple[Any, list[int]], tuple[Any, list[int]]] | None:
    """Both fitted transformers with their columns, the scaler first."""
    if not (isinstance(model, Pipeline) and len(model) == 2 and isinstance(model[-1], Ridge)):
        return None
    if not isinstance(model[0], ColumnTransformer) or model[0].transformer_weights or np.ndim(model[-1].coef_) != 1:
        return None
    columns = [(fitted, names) for _, fitted, names in model[0].transformers_ if fitted != "drop"]
    if [type(fitted) for fitted, _ in columns] != [StandardScaler, OneHotEncoder]:
        return None
    (scaler, numbers), (one_hot, categories) = columns
    if not (_are_positions(numbers) and _are_positions(categories) and _is_plain(scaler, one_hot)):
        return None
    return (scaler, numbers), (one_hot, categories)


def _are_positions(columns: Any) -> bool:
    """False also for what else scikit-learn takes: names, slices, masks."""
    return isinstance(columns, list) and bool(columns) and all(type(column) is int for column in columns)


def _is_plain(scaler: StandardScaler, one_hot: OneHotEncoder) -> bool:
    # A term is found by the code itself, so the codes have to be 0, 1, 2 ... with none left out.
    codes = one_hot.categories_
    return bool(
        scaler.with_mean
        and scaler.with_std
        and one_hot.drop_idx_ is None
        and one_hot.min_frequency is None
        and one_hot.max_categories is None
        and all(np.array_equal(each, np.arange(len(each))) for each in codes)
    )


def additive_onnx(model: AdditiveModel, *, features: int, opset: int) -> bytes:
    """ONNX form with the float32 input `features` (rows, features) and the output `variable` (rows, 1)."""
    # Of a known category its own term is taken, once.
    factors = np.concatenate([model.weights, np.ones(len(model.categories))])
    constants = {
        "numbers": np.array(model.numbers, dtype=np.int64),
        "centers": model.centers.astype(np.float32),
        "categories": np.array(model.categories, dtype=np.int64),
        "starts": np.array(model.starts, dtype=np.int64),
        "table": model.table.astype(np.float32),
        "factors": factors.astype(np.float32).reshape(-1, 1),
    }
    nodes = [
        helper.make_node("Gather", [_INPUT, "numbers"], ["values"], axis=1),
        helper.make_node("Sub", ["values", "centers"], ["centered"]),
        helper.make_node("Gather", [_INPUT, "categories"], ["codes"], axis=1),
        helper.make_node("Cast", ["codes"], ["integers"], to=TensorProto.INT64),
        helper.make_node("Add", ["integers", "starts"], ["places"]),
        helper.make_node("Gather", ["table", "places"], ["terms"], axis=0),
        helper.make_node("Concat", ["centered", "terms"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "factors"], [_OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "regressor",
        [helper.make_tensor_value_info(_INPUT, TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, [None, 1])],
        initializer=[numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_IR_VERSION)
    return bytes(made.SerializeToString(deterministic=True))
