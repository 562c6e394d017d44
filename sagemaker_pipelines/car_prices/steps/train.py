"""Train: fit every candidate, keep the one that predicts the validation years best, refit it on both.

A SageMaker training job. Reads the channels train, validation and features, and hyperparameters.json.
Writes model/model.pickle (scikit-learn), model/feature_spec.json, model/candidates.json.

Deterministic: fixed seed, one thread (parallel sums are added in another order), no early stopping. The same
channels, parameters and image give the same bytes.
"""

import math
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model_server.scoring import Encoder, FeatureSpec, FloatMatrix, FloatVector, parse_feature_spec
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import (
    JobFolders,
    Parameters,
    log,
    read_hyperparameters,
    read_json_object,
    run_job,
    write_json,
)
from sagemaker_pipelines.metrics import regression_metrics
from sagemaker_pipelines.tables import Table, read_table

MODEL_PICKLE = "model.pickle"
CANDIDATES_FILE = "candidates.json"
SELECTION_METRIC = "mae"


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of the job. One candidate per ridge alpha and per number of leaves."""

    seed: int
    ridge_alphas: tuple[float, ...]
    tree_leaves: tuple[int, ...]
    tree_iterations: int
    tree_learning_rate: float


@dataclass(frozen=True)
class Candidate:
    """One model to try: a family and its parameters."""

    name: str
    family: str
    parameters: dict[str, float]


def read_settings(values: dict[str, str]) -> Settings:
    """Settings from hyperparameters; raises StepError naming the one that is wrong."""
    parameters = Parameters(values)
    leaves = parameters.numbers("tree_leaves", "31,8")
    if not all(number.is_integer() and number >= 2 for number in leaves):
        raise StepError(f"the parameter tree_leaves should hold whole numbers of at least 2, not {leaves}")
    return Settings(
        seed=parameters.count("seed", 20),
        ridge_alphas=parameters.numbers("ridge_alphas", "0.3,1,3"),
        tree_leaves=tuple(int(number) for number in leaves),
        tree_iterations=parameters.count("tree_iterations", 200, minimum=1),
        tree_learning_rate=parameters.number("tree_learning_rate", 0.1),
    )


def candidates(settings: Settings) -> list[Candidate]:
    """Every candidate that the settings describe, in a fixed order."""
    ridges = [Candidate(f"ridge_alpha_{a:g}", "ridge_one_hot", {"alpha": a}) for a in settings.ridge_alphas]
    trees = [
        Candidate(
            f"trees_leaves_{leaves}",
            "gradient_boosted_trees",
            {
                "max_leaf_nodes": leaves,
                "max_iter": settings.tree_iterations,
                "learning_rate": settings.tree_learning_rate,
            },
        )
        for leaves in settings.tree_leaves
    ]
    return ridges + trees


def build_model(candidate: Candidate, spec: FeatureSpec, *, seed: int) -> RegressorMixin:
    """An unfitted regressor of the logarithm of the label over the matrix of a feature specification."""
    if candidate.family == "gradient_boosted_trees":
        return HistGradientBoostingRegressor(
            max_iter=int(candidate.parameters["max_iter"]),
            max_leaf_nodes=int(candidate.parameters["max_leaf_nodes"]),
            learning_rate=candidate.parameters["learning_rate"],
            early_stopping=False,
            random_state=seed,
        )
    numeric = [index for index, feature in enumerate(spec.features) if feature.is_numeric]
    categorical = [index for index, feature in enumerate(spec.features) if not feature.is_numeric]
    codes = [np.arange(len(spec.features[i].categories) + 1, dtype=np.float64) for i in categorical]
    one_hot = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numeric", StandardScaler(), numeric), ("category", one_hot, categorical)])
    return make_pipeline(columns, Ridge(alpha=candidate.parameters["alpha"], solver="cholesky"))


def train(folders: JobFolders, settings: Settings) -> None:
    """Fill the model folder; raises StepError if a channel is incomplete."""
    features = folders.channel("features")
    selection_spec = parse_feature_spec(read_json_object(features / "selection_spec.json"))
    final_spec = parse_feature_spec(read_json_object(features / "feature_spec.json"))
    train_rows = read_table(folders.channel("train") / "train.csv")
    validation_rows = read_table(folders.channel("validation") / "validation.csv")
    results = _select(selection_spec, train_rows, validation_rows, settings)
    winner, metrics = min(results, key=lambda result: result[1][SELECTION_METRIC])
    # SageMaker reads the metrics of the job from these lines (MetricDefinitions of the pipeline).
    log(" ".join(f"winner-validation-{name}={value:.6g};" for name, value in metrics.items()))
    log(f"winner: {winner.name}, refitting on {len(train_rows.rows) + len(validation_rows.rows)} rows")
    development = Table(train_rows.columns, train_rows.rows + validation_rows.rows)
    model = build_model(winner, final_spec, seed=settings.seed)
    model.fit(*_matrix(final_spec, development))
    _write(folders.model, model=model, spec=final_spec, winner=winner, results=results)


def _select(
    spec: FeatureSpec, train_rows: Table, validation_rows: Table, settings: Settings
) -> list[tuple[Candidate, dict[str, float]]]:
    """Validation metrics of every candidate when it has seen the training years alone."""
    matrix, target = _matrix(spec, train_rows)
    validation_matrix, validation_target = _matrix(spec, validation_rows)
    results = []
    for candidate in candidates(settings):
        model = build_model(candidate, spec, seed=settings.seed).fit(matrix, target)
        predicted = np.exp(model.predict(validation_matrix))
        metrics = regression_metrics(np.exp(validation_target), predicted)
        log(f"candidate {candidate.name}: " + " ".join(f"{name}={metrics[name]:.6g}" for name in metrics))
        results.append((candidate, metrics))
    return results


def _matrix(spec: FeatureSpec, table: Table) -> tuple[FloatMatrix, FloatVector]:
    matrix = Encoder(spec).encode(table.select(spec.names).rows)
    target = np.array([math.log(float(value)) for value in table.values(spec.label)])
    return matrix, target


def _write(
    folder: Path,
    *,
    model: RegressorMixin,
    spec: FeatureSpec,
    winner: Candidate,
    results: list[tuple[Candidate, dict[str, float]]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_PICKLE).write_bytes(pickle.dumps(model, protocol=5))
    write_json(folder / "feature_spec.json", spec.to_json())
    write_json(
        folder / CANDIDATES_FILE,
        {
            "winner": winner.name,
            "selection_metric": f"validation {SELECTION_METRIC}",
            "candidates": [
                {
                    "name": candidate.name,
                    "family": candidate.family,
                    "parameters": candidate.parameters,
                    "validation": metrics,
                }
                for candidate, metrics in results
            ],
        },
    )


def _body(folders: JobFolders) -> None:
    settings = read_settings(read_hyperparameters(folders))
    with threadpool_limits(limits=1):
        train(folders, settings)


def main() -> int:
    """Entry point of the job."""
    return run_job("Train", _body)


if __name__ == "__main__":
    sys.exit(main())
