"""Model Monitor's constraints.json of a data set, and back.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
A threshold of types or domains is the share of values that must match: with 1.0 its own violations say "Expected match:
100.0%". Read are the spellings of all its versions, written is the documented one. Ours, as further keys: a column's
range, and of how many rows the constraints are.
"""

from collections.abc import Mapping
from typing import Any

from drift_monitor.baseline import ColumnConstraints, DataConstraints
from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, members, number
from drift_monitor.files.model_key import ModelKey, column_type, model_key_document
from drift_monitor.schema import ColumnType

_TYPE, _DOMAIN = "datatype_check_threshold", "domain_content_threshold"
_NUMERIC = (ColumnType.INTEGRAL, ColumnType.FRACTIONAL)
_ENABLED, _DISABLED = "Enabled", "disabled"
_NEVER = 1.0
# What every generated file has, so that it says nothing about what anybody wants: the alarm policy decides then.
_DEFAULT_COMPARISON = 0.1
_OVERRIDES = ("monitoringConfigOverrides", "monitoring_config_overrides")
_THRESHOLDS = ("comparison_threshold", "comparion_threshold")


def constraints_document(constraints: DataConstraints, key: ModelKey | None = None) -> Document:
    """constraints.json."""
    rows = {} if constraints.rows is None else {"dataset": {"item_count": constraints.rows}}
    return {
        "version": 0.0,
        **rows,
        "features": [_feature(column) for column in constraints.columns],
        "monitoring_config": {
            "evaluate_constraints": _ENABLED,
            "emit_metrics": _ENABLED,
            _TYPE: 1.0,
            _DOMAIN: 1.0,
            "distribution_constraints": {
                "perform_comparison": _ENABLED,
                "comparison_threshold": _DEFAULT_COMPARISON,
                "comparison_method": "Simple",
                "categorical_comparison_threshold": _DEFAULT_COMPARISON,
                "categorical_drift_method": "LInfinity",
            },
        },
        **(model_key_document(key) if key else {}),
    }


def parse_constraints(document: Mapping[str, Any]) -> DataConstraints:
    """The constraints of a document; raises BaselineError if it has no features."""
    features = members(document, "features")
    if not features:
        raise BaselineError("the constraints have no features; are they constraints.json of a data quality baseline?")
    config = member(document, "monitoring_config")
    rows = number(member(document, "dataset").get("item_count"))
    return DataConstraints(
        columns=tuple(_column(feature, config) for feature in features), rows=None if rows is None else int(rows)
    )


def _feature(column: ColumnConstraints) -> Document:
    feature: Document = {"name": column.feature, "inferred_type": str(column.type), "completeness": column.completeness}
    numbers: Document = {} if column.non_negative is None else {"is_non_negative": column.non_negative}
    if column.bounds is not None:
        numbers |= {"minimum": column.bounds[0], "maximum": column.bounds[1]}
    if numbers:
        feature["num_constraints"] = numbers
    if column.domain is not None:
        feature["string_constraints"] = {"domains": list(column.domain)}
    overrides: Document = {}
    if column.type_share != _default_type_share(column.type):
        overrides[_TYPE] = column.type_share
    if column.domain_share != 1.0:
        overrides[_DOMAIN] = column.domain_share
    if column.effect_floor is not None:
        overrides["distribution_constraints"] = {"comparison_threshold": column.effect_floor}
    return {**feature, "monitoringConfigOverrides": overrides}


def _column(feature: Mapping[str, Any], config: Mapping[str, Any]) -> ColumnConstraints:
    kind = column_type(feature.get("inferred_type"))
    numbers, texts = member(feature, "num_constraints"), member(feature, "string_constraints")
    overrides = _overrides(feature)
    enabled = _is_enabled(config, "evaluate_constraints")
    domain = texts.get("domains")
    non_negative = numbers.get("is_non_negative")
    return ColumnConstraints(
        feature=str(feature.get("name")),
        type=kind,
        completeness=number(feature.get("completeness")) if enabled else None,
        type_share=_type_share(kind, overrides, config) if enabled else None,
        domain=tuple(map(str, domain)) if isinstance(domain, list) and enabled else None,
        domain_share=number(overrides.get(_DOMAIN, config.get(_DOMAIN, 1.0))),
        bounds=_bounds(numbers) if enabled else None,
        non_negative=non_negative if isinstance(non_negative, bool) and enabled else None,
        effect_floor=_effect_floor(kind, overrides, config),
    )


def _default_type_share(kind: ColumnType) -> float | None:
    """A text is a text, whatever it says."""
    return 1.0 if kind in _NUMERIC else None


def _type_share(kind: ColumnType, overrides: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    if _TYPE in overrides:
        return number(overrides[_TYPE])
    return number(config.get(_TYPE, 1.0)) if kind in _NUMERIC else None


def _bounds(numbers: Mapping[str, Any]) -> tuple[float, float] | None:
    least, greatest = number(numbers.get("minimum")), number(numbers.get("maximum"))
    return None if least is None or greatest is None else (least, greatest)


def _effect_floor(kind: ColumnType, overrides: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    """The least distance that matters; None where nobody has chosen one, or the number is a p-value."""
    own, common = (member(part, "distribution_constraints") for part in (overrides, config))
    settings = {**common, **own}
    if not (_is_enabled(settings, "perform_comparison") and _is_enabled(config, "evaluate_constraints")):
        return _NEVER
    if kind not in _NUMERIC and str(settings.get("categorical_drift_method", "")).lower() == "chisquared":
        return None
    names = _THRESHOLDS if kind in _NUMERIC else ("categorical_comparison_threshold", *_THRESHOLDS)
    for part in (own, common):
        threshold = next((number(part[name]) for name in names if name in part), None)
        if threshold is not None:
            chosen = part is own or threshold != _DEFAULT_COMPARISON
            return min(max(threshold, 0.0), 1.0) if chosen else None
    return None


def _overrides(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """The SDK's set_monitoring writes them below the constraints of strings."""
    found: Document = {}
    for place in (member(feature, "string_constraints"), member(feature, "num_constraints"), feature):
        for name in _OVERRIDES:
            found |= member(place, name)
    if str(found.get("evaluate_constraints", found.get("enabled", _ENABLED))).lower() in (_DISABLED, "false"):
        found["distribution_constraints"] = {"perform_comparison": _DISABLED}
    return found


def _is_enabled(settings: Mapping[str, Any], name: str) -> bool:
    return str(settings.get(name, _ENABLED)).lower() != _DISABLED
