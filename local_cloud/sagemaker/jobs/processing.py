"""Processing jobs: Create, Describe, List, Stop.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.jobs.execution import Tools
from local_cloud.sagemaker.jobs.job import Job
from local_cloud.sagemaker.jobs.plan import CONTAINER_ROOT, JobPlan, Program, S3Destination, S3Source
from local_cloud.sagemaker.jobs.summaries import list_jobs
from local_cloud.sagemaker.jobs.table import JobKind, JobTable
from local_cloud.sagemaker.refusals import refuse, refuse_value, single_instance
from local_cloud.sagemaker.resources import arn, present
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext

_KIND = JobKind("processing-job", "processing", "SageMaker Processing Job State Change", tells_phases=False)
_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_DEFAULT_SECONDS = 86400
_REFUSED = (
    "ProcessingInputs.DatasetDefinition",
    "ProcessingOutputConfig.Outputs.FeatureStoreOutput",
    "ProcessingResources.ClusterConfig.InstancePreferences",
)
_NOTE = (
    "One instance; output with S3UploadMode Continuous is uploaded at the end of the job; a VPC and network isolation "
    "are recorded only; a role that may not write the job's log or Model Monitor's metrics fails the job (on AWS they "
    "are just missing)."
)


class ProcessingJobs:
    """The API of processing jobs."""

    def __init__(self, *, tools: Tools, events: EventBus, tags: Tags) -> None:
        self.table = JobTable(_KIND, tools=tools, events=events, describe=describe)
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateProcessingJob": Operation(self._create, note=_NOTE),
            "DescribeProcessingJob": Operation(self._describe),
            "ListProcessingJobs": Operation(self._list),
            "StopProcessingJob": Operation(self._stop),
        }

    def start(self, context: RequestContext, params: dict[str, Any], *, metrics_namespace: str | None = None) -> Job:
        """Create a job from a CreateProcessingJob request; one of Model Monitor has a MonitoringScheduleArn, too.

        `metrics_namespace` is where metrics go that the container leaves in a file, as Model Monitor's containers do.
        """
        refuse(params, _REFUSED)
        refuse_value(params, "ProcessingInputs.S3Input.S3InputMode", "Pipe", instead="File")
        single_instance(params["ProcessingResources"]["ClusterConfig"].get("InstanceCount"))
        name = params["ProcessingJobName"]
        plan = replace(_plan(context, params), metrics_namespace=metrics_namespace)
        job = self.table.start(context, name=name, request=params, plan=plan)
        self._tags.put(job.identity.arn, params.get("Tags"))
        return job

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return {"ProcessingJobArn": self.start(context, params).identity.arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return describe(self.table.find(context, params["ProcessingJobName"]))

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        jobs, more = list_jobs(self.table.all(context), params)
        return {"ProcessingJobSummaries": [_summary(job) for job in jobs], **more}

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        self.table.stop(context, params["ProcessingJobName"])
        return {}


def describe(job: Job) -> dict[str, Any]:
    """The answer of DescribeProcessingJob."""
    request = {name: value for name, value in job.identity.request.items() if name != "Tags"}
    return request | _summary(job) | present({"ProcessingStartTime": job.state.started})


def _summary(job: Job) -> dict[str, Any]:
    state = job.state
    return present(
        {
            "ProcessingJobName": job.identity.name,
            "ProcessingJobArn": job.identity.arn,
            "CreationTime": job.identity.created,
            "ProcessingEndTime": state.ended,
            "LastModifiedTime": state.modified,
            "ProcessingJobStatus": str(state.status),
            "FailureReason": state.failure_reason,
            "ExitMessage": state.exit_message,
        }
    )


def _plan(context: RequestContext, request: Mapping[str, Any]) -> JobPlan:
    cluster = request["ProcessingResources"]["ClusterConfig"]
    application = request["AppSpecification"]
    outputs = request.get("ProcessingOutputConfig", {})
    destinations = tuple(_destination(output) for output in outputs.get("Outputs", ()))
    return JobPlan(
        program=Program(
            image_uri=application["ImageUri"],
            entrypoint=tuple(application.get("ContainerEntrypoint", ())),
            arguments=tuple(application.get("ContainerArguments", ())),
            environment=request.get("Environment", {}),
        ),
        sources=tuple(_source(item) for item in request.get("ProcessingInputs", ())),
        destinations=destinations,
        configuration=_configuration(context, request),
        folders=(f"{CONTAINER_ROOT}/processing", *(destination.local_path for destination in destinations)),
        instance_type=cluster["InstanceType"],
        maximum_seconds=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_SECONDS),
        log_group=_LOG_GROUP,
        kms_key_id=outputs.get("KmsKeyId"),
    )


def _configuration(context: RequestContext, request: Mapping[str, Any]) -> dict[str, Any]:
    job_arn = arn(context, _KIND.resource, request["ProcessingJobName"])
    return {
        f"{CONTAINER_ROOT}/config/processingjobconfig.json": {"ProcessingJobArn": job_arn, **request},
        f"{CONTAINER_ROOT}/config/resourceconfig.json": {
            "current_host": "algo-1",
            "current_instance_type": request["ProcessingResources"]["ClusterConfig"]["InstanceType"],
            "hosts": ["algo-1"],
        },
    }


def _source(item: Mapping[str, Any]) -> S3Source:
    source = item["S3Input"]
    return S3Source(
        name=item["InputName"],
        uri=source["S3Uri"],
        local_path=source.get("LocalPath") or f"{CONTAINER_ROOT}/processing/input/{item['InputName']}",
        manifest=source["S3DataType"] == "ManifestFile",
    )


def _destination(item: Mapping[str, Any]) -> S3Destination:
    output = item["S3Output"]
    return S3Destination(
        name=item["OutputName"],
        uri=output["S3Uri"],
        local_path=output.get("LocalPath") or f"{CONTAINER_ROOT}/processing/output/{item['OutputName']}",
    )
