"""From raw values to predictions: the one implementation that training, evaluation and serving share.

A feature specification tells how a record of strings becomes a float32 row; ONNX Runtime scores the matrix.
Only csv-like strings and numpy here: no frame library, no scikit-learn, nothing of the pipeline or of AWS.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sagemaker_pipelines.errors import ScoringError

FloatMatrix = npt.NDArray[np.float32]
FloatVector = npt.NDArray[np.float64]

MODEL_FILE = "model.onnx"
FEATURE_SPEC_FILE = "feature_spec.json"
# Code of a category that the training data did not have. Known categories count from 1.
UNSEEN = 0


@dataclass(frozen=True)
class Feature:
    """One input: numeric with the median that stands in for a missing value, or categorical with its codes."""

    name: str
    median: float | None
    categories: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """True for a numeric feature."""
        return self.median is not None


@dataclass(frozen=True)
class FeatureSpec:
    """The inputs of a model in the order in which a headerless CSV record and the matrix have them."""

    dataset: str
    label: str
    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(feature.name for feature in self.features)

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `parse_feature_spec` reads."""
        features = [
            {"name": feature.name, "kind": "numeric", "median": feature.median}
            if feature.is_numeric
            else {"name": feature.name, "kind": "categorical", "categories": list(feature.categories)}
            for feature in self.features
        ]
        return {"dataset": self.dataset, "label": self.label, "target": "log", "features": features}


def parse_feature_spec(value: Mapping[str, Any]) -> FeatureSpec:
    """A feature specification from its JSON form; raises ScoringError if it is malformed."""
    try:
        features = tuple(
            Feature(
                name=str(item["name"]),
                median=float(item["median"]) if item["kind"] == "numeric" else None,
                categories=tuple(str(category) for category in item.get("categories", ())),
            )
            for item in value["features"]
        )
        return FeatureSpec(dataset=str(value["dataset"]), label=str(value["label"]), features=features)
    except (KeyError, TypeError, ValueError) as error:
        raise ScoringError(f"the feature specification is malformed ({error!r})") from None


class Encoder:
    """Turns records of strings into the float32 matrix of a feature specification."""

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._encode = [_column_encoder(feature) for feature in spec.features]

    def encode(self, rows: Sequence[Sequence[str]]) -> FloatMatrix:
        """Matrix of shape (rows, features); each row has the values in the order of `spec.names`.

        Raises ScoringError with the row (from 1) and the field of the first value that is not a number.
        """
        width = len(self._encode)
        for number, row in enumerate(rows, start=1):
            if len(row) != width:
                names = ", ".join(self.spec.names)
                raise ScoringError(f"row {number} has {len(row)} values instead of {width} ({names})")
        matrix = np.empty((len(rows), width), dtype=np.float32)
        for index, encode in enumerate(self._encode):
            matrix[:, index] = [encode(row[index], number) for number, row in enumerate(rows, start=1)]
        return matrix


def _column_encoder(feature: Feature) -> Callable[[str, int], float]:
    if feature.median is None:
        codes = {category: float(code) for code, category in enumerate(feature.categories, start=1)}
        return lambda value, _row: codes.get(value, float(UNSEEN))
    median, name = feature.median, feature.name

    def number(value: str, row: int) -> float:
        if not value:
            return median
        try:
            result = float(value)
        except ValueError:
            result = math.nan
        if not math.isfinite(result):
            raise ScoringError(f"row {row}: the field '{name}' should be a number, not '{value}'")
        return result

    return number


class Scorer:
    """A model artifact that is ready to predict prices in the label's own unit."""

    def __init__(self, spec: FeatureSpec, onnx_model: bytes, *, threads: int = 1) -> None:
        # Imported here so that reading and encoding data does not load the 20 MB runtime.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                onnx_model, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  ONNX Runtime has no public base class for its errors
            raise ScoringError(f"{MODEL_FILE} cannot be loaded ({error})") from None
        self._input = self._session.get_inputs()[0].name
        self.encoder = Encoder(spec)

    def predict_log(self, matrix: FloatMatrix) -> FloatVector:
        """Natural logarithm of the predicted label for an encoded matrix; shape (rows,)."""
        output = self._session.run(None, {self._input: matrix})[0]
        return np.asarray(output, dtype=np.float64).reshape(-1)

    def predict(self, rows: Sequence[Sequence[str]]) -> FloatVector:
        """Predicted label (USD for car_prices) of each record; raises ScoringError as `Encoder.encode` does."""
        return np.exp(self.predict_log(self.encoder.encode(rows)))


def scorer_from_files(files: Mapping[str, bytes], *, threads: int = 1) -> Scorer:
    """Scorer of an unpacked model artifact, by file name; raises ScoringError if a file is missing or damaged."""
    missing = {MODEL_FILE, FEATURE_SPEC_FILE} - files.keys()
    if missing:
        raise ScoringError(f"the model artifact lacks {', '.join(sorted(missing))}")
    try:
        spec = json.loads(files[FEATURE_SPEC_FILE])
    except ValueError as error:
        raise ScoringError(f"{FEATURE_SPEC_FILE} is not JSON ({error})") from None
    return Scorer(parse_feature_spec(spec), files[MODEL_FILE], threads=threads)


def load_scorer(folder: Path, *, threads: int = 1) -> Scorer:
    """Scorer of an artifact that SageMaker unpacked into a folder; raises ScoringError as `scorer_from_files`."""
    files = {name: folder / name for name in (MODEL_FILE, FEATURE_SPEC_FILE)}
    return scorer_from_files({n: path.read_bytes() for n, path in files.items() if path.is_file()}, threads=threads)
