"""The processing job of one execution: inputs, outputs and environment of Model Monitor's container contract. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
Where that page names no path, the one that executions on AWS show in DescribeProcessingJob is taken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.sagemaker.monitoring.job import MonitoringJob
from local_cloud.sagemaker.monitoring.windows import Window

_PROCESSING = "/opt/ml/processing"
_CAPTURE_FORMAT = json.dumps({"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}})
_ANALYSES: Mapping[str, str] = {"ModelQuality": "MODEL_QUALITY"}
_ATTRIBUTES: Mapping[str, str] = {
    "InferenceAttribute": "inference_attribute",
    "ProbabilityAttribute": "probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold_attribute",
}


@dataclass(frozen=True)
class Dataset:
    """Objects of one hour below `uri`, and the folder below the input's LocalPath in which they belong."""

    uri: str
    folder: str


@dataclass(frozen=True)
class _File:
    """An object that the container reads: input name, S3 URI, folder, and the variable that tells its path."""

    name: str
    uri: str | None
    folder: str
    variable: str | None

    @property
    def path(self) -> str:
        return f"{self.folder}/{str(self.uri).rsplit('/', 1)[-1]}"


@dataclass(frozen=True)
class Occasion:
    """One execution: which schedule, which window, and where the endpoint's captured data lies."""

    job_name: str
    schedule_name: str
    schedule_arn: str
    window: Window
    capture_uri: str
    datasets: Sequence[Dataset]
    output_folder: str


def processing_request(job: MonitoringJob, occasion: Occasion) -> dict[str, Any]:
    """A CreateProcessingJob request, with the ARN of the schedule as DescribeProcessingJob shows it."""
    files = [file for file in _files(job) if file.uri]
    application = {
        name: job.application[name]
        for name in ("ImageUri", "ContainerEntrypoint", "ContainerArguments")
        if name in job.application
    }
    output = {**job.output["MonitoringOutputs"][0]["S3Output"], "S3Uri": occasion.output_folder}
    return {
        "ProcessingJobName": occasion.job_name,
        "MonitoringScheduleArn": occasion.schedule_arn,
        "RoleArn": job.role_arn,
        "AppSpecification": application,
        "Environment": {**_environment(job, occasion, files), **job.environment},
        "ProcessingInputs": [
            *(_input(file.name, str(file.uri), file.folder) for file in files),
            *(
                _input(f"endpoint_input_{number}", dataset.uri, f"{job.source['LocalPath']}/{dataset.folder}")
                for number, dataset in enumerate(occasion.datasets, start=1)
            ),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "monitoring_output", "S3Output": {"S3UploadMode": "EndOfJob", **output}}],
            **({"KmsKeyId": job.output["KmsKeyId"]} if job.output.get("KmsKeyId") else {}),
        },
        "ProcessingResources": {"ClusterConfig": dict(job.resources["ClusterConfig"])},
        **job.further,
    }


def moment_text(moment: datetime) -> str:
    """A moment as the contract writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _files(job: MonitoringJob) -> tuple[_File, ...]:
    baseline, application = job.baseline, job.application
    return (
        _File(
            "constraints",
            baseline.get("ConstraintsResource", {}).get("S3Uri"),
            f"{_PROCESSING}/baseline/constraints",
            "baseline_constraints",
        ),
        _File(
            "baseline",
            baseline.get("StatisticsResource", {}).get("S3Uri"),
            f"{_PROCESSING}/baseline/stats",
            "baseline_statistics",
        ),
        _File(
            "pre_processor_script",
            application.get("RecordPreprocessorSourceUri"),
            f"{_PROCESSING}/code/preprocessing",
            "record_preprocessor_script",
        ),
        _File(
            "post_processor_script",
            application.get("PostAnalyticsProcessorSourceUri"),
            f"{_PROCESSING}/code/postprocessing",
            "post_analytics_processor_script",
        ),
        _File("analysis_config", application.get("ConfigUri"), f"{_PROCESSING}/input/config", None),
    )


def _environment(job: MonitoringJob, occasion: Occasion, files: Sequence[_File]) -> dict[str, str]:
    attributes = {variable: str(job.source[name]) for name, variable in _ATTRIBUTES.items() if name in job.source}
    given = {
        "analysis_type": _ANALYSES.get(job.kind or ""),
        "problem_type": job.application.get("ProblemType"),
        **{file.variable: file.path for file in files if file.variable},
    }
    return {
        "dataset_format": _CAPTURE_FORMAT,
        "dataset_source": str(job.source["LocalPath"]),
        "output_path": str(job.output["MonitoringOutputs"][0]["S3Output"]["LocalPath"]),
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": job.endpoint,
        "sagemaker_monitoring_schedule_name": occasion.schedule_name,
        "sagemaker_endpoint_datacapture_prefix": occasion.capture_uri,
        "start_time": moment_text(occasion.window.start),
        "end_time": moment_text(occasion.window.end),
        **attributes,
        **{name: value for name, value in given.items() if value},
    }


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": folder,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }
