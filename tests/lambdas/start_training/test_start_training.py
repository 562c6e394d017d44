"""The function that starts training: parameters, champion, and one execution for each execution of the loop."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.shared.champion_search import ChampionError, ChampionSearch
from lambdas.shared.errors import MalformedEventError
from lambdas.start_training import handler
from lambdas.start_training.logic import Training, TrainingRequest
from tests.lambdas.fake_client import FakeClient

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
LOOP = "arn:aws:states:us-east-1:123456789012:execution:cars-dev-retraining:one"
DATA = TrainingRequest(
    "cars", "0123456789abcdef", "s3://lake/snapshots/cars/0123456789abcdef/files.manifest", "new data", LOOP
)
EXECUTION = f"{ARN}:pipeline/cars-dev/execution/abcdefghijkl"


def _request(**changes: object) -> dict[str, Any]:
    """What the state machine hands over."""
    request = {
        "dataset": "cars",
        "dataVersion": DATA.data_version,
        "filesManifest": DATA.files_manifest,
        "reason": "new data",
        "execution": LOOP,
    }
    return request | changes


@pytest.fixture
def sagemaker() -> Any:
    """A SageMaker client that is never let out of the process: every call has to be stubbed."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("sagemaker", region_name="us-east-1", **keys)


@pytest.fixture
def stub(sagemaker: Any) -> Iterator[Stubber]:
    """The stub of that client; fails a test that leaves an answer unused."""
    with Stubber(sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _summary(number: int) -> dict[str, Any]:
    return {
        "ModelPackageArn": f"{ARN}:model-package/cars-dev/{number}",
        "ModelPackageGroupName": "cars-dev",
        "CreationTime": "2026-01-01T00:00:00Z",
        "ModelPackageStatus": "Completed",
    }


def _expect_listing(stub: Stubber, *pages: list[int]) -> None:
    """The listing that the function has to ask for, page by page."""
    request = {
        "ModelPackageGroupName": "cars-dev",
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
    for place, numbers in enumerate(pages):
        last = place == len(pages) - 1
        answer = {"ModelPackageSummaryList": [_summary(number) for number in numbers]}
        stub.add_response(
            "list_model_packages",
            answer if last else answer | {"NextToken": f"page{place + 1}"},
            request if place == 0 else request | {"NextToken": f"page{place}"},
        )


def _expect_package(stub: Stubber, number: int, container: dict[str, str]) -> None:
    name = f"{ARN}:model-package/cars-dev/{number}"
    answer = {
        "ModelPackageName": name,
        "ModelPackageArn": name,
        "CreationTime": "2026-01-01T00:00:00Z",
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "InferenceSpecification": {"Containers": [container]},
    }
    stub.add_response("describe_model_package", answer, {"ModelPackageName": name})


class _Starts:
    """Answers the next start of the pipeline, and remembers the requests."""

    def __init__(self, stub: Stubber) -> None:
        self.requests: list[dict[str, Any]] = []
        self._stub = stub
        client = stub.client
        client.meta.events.register("provide-client-params.sagemaker.StartPipelineExecution", self._remember)
        self.expect_another()

    def expect_another(self) -> None:
        self._stub.add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION})

    def _remember(self, params: dict[str, Any], **_: object) -> None:
        self.requests.append(params)

    def parameters(self) -> dict[str, str]:
        return {entry["Name"]: entry["Value"] for entry in self.requests[-1]["PipelineParameters"]}

    def tokens(self) -> list[str]:
        return [request["ClientRequestToken"] for request in self.requests]


class _Live:
    """Stands for the SSM parameter that names the live version."""

    def __init__(self, arn: str | None = None) -> None:
        self._arn = arn

    def read(self) -> str | None:
        return self._arn


def _training(sagemaker: Any, commit: str = "c0ffee", *, live: str | None = None) -> Training:
    champion: Any = _Live(live)
    return Training(sagemaker, ChampionSearch(sagemaker, champion, "cars-dev"), pipeline="cars-dev", commit=commit)


def test_the_first_run_starts_without_a_champion(sagemaker: Any, stub: Stubber) -> None:
    """With no approved model the champion's ARN is none, and its model is left to the pipeline's default."""
    _expect_listing(stub, [])
    starts = _Starts(stub)
    assert _training(sagemaker).start(DATA) == (EXECUTION, None)
    assert starts.requests[0]["PipelineName"] == "cars-dev"
    assert starts.parameters() == {
        "DataVersion": DATA.data_version,
        "SnapshotFiles": DATA.files_manifest,
        "Commit": "c0ffee",
        "ChampionModelPackageArn": "none",
    }


def test_the_newest_approved_package_is_the_champion_also_after_an_empty_page(sagemaker: Any, stub: Stubber) -> None:
    """The order is asked for explicitly, and a page without entries is not the end."""
    _expect_listing(stub, [], [7, 3])
    _expect_package(stub, 7, {"Image": "image", "ModelDataUrl": "s3://models/7/model.tar.gz"})
    starts = _Starts(stub)
    _training(sagemaker).start(DATA)
    assert starts.parameters()["ChampionModelPackageArn"] == f"{ARN}:model-package/cars-dev/7"
    assert starts.parameters()["ChampionModelUri"] == "s3://models/7/model.tar.gz"


def test_the_live_version_is_the_champion_even_if_a_newer_one_is_approved(sagemaker: Any, stub: Stubber) -> None:
    """An approved version that is still on its way, or was refused, is not what production serves."""
    _expect_package(stub, 3, {"Image": "image", "ModelDataUrl": "s3://models/3/model.tar.gz"})
    starts = _Starts(stub)
    _training(sagemaker, live=f"{ARN}:model-package/cars-dev/3").start(DATA)
    assert starts.parameters()["ChampionModelPackageArn"] == f"{ARN}:model-package/cars-dev/3"


def test_a_live_version_of_an_earlier_deployment_is_no_champion(sagemaker: Any, stub: Stubber) -> None:
    """The parameter outlives the stack, whose next deployment has a registry of its own."""
    _expect_listing(stub, [])
    starts = _Starts(stub)
    _training(sagemaker, live=f"{ARN}:model-package/cars-dev-0ld/3").start(DATA)
    assert starts.parameters()["ChampionModelPackageArn"] == "none"


def test_a_retried_task_asks_for_the_same_execution(sagemaker: Any, stub: Stubber) -> None:
    """The token depends on the pipeline, the data and the loop's execution: whoever asks again later, trains again."""
    _expect_listing(stub, [])
    starts = _Starts(stub)
    _training(sagemaker).start(DATA)
    for execution in (LOOP, f"{LOOP}-later"):
        _expect_listing(stub, [])
        starts.expect_another()
        _training(sagemaker).start(replace(DATA, execution=execution))
    first, second, later = starts.tokens()
    assert first == second != later
    assert 32 <= len(first) <= 128


def test_a_champion_without_a_model_is_an_error_that_names_it(sagemaker: Any, stub: Stubber) -> None:
    """A package that no model can be compared with must not pass for no champion."""
    _expect_listing(stub, [7])
    _expect_package(stub, 7, {"Image": "image"})
    with pytest.raises(
        ChampionError, match=r"cars-dev/7 is not in the registry, or names no model.tar.gz.*or reject it"
    ):
        _training(sagemaker).start(DATA)


def test_an_error_reaches_the_state_machine(sagemaker: Any, stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides what an error means, by its class."""
    monkeypatch.setattr(handler, "training", lambda: _training(sagemaker))
    stub.add_client_error("list_model_packages", "ThrottlingException", "Rate exceeded", 400)
    with pytest.raises(ClientError, match="Rate exceeded"):
        handler.handle(_request(), None)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "lacks dataset, dataVersion, filesManifest, reason, execution"),
        (_request(dataVersion=3, dataset=""), "lacks dataset, dataVersion; correct the state machine"),
        (_request(filesManifest="lake/files.manifest"), "no S3 URI"),
    ],
)
def test_a_malformed_request_names_what_it_lacks(request_: dict[str, Any], message: str) -> None:
    """The definition of the state machine is wrong then, and no training is started."""
    with pytest.raises(MalformedEventError, match=message):
        handler.handle(request_, None)


def test_the_execution_is_returned_and_logged(
    sagemaker: Any, stub: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log tells which execution works on which data against which champion."""
    settings = {
        "PIPELINE_NAME": "cars-dev",
        "MODEL_PACKAGE_GROUP": "cars-dev",
        "COMMIT": "c0ffee",
        "CHAMPION_PARAMETER": "/cd4ml/cars/dev/champion",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    none_yet = FakeClient("ssm", {"get_parameter": lambda **_: {"Parameter": {"Value": "none"}}})
    monkeypatch.setattr(boto3, "client", lambda service: none_yet if service == "ssm" else sagemaker)
    handler.training.cache_clear()
    _expect_listing(stub, [])
    _Starts(stub)
    assert handler.handle(_request(), None) == {"execution": EXECUTION}
    handler.training.cache_clear()
    line = json.loads(capsys.readouterr().out)
    assert (line["execution"], line["data_version"], line["champion"]) == (EXECUTION, DATA.data_version, "none")
