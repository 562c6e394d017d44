"""Requests for small jobs, and waiting for their end."""

from collections.abc import Mapping
from typing import Any

from local_cloud.sagemaker.jobs.table import JobTable
from tests.local_cloud.sagemaker.fakes import ADMINISTRATOR, IMAGE, ROLE, FakeCloud
from tests.waiting import LIMIT_SECONDS

PROLOGUE = "import os, sys, json, pathlib, time, signal\nbase = pathlib.Path(os.environ['ML_BASE_DIR'])\n"


def processing_request(cloud: FakeCloud, name: str, code: str, **changes: Any) -> dict[str, Any]:
    """A processing job that runs `code` (after PROLOGUE), with one input and one output."""
    request: dict[str, Any] = {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": cloud.program(PROLOGUE + code)},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 5}
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://bucket/results",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    return request | changes


def processing_input(uri: str, *, data_type: str = "S3Prefix", folder: str = "in") -> dict[str, Any]:
    """An entry of ProcessingInputs."""
    return {
        "InputName": folder,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{folder}",
            "S3DataType": data_type,
            "S3InputMode": "File",
        },
    }


def training_request(cloud: FakeCloud, name: str, code: str, **changes: Any) -> dict[str, Any]:
    """A training job that runs `code` (after PROLOGUE), without channels."""
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": cloud.program(PROLOGUE + code),
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    return request | changes


def channel(name: str, uri: str) -> dict[str, Any]:
    """An entry of InputDataConfig."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def run_processing(cloud: FakeCloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Create a processing job and describe it when it has ended."""
    cloud.call("CreateProcessingJob", request)
    name = request["ProcessingJobName"]
    await_end(cloud.engine._processing.table, name)
    return cloud.call("DescribeProcessingJob", {"ProcessingJobName": name})


def run_training(cloud: FakeCloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Create a training job and describe it when it has ended."""
    cloud.call("CreateTrainingJob", request)
    name = request["TrainingJobName"]
    await_end(cloud.engine._training.table, name)
    return cloud.call("DescribeTrainingJob", {"TrainingJobName": name})


def await_end(table: JobTable, name: str) -> None:
    """Wait for a job's end; a job that hangs fails the test."""
    assert table.find(ADMINISTRATOR, name).wait(LIMIT_SECONDS)
