"""The peer's model: a scikit-learn pipeline on data frames, fitted on the rows that ours learned from.

Runs in the peer's environment: `python -m benchmarks.serving.peer_model FAMILY CSV_FILE TARGET`.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.serving.models import LABEL, TREE_ITERATIONS, TREE_LEAVES


def build(family: str, *, text: list[str], numeric: list[str]) -> Any:
    """An unfitted pipeline of the same family and size as ours."""
    if family == "trees":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        columns = ColumnTransformer([("text", encoder, text), ("numeric", "passthrough", numeric)])
        trees = HistGradientBoostingRegressor(
            max_iter=TREE_ITERATIONS, max_leaf_nodes=TREE_LEAVES, early_stopping=False, random_state=20
        )
        return make_pipeline(columns, trees)
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(ColumnTransformer([("text", one_hot, text), ("numeric", scaled, numeric)]), Ridge(alpha=1.0))


def main(family: str, source: Path, target: Path) -> None:
    """Fit the pipeline to the logarithm of the price and pickle it with its columns."""
    frame = pd.read_csv(source, keep_default_na=False, na_values={})
    features = [name for name in frame.columns if name != LABEL]
    # An empty number makes a column of texts of it.
    for name in features:
        numbers = pd.to_numeric(frame[name].replace("", np.nan), errors="coerce")
        if (numbers.notna() | (frame[name] == "")).all():
            frame[name] = numbers
    numeric = [name for name in features if pd.api.types.is_numeric_dtype(frame[name])]
    text = [name for name in features if name not in numeric]
    model = build(family, text=text, numeric=numeric).fit(frame[features], np.log(frame[LABEL].astype(float)))
    target.write_bytes(pickle.dumps({"model": model, "features": features, "text": text}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
