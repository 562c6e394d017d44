"""Baseline: write down what the monitors compare the live model with, if this one becomes live.

The newest model years, validation and holdout together, stand for what callers will ask; how good the model is comes
from the holdout alone, which it never saw. Older years are left out: with them every new one would be a drift.

Reads  processing/model/model.tar.gz         the candidate, as it would be served
       processing/validation/validation.csv, processing/holdout/holdout.csv
Writes processing/baseline/                  statistics.json, constraints.json and the rest of a baseline folder, see
                                             `drift_monitor.files.baseline_folder`
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.contract import DataContract
from drift_monitor.attribution.served_model import read_served_model
from drift_monitor.building import build, with_predictions
from drift_monitor.errors import MonitorError
from drift_monitor.files.baseline_folder import write_baseline
from drift_monitor.files.bias import parse_bias_settings
from drift_monitor.monitored_model import Answers, MonitoredModel
from drift_monitor.readers.tabular import read_table
from drift_monitor.schema import Column, ColumnType, DataSchema
from sagemaker_pipelines.artifacts import MODEL_ARCHIVE
from sagemaker_pipelines.car_prices.settings import contract, input_columns, label, time_column
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import JobFolders, log, run_job

NAME_COLUMN = "model"
BIAS_FILE = Path(__file__).parents[1] / "bias.toml"

_TYPES = {"string": ColumnType.STRING, "integer": ColumnType.INTEGRAL, "number": ColumnType.FRACTIONAL}
# The distance between two distributions is at most 1, so that a column with this floor never counts as drifted.
_NEVER = 1.0


def data_schema(data_contract: DataContract) -> DataSchema:
    """The model's inputs, in the order of a headerless record."""
    columns = (data_contract.column(name) for name in input_columns())
    return DataSchema(inputs=tuple(Column(column.name, _TYPES[column.type]) for column in columns))


def make_baseline(*, model: Path, validation: Path, holdout: Path) -> MonitoredModel:
    """The baseline of a model archive; raises MonitorError saying what cannot be used."""
    schema, answers = data_schema(contract()), Answers(label=label())
    served = read_served_model(model)
    settings = parse_bias_settings(
        tomllib.loads(BIAS_FILE.read_text(encoding="utf-8")), schema=schema, prediction=answers.prediction
    )

    def predicted(path: Path) -> Iterator[pa.RecordBatch]:
        yield from with_predictions(read_table(path, schema=schema), served)

    names = [column.name for column in schema.columns]
    newest = (batch.select(names) for path in (validation, holdout) for batch in predicted(path))
    built = build(
        newest,
        schema=schema,
        answers=answers,
        holdout=pa.Table.from_batches(predicted(holdout)),
        bias=settings,
        model=served,
    )
    return _without_expected_change(built)


def _without_expected_change(built: MonitoredModel) -> MonitoredModel:
    """Every model year brings a year and names of models that there were not before: neither is a surprise."""
    constraints = built.baseline.constraints
    changed: dict[str, dict[str, Any]] = {
        time_column(): {"effect_floor": _NEVER, "bounds": None},
        NAME_COLUMN: {"domain": None, "domain_share": None},
    }
    columns = tuple(replace(column, **changed.get(column.feature, {})) for column in constraints.columns)
    return replace(built, baseline=replace(built.baseline, constraints=replace(constraints, columns=columns)))


def _body(folders: JobFolders) -> None:
    try:
        built = make_baseline(
            model=folders.processing("model") / MODEL_ARCHIVE,
            validation=folders.processing("validation") / "validation.csv",
            holdout=folders.processing("holdout") / "holdout.csv",
        )
        write_baseline(folders.processing("baseline"), built)
    except MonitorError as error:
        raise StepError(str(error)) from None
    log(f"{built.baseline.profile.rows} rows of the newest model years")
    quality = built.baseline.model_quality
    for name, limit in (quality.limits if quality else {}).items():
        log(f"{name}: {limit.operator} {limit.threshold:.6g}")


def main() -> int:
    """Entry point of the job."""
    return run_job("Baseline", _body)


if __name__ == "__main__":
    sys.exit(main())
