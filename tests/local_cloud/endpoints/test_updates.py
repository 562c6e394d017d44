"""Updates of an endpoint: shifting, baking, rollback; real servers behind a router."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from local_cloud.service import ServiceError
from tests.local_cloud.endpoints.fakes import FakeHosting
from tests.local_cloud.endpoints.requests import ENDPOINT, blue_green
from tests.waiting import wait_for

LONG = 3600  # seconds of cloud time; 3.6 s here


@dataclass
class Load:
    """What clients saw: versions that answered, and errors."""

    answers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


@contextmanager
def load(ask: Callable[[], str], *, clients: int = 4) -> Iterator[Load]:
    """Clients that ask one request after the other for as long as the block lasts."""
    seen, ended, lock = Load(), threading.Event(), threading.Lock()

    def client() -> None:
        while not ended.is_set():
            try:
                version = ask()
                with lock:
                    seen.answers[version] += 1
            except ServiceError as error:
                seen.errors.append(f"{error.code}: {error.message}")

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_canary_gets_its_share_and_then_all_of_the_traffic(hosting: FakeHosting) -> None:
    """While a canary of 10 % bakes, exactly every tenth request goes to the new version; afterwards all do."""
    hosting.serve("v1")
    hosting.add_model("v2")
    config = hosting.add_config("v2")

    hosting.update(config, blue_green("CANARY", wait=LONG, CanarySize=10))
    hosting.await_share(config, 0.1)
    during = Counter(hosting.answered_by() for _ in range(40))
    described = hosting.describe()
    hosting.await_status("InService")

    assert during == {"v1": 36, "v2": 4}
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "config-v1")
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert hosting.describe()["EndpointConfigName"] == config
    assert "PendingDeploymentSummary" not in hosting.describe()
    assert {hosting.answered_by() for _ in range(10)} == {"v2"}
    shares = [entry["traffic"].get(config, 0) for entry in hosting.status_page()["history"]]
    assert sorted(set(shares)) == [0.0, 0.1, 1.0]


def test_linear_steps_go_up_evenly(hosting: FakeHosting) -> None:
    """A linear step size of 40 % gives 40, 80 and 100 % in turn."""
    hosting.serve("v1")
    hosting.add_model("v2")
    config = hosting.add_config("v2")

    hosting.update(config, blue_green("LINEAR", wait=100, LinearStepSize=40))
    hosting.await_status("InService")

    shares = [entry["traffic"].get(config, 0.0) for entry in hosting.status_page()["history"]]
    assert list(dict.fromkeys(shares)) == [0.0, 0.4, 0.8, 1.0]


def test_no_request_fails_under_load_while_versions_change_and_servers_die(hosting: FakeHosting) -> None:
    """A canary, an update at once, a rollback and a crash under load: each request has one answer and none fails."""
    hosting.serve("v1", seconds=0.002)
    hosting.add_model("v2", seconds=0.002)
    hosting.alarms["latency"] = "OK"
    with load(hosting.answered_by) as seen:
        hosting.update(hosting.add_config("v2"), blue_green("CANARY", wait=500, termination=300, CanarySize=20))
        hosting.await_status("InService")
        wait_for(lambda: seen.answers["v2"] > 50, what="the new version to answer")
        hosting.update("config-v1", blue_green("ALL_AT_ONCE", termination=LONG, alarms=("latency",)))
        hosting.await_share("config-v1", 1.0)
        hosting.alarms["latency"] = "ALARM"
        hosting.await_status("InService")
        assert hosting.invoke(b"die once")["InvokedProductionVariant"] == "champion"
        hosting.update("config-v1")
        hosting.await_status("InService")

    assert seen.errors == []
    assert set(seen.answers) == {"v1", "v2"}
    assert [page["restarts"] for page in hosting.status_page()["servers"]] == [0]


def test_an_alarm_rolls_back_without_a_word(hosting: FakeHosting) -> None:
    """An alarm during baking: RollingBack, then InService with the old configuration and no FailureReason."""
    hosting.serve("v1")
    hosting.add_model("v2", status=500)
    hosting.alarms["errors"] = "OK"
    config = hosting.add_config("v2")

    hosting.update(config, blue_green("CANARY", wait=LONG, CanarySize=50, alarms=("errors",)))
    hosting.await_share(config, 0.5)
    hosting.alarms["errors"] = "ALARM"
    described = hosting.await_status("InService")

    assert (described["EndpointConfigName"], described.get("FailureReason")) == ("config-v1", None)
    assert {hosting.answered_by() for _ in range(10)} == {"v1"}
    states = [detail["EndpointStatus"] for detail in hosting.events("SageMaker Endpoint State Change")]
    assert states == ["CREATING", "IN_SERVICE", "UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    assert "Alarm errors was in state ALARM" in hosting.status_page()["history"][-1]["note"]


def test_a_new_fleet_that_does_not_start_leaves_the_old_one(hosting: FakeHosting) -> None:
    """A new server that ends at once: the endpoint serves the old version all along."""
    hosting.serve("v1")
    hosting.add_model("v2", exits=True)

    hosting.update(hosting.add_config("v2"), blue_green("CANARY", CanarySize=10))
    described = hosting.await_status("InService")

    assert described["EndpointConfigName"] == "config-v1"
    assert hosting.answered_by() == "v1"
    assert "did not pass the ping health check" in hosting.status_page()["history"][-1]["note"]


def test_an_update_that_takes_too_long_is_rolled_back(hosting: FakeHosting) -> None:
    """A limit of 600 s leaves 1 s for the new server beside a wait of 599 s; one that takes 1.5 s is too late."""
    hosting.serve("v1")
    hosting.add_model("v2", warm_up=1.5)
    config = hosting.add_config("v2")

    hosting.update(config, blue_green("CANARY", wait=599, limit=600, CanarySize=20))
    described = hosting.await_status("InService")

    assert (described["EndpointConfigName"], described.get("FailureReason")) == ("config-v1", None)
    history = hosting.status_page()["history"]
    assert max(entry["traffic"].get(config, 0.0) for entry in history) == 0.2
    assert "not complete after MaximumExecutionTimeoutInSeconds (600 seconds)" in history[-1]["note"]
    assert len(hosting.status_page()["servers"]) == 1


def test_old_servers_end_only_after_their_last_answer(hosting: FakeHosting) -> None:
    """A request that is on its way when all traffic moves gets its answer from the old server."""
    hosting.serve("v1", seconds=1.0)
    hosting.add_model("v2")
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(hosting.answered_by()))

    slow.start()
    hosting.update(hosting.add_config("v2"))
    hosting.await_status("InService")
    slow.join()

    assert answers == ["v1"]
    assert len(hosting.status_page()["servers"]) == 1


def test_deployment_events_tell_the_stages(hosting: FakeHosting) -> None:
    """AWS's deployment events name each stage of the pending variant, with its message."""
    hosting.serve("v1", instances=4)
    hosting.add_model("v2")

    hosting.update(hosting.add_config("v2", instances=4), blue_green("CANARY", wait=60, CanarySize=25))
    hosting.await_status("InService")

    details = hosting.events("SageMaker Endpoint Deployment State Change")
    stages = [detail["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"][0] for detail in details]
    assert [(stage["Status"], stage["StatusMessage"]) for stage in stages] == [
        ("ActivatingTraffic", "Activating traffic on canary capacity of 1 instance(s)."),
        (
            "Baking",
            "Baking for 60 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
        ),
        ("ActivatingTraffic", "Activating traffic on full capacity of 4 instance(s)."),
        ("Deleting", "Terminating 4 instance(s)."),
    ]


def test_only_one_change_at_a_time(hosting: FakeHosting) -> None:
    """An endpoint that is being updated cannot be updated or deleted."""
    hosting.serve("v1")
    hosting.add_model("v2")
    config = hosting.add_config("v2")
    hosting.update(config, blue_green("CANARY", wait=LONG, CanarySize=10))

    for operation, more in (("UpdateEndpoint", {"EndpointConfigName": config}), ("DeleteEndpoint", {})):
        assert "Cannot update in-progress endpoint" in hosting.refused(operation, EndpointName=ENDPOINT, **more)


def test_an_update_keeps_what_autoscaling_set(hosting: FakeHosting) -> None:
    """RetainAllVariantProperties keeps weights and instance counts, but for the excluded properties."""
    hosting.serve("v1")
    hosting.add_model("v2")
    config = hosting.add_config("v2", instances=2)
    sizes = [{"VariantName": "champion", "DesiredInstanceCount": 7, "DesiredWeight": 3.0}]
    hosting.call("UpdateEndpointWeightsAndCapacities", EndpointName=ENDPOINT, DesiredWeightsAndCapacities=sizes)
    hosting.await_status("InService")

    hosting.update(
        config,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    (described,) = hosting.await_status("InService")["ProductionVariants"]

    assert (described["CurrentInstanceCount"], described["CurrentWeight"]) == (7, 1.0)


def test_alarms_must_exist_and_be_readable(hosting: FakeHosting) -> None:
    """An alarm that is missing, or that the model's role may not describe, is refused before anything moves."""
    hosting.serve("v1")
    deployment = blue_green("ALL_AT_ONCE", alarms=("errors",))
    request = {"EndpointName": ENDPOINT, "EndpointConfigName": "config-v1", "DeploymentConfig": deployment}

    assert "Could not find the alarms errors" in hosting.refused("UpdateEndpoint", **request)
    hosting.alarms["errors"] = "OK"
    hosting.clients.denied.add("cloudwatch:DescribeAlarms")
    assert "has the permission cloudwatch:DescribeAlarms" in hosting.refused("UpdateEndpoint", **request)


def test_the_variant_name_must_stay(hosting: FakeHosting) -> None:
    """A deployment configuration with other variant names is refused, as on AWS."""
    hosting.serve("v1")
    renamed = [{"VariantName": "renamed", "ModelName": "v1", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
    hosting.call("CreateEndpointConfig", EndpointConfigName="renamed", ProductionVariants=renamed)

    message = hosting.refused(
        "UpdateEndpoint",
        EndpointName=ENDPOINT,
        EndpointConfigName="renamed",
        DeploymentConfig=blue_green("ALL_AT_ONCE"),
    )

    assert "must have the same variant names as the old one config-v1: champion; it has renamed" in message


@pytest.mark.parametrize("retain", [True, False])
def test_the_last_deployment_config_is_used_again_if_asked_for(hosting: FakeHosting, retain: bool) -> None:
    """RetainDeploymentConfig uses the deployment configuration of the last update; without it, there is none."""
    hosting.serve("v1")
    deployment = blue_green("LINEAR", LinearStepSize=50)
    hosting.update("config-v1", deployment)
    hosting.await_status("InService")

    hosting.update("config-v1", RetainDeploymentConfig=retain)
    described = hosting.await_status("InService")

    assert described.get("LastDeploymentConfig") == (deployment if retain else None)
