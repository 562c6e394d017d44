"""Judges a version that was registered by hand as the training pipeline judges its own, and attaches the evidence.

The newest Evaluate job of the pipeline is run again with another model: the same image, role, limits, holdout and
report, against the live version. Must not approve anything.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from releases.errors import ReleasesError
from releases.names import Names
from releases.registry import NO_CHAMPION, Registry, version_of

EVALUATE_STEP = "Evaluate"
# What a description of a job has beside the request that made it is left out.
_REQUEST = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
)
_ENDED = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class HandEvaluation:
    """Evaluations for one project; `s3` is a boto3 client. `champion` is the live version's ARN or None."""

    registry: Registry
    s3: Any
    names: Names
    champion: str | None
    poll_seconds: float

    def run(self, arn: str, *, show: Callable[[str], None]) -> dict[str, Any]:
        """Evaluate a version and attach what was found to it; the content of evaluation.json."""
        package = self.registry.describe(arn)
        request = self._request(package, self._pipelines_job())
        show(f"evaluating {arn} in job {request['ProcessingJobName']}")
        self.registry.sagemaker.create_processing_job(**request)
        self._wait(request["ProcessingJobName"])
        folder = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        evaluation = self._read(f"{folder}/evaluation.json")
        self._attach(package, evaluation, folder)
        return evaluation

    def _pipelines_job(self) -> dict[str, Any]:
        """The Evaluate job of the newest execution that got so far."""
        for execution in self._executions():
            steps = self.registry.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=execution
            )
            for step in (step for page in steps for step in page["PipelineExecutionSteps"]):
                job = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
                if step["StepName"] == EVALUATE_STEP and step["StepStatus"] == "Succeeded" and job:
                    described: dict[str, Any] = self.registry.sagemaker.describe_processing_job(
                        ProcessingJobName=job.rsplit("/", 1)[-1]
                    )
                    return described
        raise ReleasesError(
            f"no execution of {self.names.training_pipeline} has evaluated a model yet, so there is no holdout to "
            "judge this one on; upload data, or start the pipeline"
        )

    def _executions(self) -> Iterator[str]:
        pages = self.registry.sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.names.training_pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        return (summary["PipelineExecutionArn"] for page in pages for summary in page["PipelineExecutionSummaries"])

    def _request(self, package: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
        """CreateProcessingJob for this version, from the description of the pipeline's job."""
        moment = datetime.now(UTC).strftime("%Y%m%dt%H%M%S")
        version = package["ModelPackageVersion"]
        request = copy.deepcopy({name: job[name] for name in _REQUEST if name in job})
        model = _model_url(package)
        # Before the first release: what the pipeline itself compared with.
        live = self.champion or request.get("Environment", {}).get("CHAMPION_MODEL_PACKAGE_ARN", NO_CHAMPION)
        champion = live if live not in (NO_CHAMPION, package["ModelPackageArn"]) else None
        # Without a champion the job reads anything in its place.
        uris = {"model": model, "champion": _model_url(self.registry.describe(champion)) if champion else model}
        for one in request["ProcessingInputs"]:
            one["S3Input"]["S3Uri"] = uris.get(one["InputName"], one["S3Input"]["S3Uri"])
        root = f"s3://{self.names.artifact_bucket}/pipelines/{self.names.training_pipeline}/evaluations"
        request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = f"{root}/{version}/{moment}"
        request["Environment"] = request.get("Environment", {}) | {
            "CHAMPION_MODEL_PACKAGE_ARN": champion or NO_CHAMPION
        }
        # A name has at most 63 characters.
        request["ProcessingJobName"] = f"{self.names.training_pipeline[:32]}-evaluate-{version}-{moment}"
        return request

    def _wait(self, job: str) -> None:
        while True:
            described = self.registry.sagemaker.describe_processing_job(ProcessingJobName=job)
            status = described["ProcessingJobStatus"]
            if status in _ENDED:
                break
            time.sleep(self.poll_seconds)  # the pace of polling; the job itself has a time limit
        if status != "Completed":
            reason = described.get("FailureReason") or described.get("ExitMessage") or "no reason given"
            raise ReleasesError(
                f"job {job} ended as {status}: {reason}; its log is in /aws/sagemaker/ProcessingJobs, and nothing "
                "was attached to the version"
            )

    def _attach(self, package: Mapping[str, Any], evaluation: Mapping[str, Any], folder: str) -> None:
        known, candidate = package.get("CustomerMetadataProperties", {}), evaluation["candidate"]
        digest = candidate["sha256"]
        if known.get("artifact_sha256", digest) != digest:
            raise ReleasesError(
                f"version {version_of(package['ModelPackageArn'])} was registered with the artifact "
                f"{known['artifact_sha256']}, but {digest} was evaluated: the object has been replaced since; "
                "register it as a version of its own"
            )
        origin = {name: str(candidate[name]) for name in ("data_version", "commit") if candidate.get(name)}
        evidence = {
            "artifact_sha256": digest,
            "evaluation_statistics": f"{folder}/evaluation.json",
            "evaluation_report": f"{folder}/report.html",
            "champion_model_package_arn": evaluation["champion_model_package_arn"],
        }
        self.registry.sagemaker.update_model_package(
            ModelPackageArn=package["ModelPackageArn"], CustomerMetadataProperties={**origin, **known, **evidence}
        )

    def _read(self, uri: str) -> dict[str, Any]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content: dict[str, Any] = json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return content


def _model_url(package: Mapping[str, Any]) -> str:
    """S3 URI of a version's model.tar.gz; ReleasesError if it names none."""
    containers = package.get("InferenceSpecification", {}).get("Containers", ())
    container = containers[0] if containers else {}
    packed = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url = container.get("ModelDataUrl") or (packed.get("S3Uri") if packed.get("CompressionType") == "Gzip" else None)
    if not url:
        raise ReleasesError(f"{package['ModelPackageArn']} names no model.tar.gz; register it again with ModelDataUrl")
    return str(url)


def evaluation_lines(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Metrics and decision for people."""
    for name, metric in evaluation["regression_metrics"].items():
        interval = f"95 % interval {metric['interval_95_low']:.5g} to {metric['interval_95_high']:.5g}"
        yield f"  {name:<5} {metric['value']:>12.5g}  {interval}"
    comparison = evaluation.get("champion_comparison")
    if comparison:
        yield f"  MAE against the champion: {comparison['mae_change_percent']:+.1f} %"
    decision = evaluation["decision"]
    yield f"  {'accepted' if decision['accepted'] else 'rejected'}: {decision['summary']}"
