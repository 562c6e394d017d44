"""What `status` says of endpoints and releases."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.cli.deployed import endpoint_rows, release_rows

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/car-prices/"


class FakeSageMaker:
    """Two configurations with a model package each, of which the older one is deleted already."""

    def describe_endpoint_config(self, **request: str) -> dict[str, Any]:
        if request["EndpointConfigName"] == "deleted":
            raise ClientError({"Error": {"Code": "ValidationException"}}, "DescribeEndpointConfig")
        return {"ProductionVariants": [{"ModelName": request["EndpointConfigName"].replace("config", "model")}]}

    def describe_model(self, **request: str) -> dict[str, Any]:
        return {"Containers": [{"ModelPackageName": PACKAGE + request["ModelName"].rpartition("-")[2]}]}


class FakeCodePipeline:
    """One pipeline with one execution."""

    def get_paginator(self, operation: str) -> "FakeCodePipeline":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"pipelines": [{"name": "release"}]}]

    def list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        started = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
        summary = {"pipelineExecutionId": "e-1", "status": "InProgress", "startTime": started}
        return {"pipelineExecutionSummaries": [summary]}


def _endpoint(**traffic: float) -> dict[str, Any]:
    return {"name": "car-prices", "status": "Updating", "history": [{"traffic": {}}, {"traffic": traffic}]}


def test_an_endpoint_is_shown_with_its_versions_share() -> None:
    """During a canary both model versions with their share; a configuration without a package by its own name."""
    endpoints = [_endpoint(**{"config-6": 0.9, "config-7": 0.1}), _endpoint(deleted=1.0, unused=0.0), _endpoint()]

    rows = endpoint_rows(endpoints, FakeSageMaker())

    assert [row["traffic"] for row in rows] == ["car-prices/6 90%, car-prices/7 10%", "deleted 100%", "none"]
    assert rows[0]["status"] == "Updating"


def test_releases_are_the_executions_of_the_pipelines() -> None:
    """One row for each of the latest executions."""
    expected = {"pipeline": "release", "execution": "e-1", "status": "InProgress", "started": "2026-11-23 17:00:00"}

    assert release_rows(FakeCodePipeline()) == [expected]
