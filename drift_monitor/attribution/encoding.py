"""Captured columns as the matrix that a model of `model_server` sees, column by column and without text in between.

Gives what `model_server.scoring.Encoder` gives for the same values, which a test holds it to. Must not score anything.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.attribution.trees import FloatMatrix
from drift_monitor.errors import ReaderError
from drift_monitor.quality.classes import Column, class_names
from drift_monitor.quality.resampling import Vector
from model_server.scoring import LARGEST_NUMBER, Feature, FeatureSpec


def encode_table(table: Any, spec: FeatureSpec) -> FloatMatrix:
    """Float32 matrix of shape (rows, features) of an Arrow table or batch; raises ReaderError if a column is missing.

    A row that the model refuses (a required value is missing, a number is too large) is left out.
    """
    missing = [name for name in spec.names if name not in table.schema.names]
    if missing:
        raise ReaderError(f"the data lacks {', '.join(missing)}, which the model reads; is it of another model?")
    if not spec.features:
        return np.empty((table.num_rows, 0), dtype=np.float32)
    matrix = np.stack([_encode(table.column(feature.name), feature) for feature in spec.features], axis=1)
    accepted = (np.abs(matrix) <= LARGEST_NUMBER).all(axis=1)
    return matrix[accepted].astype(np.float32)


def _encode(column: Column, feature: Feature) -> Vector:
    """Numbers or codes of one column, NaN for what the model refuses; shape (rows,)."""
    if feature.median is not None:
        try:
            numbers = np.asarray(pc.cast(column, pa.float64()), dtype=np.float64)
        except pa.ArrowInvalid as error:
            raise ReaderError(f"the column '{feature.name}' should hold numbers ({error})") from None
        return np.where(np.isnan(numbers), np.nan if feature.required else feature.median, numbers)
    names = class_names(column)
    codes = pc.fill_null(pc.index_in(names, value_set=pa.array(feature.categories, pa.string())), -1)
    encoded = np.asarray(codes).astype(np.float64) + 1
    absent = np.asarray(pc.fill_null(pc.equal(names, ""), True), dtype=np.bool_)
    return np.where(absent, np.nan, encoded) if feature.required else encoded
