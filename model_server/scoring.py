"""From raw values to predictions: the one implementation that training, evaluation and serving share.

A feature specification tells how a record of strings becomes a float32 row; ONNX Runtime scores the matrix.
Only csv-like strings and numpy here: no frame library, no scikit-learn, nothing of the pipeline, of HTTP or of AWS.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import getitem
from typing import Any

import numpy as np
import numpy.typing as npt

from model_server.errors import RecordError, ScoringError

FloatMatrix = npt.NDArray[np.float32]
FloatVector = npt.NDArray[np.float64]

MODEL_FILE = "model.onnx"
FEATURE_SPEC_FILE = "feature_spec.json"
# Code of a category that the training data did not have. Known categories count from 1.
UNSEEN = 0
# Beyond it a linear model leaves the range of float32, and its answer would be no number.
LARGEST_NUMBER = 1e15
_SHOWN_CHARACTERS = 40
_REMEMBERED_NUMBERS = 4096
_REMEMBERED_CHARACTERS = 16


@dataclass(frozen=True)
class Feature:
    """One input: numeric with the median that stands in for a missing value, or categorical with its codes.

    A `required` feature may not be missing (an empty string).
    """

    name: str
    median: float | None
    categories: tuple[str, ...]
    required: bool = False

    @property
    def is_numeric(self) -> bool:
        """True for a numeric feature."""
        return self.median is not None

    def to_json(self) -> dict[str, Any]:
        """The JSON form that `parse_feature_spec` reads."""
        common = {"name": self.name, "required": self.required}
        if self.is_numeric:
            return {**common, "kind": "numeric", "median": self.median}
        return {**common, "kind": "categorical", "categories": list(self.categories)}


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
        features = [feature.to_json() for feature in self.features]
        return {"dataset": self.dataset, "label": self.label, "target": "log", "features": features}


def parse_feature_spec(value: Mapping[str, Any]) -> FeatureSpec:
    """A feature specification from its JSON form; raises ScoringError if it is malformed."""
    try:
        features = tuple(
            Feature(
                name=str(item["name"]),
                median=float(item["median"]) if item["kind"] == "numeric" else None,
                categories=tuple(str(category) for category in item.get("categories", ())),
                required=bool(item.get("required", False)),
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
        self._lookups = [_lookup(feature) for feature in spec.features]

    def encode(self, rows: Sequence[Sequence[str]]) -> FloatMatrix:
        """Matrix of shape (rows, features); each row has the values in the order of `spec.names`.

        Raises RecordError for the first row that has another width, lacks a required value, or holds something
        that is not a number of reasonable size in a numeric field.
        """
        width = len(self._lookups)
        if set(map(len, rows)) - {width}:
            raise self._wrong_width(rows)
        try:
            flat = list(chain.from_iterable([map(getitem, self._lookups, row) for row in rows]))
        except ValueError:
            self._refuse_unusable(rows)
            raise
        # No value is larger than the norm of them all, and one that is NaN (missing but required) makes it NaN: one
        # pass in the usual case, and a look at every value only if something may be wrong.
        if not math.hypot(*flat) <= LARGEST_NUMBER:
            self._refuse_unusable(rows)
        return np.array(flat, dtype=np.float32).reshape(len(rows), width)

    def _wrong_width(self, rows: Sequence[Sequence[str]]) -> RecordError:
        width = len(self._lookups)
        number, row = next((n, row) for n, row in enumerate(rows, start=1) if len(row) != width)
        names = ", ".join(self.spec.names)
        return RecordError(row=number, field=None, reason=f"has {len(row)} values instead of {width} ({names})")

    def _refuse_unusable(self, rows: Sequence[Sequence[str]]) -> None:
        for number, row in enumerate(rows, start=1):
            for feature, value in zip(self.spec.features, row, strict=True):
                if reason := _problem(feature, value):
                    raise RecordError(row=number, field=feature.name, reason=reason)


class _Codes(dict[str, float]):
    """The code of each category, and that of an unseen one for every other text."""

    def __missing__(self, value: str) -> float:
        return float(UNSEEN)


class _Numbers(dict[str, float]):
    """The number that a text stands for; ValueError if it stands for none.

    Remembers what it has read, within bounds: the values of a feature repeat, and looking one up costs a tenth.
    """

    def __missing__(self, value: str) -> float:
        number = _read_number(value)
        if len(self) < _REMEMBERED_NUMBERS and len(value) <= _REMEMBERED_CHARACTERS:
            self[value] = number
        return number


def _lookup(feature: Feature) -> Mapping[str, float]:
    """Code or number by text."""
    if feature.median is not None:
        return _Numbers({"": math.nan if feature.required else feature.median})
    codes = {category: float(code) for code, category in enumerate(feature.categories, start=1)}
    return _Codes({**codes, "": math.nan} if feature.required else codes)


def _read_number(text: str) -> float:
    """A number as CSV files have it; ValueError for what float() takes beside it: `1_000`, digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def _problem(feature: Feature, value: str) -> str | None:
    """Why a value cannot be used, as the rest of a sentence about its field; None if it can."""
    if not value:
        return "is required and missing" if feature.required else None
    if not feature.is_numeric:
        return None
    shown = repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "...")
    try:
        number = _read_number(value)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        return f"should be a number, not {shown}"
    if abs(number) > LARGEST_NUMBER:
        return f"should be a number between -{LARGEST_NUMBER:g} and {LARGEST_NUMBER:g}, not {shown}"
    return None


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
        self._outputs = [self._session.get_outputs()[0].name]
        self.encoder = Encoder(spec)

    def predict_log(self, matrix: FloatMatrix) -> FloatVector:
        """Natural logarithm of the predicted label for an encoded matrix; shape (rows,)."""
        output: FloatMatrix = self._session.run(self._outputs, {self._input: matrix})[0]
        return output.astype(np.float64).reshape(-1)

    def predict(self, rows: Sequence[Sequence[str]]) -> FloatVector:
        """Predicted label (USD for car_prices) of each record; raises RecordError as `Encoder.encode` does.

        Infinite where the prediction is beyond the range of a float.
        """
        return self.predict_encoded(self.encoder.encode(rows))

    def predict_encoded(self, matrix: FloatMatrix) -> FloatVector:
        """Predicted label of each row of an encoded matrix; shape (rows,)."""
        return np.exp(self.predict_log(matrix))


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
