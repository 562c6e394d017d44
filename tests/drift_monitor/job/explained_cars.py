"""A served model with all parts of its baseline, and two jobs about it; run by the runtime image's Python.

The first argument is the folder to work in. In the second window all cars have the same power, which the model mostly
looked at in training.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingRegressor

from drift_monitor.attribution.encoding import encode_table
from drift_monitor.attribution.served_model import read_served_model
from drift_monitor.building import build, with_predictions
from drift_monitor.files.baseline_folder import read_baseline
from model_server.scoring import Feature, FeatureSpec
from sagemaker_pipelines.artifacts import pack
from sagemaker_pipelines.onnx_export import to_onnx
from tests.drift_monitor.job.container import Container
from tests.drift_monitor.sold_cars import ANSWERS, SCHEMA, cars, write_window

SPEC = FeatureSpec(
    dataset="cars",
    label="price",
    features=(
        Feature("year", 2005.0, ()),
        Feature("power", 150.0, ()),
        Feature("make", None, ("audi", "fiat", "ford")),
    ),
)


def _inputs(rows: int, *, seed: int) -> pa.RecordBatch:
    """Cars whose price depends on the year as well, a third as much as on the power."""
    batch = cars(rows, seed=seed).drop_columns(["prediction"])
    years, powers = (np.asarray(batch.column(name)) for name in ("year", "power"))
    noise = np.random.default_rng(seed).normal(1.0, 0.02, rows)
    prices = pa.array((10_000 + 130 * powers + 600 * (years - 2001)) * noise)
    return batch.set_column(batch.schema.get_field_index("price"), "price", prices)


def _archive(path: Path) -> Path:
    batch = _inputs(2000, seed=1)
    matrix = encode_table(batch, SPEC)
    model = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=6, random_state=1)
    model.fit(matrix, np.log(np.asarray(batch.column("price"))))
    files = {"model.onnx": to_onnx(model, features=3), "feature_spec.json": json.dumps(SPEC.to_json()).encode()}
    path.parent.mkdir(parents=True)
    path.write_bytes(pack(files))
    return path


def _report(container: Container, rows: pa.RecordBatch) -> dict[str, object]:
    shutil.rmtree(container.window, ignore_errors=True)
    write_window(container.window, rows)
    if container.run() != 0:
        raise SystemExit(container.failure)
    report = container.result()
    return {"attribution": report["attribution"], "quality": report["quality"]["verdict"]}


def main() -> None:
    """Print what was found, as JSON."""
    container = Container(Path(sys.argv[1]))
    served = read_served_model(_archive(container.base / "processing" / "model" / "model.tar.gz"))
    training = with_predictions([_inputs(2000, seed=1)], served)
    holdout = pa.Table.from_batches(with_predictions([_inputs(500, seed=2)], served))
    folder = container.baseline(build(training, schema=SCHEMA, answers=ANSWERS, holdout=holdout, model=served))
    rows = next(with_predictions([_inputs(400, seed=3)], served))
    power = pa.array([145.0] * rows.num_rows)
    same_power = rows.set_column(rows.schema.get_field_index("power"), "power", power)
    results = {
        "importance": read_baseline(folder).baseline.importance,
        "usual": _report(container, rows),
        "same power": _report(container, same_power),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
