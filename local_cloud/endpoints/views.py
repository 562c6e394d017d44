"""An endpoint as DescribeEndpoint shows it, as its events tell it, and as the status page draws it.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import re
from typing import Any

from local_cloud.endpoints.endpoint import Endpoint, Pending
from local_cloud.endpoints.fleet import Fleet, Variant
from local_cloud.endpoints.launch import VariantSpec
from local_cloud.images import image_digest
from local_cloud.sagemaker.events import detail_of, milliseconds
from local_cloud.sagemaker.resources import present

STATUS_EVENT = "SageMaker Endpoint State Change"
DEPLOYMENT_EVENT = "SageMaker Endpoint Deployment State Change"
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def describe(endpoint: Endpoint) -> dict[str, Any]:
    """The answer of DescribeEndpoint."""
    fleet, pending = endpoint.fleet, endpoint.pending
    return present(
        {
            **summary(endpoint),
            "EndpointConfigName": endpoint.config_name,
            "ProductionVariants": _variants(fleet, shadow=False),
            "ShadowProductionVariants": _variants(fleet, shadow=True),
            "DataCaptureConfig": _capture(fleet) if fleet else None,
            "FailureReason": endpoint.failure_reason,
            "LastDeploymentConfig": dict(endpoint.deployment_config) if endpoint.deployment_config else None,
            "PendingDeploymentSummary": _pending(pending) if pending else None,
        }
    )


def summary(endpoint: Endpoint) -> dict[str, Any]:
    """One item of ListEndpoints."""
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "EndpointStatus": str(endpoint.status),
    }


def event_detail(endpoint: Endpoint) -> dict[str, Any]:
    """The detail of an event: like DescribeEndpoint, the status in capitals, moments in milliseconds."""
    described = {name: value for name, value in describe(endpoint).items() if name != "LastDeploymentConfig"}
    described["EndpointStatus"] = _WORD.sub("_", str(endpoint.status)).upper()
    return detail_of({**described, "Tags": {}}, moment=milliseconds)


def status_page(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint with its servers and its history of traffic, for `python -m local_cloud status`."""
    servers = [variant for fleet in endpoint.fleets for variant in list(fleet.variants.values())]
    return {
        "name": endpoint.name,
        "region": endpoint.region,
        "status": str(endpoint.status),
        "config": endpoint.config_name,
        "servers": [
            {"variant": variant.spec.name, "pid": variant.server.pid, "restarts": variant.server.restarts}
            for variant in servers
        ],
        "history": [
            {
                "time": change.time.isoformat(),
                "status": change.status,
                "note": change.note,
                "traffic": dict(change.traffic),
            }
            for change in endpoint.history
        ],
    }


def _variants(fleet: Fleet | None, *, shadow: bool) -> list[dict[str, Any]] | None:
    if fleet is None:
        return None
    variants = [variant for variant in list(fleet.variants.values()) if variant.spec.shadow is shadow]
    return [{**_sizes(variant.spec), "DeployedImages": [_image(variant)]} for variant in variants] or None


def _sizes(spec: VariantSpec, *, share: float = 1.0) -> dict[str, Any]:
    return {
        "VariantName": spec.name,
        "CurrentWeight": spec.weight,
        "DesiredWeight": spec.weight,
        "CurrentInstanceCount": spec.instance_count if share else 0,
        "DesiredInstanceCount": spec.instance_count,
    }


def _image(variant: Variant) -> dict[str, Any]:
    uri = variant.spec.model.container.image
    repository = uri.split("@")[0].rpartition(":")[0] or uri
    digest = image_digest(variant.image.id)
    return {
        "SpecifiedImage": uri,
        "ResolvedImage": f"{repository}@{digest}",
        "ResolutionTime": variant.resolved,
    }


def _capture(fleet: Fleet) -> dict[str, Any] | None:
    settings = fleet.capture
    if settings is None:
        return None
    streams = [variant.capture for variant in list(fleet.variants.values()) if variant.capture is not None]
    return {
        "EnableCapture": True,
        "CaptureStatus": "Stopped" if any(stream.broken for stream in streams) else "Started",
        "CurrentSamplingPercentage": round(settings.share * 100),
        "DestinationS3Uri": f"s3://{settings.bucket}/{settings.prefix}",
        "KmsKeyId": settings.kms_key_id or "",
    }


def _pending(pending: Pending) -> dict[str, Any]:
    stage = pending.stage
    status = {"Status": stage.status, "StatusMessage": stage.message, "StartTime": stage.started}

    def shown(*, shadow: bool) -> list[dict[str, Any]] | None:
        specs = [spec for spec in pending.fleet.specs if spec.shadow is shadow]
        return [
            {**_sizes(spec, share=pending.share), "InstanceType": spec.instance_type, "VariantStatus": [status]}
            for spec in specs
        ] or None

    return present(
        {
            "EndpointConfigName": pending.fleet.config_name,
            "StartTime": pending.started,
            "ProductionVariants": shown(shadow=False),
            "ShadowProductionVariants": shown(shadow=True),
        }
    )
