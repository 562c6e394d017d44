"""The baseline that a job was given: our whole folder, or the single files that a monitoring schedule hands over.

A schedule of model quality knows the constraints of that quality, one of bias Clarify's; neither has the data's. Our
own files name the model's columns all the same (files/model_key.py); another's are read with what the job's settings
say.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drift_monitor.baseline import Baseline, DataConstraints
from drift_monitor.errors import BaselineError
from drift_monitor.files.attribution import parse_attribution
from drift_monitor.files.baseline_folder import STATISTICS_FILE, read_baseline_files
from drift_monitor.files.bias import CONFIG, parse_bias, parse_bias_settings
from drift_monitor.files.documents import member, members, read_document
from drift_monitor.files.model_key import ModelKey, parse_model_key
from drift_monitor.files.model_quality import (
    QualityFigures,
    parse_quality_constraints,
    parse_quality_statistics,
    quality_baseline_of,
)
from drift_monitor.job.settings import JobSettings
from drift_monitor.monitored_model import Answers, MonitoredModel
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.schema import DataSchema

_REMEDY = "name them in baseline_statistics and baseline_constraints"


def read_job_baseline(settings: JobSettings) -> MonitoredModel:
    """The model version that the job's files describe; raises BaselineError if there are none or they are damaged."""
    statistics = _found(settings.statistics, name=STATISTICS_FILE)
    constraints = _found(settings.constraints, name="constraints.json")
    if statistics is None and constraints is None:
        raise BaselineError(f"the job has no baseline files; {_REMEDY}")
    if statistics is not None and members(read_document(statistics), "features"):
        model = read_baseline_files(statistics, constraints)
    else:
        model = _without_data([path for path in (statistics, constraints) if path is not None])
    return _with_settings(model, settings)


def _found(path: Path | None, *, name: str) -> Path | None:
    """The file, also in a folder of its name; None if the job was given none. Raises BaselineError if it is missing."""
    if path is None or path.is_file():
        return path
    inside = path / name
    if not inside.is_file():
        raise BaselineError(f"{path} does not exist; was the baseline of this version written and copied to the job?")
    return inside


def _without_data(paths: Sequence[Path]) -> MonitoredModel:
    documents = [read_document(path) for path in paths]
    keys = [key for key in map(parse_model_key, documents) if key is not None]
    key = keys[0] if keys else ModelKey(DataSchema(inputs=()), Answers())
    nothing = DatasetProfile(rows=0, columns={}, seen=frozenset())
    baseline = Baseline(schema=key.schema, profile=nothing, constraints=DataConstraints(columns=()))
    model = MonitoredModel(baseline=baseline, answers=key.answers)
    for document in documents:
        model = _with_document(model, document)
    return model


def _with_document(model: MonitoredModel, document: dict[str, Any]) -> MonitoredModel:
    baseline = model.baseline
    if any(name.endswith("_constraints") for name in document):
        problem_type, limits = parse_quality_constraints(document)
        figures = _known_figures(model) or QualityFigures(problem_type=problem_type, rows=0, metrics={})
        return replace(model, baseline=replace(baseline, model_quality=quality_baseline_of(figures, limits)))
    if any(name.endswith("_metrics") and "bias" not in name for name in document):
        figures = parse_quality_statistics(document)
        quality = quality_baseline_of(figures, {})
        return replace(model, baseline=replace(baseline, model_quality=quality), calibration=figures.calibration)
    if "explanations" in document:
        return replace(model, baseline=replace(baseline, attribution=parse_attribution(document)))
    figures_of_bias = parse_bias(document)
    settings = parse_bias_settings(
        member(document, CONFIG), schema=baseline.schema, prediction=model.answers.prediction
    )
    return replace(model, baseline=replace(baseline, bias=figures_of_bias or None), bias_settings=settings)


def _known_figures(model: MonitoredModel) -> QualityFigures | None:
    quality = model.baseline.model_quality
    if quality is None:
        return None
    return QualityFigures(
        problem_type=quality.problem_type, rows=quality.rows, metrics=quality.metrics, confusion=quality.confusion
    )


def _with_settings(model: MonitoredModel, settings: JobSettings) -> MonitoredModel:
    """What the job's environment and Clarify's configuration say goes before what the files say."""
    answers = model.answers
    if settings.problem_type is not None:
        answers = replace(answers, problem_type=settings.problem_type)
    outputs = {column.name for column in model.baseline.schema.outputs}
    if settings.prediction in outputs:
        answers = replace(answers, prediction=settings.prediction or answers.prediction)
    model = replace(model, answers=answers)
    if not settings.analysis_config.exists():
        return model
    config = read_document(settings.analysis_config)
    bias = parse_bias_settings(config, schema=model.baseline.schema, prediction=answers.prediction)
    return model if bias is None else replace(model, bias_settings=bias)
