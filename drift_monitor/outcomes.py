"""Quality of a model's answers in a table of any problem type: the one place that chooses among drift_monitor.quality.

Tables have the outputs of the schema and, where labels are known, the column `_label`. Must not read files.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.monitored_model import Answers, MonitoredModel, ProblemType
from drift_monitor.quality.binary import evaluate_binary
from drift_monitor.quality.calibration import Calibration, fit_calibration
from drift_monitor.quality.classes import class_names
from drift_monitor.quality.constraints import Expectation, QualityPolicy, expectation_of
from drift_monitor.quality.estimate import estimate_quality
from drift_monitor.quality.multiclass import evaluate_multiclass
from drift_monitor.quality.regression import evaluate_regression
from drift_monitor.quality.resampling import Vector
from drift_monitor.readers.columns import from_arrow
from drift_monitor.readers.ground_truth import LABEL
from drift_monitor.readers.health import HealthCounter
from drift_monitor.results import LabelCoverage, ModelQuality, Verdict
from drift_monitor.schema import Column, ColumnType


def evaluate(
    table: pa.Table, answers: Answers, *, coverage: LabelCoverage, expectation: Expectation | None = None
) -> ModelQuality:
    """Quality of the rows of a table that have a label and a prediction."""
    labelled = table.filter(pc.and_(table.column(LABEL).is_valid(), table.column(answers.prediction).is_valid()))
    if answers.problem_type is ProblemType.REGRESSION:
        actual, predicted = (numbers(labelled, name) for name in (LABEL, answers.prediction))
        return evaluate_regression(actual, predicted, coverage=coverage, expectation=expectation)
    classes = (labelled.column(name).combine_chunks() for name in (LABEL, answers.prediction))
    if answers.problem_type is ProblemType.MULTICLASS:
        return evaluate_multiclass(*classes, coverage=coverage, expectation=expectation)
    return evaluate_binary(
        *classes,
        coverage=coverage,
        probability=_probability(labelled, answers),
        positive=answers.positive,
        expectation=expectation,
    )


def judge_window(
    table: pa.Table, model: MonitoredModel, *, coverage: LabelCoverage, policy: QualityPolicy
) -> ModelQuality:
    """Quality of a window: measured with its labels, or where those say too little, estimated if that is sound."""
    expectation = expectation_of(model.baseline.model_quality, policy)
    measured = evaluate(table, model.answers, coverage=coverage, expectation=expectation)
    if measured.verdict is not Verdict.INSUFFICIENT_DATA:
        return measured
    estimated = estimate_quality(
        str(model.answers.problem_type),
        predicted=table.column(model.answers.prediction).combine_chunks(),
        probability=_probability(table, model.answers),
        calibration=model.calibration,
        positive=model.answers.positive,
        expectation=expectation,
    )
    return measured if estimated is None else replace(estimated, coverage=coverage)


def calibration(table: pa.Table, answers: Answers) -> Calibration | None:
    """How often the classifier is right at which probability, from labelled rows; None for regression."""
    probability = _probability(table, answers)
    if probability is None or answers.problem_type is ProblemType.REGRESSION:
        return None
    label = class_names(table.column(LABEL))
    if answers.problem_type is ProblemType.BINARY:
        hits = pc.equal(label, answers.positive)
    else:
        hits = pc.equal(label, class_names(table.column(answers.prediction)))
    known = hits.is_valid()
    return fit_calibration(probability[np.asarray(known)], np.asarray(hits.filter(known), dtype=np.bool_))


def numbers(table: pa.Table, name: str) -> Vector:
    """A column as float64 of shape (rows,), NaN for what is missing or no number."""
    column = _as_float(table.column(name).combine_chunks(), name)
    return np.asarray(column.fill_null(np.nan), dtype=np.float64)


def _as_float(column: Any, name: str) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.float64())
    return from_arrow(column, Column(name, ColumnType.FRACTIONAL), HealthCounter())


def _probability(table: pa.Table, answers: Answers) -> Vector | None:
    return None if answers.probability is None else numbers(table, answers.probability)
