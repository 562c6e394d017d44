"""Builds what the monitor has to know of a model version, from the data that it learned and was judged on.

For the training pipeline and the command `baseline`. Must not read or write files: see files/baseline_folder.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from drift_monitor.attribution.analysis import attribution_baseline, importance
from drift_monitor.attribution.contributions import explainer, sample_rows
from drift_monitor.attribution.encoding import encode_table
from drift_monitor.attribution.served_model import ServedModel
from drift_monitor.baseline import Baseline, build_baseline
from drift_monitor.bias.measure import BiasSettings, bias_figures, measure
from drift_monitor.errors import BaselineError
from drift_monitor.monitored_model import Answers, MonitoredModel
from drift_monitor.outcomes import calibration, evaluate
from drift_monitor.quality.constraints import QualityPolicy, expectation_of, quality_baseline, suggest_constraints
from drift_monitor.readers.ground_truth import LABEL
from drift_monitor.results import LabelCoverage
from drift_monitor.sampling import RowSample
from drift_monitor.schema import DataSchema


@dataclass(frozen=True, kw_only=True)
class QualityMargins:
    """How much worse than on the holdout a figure may be: `share` of it, `bias` in percentage points."""

    share: float = 0.1
    bias: float = 3.0


def build(
    training: Iterable[pa.RecordBatch],
    *,
    schema: DataSchema,
    answers: Answers,
    holdout: pa.Table | None = None,
    bias: BiasSettings | None = None,
    model: ServedModel | None = None,
    margins: QualityMargins | None = None,
) -> MonitoredModel:
    """The baseline with all parts that the given data allows.

    `training`: the model's inputs, and its outputs if they are to be watched (`with_predictions` adds them). `holdout`:
    rows that the model did not learn from, with its outputs and the label under its own name: model quality, the
    calibration of a classifier and, with settings, bias come from it. `model`: for attributions, explained over a
    sample of the training data. Raises MonitorError saying what cannot be used.
    """
    sample = RowSample([column.name for column in schema.inputs])
    baseline = build_baseline(_sampled(training, sample if model is not None else None), schema=schema)
    built = MonitoredModel(baseline=baseline, answers=answers, bias_settings=bias)
    if model is not None:
        built = _with_attribution(built, sample.table(), model)
    return built if holdout is None else _with_holdout(built, holdout, margins or QualityMargins())


def with_predictions(
    batches: Iterable[pa.RecordBatch], model: ServedModel, *, output: str = "prediction"
) -> Iterator[pa.RecordBatch]:
    """Batches with the model's answers as a further column; raises BaselineError for rows that the model refuses."""
    for batch in batches:
        matrix = encode_table(batch, model.spec)
        if len(matrix) != batch.num_rows:
            raise BaselineError(
                f"the model refuses {batch.num_rows - len(matrix)} of {batch.num_rows} rows; is this the data that it "
                "was trained on?"
            )
        yield batch.append_column(output, pa.array(model.scorer.predict_encoded(matrix), pa.float64()))


def _sampled(batches: Iterable[pa.RecordBatch], sample: RowSample | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if sample is not None:
            sample.add(batch)
        yield batch


def _with_attribution(built: MonitoredModel, rows: pa.Table | None, model: ServedModel) -> MonitoredModel:
    if rows is None:
        raise BaselineError("attributions need rows of the training data, and there are none")
    background = sample_rows(encode_table(rows, model.spec))
    explained = explainer(model.onnx, score=model.score, background=background)
    attribution = attribution_baseline(explained, background, features=model.spec.names)
    baseline = replace(built.baseline, attribution=attribution, importance=importance(attribution))
    return replace(built, baseline=baseline, background=background.astype(np.float32))


def _with_holdout(built: MonitoredModel, holdout: pa.Table, margins: QualityMargins) -> MonitoredModel:
    table = _labelled(holdout, built.answers)
    rows = table.num_rows
    coverage = LabelCoverage(predictions=rows, labelled=rows, unmatched_labels=0)
    quality = evaluate(
        table, built.answers, coverage=coverage, expectation=expectation_of(None, QualityPolicy(minimum_rows=1))
    )
    limits = suggest_constraints(quality, margin=margins.share, bias_margin=margins.bias)
    deviations = {metric.name: metric.standard_deviation for metric in quality.metrics}
    baseline: Baseline = replace(built.baseline, model_quality=quality_baseline(quality, limits))
    if built.bias_settings is not None:
        baseline = replace(baseline, bias=bias_figures(measure(table, built.bias_settings)))
    return replace(
        built,
        baseline=baseline,
        calibration=calibration(table, built.answers),
        quality_deviations={name: value for name, value in deviations.items() if value is not None},
    )


def _labelled(holdout: pa.Table, answers: Answers) -> pa.Table:
    """The holdout with its label under the name that the analyses look for."""
    if answers.label is None:
        raise BaselineError("the label has no name; give Answers.label, the name of its column in the holdout")
    missing = [name for name in (answers.label, answers.prediction) if name not in holdout.schema.names]
    if missing:
        raise BaselineError(f"the holdout lacks the column {', '.join(missing)}; it needs predictions and labels")
    names = [LABEL if name == answers.label else name for name in holdout.schema.names]
    return holdout.rename_columns(names)
