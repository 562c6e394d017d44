"""The arithmetic of deployment configurations, against AWS's limits."""

from typing import Any

import pytest

from local_cloud.endpoints.deployment_policy import deployment_policy
from local_cloud.service import ServiceError
from tests.local_cloud.endpoints.requests import blue_green


def _by_instances(kind: str, member: str, value: int) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 60, member: {"Type": "INSTANCE_COUNT", "Value": value}}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


@pytest.mark.parametrize(
    ("config", "counts", "shares"),
    [
        ({}, [1], [1.0]),
        (blue_green("ALL_AT_ONCE", termination=60), [3], [1.0]),
        (blue_green("CANARY", CanarySize=50), [1], [0.5, 1.0]),
        (_by_instances("CANARY", "CanarySize", 1), [4], [0.25, 1.0]),
        (_by_instances("LINEAR", "LinearStepSize", 1), [3], [1 / 3, 2 / 3, 1.0]),
        (blue_green("LINEAR", LinearStepSize=10), [10], [step / 10 for step in range(1, 11)]),
        (blue_green("LINEAR", LinearStepSize=30), [1], [0.3, 0.6, 0.9, 1.0]),
    ],
)
def test_steps_follow_from_the_configuration(config: Any, counts: list[int], shares: list[float]) -> None:
    """Each strategy gives AWS's steps, the last of them with all traffic."""
    policy = deployment_policy(config, instance_counts=counts)

    assert [step.share for step in policy.steps] == pytest.approx(shares)


def test_waits_and_alarms_are_those_of_the_configuration() -> None:
    """Steps wait WaitIntervalInSeconds, the last one TerminationWaitInSeconds."""
    config = blue_green("CANARY", wait=300, termination=120, alarms=("errors", "latency"), CanarySize=10)

    policy = deployment_policy(config, instance_counts=[2])

    assert [(step.bake_seconds, step.wait) for step in policy.steps] == [
        (300, "WaitIntervalInSeconds"),
        (120, "TerminationWaitInSeconds"),
    ]
    assert policy.alarms == ("errors", "latency")


@pytest.mark.parametrize(
    ("config", "counts", "message"),
    [
        (blue_green("CANARY", CanarySize=60), [4], "60 % of capacity is 60%"),
        (_by_instances("CANARY", "CanarySize", 1), [1], "1 instances is 100% of the variant's total instance count"),
        (_by_instances("CANARY", "CanarySize", 2), [6, 3], "2 instances is 67%"),
        (blue_green("LINEAR", LinearStepSize=5), [20], "must be 10-50% of it"),
        (_by_instances("LINEAR", "LinearStepSize", 1), [11], "must be 10-50% of it"),
        (blue_green("CANARY"), [4], "CanarySize is required"),
        (blue_green("LINEAR", CanarySize=10), [4], "CanarySize does not go with"),
        (blue_green("ALL_AT_ONCE", LinearStepSize=10), [4], "LinearStepSize does not go with"),
        ({"RollingUpdatePolicy": {"WaitIntervalInSeconds": 1}}, [4], "RollingUpdatePolicy is not emulated"),
    ],
)
def test_configurations_outside_the_limits_are_refused(config: Any, counts: list[int], message: str) -> None:
    """A canary above 50 %, a linear step outside 10 to 50 % and sizes that do not fit the type are refused."""
    with pytest.raises(ServiceError) as refusal:
        deployment_policy(config, instance_counts=counts)

    assert message in refusal.value.message


def test_the_timeout_must_be_longer_than_all_waits() -> None:
    """Ten linear steps of 100 s and a termination wait of 200 s need more than 1,100 s."""
    config = blue_green("LINEAR", wait=100, termination=200, limit=1100, LinearStepSize=10)

    with pytest.raises(ServiceError) as refusal:
        deployment_policy(config, instance_counts=[1])

    assert "larger than the total waiting time of 1100 seconds" in refusal.value.message
