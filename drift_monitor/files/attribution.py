"""Clarify's analysis.json with feature attributions, from figures and back.

Contributions that are not Clarify's KernelSHAP stand under the method `native`, with its name beside them; importance,
the share of each feature, is a further key.
"""

from collections.abc import Mapping
from typing import Any

from drift_monitor.baseline import AttributionBaseline
from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, number
from drift_monitor.files.model_key import ModelKey, model_key_document

_KERNEL_SHAP, _NATIVE, _LABEL = "kernel_shap", "native", "label0"


def attribution_document(
    attribution: AttributionBaseline | None, importance: Mapping[str, float] | None, key: ModelKey
) -> Document:
    """analysis.json with explanations."""
    document: Document = {"version": "1.0"}
    if attribution is not None:
        values: Document = {"global_shap_values": dict(attribution.values)}
        if attribution.expected_value is not None:
            values["expected_value"] = attribution.expected_value
        kernel = attribution.method == _KERNEL_SHAP
        explained: Document = {_LABEL: values} if kernel else {"method": attribution.method, _LABEL: values}
        document["explanations"] = {_KERNEL_SHAP if kernel else _NATIVE: explained}
    if importance is not None:
        document["importance"] = dict(importance)
    return {**document, **model_key_document(key)}


def parse_attribution(document: Mapping[str, Any]) -> AttributionBaseline | None:
    """The attributions of the first label; None if there are none. Raises BaselineError if one is no number."""
    explanations = member(document, "explanations")
    method = next((name for name in (_NATIVE, _KERNEL_SHAP) if name in explanations), None)
    if method is None:
        return None
    explained = member(explanations, method)
    labels = [name for name in explained if member(explained, name)]
    if not labels:
        return None
    values = member(explained, labels[0])
    return AttributionBaseline(
        method=str(explained.get("method", method)),
        values=_numbers(member(values, "global_shap_values")),
        expected_value=number(values.get("expected_value")),
    )


def parse_importance(document: Mapping[str, Any]) -> dict[str, float] | None:
    """Shares by feature; None if the file has none."""
    return _numbers(member(document, "importance")) if "importance" in document else None


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    numbers = {name: number(value) for name, value in values.items()}
    wrong = [name for name, value in numbers.items() if value is None]
    if wrong:
        raise BaselineError(f"the attribution of {wrong[0]} is not a number; build the baseline again")
    return {name: value for name, value in numbers.items() if value is not None}
