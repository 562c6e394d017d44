"""From an approval to production and back, on the deployed app, with a server that really serves."""

import csv
import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.journeys.assemblies import unhurried_assembly
from tests.journeys.deployed_app import csv_of, deploy_app
from tests.journeys.releases import Releases
from tests.running_cloud import start_cloud
from tests.sagemaker_pipelines.cars import car_year
from tests.waiting import wait_for

_INPUTS = 14


def _car(year: int) -> str:
    """One made-up car as the endpoint takes it: the inputs without the price."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(car_year(year).rows[0][:_INPUTS])
    return text.getvalue()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Releases, str]]:
    """An app whose first model went all the way to production, and that model's package."""
    folder = Path(tmp_path_factory.mktemp("released"))
    with start_cloud(folder) as cloud:
        app = deploy_app(cloud, assembly=unhurried_assembly(folder))
        package = app.package(app.train("history.csv", csv_of(*range(2001, 2011))))["ModelPackageArn"]
        releases = Releases(app)
        releases.bring_live(package)
        yield releases, package


class Load:
    """Callers that invoke the endpoint all the time while something else happens."""

    def __init__(self, releases: Releases, *, callers: int = 2) -> None:
        self._releases = releases
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]
        self.answers: Counter[float] = Counter()
        self.failures: list[str] = []

    def _call(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers[self._releases.invoke(_car(2010))] += 1
            except ClientError as error:
                self.failures.append(str(error))

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_an_approved_model_serves_in_production(released: tuple[Releases, str]) -> None:
    """After both approvals the endpoint predicts, the champion is recorded, and the record says who and why."""
    releases, package = released
    ssm = releases.app.cloud.client("ssm")

    assert releases.invoke(_car(2010)) > 1000
    champion = ssm.get_parameter(Name=releases.app.outputs["CarPricesChampionParameter"])["Parameter"]["Value"]
    assert champion == package
    (record,) = [record for record in releases.records() if record.get("to") == package]
    assert "evidence read" in json.dumps(record)


def test_the_endpoint_is_verified_as_a_caller_sees_it(released: tuple[Releases, str]) -> None:
    """A row that lacks a value answers 400 with the reason, and nothing of the loop was refused by IAM."""
    releases, _ = released

    with pytest.raises(ClientError) as refused:
        releases.invoke("Audi,too short\n")

    assert refused.value.response["OriginalStatusCode"] == 400
    assert "row" in refused.value.response["OriginalMessage"]
    assert releases.app.cloud.page("status")["refused"] == []


def test_a_newer_model_goes_live_by_canary_without_a_failed_request(released: tuple[Releases, str]) -> None:
    """Under load through the whole canary no request fails, and each is answered by one version or the other."""
    releases, package = released
    before = releases.live_config()
    old = releases.invoke(_car(2010))
    candidate = releases.app.package(releases.app.train("2011.csv", csv_of(2011)))

    with Load(releases) as load:
        releases.bring_live(candidate["ModelPackageArn"])

    new = releases.invoke(_car(2010))
    assert candidate["CustomerMetadataProperties"]["champion_model_package_arn"] == package
    assert load.failures == []
    assert set(load.answers) == {old, new}
    assert releases.live_config() != before


def test_an_alarm_during_the_canary_rolls_back(released: tuple[Releases, str]) -> None:
    """With a rollback alarm in ALARM the old version keeps serving, and the release fails and is recorded so."""
    releases, package = released
    sagemaker, cloudwatch = releases.app.cloud.client("sagemaker"), releases.app.cloud.client("cloudwatch")
    before = releases.live_config()
    release = releases.approve(package) if _status(sagemaker, package) != "Approved" else _again(releases, package)
    releases.approve_production()
    # Not before: an alarm that is set by hand is evaluated again with the next period, and has been good by then.
    endpoint = wait_for(lambda: _baking(releases), what="the canary to bake")
    alarm = endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"][0]["AlarmName"]

    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test says so")

    assert releases.finished(release) == "Failed"
    assert releases.live_config() == before
    assert releases.invoke(_car(2010)) > 1000

    def failed() -> list[dict[str, Any]]:
        return [one for one in releases.records() if one.get("result") == "Failed" and one.get("to") == package]

    assert wait_for(failed, what="the record of the failed release")


def _status(sagemaker: Any, package: str) -> str:
    return str(sagemaker.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"])


def _again(releases: Releases, package: str) -> str:
    """Release an older, approved version once more: reject it, approve it again."""
    releases.app.cloud.client("sagemaker").update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="PendingManualApproval"
    )
    return releases.approve(package)


def _baking(releases: Releases) -> dict[str, Any] | None:
    """The description of the production endpoint while a new version has a part of the traffic under the alarms."""
    sagemaker = releases.app.cloud.client("sagemaker")
    described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=releases.endpoint)
    variants = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", ())
    states = [state["Status"] for variant in variants for state in variant.get("VariantStatus", ())]
    return described if "Baking" in states else None
