"""Clarify's analysis.json with bias metrics, from figures and back; and what was compared, as its analysis_config.json.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-analysis-results.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
The configuration stands in the same file under the further key `analysis_config`, for a later window is measured by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from drift_monitor.baseline import BiasFigure
from drift_monitor.bias.groups import Facet, Group, parse_group
from drift_monitor.bias.measure import BiasSettings
from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, members, number
from drift_monitor.files.model_key import ModelKey, model_key_document
from drift_monitor.schema import ColumnType, DataSchema

CONFIG = "analysis_config"
_SECTIONS = {"pre_training": "pre_training_bias_metrics", "post_training": "post_training_bias_metrics"}
_NUMERIC = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)


def bias_document(figures: Sequence[BiasFigure], settings: BiasSettings | None, key: ModelKey) -> Document:
    """analysis.json of a baseline or a window."""
    sections = {}
    for stage, section in _SECTIONS.items():
        of_stage = [figure for figure in figures if figure.stage == stage]
        if of_stage:
            sections[section] = {
                "label": key.answers.label or "label",
                "facets": _facets(of_stage),
                "label_value_or_threshold": settings.positive.text if settings else "",
            }
    config = {} if settings is None else {CONFIG: _config(settings, label=key.answers.label)}
    return {"version": "1.0", **sections, **config, **model_key_document(key)}


def parse_bias(document: Mapping[str, Any]) -> tuple[BiasFigure, ...]:
    """The figures of analysis.json, in its order."""
    figures = []
    for stage, section in _SECTIONS.items():
        for facet, groups in member(member(document, section), "facets").items():
            for group in groups if isinstance(groups, list) else ():
                figures += [
                    BiasFigure(
                        stage=stage,
                        name=str(metric.get("name")),
                        facet=str(facet),
                        facet_value=str(group.get("value_or_threshold")),
                        value=number(metric.get("value")),
                        description=str(metric.get("description") or ""),
                    )
                    for metric in members(group, "metrics")
                ]
    return tuple(figures)


def parse_bias_settings(config: Mapping[str, Any], *, schema: DataSchema, prediction: str) -> BiasSettings | None:
    """What an analysis configuration asks to compare; None if it names no facet.

    Raises BaselineError if it is malformed, SettingsError if a group cannot be.
    """
    types = {column.name: column.type in _NUMERIC for column in schema.columns}
    facets = members(config, "facet")
    if not facets:
        return None
    try:
        allowed = member(config, "allowed")
        return BiasSettings(
            positive=parse_group(config["label_values_or_threshold"], numeric=types.get(prediction, True)),
            facets=tuple(_facet(facet, schema=schema, types=types) for facet in facets),
            predicted=prediction,
            group_variable=config.get("group_variable"),
            features=tuple(config.get("features", ())),
            minimum_group_rows=int(config.get("minimum_group_rows", BiasSettings.minimum_group_rows)),
            allowed_drift=float(config.get("allowed_drift", BiasSettings.allowed_drift)),
            allowed={name: (float(allowed[name][0]), float(allowed[name][1])) for name in allowed},
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BaselineError(f"the {CONFIG} of the bias analysis is malformed ({error!r})") from None


def _facet(facet: Mapping[str, Any], *, schema: DataSchema, types: Mapping[str, bool]) -> Facet:
    name = facet["name_or_index"]
    column = schema.inputs[name].name if isinstance(name, int) else str(name)
    return Facet(column=column, group=parse_group(facet["value_or_threshold"], numeric=types.get(column, False)))


def _facets(figures: Sequence[BiasFigure]) -> dict[str, list[Document]]:
    facets: dict[str, dict[str, list[Document]]] = {}
    for figure in figures:
        metric = {"name": figure.name, "description": figure.description, "value": figure.value}
        facets.setdefault(figure.facet, {}).setdefault(figure.facet_value, []).append(metric)
    return {
        facet: [{"value_or_threshold": value, "metrics": metrics} for value, metrics in groups.items()]
        for facet, groups in facets.items()
    }


def _config(settings: BiasSettings, *, label: str | None) -> Document:
    facets = [{"name_or_index": facet.column, "value_or_threshold": _values(facet.group)} for facet in settings.facets]
    config: Document = {
        "label": label,
        "label_values_or_threshold": _values(settings.positive),
        "facet": facets,
        "minimum_group_rows": settings.minimum_group_rows,
        "allowed_drift": settings.allowed_drift,
    }
    if settings.group_variable:
        config["group_variable"] = settings.group_variable
    if settings.features:
        config["features"] = list(settings.features)
    if settings.allowed:
        config["allowed"] = {name: list(limits) for name, limits in settings.allowed.items()}
    return config


def _values(group: Group) -> list[Any]:
    return list(group.values) if group.threshold is None else [group.threshold]
