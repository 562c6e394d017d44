"""What a monitoring schedule runs, in one form for job definitions of all kinds and for inline ones. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.sagemaker.monitoring.book import JobDefinition
from local_cloud.sagemaker.refusals import refuse, refuse_value, single_instance
from local_cloud.service import invalid

_NEEDS_LABELS = ("ModelQuality", "ModelBias")


@dataclass(frozen=True)
class MonitoringJob:
    """The parts of a job; `kind` and `definition` are None for an inline job definition."""

    kind: str | None
    definition: str | None
    role_arn: str
    application: Mapping[str, Any]
    source: Mapping[str, Any]
    baseline: Mapping[str, Any]
    output: Mapping[str, Any]
    resources: Mapping[str, Any]
    environment: Mapping[str, str]
    further: Mapping[str, Any]
    ground_truth: str | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint whose captured requests are looked at."""
        return str(self.source["EndpointName"])

    @property
    def output_uri(self) -> str:
        """Where results go."""
        return str(self.output["MonitoringOutputs"][0]["S3Output"]["S3Uri"]).rstrip("/")


def from_definition(definition: JobDefinition) -> MonitoringJob:
    """The job of a job definition."""
    return job_of(definition.kind, definition.request)


def job_of(kind: str, request: Mapping[str, Any]) -> MonitoringJob:
    """The job of a Create...JobDefinition request; raises ValidationException for what is not emulated."""
    application, given = request[f"{kind}AppSpecification"], request[f"{kind}JobInput"]
    job = MonitoringJob(
        kind=kind,
        definition=request["JobDefinitionName"],
        role_arn=request["RoleArn"],
        application=application,
        source=_endpoint_input(given),
        baseline=request.get(f"{kind}BaselineConfig", {}),
        output=request[f"{kind}JobOutputConfig"],
        resources=request["JobResources"],
        environment=application.get("Environment", {}),
        further={name: request[name] for name in ("NetworkConfig", "StoppingCondition") if name in request},
        ground_truth=given.get("GroundTruthS3Input", {}).get("S3Uri"),
    )
    if kind in _NEEDS_LABELS and not job.ground_truth:
        raise invalid(f"GroundTruthS3Input.S3Uri is required for a {kind} job definition.")
    return _checked(job)


def from_inline(request: Mapping[str, Any], kind: str | None) -> MonitoringJob:
    """The job of a MonitoringJobDefinition; raises ValidationException for what is not emulated."""
    if kind not in (None, "DataQuality"):
        raise invalid(f"A schedule of the type {kind} needs a MonitoringJobDefinitionName.")
    return _checked(
        MonitoringJob(
            kind=kind,
            definition=None,
            role_arn=request["RoleArn"],
            application=request["MonitoringAppSpecification"],
            source=_endpoint_input(request["MonitoringInputs"][0]),
            baseline=request.get("BaselineConfig", {}),
            output=request["MonitoringOutputConfig"],
            resources=request["MonitoringResources"],
            environment=request.get("Environment", {}),
            further={name: request[name] for name in ("NetworkConfig", "StoppingCondition") if name in request},
        )
    )


def _endpoint_input(given: Mapping[str, Any]) -> Mapping[str, Any]:
    refuse(given, ("BatchTransformInput",))
    if "EndpointInput" not in given:
        raise invalid("EndpointInput is required.")
    refuse_value(given, "EndpointInput.S3InputMode", "Pipe", instead="File")
    source: Mapping[str, Any] = given["EndpointInput"]
    return source


def _checked(job: MonitoringJob) -> MonitoringJob:
    if job.baseline.get("BaseliningJobName") and "ConstraintsResource" not in job.baseline:
        raise invalid(
            "A baseline known by BaseliningJobName only is not emulated by the local cloud; give ConstraintsResource."
        )
    single_instance(job.resources["ClusterConfig"].get("InstanceCount"))
    return job
