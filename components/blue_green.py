"""How SageMaker moves an endpoint's traffic from the old fleet to the new one, and when it goes back.

Must not choose sizes or times: they are settings, and have been checked there.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Strategy -> SageMaker's name for it and the property that holds the size of its step.
_STRATEGIES = {
    "all_at_once": ("ALL_AT_ONCE", None),
    "canary": ("CANARY", "CanarySize"),
    "linear": ("LINEAR", "LinearStepSize"),
}


@dataclass(frozen=True, kw_only=True)
class TrafficShift:
    """A strategy (`all_at_once`, `canary`, `linear`) with its step, in percent or in instances, and its waits."""

    strategy: str
    step_percent: int
    step_instances: int | None
    wait_interval_seconds: int
    termination_wait_seconds: int
    maximum_execution_timeout_seconds: int

    @property
    def is_gradual(self) -> bool:
        """Whether both fleets serve for a while."""
        return self.strategy != "all_at_once"


def routing(shift: TrafficShift) -> dict[str, Any]:
    """`TrafficRoutingConfiguration` of `shift`, in CloudFormation's spelling."""
    kind, size = _STRATEGIES[shift.strategy]
    configuration: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": shift.wait_interval_seconds}
    if size is None:
        return configuration
    step = (
        {"Type": "INSTANCE_COUNT", "Value": shift.step_instances}
        if shift.step_instances
        else {"Type": "CAPACITY_PERCENT", "Value": shift.step_percent}
    )
    return configuration | {size: step}


def routing_at_once(shift: TrafficShift) -> dict[str, Any]:
    """The same waits for a fleet that is too small for steps."""
    return {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": shift.wait_interval_seconds}


def deployment(shift: TrafficShift, *, traffic: Any, alarm_names: Sequence[str]) -> dict[str, Any]:
    """`DeploymentConfig` whose routing is `traffic`, which may be a condition over two of them."""
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": traffic,
            "TerminationWaitInSeconds": shift.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": shift.maximum_execution_timeout_seconds,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarm_names]},
    }
