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

from tests.journeys.deployed_app import DeployedApp, csv_of, deploy_app
from tests.running_cloud import start_cloud, wait_for
from tests.sagemaker_pipelines.cars import car_year

_RELEASE_LIMIT_SECONDS = 120
_INPUTS = 14


class Releases:
    """The release pipeline as an approver and a caller of the endpoint see it."""

    def __init__(self, app: DeployedApp) -> None:
        self.app = app
        self.name = app.outputs["CarPricesReleasePipelineName"]
        self.endpoint = app.outputs["CarPricesProductionEndpointName"]
        self.pipeline = app.cloud.client("codepipeline")
        self.runtime = app.cloud.client("sagemaker-runtime")

    def started(self) -> dict[str, dict[str, Any]]:
        """Executions by the package that they release, without those that release none."""
        listed = self.pipeline.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]
        found = {}
        for summary in listed:
            execution = self.pipeline.get_pipeline_execution(
                pipelineName=self.name, pipelineExecutionId=summary["pipelineExecutionId"]
            )["pipelineExecution"]
            package = {entry["name"]: entry["resolvedValue"] for entry in execution.get("variables", [])}
            if package.get("ModelPackageArn", "none").startswith("arn:"):
                found[execution["pipelineExecutionId"]] = execution
        return found

    def approve(self, package_arn: str) -> str:
        """Flip the registry status as an approver does; the id of the execution that follows."""
        before = set(self.started())
        self.app.cloud.client("sagemaker").update_model_package(
            ModelPackageArn=package_arn, ModelApprovalStatus="Approved", ApprovalDescription="evidence read"
        )
        new = wait_for(lambda: set(self.started()) - before, seconds=30, what=f"the release of {package_arn}")
        return new.pop()

    def approve_production(self) -> None:
        """Wait for the manual approval and give it."""

        def waiting() -> dict[str, Any] | None:
            for stage in self.pipeline.get_pipeline_state(name=self.name)["stageStates"]:
                for action in stage["actionStates"]:
                    latest = action.get("latestExecution", {})
                    if latest.get("status") == "InProgress" and latest.get("token"):
                        return {
                            "stageName": stage["stageName"],
                            "actionName": action["actionName"],
                            "token": latest["token"],
                        }
            return None

        place = wait_for(waiting, seconds=_RELEASE_LIMIT_SECONDS, what="the manual approval of production")
        self.pipeline.put_approval_result(
            pipelineName=self.name, result={"summary": "go", "status": "Approved"}, **place
        )

    def finished(self, execution: str) -> str:
        """The status in which an execution ends."""

        def ended() -> str | None:
            status: str = self.started()[execution]["status"]
            return status if status not in ("InProgress", "Stopping") else None

        return wait_for(ended, seconds=_RELEASE_LIMIT_SECONDS, what=f"the end of release {execution}")

    def live_config(self) -> str:
        """The endpoint configuration that is live in production."""
        described = self.app.cloud.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        return str(described["EndpointConfigName"])

    def invoke(self, body: str) -> float:
        """One prediction by the production endpoint."""
        answer = self.runtime.invoke_endpoint(EndpointName=self.endpoint, ContentType="text/csv", Body=body)
        return float(answer["Body"].read())

    def records(self) -> list[dict[str, Any]]:
        """Release records, the oldest first."""
        bucket, s3 = self.app.outputs["ArtifactBucketName"], self.app.cloud.client("s3")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="releases/").get("Contents", [])
        keys = sorted(entry["Key"] for entry in listed if "/requests/" not in entry["Key"])
        return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def _car(year: int) -> str:
    """One made-up car as the endpoint takes it: the inputs without the price."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(car_year(year).rows[0][:_INPUTS])
    return text.getvalue()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Releases, str]]:
    """An app whose first model went all the way to production, and that model's package."""
    with start_cloud(Path(tmp_path_factory.mktemp("released"))) as cloud:
        app = deploy_app(cloud)
        app.upload("history.csv", csv_of(*range(2001, 2011)))
        wait_for(app.executions, seconds=30, what="the upload to start training")
        (execution,) = app.executions()
        app.finished(execution)
        package = app.package(execution)["ModelPackageArn"]
        releases = Releases(app)
        release = releases.approve(package)
        releases.approve_production()
        assert releases.finished(release) == "Succeeded"
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
    releases.app.upload("2011.csv", csv_of(2011))
    wait_for(lambda: len(releases.app.executions()) == 2, seconds=30, what="the new model year to start training")
    newer = releases.app.executions()[0]
    releases.app.finished(newer)
    candidate = releases.app.package(newer)

    with Load(releases) as load:
        release = releases.approve(candidate["ModelPackageArn"])
        releases.approve_production()
        assert releases.finished(release) == "Succeeded"

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
    wait_for(
        lambda: sagemaker.describe_endpoint(EndpointName=releases.endpoint)["EndpointStatus"] == "Updating",
        seconds=60,
        what="the canary to begin",
    )
    deployment = sagemaker.describe_endpoint(EndpointName=releases.endpoint)
    alarm = _rollback_alarm(deployment)

    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test says so")

    assert releases.finished(release) == "Failed"
    assert releases.live_config() == before
    assert releases.invoke(_car(2010)) > 1000

    def failed() -> list[dict[str, Any]]:
        return [one for one in releases.records() if one.get("result") == "Failed" and one.get("to") == package]

    assert wait_for(failed, seconds=30, what="the record of the failed release")


def _status(sagemaker: Any, package: str) -> str:
    return str(sagemaker.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"])


def _again(releases: Releases, package: str) -> str:
    """Release an older, approved version once more: reject it, approve it again."""
    releases.app.cloud.client("sagemaker").update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="PendingManualApproval"
    )
    return releases.approve(package)


def _rollback_alarm(endpoint: dict[str, Any]) -> str:
    deployment = endpoint.get("LastDeploymentConfig") or {}
    alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    assert alarms
    return str(alarms[0]["AlarmName"])
