"""Releases that end before production: overtaken, repeated, rejected, failing in staging."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.deployed_app import csv_of, deploy_app
from tests.journeys.releases import Releases
from tests.running_cloud import ACCOUNT, REGION, start_cloud
from tests.waiting import wait_for

_COPIED = ("ModelPackageGroupName", "InferenceSpecification", "ModelMetrics", "CustomerMetadataProperties")


class Desk(Releases):
    """The release pipeline of an app with one trained version, of which a test gets copies of its own."""

    def __init__(self, releases: Releases, trained: dict[str, Any]) -> None:
        super().__init__(releases.app)
        self._trained = trained
        (self._container,) = trained["InferenceSpecification"]["Containers"]
        self._sagemaker = releases.app.cloud.client("sagemaker")

    def version(self, *, image: str | None = None) -> str:
        """The ARN of a new version with the artifact and the evidence of the trained one, and perhaps another image."""
        request = {name: self._trained[name] for name in _COPIED}
        if image:
            request["InferenceSpecification"] = {
                **request["InferenceSpecification"],
                "Containers": [{**self._container, "Image": image}],
            }
        return str(self._sagemaker.create_model_package(**request)["ModelPackageArn"])

    def released(self, package_arn: str) -> list[str]:
        """Ids of the executions that release a version."""
        return [
            id
            for id, execution in self.started().items()
            if {"name": "ModelPackageArn", "resolvedValue": package_arn} in execution["variables"]
        ]

    def reject_production(self, execution: str, *, summary: str) -> None:
        """Wait until this execution waits for the manual approval, and reject it."""

        def asked() -> str | None:
            stages = {
                stage["stageName"]: stage for stage in self.pipeline.get_pipeline_state(name=self.name)["stageStates"]
            }
            approve = stages["Approve"]
            if approve.get("latestExecution", {}).get("pipelineExecutionId") != execution:
                return None
            given: str | None = approve["actionStates"][0].get("latestExecution", {}).get("token")
            return given

        token = wait_for(asked, what=f"execution {execution} to ask for approval")
        self.pipeline.put_approval_result(
            pipelineName=self.name,
            stageName="Approve",
            actionName="Approve",
            token=token,
            result={"summary": summary, "status": "Rejected"},
        )

    def record(self, execution: str) -> dict[str, Any]:
        """The record of one execution, once it is written."""

        def written() -> dict[str, Any] | None:
            return next((record for record in self.records() if record["execution_id"] == execution), None)

        return wait_for(written, what=f"the record of execution {execution}")

    def production(self) -> str | None:
        """What production serves: its endpoint configuration; None if there is no endpoint."""
        there = self._sagemaker.list_endpoints(NameContains=self.endpoint)["Endpoints"]
        return self.live_config() if there else None


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An app with a version that the pipeline trained and nobody released."""
    with start_cloud(Path(tmp_path_factory.mktemp("conflicts"))) as cloud:
        app = deploy_app(cloud)
        yield Desk(Releases(app), app.package(app.train("history.csv", csv_of(*range(2001, 2011)))))


def test_of_two_versions_approved_at_once_the_later_is_released(desk: Desk) -> None:
    """Where both wait for the same stage, the later takes the place of the earlier, and the book says so."""
    before, closed = desk.production(), {"pipelineName": desk.name, "stageName": "Staging", "transitionType": "Inbound"}
    desk.pipeline.disable_stage_transition(**closed, reason="so that both are at the same stage")
    earlier, later = desk.approve(desk.version()), desk.approve(desk.version())

    assert desk.finished(earlier) == "Superseded"
    desk.pipeline.enable_stage_transition(**closed)
    desk.reject_production(later, summary="it has shown what it should")
    assert desk.finished(later) == "Failed"

    overtaken = desk.record(earlier)
    assert overtaken["result"] == "Superseded"
    assert later in overtaken["failed"]["message"]
    assert desk.record(later)["verification"]["VerifyStaging"]
    assert desk.production() == before


def test_an_approval_that_arrives_three_times_starts_one_release(desk: Desk) -> None:
    """The same event delivered three times, two of them at the same moment, is answered by one execution."""
    package = desk.version()
    functions, starter = desk.app.cloud.client("lambda"), desk.app.outputs["CarPricesStartReleaseFunctionName"]
    execution = desk.approve(package)
    (event,) = [
        event
        for event in desk.app.events("SageMaker Model Package State Change")
        if event["detail"]["ModelPackageArn"] == package and event["detail"]["ModelApprovalStatus"] == "Approved"
    ]

    def deliver(_: int) -> dict[str, Any]:
        answer: dict[str, Any] = json.load(functions.invoke(FunctionName=starter, Payload=json.dumps(event))["Payload"])
        return answer

    with ThreadPoolExecutor(2) as twice:
        answers = list(twice.map(deliver, range(2)))

    desk.reject_production(execution, summary="it has shown what it should")
    assert desk.finished(execution) == "Failed"
    assert [(answer["outcome"], answer["execution"]) for answer in answers] == [("started", execution)] * 2
    assert desk.released(package) == [execution]


def test_a_rejected_production_approval_leaves_production_and_says_who_and_why(desk: Desk) -> None:
    """The release ends at the manual approval; the record names the person and the reason."""
    before = desk.production()
    execution = desk.approve(desk.version())

    desk.reject_production(execution, summary="the dealers are not told yet")

    assert desk.finished(execution) == "Failed"
    record = desk.record(execution)
    assert record["result"] == "Failed"
    assert record["failed"]["stage"] == "Approve"
    approval = record["production_approval"]
    assert approval["status"] == "Failed"
    assert approval["by"].startswith("arn:aws:")
    assert approval["comment"].endswith("the dealers are not told yet")
    assert desk.production() == before


def test_a_version_that_cannot_be_deployed_ends_in_staging(desk: Desk) -> None:
    """A version whose image is gone fails in staging, with SageMaker's own reason in the record."""
    before = desk.production()
    execution = desk.approve(desk.version(image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/gone:1"))

    assert desk.finished(execution) == "Failed"

    record = desk.record(execution)
    assert record["failed"]["stage"] == "Staging"
    assert "gone:1 not found" in record["failed"]["message"]
    assert record["production_approval"] is None
    assert desk.production() == before
