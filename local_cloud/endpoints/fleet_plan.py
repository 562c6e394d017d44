"""What fleet an endpoint configuration asks for, and what an update keeps of the fleet that serves now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_cloud.clients import Clients
from local_cloud.endpoints.book import HostingBook
from local_cloud.endpoints.capture_events import CaptureSettings, capture_settings
from local_cloud.endpoints.fleet import Fleet, reweighted
from local_cloud.endpoints.launch import DEFAULT_STARTUP_SECONDS, RoleClients, VariantSpec
from local_cloud.service import RequestContext, invalid


@dataclass(frozen=True)
class FleetPlan:
    """A fleet that is not started yet."""

    config_name: str
    specs: tuple[VariantSpec, ...]
    capture: CaptureSettings | None

    @property
    def instance_counts(self) -> Sequence[int]:
        """Instances of each production variant."""
        return [spec.instance_count for spec in self.specs if not spec.shadow]

    def role(self, clients: Clients, context: RequestContext) -> RoleClients:
        """The role of the first variant's model."""
        return RoleClients(clients, role_arn=self.specs[0].model.role_arn, region=context.region)


def plan_fleet(book: HostingBook, context: RequestContext, config_name: str) -> FleetPlan:
    """The fleet of an endpoint configuration. Raises ValidationException if it, or one of its models, is missing."""
    config = book.config(context, config_name)
    production = [_spec(book, context, given) for given in config.request["ProductionVariants"]]
    shadows = [
        replace(_spec(book, context, given), shadow=True)
        for given in config.request.get("ShadowProductionVariants", ())
    ]
    capture = capture_settings(config.request.get("DataCaptureConfig"))
    return FleetPlan(config.name, (*production, *shadows), capture)


def retained(plan: FleetPlan, fleet: Fleet, *, excluded: Collection[str]) -> FleetPlan:
    """RetainAllVariantProperties: counts, weights and data capture of the serving fleet, but for `excluded` ones."""
    present = {spec.name: spec for spec in fleet.specs}
    specs = tuple(
        reweighted(
            spec,
            weight=None if "DesiredWeight" in excluded else present[spec.name].weight,
            instance_count=None if "DesiredInstanceCount" in excluded else present[spec.name].instance_count,
        )
        if spec.name in present
        else spec
        for spec in plan.specs
    )
    capture = plan.capture if "DataCaptureConfig" in excluded else fleet.capture
    return replace(plan, specs=specs, capture=capture)


def check_same_variants(plan: FleetPlan, fleet: Fleet) -> None:
    """Raise ValidationException if a deployment configuration is used with other variants than those that serve.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    old = sorted(spec.name for spec in fleet.specs if not spec.shadow)
    new = sorted(spec.name for spec in plan.specs if not spec.shadow)
    if old != new:
        raise invalid(
            f"With a DeploymentConfig, the new endpoint configuration {plan.config_name} must have the same variant "
            f"names as the old one {fleet.config_name}: {', '.join(old)}; it has {', '.join(new)}."
        )


def _spec(book: HostingBook, context: RequestContext, given: Mapping[str, Any]) -> VariantSpec:
    return VariantSpec(
        name=given["VariantName"],
        model=book.model(context, given["ModelName"]),
        instance_type=given["InstanceType"],
        instance_count=given["InitialInstanceCount"],
        weight=float(given["InitialVariantWeight"]),
        startup_seconds=float(given.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_STARTUP_SECONDS)),
    )
