"""Schemas of the files as AWS documents them, with further keys allowed where it allows them.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html, -byoc-constraints.html and
-interpreting-violations.html; model-monitor-model-quality-metrics.html; clarify-processing-job-analysis-results.html
"""

from typing import Any

import jsonschema

_COUNT = {"type": "integer", "minimum": 0}
_FIGURE = {"anyOf": [{"type": "number"}, {"const": "NaN"}]}


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_COMMON = _object({"num_present": _COUNT, "num_missing": _COUNT})
_KLL = _object(
    {
        "buckets": _list(_object({name: {"type": "number"} for name in ("lower_bound", "upper_bound", "count")})),
        "sketch": _object(
            {
                "parameters": _object({"c": {"type": "number"}, "k": {"type": "number"}}),
                "data": _list(_list({"type": "number"})),
            }
        ),
    }
)
_NUMBERS = _object(
    {
        "common": _COMMON,
        **{name: {"type": "number"} for name in ("mean", "sum", "std_dev", "min", "max")},
        "distribution": _object({"kll": _KLL}),
    }
)
_TEXTS = _object(
    {
        "common": _COMMON,
        "distinct_count": _COUNT,
        "distribution": _object(
            {"categorical": _object({"buckets": _list(_object({"value": {"type": "string"}, "count": _COUNT}))})}
        ),
    }
)
_FEATURE = {
    **_object(
        {
            "name": {"type": "string"},
            "inferred_type": {"enum": ["Fractional", "Integral", "String", "Unknown"]},
            "numerical_statistics": _NUMBERS,
            "string_statistics": _TEXTS,
        },
        optional=("numerical_statistics", "string_statistics"),
    ),
    "oneOf": [{"required": ["numerical_statistics"]}, {"required": ["string_statistics"]}],
}
STATISTICS = _object(
    {"version": {"const": 0.0}, "dataset": _object({"item_count": _COUNT}), "features": _list(_FEATURE)}
)
_SWITCH = {"enum": ["Enabled", "Disabled"]}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
CONSTRAINTS = _object(
    {
        "version": {"const": 0.0},
        "features": _list(
            _object(
                {
                    "name": {"type": "string"},
                    "inferred_type": {"enum": ["Fractional", "Integral", "String", "Unknown"]},
                    "completeness": _SHARE,
                    "num_constraints": _object({"is_non_negative": {"type": "boolean"}}),
                    "string_constraints": _object({"domains": _list({"type": "string"})}),
                    "monitoringConfigOverrides": {"type": "object"},
                },
                optional=("num_constraints", "string_constraints", "monitoringConfigOverrides"),
            )
        ),
        "monitoring_config": _object(
            {
                "evaluate_constraints": _SWITCH,
                "emit_metrics": _SWITCH,
                "datatype_check_threshold": _SHARE,
                "domain_content_threshold": _SHARE,
                "distribution_constraints": _object(
                    {
                        "perform_comparison": _SWITCH,
                        "comparison_threshold": _SHARE,
                        "comparison_method": {"enum": ["Simple", "Robust"]},
                        "categorical_comparison_threshold": _SHARE,
                        "categorical_drift_method": {"enum": ["LInfinity", "ChiSquared"]},
                    }
                ),
            }
        ),
    }
)
VIOLATIONS = _object(
    {"violations": _list(_object({"constraint_check_type": {"type": "string"}, "description": {"type": "string"}}))}
)
_METRIC = _object({"value": _FIGURE, "standard_deviation": _FIGURE})
REGRESSION_STATISTICS = _object(
    {
        "version": {"const": 0.0},
        "dataset": _object({"item_count": _COUNT}),
        "regression_metrics": _object(dict.fromkeys(("mae", "mse", "rmse", "r2"), _METRIC)),
    }
)
_LIMIT = _object(
    {
        "threshold": {"type": "number"},
        "comparison_operator": {"enum": ["LessThanThreshold", "GreaterThanThreshold"]},
        "additional_properties": {"type": "null"},
    }
)
REGRESSION_CONSTRAINTS = _object(
    {"version": {"const": 0.0}, "regression_constraints": _object(dict.fromkeys(("mae", "mse", "r2"), _LIMIT))}
)
_BIAS = _object(
    {
        "label": {"type": "string"},
        "facets": {
            "type": "object",
            "additionalProperties": _list(
                _object(
                    {
                        "value_or_threshold": {"type": "string"},
                        "metrics": _list(
                            _object(
                                {
                                    "name": {"type": "string"},
                                    "description": {"type": "string"},
                                    "value": {"type": ["number", "null"]},
                                }
                            )
                        ),
                    }
                )
            ),
        },
        "label_value_or_threshold": {"type": "string"},
    }
)
BIAS = _object({"version": {"const": "1.0"}, "pre_training_bias_metrics": _BIAS, "post_training_bias_metrics": _BIAS})


def check(document: Any, schema: dict[str, Any]) -> None:
    """Fail with the place of the first difference."""
    jsonschema.validate(document, schema)
