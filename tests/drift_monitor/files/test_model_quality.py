"""Files of model quality, bias and explanations, as AWS has published them."""

from typing import Any

import pytest

from drift_monitor.baseline import MetricLimit
from drift_monitor.bias.groups import Facet, Group
from drift_monitor.errors import BaselineError
from drift_monitor.files.attribution import parse_attribution
from drift_monitor.files.bias import parse_bias, parse_bias_settings
from drift_monitor.files.model_key import ModelKey
from drift_monitor.files.model_quality import (
    QualityFigures,
    parse_quality_constraints,
    parse_quality_statistics,
    quality_constraints_document,
    quality_statistics_document,
)
from drift_monitor.monitored_model import Answers
from drift_monitor.quality.constraints import OUTSIDE
from drift_monitor.results import Interval
from drift_monitor.schema import ColumnType
from tests.drift_monitor.profiles import schema_of
from tests.drift_monitor.sold_cars import SCHEMA

KEY = ModelKey(schema_of(x=ColumnType.FRACTIONAL), Answers())


def test_model_monitors_own_statistics_are_read() -> None:
    """Of its binary classifier: figures with "NaN" for a deviation that it could not give, and the matrix."""
    document = {
        "version": 0.0,
        "dataset": {"item_count": 150},
        "binary_classification_metrics": {
            "confusion_matrix": {"0": {"0": 90, "1": 10}, "1": {"0": 5, "1": 45}},
            "recall": {"value": 0.9, "standard_deviation": "NaN"},
            "f1": {"value": 0.857, "standard_deviation": 0.01},
            "receiver_operating_characteristic_curve": {"false_positive_rates": [0.0], "true_positive_rates": [0.0]},
        },
    }
    figures = parse_quality_statistics(document)
    assert figures.problem_type == "BinaryClassification"
    assert figures.metrics == {"recall": Interval(value=0.9), "f1": Interval(value=0.857)}
    assert figures.deviations == {"f1": 0.01}
    assert figures.confusion["1"] == {"0": 5, "1": 45}


def test_limits_are_read_and_written_with_their_operators() -> None:
    """Also the operator of a signed figure, which Model Monitor's own metrics do not need."""
    limits = {
        "mae": MetricLimit(threshold=2.5, operator="GreaterThanThreshold"),
        "bias": MetricLimit(threshold=3.0, operator=OUTSIDE),
    }
    document = quality_constraints_document(limits, problem_type="Regression", key=KEY)
    assert document["regression_constraints"]["mae"] == {
        "threshold": 2.5,
        "comparison_operator": "GreaterThanThreshold",
        "additional_properties": None,
    }
    assert parse_quality_constraints(document) == ("Regression", limits)


def test_a_figure_that_is_not_defined_is_nan() -> None:
    """As Model Monitor writes it, since JSON has no word for it."""
    figures = QualityFigures(problem_type="Regression", rows=1, metrics={"r2": Interval(value=None)})
    document = quality_statistics_document(figures, KEY)
    assert document["regression_metrics"]["r2"] == {"value": "NaN", "standard_deviation": "NaN"}
    assert parse_quality_statistics(document).metrics == figures.metrics


@pytest.mark.parametrize("parse", [parse_quality_statistics, parse_quality_constraints])
def test_files_of_another_monitor_are_refused(parse: Any) -> None:
    """A file of data quality has neither metrics nor limits of a model."""
    with pytest.raises(BaselineError, match="model's quality"):
        parse({"version": 0.0, "features": []})


def test_clarifys_own_analysis_is_read() -> None:
    """Figures by stage, facet and group; what it could not compute is null."""
    metrics = [{"name": "CI", "description": "Class Imbalance (CI)", "value": 0.369}, {"name": "KL", "value": None}]
    section = {"label": "Target", "facets": {"Sex": [{"value_or_threshold": "0", "metrics": metrics}]}}
    figures = parse_bias({"version": "1.0", "pre_training_bias_metrics": section})
    assert [(figure.stage, figure.facet, figure.facet_value, figure.name, figure.value) for figure in figures] == [
        ("pre_training", "Sex", "0", "CI", 0.369),
        ("pre_training", "Sex", "0", "KL", None),
    ]


def test_clarifys_configuration_says_what_is_compared() -> None:
    """Facets by name or index; one number for a numeric column is a threshold."""
    config = {
        "label_values_or_threshold": [30_000],
        "facet": [
            {"name_or_index": "make", "value_or_threshold": ["ford", "audi"]},
            {"name_or_index": 1, "value_or_threshold": [200]},
        ],
        "group_variable": "year",
    }
    settings = parse_bias_settings(config, schema=SCHEMA, prediction="prediction")
    assert settings is not None
    assert settings.positive == Group(threshold=30_000.0)
    assert settings.facets == (
        Facet(column="make", group=Group(values=("ford", "audi"))),
        Facet(column="power", group=Group(threshold=200.0)),
    )
    assert settings.group_variable == "year"
    assert parse_bias_settings({"label_values_or_threshold": [1]}, schema=SCHEMA, prediction="prediction") is None


@pytest.mark.parametrize(
    "config",
    [
        {"facet": [{"name_or_index": "make", "value_or_threshold": ["ford"]}]},
        {"facet": [{"name_or_index": 7, "value_or_threshold": ["ford"]}], "label_values_or_threshold": [1]},
        {"facet": [{}], "label_values_or_threshold": [1]},
    ],
)
def test_a_malformed_configuration_is_refused(config: dict[str, Any]) -> None:
    """With what is wrong, before anything is measured."""
    with pytest.raises(BaselineError, match="analysis_config"):
        parse_bias_settings(config, schema=SCHEMA, prediction="prediction")


def test_clarifys_own_explanations_are_read() -> None:
    """KernelSHAP of the first label, with its method's name."""
    shap = {"label0": {"global_shap_values": {"f": 0.1, "g": 0.3}, "expected_value": 0.2}}
    found = parse_attribution({"version": "1.0", "explanations": {"kernel_shap": shap}})
    assert found is not None
    assert (found.method, found.values, found.expected_value) == ("kernel_shap", {"f": 0.1, "g": 0.3}, 0.2)
