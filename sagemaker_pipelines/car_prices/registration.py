"""The model package of the car_prices pipeline: metrics, baselines, model card and the record of its origin.

Part of the definition (see `pipeline`); imports the SageMaker SDK.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join

from sagemaker_pipelines.definition import DefinitionInputs
from sagemaker_pipelines.sdk_steps import Value

CONTENT_TYPES = ["text/csv", "application/json", "application/jsonlines"]


@dataclass(frozen=True)
class Evidence:
    """What a model package says about its model; pipeline variables all of them. URIs are S3 URIs of objects, and
    `baseline_uri` that of a folder."""

    model_uri: Value
    evaluation_uri: Value
    report_uri: Value
    baseline_uri: Value
    artifact_sha256: Value
    metrics: Mapping[str, Value]
    data_version: Value
    commit: Value
    champion: Value
    instance_type: Value


def package_request(inputs: DefinitionInputs, evidence: Evidence) -> dict[str, Any]:
    """CreateModelPackage request; PendingManualApproval always."""
    quality = MetricsSource(content_type="application/json", s3_uri=evidence.evaluation_uri)
    metrics_request = ModelMetrics(model_statistics=quality)._to_request_dict()
    return {
        "ModelPackageGroupName": inputs.model_package_group,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": inputs.image_uri, "ModelDataUrl": evidence.model_uri}],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": CONTENT_TYPES,
            "SupportedRealtimeInferenceInstanceTypes": [evidence.instance_type],
            "SupportedTransformInstanceTypes": [evidence.instance_type],
        },
        # The SDK adds empty Bias and Explainability blocks, which say that there was an analysis.
        "ModelMetrics": {name: value for name, value in metrics_request.items() if value},
        "DriftCheckBaselines": _drift_check_baselines(evidence.baseline_uri),
        "ModelCard": {
            "ModelCardStatus": "PendingReview",
            "ModelCardContent": _model_card(evidence),
        },
        "CustomerMetadataProperties": {
            "commit": evidence.commit,
            "data_version": evidence.data_version,
            "pipeline_execution_arn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "artifact_sha256": evidence.artifact_sha256,
            "champion_model_package_arn": evidence.champion,
            "evaluation_report": evidence.report_uri,
        },
    }


def _drift_check_baselines(folder: Value) -> dict[str, Any]:
    """The files of the baseline folder in the places that SageMaker has for them."""

    def file(name: str) -> MetricsSource:
        return MetricsSource(content_type="application/json", s3_uri=Join(on="/", values=[folder, name]))

    request: dict[str, Any] = DriftCheckBaselines(
        model_data_statistics=file("statistics.json"),
        model_data_constraints=file("constraints.json"),
        model_statistics=file("model_quality_statistics.json"),
        model_constraints=file("model_quality_constraints.json"),
        bias_post_training_constraints=file("bias.json"),
        explainability_constraints=file("attribution.json"),
    )._to_request_dict()
    return request


def _model_card(evidence: Evidence) -> Join:
    """Model card of a model package as JSON text whose variable parts the pipeline fills in at run time.

    The card's schema is a string to the API, so the text is cut at markers and joined with the variables.
    Schema: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards-json-schema.html, without
    model_package_details and with a reduced model_overview, as a card of a model package has it.
    """
    texts = {
        "<<report>>": evidence.report_uri,
        "<<data_version>>": evidence.data_version,
        "<<commit>>": evidence.commit,
    }
    numbers = {f"<<{name}>>": value for name, value in evidence.metrics.items()}
    text = json.dumps(_card_content(list(evidence.metrics)), sort_keys=True)
    for marker in numbers:
        text = text.replace(f'"{marker}"', marker)  # a JSON number has no quotes
    return Join(on="", values=_cut(text, {**texts, **numbers}))


def _card_content(metrics: list[str]) -> dict[str, Any]:
    """The card with markers in the place of what only the execution knows."""
    return {
        "model_overview": {"model_creator": "car_prices pipeline"},
        "intended_uses": {
            "purpose_of_model": "Estimate the list price (MSRP, USD) of a new car from its catalogue data.",
            "intended_uses": "Price recommendations for catalogue entries of the coming model year.",
            "factors_affecting_model_efficiency": "Model names and equipment of the coming model year that no "
            "earlier year had; the data drifts with every model year.",
            "risk_rating": "Low",
            "explanations_for_risk_rating": "A person sees and may change every recommended price.",
        },
        "training_details": {
            "training_observations": "Candidates compete on the model year before the holdout; see candidates.json "
            "in the model artifact for all of them.",
        },
        "evaluation_details": [
            {
                "name": "Holdout of the newest model year",
                "evaluation_observation": "Scored in the served form; intervals, slices and champion in the report.",
                "datasets": ["<<report>>"],
                "metric_groups": [
                    {
                        "name": "regression",
                        "metric_data": [{"name": name, "type": "number", "value": f"<<{name}>>"} for name in metrics],
                    }
                ],
            }
        ],
        "additional_information": {
            "ethical_considerations": "No personal data; makes are checked as slices, the smallest ones are not.",
            "caveats_and_recommendations": "New-car list prices of one market, 5,000 to 150,000 USD.",
            "custom_details": {"data_version": "<<data_version>>", "commit": "<<commit>>"},
        },
    }


def _cut(text: str, variables: Mapping[str, Value]) -> list[Value]:
    """The text as pieces and variables, in order."""
    found = [(text.index(marker), marker) for marker in variables if marker in text]
    if not found:
        return [text]
    start, marker = min(found)
    rest = _cut(text[start + len(marker) :], variables)
    return [text[:start], variables[marker], *rest]
