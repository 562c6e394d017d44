"""A model version's baseline as a folder of files: Model Monitor's and Clarify's, and what they cannot hold.

statistics.json, constraints.json and profile.npz are always there; the others belong to the analyses that the baseline
was made for. An existing Model Monitor customer's files are read without profile.npz.
"""

from dataclasses import replace
from pathlib import Path

from drift_monitor.attribution.background import BACKGROUND_FILE, read_background, write_background
from drift_monitor.baseline import PROFILE_FILE, Baseline, DataConstraints, ModelQualityBaseline, derive_constraints
from drift_monitor.errors import BaselineError
from drift_monitor.files.attribution import attribution_document, parse_attribution, parse_importance
from drift_monitor.files.bias import CONFIG, bias_document, parse_bias, parse_bias_settings
from drift_monitor.files.constraints import constraints_document, parse_constraints
from drift_monitor.files.documents import Document, member, read_document, write_document
from drift_monitor.files.model_key import ModelKey
from drift_monitor.files.model_quality import (
    QualityFigures,
    parse_quality_constraints,
    parse_quality_statistics,
    quality_baseline_of,
    quality_constraints_document,
    quality_statistics_document,
)
from drift_monitor.files.statistics import parse_statistics, statistics_document
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.storage import read_baseline_profile, write_baseline_profile
from drift_monitor.schema import DataSchema

STATISTICS_FILE, CONSTRAINTS_FILE = "statistics.json", "constraints.json"
QUALITY_STATISTICS_FILE, QUALITY_CONSTRAINTS_FILE = "model_quality_statistics.json", "model_quality_constraints.json"
BIAS_FILE, ATTRIBUTION_FILE = "bias.json", "attribution.json"


def write_baseline(folder: Path, model: MonitoredModel) -> None:
    """Write all files, creating the folder; the same model gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    baseline = model.baseline
    key = ModelKey(baseline.schema, model.answers)
    write_baseline_profile(baseline.profile, folder / PROFILE_FILE)
    write_document(folder / STATISTICS_FILE, statistics_document(baseline.profile, key), compact=True)
    write_document(folder / CONSTRAINTS_FILE, constraints_document(baseline.constraints, key))
    for name, document in _optional_documents(model, key).items():
        write_document(folder / name, document)
    if model.background is not None:
        write_background(folder, model.background)


def read_baseline(folder: Path) -> MonitoredModel:
    """What write_baseline wrote, or what Model Monitor did. Raises BaselineError naming the file that is wrong."""
    if not (folder / STATISTICS_FILE).is_file():
        raise BaselineError(
            f"{folder} is no baseline folder, for it has no {STATISTICS_FILE}; make one of training data with "
            "`python -m drift_monitor baseline`"
        )
    return read_baseline_files(folder / STATISTICS_FILE, folder / CONSTRAINTS_FILE)


def read_baseline_files(statistics: Path, constraints: Path | None) -> MonitoredModel:
    """A baseline whose two main files may lie in folders of their own; the others lie beside the statistics.

    Without constraints those are taken that the statistics meet. Raises BaselineError naming the file that is wrong.
    """
    folder = statistics.parent
    profile, key = parse_statistics(read_document(statistics))
    if (folder / PROFILE_FILE).exists():
        profile = read_baseline_profile(folder / PROFILE_FILE)
    given = _constraints(constraints)
    baseline = Baseline(
        schema=key.schema,
        profile=profile,
        constraints=given if given is not None else derive_constraints(profile, schema=key.schema),
    )
    return _with_parts(MonitoredModel(baseline=baseline, answers=key.answers), folder)


def renamed_outputs(model: MonitoredModel, outputs: tuple[str, ...]) -> MonitoredModel:
    """An imported baseline in which the named features are the model's answers, not its inputs."""
    schema = model.baseline.schema
    answered = tuple(column for column in schema.inputs if column.name in outputs)
    if not answered:
        return model
    inputs = tuple(column for column in schema.inputs if column.name not in outputs)
    baseline = replace(model.baseline, schema=DataSchema(inputs=inputs, outputs=answered))
    return replace(model, baseline=baseline, answers=replace(model.answers, prediction=answered[0].name))


def _constraints(path: Path | None) -> DataConstraints | None:
    return None if path is None or not path.exists() else parse_constraints(read_document(path))


def _optional_documents(model: MonitoredModel, key: ModelKey) -> dict[str, Document]:
    baseline, documents = model.baseline, {}
    if (quality := baseline.model_quality) is not None:
        documents[QUALITY_STATISTICS_FILE] = quality_statistics_document(_figures(model, quality), key)
        documents[QUALITY_CONSTRAINTS_FILE] = quality_constraints_document(
            quality.limits, problem_type=quality.problem_type, key=key
        )
    if baseline.bias is not None or model.bias_settings is not None:
        documents[BIAS_FILE] = bias_document(baseline.bias or (), model.bias_settings, key)
    if baseline.attribution is not None or baseline.importance is not None:
        documents[ATTRIBUTION_FILE] = attribution_document(baseline.attribution, baseline.importance, key)
    return documents


def _figures(model: MonitoredModel, quality: ModelQualityBaseline) -> QualityFigures:
    return QualityFigures(
        problem_type=quality.problem_type,
        rows=quality.rows,
        metrics=quality.metrics,
        deviations=model.quality_deviations,
        confusion=quality.confusion,
        calibration=model.calibration,
    )


def _with_parts(model: MonitoredModel, folder: Path) -> MonitoredModel:
    """The model with what the other files of the folder say."""
    baseline, schema = model.baseline, model.baseline.schema
    if (folder / QUALITY_STATISTICS_FILE).exists():
        figures = parse_quality_statistics(read_document(folder / QUALITY_STATISTICS_FILE))
        _, limits = parse_quality_constraints(read_document(folder / QUALITY_CONSTRAINTS_FILE))
        baseline = replace(baseline, model_quality=quality_baseline_of(figures, limits))
        model = replace(model, calibration=figures.calibration, quality_deviations=figures.deviations)
    if (folder / BIAS_FILE).exists():
        document = read_document(folder / BIAS_FILE)
        config = member(document, CONFIG)
        settings = parse_bias_settings(config, schema=schema, prediction=model.answers.prediction)
        model = replace(model, bias_settings=settings)
        baseline = replace(baseline, bias=parse_bias(document) or None)
    if (folder / ATTRIBUTION_FILE).exists():
        document = read_document(folder / ATTRIBUTION_FILE)
        baseline = replace(baseline, attribution=parse_attribution(document), importance=parse_importance(document))
    if (folder / BACKGROUND_FILE).exists() and baseline.attribution is not None:
        background = read_background(folder, features=len(baseline.attribution.values))
        model = replace(model, background=background)
    return replace(model, baseline=baseline)
