"""Endpoint configurations: Create, Describe, List, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.clock import Clock
from local_cloud.endpoints.book import EndpointConfig, HostingBook, check_new
from local_cloud.endpoints.listing import list_resources
from local_cloud.sagemaker.refusals import refuse
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

_KINDS = ("endpoint-config", "endpoint configuration")
_VARIANT_REFUSED = (
    "ServerlessConfig",
    "AcceleratorType",
    "InstancePools",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "ManagedInstanceScaling",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
)
_REFUSED = (
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "CrossRegionTrafficConfig",
    *(f"ProductionVariants.{member}" for member in _VARIANT_REFUSED),
    *(f"ShadowProductionVariants.{member}" for member in _VARIANT_REFUSED),
)
_NOTE = (
    "Real-time variants on instances; one process serves all instances of a variant; volume size, routing strategy, "
    "VPC, network isolation and MetricsConfig are recorded only."
)


class EndpointConfigs:
    """The API of endpoint configurations."""

    def __init__(self, books: Partitioned[HostingBook], *, clock: Clock, tags: Tags) -> None:
        self._books = books
        self._clock = clock
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateEndpointConfig": Operation(self._create, note=_NOTE),
            "DescribeEndpointConfig": Operation(self._describe),
            "ListEndpointConfigs": Operation(self._list),
            "DeleteEndpointConfig": Operation(self._delete),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, _REFUSED)
        book = self._books.of(context)
        name = params["EndpointConfigName"]
        with book.lock:
            resource_arn = check_new(book.configs, context, _KINDS, name)
            _check_variants(params)
            for variant in (*params["ProductionVariants"], *params.get("ShadowProductionVariants", ())):
                book.model(context, variant["ModelName"])
            self._tags.put(resource_arn, params.get("Tags"))
            request = {
                member: value for member, value in params.items() if member not in ("Tags", "EndpointConfigName")
            }
            request |= {
                member: [{"InitialVariantWeight": 1.0, **variant} for variant in params[member]]
                for member in ("ProductionVariants", "ShadowProductionVariants")
                if member in params
            }
            book.configs[name.lower()] = EndpointConfig(name, resource_arn, self._clock.now(), request)
        return {"EndpointConfigArn": resource_arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        config = self._books.of(context).config(context, params["EndpointConfigName"])
        return {**_summary(config), **config.request}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        configs, more = list_resources(self._books.of(context).configs, params)
        return {"EndpointConfigs": [_summary(config) for config in configs], **more}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            config = book.config(context, params["EndpointConfigName"])
            del book.configs[config.name.lower()]
        self._tags.drop(config.arn)
        return {}


def _summary(config: EndpointConfig) -> dict[str, Any]:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created,
    }


def _check_variants(params: Mapping[str, Any]) -> None:
    production, shadows = params["ProductionVariants"], params.get("ShadowProductionVariants", [])
    names = [variant["VariantName"] for variant in (*production, *shadows)]
    if len(names) != len(set(names)):
        raise invalid(f"The names of variants must be unique; given were {', '.join(names)}.")
    if shadows and (len(production), len(shadows)) != (1, 1):
        raise invalid("With ShadowProductionVariants, give one production variant and one shadow variant.")
    for variant in (*production, *shadows):
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise invalid(f"{member} is required for variant {variant['VariantName']}.")
    if not any(variant.get("InitialVariantWeight", 1.0) > 0 for variant in production):
        raise invalid("At least one production variant needs an InitialVariantWeight greater than 0.")
    capture = params.get("DataCaptureConfig", {})
    if capture and not capture["DestinationS3Uri"].startswith("s3://"):
        raise invalid(f"DestinationS3Uri {capture['DestinationS3Uri']} is not an S3 URI (s3://bucket/prefix).")
