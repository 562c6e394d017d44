"""How traffic moves from the old fleet to the new one: a DeploymentConfig, checked as AWS checks it, made into steps.

Plain arithmetic: nothing here waits or routes.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_cloud.sagemaker.refusals import refuse
from local_cloud.service import invalid

_MOST_OF_A_STEP = 0.5
_LEAST_OF_A_LINEAR_STEP = 0.1
_SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


@dataclass(frozen=True)
class Step:
    """New traffic on the new fleet, and what is waited for before the next step.

    `share` is the part of all traffic (0 to 1) that the new fleet gets; `capacity` names it as AWS's messages do;
    `bake_seconds` are seconds of cloud time, set by the member `wait` of the policy.
    """

    share: float
    capacity: str
    bake_seconds: int
    wait: str


@dataclass(frozen=True)
class DeploymentPolicy:
    """The steps of one update, the names of the alarms that roll it back, and how long it may take in all.

    `limit_seconds` (MaximumExecutionTimeoutInSeconds) are seconds of cloud time.
    """

    steps: tuple[Step, ...]
    alarms: tuple[str, ...]
    limit_seconds: int | None = None


def deployment_policy(config: Mapping[str, Any], *, instance_counts: Sequence[int]) -> DeploymentPolicy:
    """The policy for a new fleet whose variants have these numbers of instances.

    Without an update policy AWS shifts all traffic at once. Raises ValidationException.
    """
    refuse(config, ("RollingUpdatePolicy",))
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    shares = _shares(routing, instance_counts)
    wait, termination = routing["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0)
    _check_timeout(policy, waiting=wait * (len(shares) - 1) + termination)
    steps = [
        Step(share, _capacity(routing["Type"], share, instance_counts), wait, "WaitIntervalInSeconds")
        for share in shares[:-1]
    ]
    full = f"full capacity of {sum(instance_counts)} instance(s)"
    steps.append(Step(1.0, full, termination, "TerminationWaitInSeconds"))
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    names = tuple(alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm)
    return DeploymentPolicy(tuple(steps), names, policy.get("MaximumExecutionTimeoutInSeconds"))


def _shares(routing: Mapping[str, Any], counts: Sequence[int]) -> list[float]:
    """The new fleet's shares of the traffic, ending with all of it."""
    kind = routing["Type"]
    for other in ("CanarySize", "LinearStepSize"):
        if other != _SIZES.get(kind) and other in routing:
            raise invalid(f"{other} does not go with TrafficRoutingConfiguration.Type {kind}.")
    if kind not in _SIZES:
        return [1.0]
    share = _size(routing, _SIZES[kind], counts)
    if kind == "CANARY":
        return [share, 1.0]
    return [min(share * step, 1.0) for step in range(1, math.ceil(round(1 / share, 9)) + 1)]


def _size(routing: Mapping[str, Any], member: str, counts: Sequence[int]) -> float:
    """A step's size as a share. Raises ValidationException outside AWS's limits, which hold for every variant."""
    if member not in routing:
        raise invalid(f"{member} is required for TrafficRoutingConfiguration.Type {routing['Type']}.")
    kind, value = routing[member]["Type"], routing[member]["Value"]
    least = _LEAST_OF_A_LINEAR_STEP if member == "LinearStepSize" else 0.0
    for count in counts:
        share = value / count if kind == "INSTANCE_COUNT" else value / 100
        if not least <= share <= _MOST_OF_A_STEP:
            unit = "instances" if kind == "INSTANCE_COUNT" else "% of capacity"
            limits = "10-50%" if member == "LinearStepSize" else "at most 50%"
            raise invalid(
                f"Invalid {member}: {value} {unit} is {share:.0%} of the variant's total instance count of {count}; "
                f"it must be {limits} of it."
            )
    return float(value * len(counts) / sum(counts) if kind == "INSTANCE_COUNT" else value / 100)


def _check_timeout(policy: Mapping[str, Any], *, waiting: int) -> None:
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and limit <= waiting:
        raise invalid(
            f"MaximumExecutionTimeoutInSeconds ({limit}) must be larger than the total waiting time of {waiting} "
            "seconds that WaitIntervalInSeconds and TerminationWaitInSeconds ask for."
        )


def _capacity(kind: str, share: float, counts: Sequence[int]) -> str:
    noun = "canary capacity" if kind == "CANARY" else "partial capacity"
    return f"{noun} of {math.ceil(round(share * sum(counts), 9))} instance(s)"
