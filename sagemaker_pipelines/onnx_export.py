"""A fitted scikit-learn regressor as ONNX, and the proof that both predict the same.

Needs scikit-learn, skl2onnx and onnx; serving needs none of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common import _container
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import RegressorMixin

from model_server.scoring import FloatMatrix, FloatVector
from sagemaker_pipelines.additive_onnx import additive_model, additive_onnx
from sagemaker_pipelines.errors import StepError

# Fixed, so that a newer exporter does not silently raise what the serving runtime must understand.
OPSET = 17
# Natural logarithm of the price: 1e-4 is 3 USD on a car of 30,000.
PARITY_TOLERANCE = 1e-4


def to_onnx(model: RegressorMixin, *, features: int) -> bytes:
    """ONNX form with one float32 input `features` of shape (rows, features)."""
    if additive := additive_model(model):
        return additive_onnx(additive, features=features, opset=OPSET)
    with _integers_for_booleans():
        # A name of our own: the default one is random, and equal models must have equal bytes.
        converted = convert_sklearn(
            model,
            name="regressor",
            initial_types=[("features", FloatTensorType([None, features]))],
            target_opset=OPSET,
        )
    _sort_opsets(converted)
    return bytes(converted.SerializeToString(deterministic=True))


def _sort_opsets(model: Any) -> None:
    """skl2onnx lists the operator sets in the order of a Python set, which changes from process to process."""
    versions = sorted({(opset.domain, opset.version) for opset in model.opset_import})
    del model.opset_import[:]
    for domain, version in versions:
        model.opset_import.add(domain=domain, version=version)


@contextmanager
def _integers_for_booleans() -> Iterator[None]:
    """skl2onnx 1.20 hands Python booleans to onnx, which since 1.19 takes only numbers in an INTS attribute."""
    make_node = _container.make_node

    def make_node_with_integers(*arguments: Any, **attributes: Any) -> Any:
        converted = {name: _without_booleans(value) for name, value in attributes.items()}
        return make_node(*arguments, **converted)

    with patch.object(_container, "make_node", make_node_with_integers):
        yield


def _without_booleans(value: Any) -> Any:
    if isinstance(value, list):
        return [int(item) if isinstance(item, bool | np.bool_) else item for item in value]
    return value


def check_parity(
    *, trained: FloatVector, served: FloatVector, rows: Sequence[Sequence[str]], tolerance: float = PARITY_TOLERANCE
) -> float:
    """Largest difference of log predictions; raises StepError with the worst record if it is too large."""
    difference = np.abs(trained - served)
    worst = int(np.argmax(np.where(np.isfinite(difference), difference, np.inf)))
    largest = float(difference[worst])
    if not largest <= tolerance:
        raise StepError(
            f"the ONNX form does not predict what the trained model predicts: record {worst + 1} "
            f"({', '.join(rows[worst])}) differs by {largest:.3g} in log space, allowed is {tolerance:g}; "
            "the model was not exported"
        )
    return largest


def encode_and_export(model: RegressorMixin, matrix: FloatMatrix) -> tuple[bytes, FloatVector]:
    """ONNX bytes of a model and the log predictions of the trained form for a matrix."""
    return to_onnx(model, features=matrix.shape[1]), np.asarray(model.predict(matrix), dtype=np.float64)
