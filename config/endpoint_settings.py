"""Settings of the endpoints: machines, how traffic moves to a new version, and what makes it go back.

Must not leave a limit of SageMaker to be found at deployment: it is checked here, with the arithmetic that AWS's
reference describes in words.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html
"""

import math
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.base import Base, InstanceType

_LARGEST_PART = 50
_SMALLEST_LINEAR_STEP = 10
# p99 leaves one request in a hundred aside: a smaller share of slow ones does not show in it.
_UNSEEN_BY_P99 = 1


def _own_namespace(name: str) -> str:
    if name.lower().startswith(("aws/", "/aws/")):
        raise ValueError("AWS's own namespaces cannot be published to: choose another one, such as Cd4ml/Monitoring")
    return name


Percent = Annotated[int, Field(ge=1, le=100)]
Namespace = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^:\s]+$"), AfterValidator(_own_namespace)]


class DeploymentSettings(Base):
    """How production's traffic moves to the fleet of a new version.

    A canary is one step and the rest, linear is equal steps. A step is `step_percent` of the capacity, or
    `step_instances` machines. `wait_interval_seconds` is how long each step bakes under the alarms,
    `termination_wait_seconds` how long the old fleet then still stands by.
    """

    strategy: Literal["all_at_once", "canary", "linear"] = "canary"
    step_percent: Percent | None = None
    step_instances: Annotated[int, Field(ge=1)] | None = None
    wait_interval_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    termination_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    maximum_execution_timeout_seconds: Annotated[int, Field(ge=600, le=28_800)] = 3600

    @property
    def percent(self) -> int:
        """The step as a percentage, where it is not given in machines."""
        return self.step_percent or _SMALLEST_LINEAR_STEP

    def share(self, instances: int) -> float:
        """Percentage of a fleet's traffic that the first step moves."""
        if self.strategy == "all_at_once":
            return 100.0
        return 100 * self.step_instances / instances if self.step_instances else float(self.percent)

    @model_validator(mode="after")
    def _has_one_step(self) -> Self:
        given = [name for name in ("step_percent", "step_instances") if getattr(self, name) is not None]
        if self.strategy == "all_at_once" and given:
            raise ValueError(f"all_at_once moves everything in one step: remove {' and '.join(given)}")
        if len(given) > 1:
            raise ValueError("a step is a percentage or a number of instances: remove one of the two")
        if self.strategy == "canary" and self.percent > _LARGEST_PART:
            raise ValueError(f"a canary of {self.percent} % is too large: SageMaker allows at most {_LARGEST_PART} %")
        if self.strategy == "linear" and not _SMALLEST_LINEAR_STEP <= self.percent <= _LARGEST_PART:
            raise ValueError(
                f"a linear step of {self.percent} % is out of range: SageMaker allows {_SMALLEST_LINEAR_STEP} to "
                f"{_LARGEST_PART} %"
            )
        return self


class QualitySignal(Base):
    """A metric of our own about the live model that rolls a deployment back.

    Published with the dimensions `EndpointName` and `VariantName`; AWS's own namespaces are not ours to choose from.
    """

    namespace: Namespace
    metric_name: Annotated[str, Field(min_length=1, max_length=255)]
    statistic: Literal["Average", "Minimum", "Maximum", "Sum"] = "Average"
    breaches: Literal["above", "below"]
    threshold: float


class AlarmSettings(Base):
    """What rolls a deployment back: `datapoints_to_alarm` bad periods of the last `evaluation_periods`."""

    period_seconds: Literal[60, 120, 300] = 60
    evaluation_periods: Annotated[int, Field(ge=1, le=10)] = 3
    datapoints_to_alarm: Annotated[int, Field(ge=1, le=10)] = 2
    server_error_percent: Annotated[float, Field(gt=0, lt=100)] = 1.0
    latency_p99_ms: Annotated[float, Field(gt=0, le=60_000)] = 200.0
    quality: QualitySignal | None = None

    @property
    def reaction_seconds(self) -> int:
        """The least time between the first bad request and the alarm."""
        return self.period_seconds * self.datapoints_to_alarm

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        if self.datapoints_to_alarm > self.evaluation_periods:
            raise ValueError(
                f"{self.datapoints_to_alarm} bad periods of the last {self.evaluation_periods} cannot be: "
                "datapoints_to_alarm may not exceed evaluation_periods"
            )
        return self


class EndpointSettings(Base):
    """The endpoints of a stage: a staging endpoint of one machine, and production.

    Production starts with `minimum_instances` and, if the maximum is greater, scales to `invocations_per_instance` a
    minute. `capture_percent` of the requests are kept for monitoring. `shadow` lets a release name a second version
    that gets a copy of production's requests and answers nobody.
    """

    instance_type: InstanceType = "ml.m5.large"
    minimum_instances: Annotated[int, Field(ge=1, le=100)] = 2
    maximum_instances: Annotated[int, Field(ge=1, le=100)] = 4
    invocations_per_instance: Annotated[int, Field(ge=1)] = 6000
    capture_percent: Annotated[int, Field(ge=0, le=100)] = 100
    shadow: bool = False
    deployment: DeploymentSettings = DeploymentSettings()
    alarms: AlarmSettings = AlarmSettings()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._fleet_problems(), *self._time_problems(), *self._blind_alarms()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _fleet_problems(self) -> list[str]:
        least, most, deployment = self.minimum_instances, self.maximum_instances, self.deployment
        if most < least:
            return [f"maximum_instances = {most} is less than minimum_instances = {least}"]
        if deployment.strategy == "all_at_once":
            return []
        if least < 2:
            return [
                f"minimum_instances = {least} cannot be split: a {deployment.strategy} deployment needs at least 2 "
                'machines, or deployment.strategy = "all_at_once"'
            ]
        step = deployment.step_instances
        if step is None:
            return []
        problems = []
        if 100 * step > _LARGEST_PART * least:
            problems.append(
                f"deployment.step_instances = {step} of {least} is more than {_LARGEST_PART} %: at most {least // 2} "
                "of the fleet's minimum may move at once"
            )
        if deployment.strategy == "linear" and 100 * step < _SMALLEST_LINEAR_STEP * most:
            problems.append(
                f"deployment.step_instances = {step} of {most} is less than {_SMALLEST_LINEAR_STEP} %: a linear step "
                f"is at least {math.ceil(most * _SMALLEST_LINEAR_STEP / 100)} of the fleet's maximum"
            )
        return problems

    def _time_problems(self) -> list[str]:
        deployment = self.deployment
        first_bake = (
            deployment.termination_wait_seconds
            if deployment.strategy == "all_at_once"
            else deployment.wait_interval_seconds
        )
        problems = []
        if first_bake < self.alarms.reaction_seconds:
            problems.append(
                f"a step bakes for {first_bake} s, but the alarms need {self.alarms.reaction_seconds} s to fire: a bad "
                "version would pass unseen"
            )
        waits = _waits(deployment, self.minimum_instances, self.maximum_instances)
        total = waits * deployment.wait_interval_seconds + deployment.termination_wait_seconds
        limit = deployment.maximum_execution_timeout_seconds
        if total >= limit:
            problems.append(
                f"the deployment waits {total} s ({waits} x {deployment.wait_interval_seconds} s, then "
                f"{deployment.termination_wait_seconds} s), and deployment.maximum_execution_timeout_seconds = {limit} "
                "must be more than that"
            )
        return problems

    def _blind_alarms(self) -> list[str]:
        """The alarms see old and new fleet together, so that a small step dilutes what they look for."""
        share = self.deployment.share(self.maximum_instances)
        problems = []
        if share <= self.alarms.server_error_percent:
            problems.append(
                f"alarms.server_error_percent = {self.alarms.server_error_percent} cannot be exceeded by a first step "
                f"of {share:.0f} % of the traffic, even if it answers nothing but errors"
            )
        if share <= _UNSEEN_BY_P99:
            problems.append(f"a first step of {share:.0f} % of the traffic does not show in the latency's p99")
        return problems


def _waits(deployment: DeploymentSettings, least: int, most: int) -> int:
    """How often a deployment bakes at most, whatever size the fleet has been scaled to."""
    if deployment.strategy != "linear":
        return 0 if deployment.strategy == "all_at_once" else 1
    return max(math.ceil(100 / deployment.share(instances)) for instances in (least, most))
