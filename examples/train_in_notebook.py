"""What a data scientist does in a notebook: another model for the same prices, packed so that it can be released.

Every function is a cell. Runs where the jobs run, in the environment of the runtime image:

    .runtime/current/bin/python -m examples.train_in_notebook --data cars.csv --output model.tar.gz

The archive is made by the pipeline's own export: served form, proof of parity, golden records and manifest come with
it, and without them no version is released. Then `examples.register_by_hand` registers it.
"""

import argparse
import json
import math
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from model_server.scoring import Encoder, FeatureSpec
from sagemaker_pipelines.artifacts import pack
from sagemaker_pipelines.car_prices.settings import contract, input_columns, label, time_column
from sagemaker_pipelines.car_prices.steps.export import Origin, export_model
from sagemaker_pipelines.car_prices.steps.preprocess import Split, fit_feature_spec, split_by_year
from sagemaker_pipelines.errors import PipelinesError
from sagemaker_pipelines.metrics import regression_metrics
from sagemaker_pipelines.tables import Table, read_table, write_table

PARAMETERS = {"n_estimators": 150, "max_depth": 5, "learning_rate": 0.1, "random_state": 20}


def load(data: Path) -> Split:
    """Cell 1: the data, split forward in model years as the pipeline does."""
    return split_by_year(read_table(data), time=time_column(), validation_years=1, holdout_years=1)


def fit(split: Split) -> tuple[GradientBoostingRegressor, FeatureSpec]:
    """Cell 2: an idea that the pipeline does not try."""
    spec = fit_feature_spec(split.development, contract(), inputs=input_columns(), label=label())
    target = [math.log(float(value)) for value in split.development.values(label())]
    model = GradientBoostingRegressor(**PARAMETERS).fit(_matrix(split.development, spec), target)
    return model, spec


def judge(model: GradientBoostingRegressor, spec: FeatureSpec, table: Table) -> dict[str, float]:
    """Cell 3: how good it is on other rows."""
    actual = np.array([float(value) for value in table.values(label())])
    return regression_metrics(actual, np.exp(model.predict(_matrix(table, spec))))


def pack_for_release(
    model: GradientBoostingRegressor, spec: FeatureSpec, *, split: Split, origin: Origin, metrics: dict[str, float]
) -> bytes:
    """Cell 4: the archive, if the served form predicts what the model predicts."""
    name = "notebook_gradient_boosting"
    candidate = {"name": name, "family": "gradient_boosting", "parameters": PARAMETERS, "validation": metrics}
    files = {
        "model.pickle": pickle.dumps(model, protocol=5),
        "feature_spec.json": json.dumps(spec.to_json()).encode(),
        "candidates.json": json.dumps(
            {"winner": name, "selection_metric": "none: one candidate", "candidates": [candidate]}
        ).encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        trained, holdout = Path(folder) / "trained.tar.gz", Path(folder) / "holdout.csv"
        trained.write_bytes(pack(files))
        write_table(holdout, split.holdout)
        archive, _ = export_model(trained=trained, holdout=holdout, origin=origin)
    return archive


def _matrix(table: Table, spec: FeatureSpec) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return Encoder(spec).encode(table.select(spec.names).rows)


def main(argv: list[str] | None = None) -> int:
    """Run all cells; 0 if the archive was written."""
    parser = argparse.ArgumentParser(prog="python -m examples.train_in_notebook", description="Train in a notebook.")
    parser.add_argument("--data", type=Path, required=True, metavar="CSV", help="cars in the lake's columns")
    parser.add_argument("--output", type=Path, default=Path("model.tar.gz"), help="archive (default %(default)s)")
    parser.add_argument("--data-version", default="notebook", help="what the data is, for the manifest")
    parser.add_argument("--commit", default="unrecorded", help="commit of the notebook, for the manifest")
    arguments = parser.parse_args(argv)
    try:
        split = load(arguments.data)
        model, spec = fit(split)
        metrics = judge(model, spec, split.holdout)
        print(f"on the newest model year: MAPE {metrics['mape']:.1f} %, MAE {metrics['mae']:.0f}")
        origin = Origin(data_version=arguments.data_version, commit=arguments.commit)
        arguments.output.write_bytes(pack_for_release(model, spec, split=split, origin=origin, metrics=metrics))
    except PipelinesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {arguments.output}; register it: python -m examples.register_by_hand --model {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
