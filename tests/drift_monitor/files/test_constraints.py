"""constraints.json in all spellings that Model Monitor's versions, its SDK and its documentation have."""

from typing import Any

import pytest

from drift_monitor.baseline import ColumnConstraints
from drift_monitor.errors import BaselineError
from drift_monitor.files.constraints import parse_constraints
from drift_monitor.schema import ColumnType

NUMBER = {"name": "n", "inferred_type": "Fractional", "completeness": 0.9, "num_constraints": {"is_non_negative": True}}
TEXT = {"name": "t", "inferred_type": "String", "completeness": 1.0, "string_constraints": {"domains": ["a", "b"]}}


def _columns(config: dict[str, Any] | None = None, **members: Any) -> tuple[ColumnConstraints, ...]:
    features = [{**feature, **members} for feature in (NUMBER, TEXT)]
    return parse_constraints({"features": features, "monitoring_config": config or {}}).columns


def test_constraints_of_a_generated_file() -> None:
    """What Model Monitor generates: everything must match, and nobody has chosen a threshold of drift."""
    number, text = _columns(
        {
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {"comparison_threshold": 0.1, "comparison_method": "Robust"},
        }
    )
    assert number == ColumnConstraints(
        feature="n", type=ColumnType.FRACTIONAL, completeness=0.9, type_share=1.0, non_negative=True
    )
    assert text == ColumnConstraints(
        feature="t", type=ColumnType.STRING, completeness=1.0, type_share=None, domain=("a", "b")
    )


@pytest.mark.parametrize("name", ["comparison_threshold", "comparion_threshold"])
def test_a_chosen_threshold_is_the_least_distance_that_counts(name: str) -> None:
    """In both spellings, for numbers and for categories."""
    assert [column.effect_floor for column in _columns({"distribution_constraints": {name: 0.3}})] == [0.3, 0.3]


def test_categories_may_have_a_threshold_of_their_own() -> None:
    """Except with the chi-squared test, where the number is a p-value and no distance."""
    thresholds = {"comparison_threshold": 0.3, "categorical_comparison_threshold": 0.4}
    number, text = _columns({"distribution_constraints": thresholds})
    assert (number.effect_floor, text.effect_floor) == (0.3, 0.4)
    number, text = _columns({"distribution_constraints": {**thresholds, "categorical_drift_method": "ChiSquared"}})
    assert (number.effect_floor, text.effect_floor) == (0.3, None)


@pytest.mark.parametrize("name", ["monitoringConfigOverrides", "monitoring_config_overrides"])
def test_a_column_may_override_the_configuration(name: str) -> None:
    """In the spelling of the documentation and of the SDK; other columns keep the common one."""
    overrides = {
        "datatype_check_threshold": 0.8,
        "domain_content_threshold": 0.7,
        "distribution_constraints": {"comparison_threshold": 0.1},
    }
    number, text = _columns({"distribution_constraints": {"comparison_threshold": 0.5}}, **{name: overrides})
    assert (number.type_share, text.domain_share) == (0.8, 0.7)
    assert (number.effect_floor, text.effect_floor) == (0.1, 0.1)


def test_the_sdk_writes_overrides_below_the_constraints_of_strings() -> None:
    """`set_monitoring` of the SDK switches a column off there."""
    strings = {"domains": ["a"], "monitoring_config_overrides": {"evaluate_constraints": "Disabled"}}
    text = _columns(string_constraints=strings)[1]
    assert text.effect_floor == 1.0


def test_what_is_switched_off_is_not_checked() -> None:
    """Without evaluation there are no rules, and no distance is a violation."""
    for column in _columns({"evaluate_constraints": "Disabled"}):
        assert (column.completeness, column.type_share, column.domain, column.non_negative) == (None,) * 4
        assert column.effect_floor == 1.0
    floors = [
        column.effect_floor for column in _columns({"distribution_constraints": {"perform_comparison": "Disabled"}})
    ]
    assert floors == [1.0, 1.0]


@pytest.mark.parametrize("document", [{}, {"features": {}}, {"features": []}, {"regression_constraints": {}}])
def test_a_file_without_features_is_refused(document: dict[str, Any]) -> None:
    """It is most likely another monitor's."""
    with pytest.raises(BaselineError, match="no features"):
        parse_constraints(document)
