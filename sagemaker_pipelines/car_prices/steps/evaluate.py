"""Evaluate: judge the exported model on the newest model years, against limits, a plain estimate and the champion.

Reads  processing/model/model.tar.gz        the candidate, as it would be served
       processing/champion/model.tar.gz     the live champion; anything if CHAMPION_MODEL_PACKAGE_ARN is "none"
       processing/holdout/holdout.csv       model years that neither has been fitted on by this execution
       processing/features/plain_baseline.json
Writes processing/evaluation/evaluation.json  metrics in the form of SageMaker's ModelMetrics, and the decision
       processing/evaluation/report.html      the same for approvers, with plots, in one file

Both models are scored through ONNX Runtime with their own feature specification; no pickle is opened.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model_server.errors import ScoringError
from model_server.scoring import Scorer, scorer_from_files
from sagemaker_pipelines.artifacts import MODEL_ARCHIVE, sha256_hex, unpack
from sagemaker_pipelines.car_prices.report import EvaluationReport, render_report
from sagemaker_pipelines.car_prices.settings import HIGHEST_BAND, PRICE_BANDS, label, time_column
from sagemaker_pipelines.errors import PipelinesError, StepError
from sagemaker_pipelines.evaluation import Limits, Predictions, evaluate
from sagemaker_pipelines.job import JobFolders, Parameters, log, read_json_object, run_job, write_json
from sagemaker_pipelines.metrics import Vector
from sagemaker_pipelines.tables import Table, read_table

NO_CHAMPION = "none"


@dataclass(frozen=True)
class Model:
    """An unpacked artifact that is ready to predict."""

    scorer: Scorer
    sha256: str
    manifest: dict[str, Any]

    def predict(self, holdout: Table) -> Vector:
        """Predicted prices in USD of the holdout's rows."""
        return self.scorer.predict(holdout.select(self.scorer.encoder.spec.names).rows)


def load_model(archive: Path, *, role: str) -> Model:
    """The model of an archive; raises StepError naming its role (candidate or champion) if it cannot be used."""
    try:
        files = unpack(archive)
        scorer = scorer_from_files(files)
        manifest = json.loads(files["manifest.json"])
    except KeyError:
        raise StepError(f"{role}: {archive} has no manifest.json, so it was not written by Export") from None
    except (PipelinesError, ScoringError, json.JSONDecodeError) as error:
        raise StepError(f"{role}: {error}") from None
    return Model(scorer=scorer, sha256=sha256_hex(archive.read_bytes()), manifest=manifest)


def plain_predictions(baseline: Mapping[str, Any], holdout: Table) -> Vector:
    """The plain estimate: the training data's median price of the row's make, or of all makes."""
    medians, overall = baseline["medians"], baseline["overall"]
    return np.array([medians.get(group, overall) for group in holdout.values(baseline["by"])])


def price_band(price: float) -> str:
    """Name of the band that a price in USD falls into."""
    return next((name for upper, name in PRICE_BANDS if price < upper), HIGHEST_BAND)


def evaluate_model(
    *, candidate: Model, champion: Model | None, holdout: Table, baseline: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], Predictions]:
    """Content of evaluation.json, and the predictions behind it."""
    actual = np.array([float(value) for value in holdout.values(label())])
    predictions = Predictions(
        actual=actual,
        candidate=candidate.predict(holdout),
        plain=plain_predictions(baseline, holdout),
        champion=champion.predict(holdout) if champion else None,
    )
    years = sorted(set(holdout.values(time_column())))
    slices = {"make": holdout.values("make"), "price band": [price_band(price) for price in actual]}
    same = champion is not None and champion.sha256 == candidate.sha256
    result = evaluate(predictions, slices=slices, limits=limits, same_artifact=same)
    result["dataset"]["model_years"] = years
    result["plain_baseline"]["description"] = f"median price per {baseline['by']} of the training data"
    result["candidate"] = {"sha256": candidate.sha256, **_origin(candidate)}
    result["champion"] = {"sha256": champion.sha256, **_origin(champion)} if champion else None
    return result, predictions


def _origin(model: Model) -> dict[str, Any]:
    return {name: model.manifest.get(name) for name in ("data_version", "commit", "model")}


def _limits(parameters: Parameters) -> Limits:
    return Limits(
        maximum_mape=parameters.number("MAXIMUM_MAPE", 15.0),
        maximum_bias=parameters.number("MAXIMUM_BIAS", 10.0),
        maximum_slice_mape=parameters.number("MAXIMUM_SLICE_MAPE", 40.0),
        minimum_improvement=parameters.number("MINIMUM_IMPROVEMENT", 0.0),
        minimum_slice_rows=parameters.count("MINIMUM_SLICE_ROWS", 20, minimum=1),
    )


def _body(folders: JobFolders) -> None:
    parameters = Parameters(os.environ)
    champion_arn = parameters.text("CHAMPION_MODEL_PACKAGE_ARN", NO_CHAMPION)
    candidate = load_model(folders.processing("model") / MODEL_ARCHIVE, role="candidate")
    champion = None
    if champion_arn != NO_CHAMPION:
        champion = load_model(folders.processing("champion") / MODEL_ARCHIVE, role=f"champion {champion_arn}")
    result, predictions = evaluate_model(
        candidate=candidate,
        champion=champion,
        holdout=read_table(folders.processing("holdout") / "holdout.csv"),
        baseline=read_json_object(folders.processing("features") / "plain_baseline.json"),
        limits=_limits(parameters),
    )
    result["champion_model_package_arn"] = champion_arn
    output = folders.processing("evaluation")
    write_json(output / "evaluation.json", result)
    report = EvaluationReport(result=result, predictions=predictions)
    (output / "report.html").write_text(render_report(report), encoding="utf-8")
    for name, metric in result["regression_metrics"].items():
        log(f"{name}={metric['value']:.6g} (95 % {metric['interval_95_low']:.6g} to {metric['interval_95_high']:.6g})")
    log(("accepted: " if result["decision"]["accepted"] else "rejected: ") + result["decision"]["summary"])


def main() -> int:
    """Entry point of the job."""
    return run_job("Evaluate", _body)


if __name__ == "__main__":
    sys.exit(main())
