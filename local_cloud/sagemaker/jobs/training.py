"""Training jobs: Create, Describe, List, Stop.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.jobs.execution import Tools
from local_cloud.sagemaker.jobs.job import Job, JobState
from local_cloud.sagemaker.jobs.plan import CONTAINER_ROOT, JobPlan, Program, S3Destination, S3Source
from local_cloud.sagemaker.jobs.summaries import list_jobs
from local_cloud.sagemaker.jobs.table import JobKind, JobTable
from local_cloud.sagemaker.refusals import refuse, refuse_value, single_instance
from local_cloud.sagemaker.resources import present
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid

_KIND = JobKind("training-job", "training", "SageMaker Training Job State Change", tells_phases=True)
_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_DEFAULT_SECONDS = 86400
_INPUT = f"{CONTAINER_ROOT}/input"
_REFUSED = (
    "AlgorithmSpecification.AlgorithmName",
    "InputDataConfig.DataSource.FileSystemDataSource",
    "InputDataConfig.DataSource.DatasetSource",
    "ResourceConfig.InstanceGroups",
    "ResourceConfig.InstancePreferences",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ProfilerRuleConfigurations",
    "RetryStrategy",
    "ServerlessJobConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "SessionChainingConfig",
)
_NOTE = (
    "One instance; FastFile channels are copied as File; a VPC and network isolation are recorded only; a role that "
    "may not write the job's log fails the job (on AWS the log is just missing)."
)


class TrainingJobs:
    """The API of training jobs."""

    def __init__(self, *, tools: Tools, events: EventBus, tags: Tags) -> None:
        self.table = JobTable(_KIND, tools=tools, events=events, describe=describe)
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateTrainingJob": Operation(self._create, note=_NOTE),
            "DescribeTrainingJob": Operation(self._describe),
            "ListTrainingJobs": Operation(self._list),
            "StopTrainingJob": Operation(self._stop),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        _check(params)
        job = self.table.start(context, name=params["TrainingJobName"], request=params, plan=_plan(params))
        self._tags.put(job.identity.arn, params.get("Tags"))
        return {"TrainingJobArn": job.identity.arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        return describe(self.table.find(context, params["TrainingJobName"]))

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("WarmPoolStatusEquals", "TrainingPlanArnEquals"))
        jobs, more = list_jobs(self.table.all(context), params)
        return {"TrainingJobSummaries": [_summary(job) for job in jobs], **more}

    def _stop(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        self.table.stop(context, params["TrainingJobName"])
        return {}


def describe(job: Job) -> dict[str, Any]:
    """The answer of DescribeTrainingJob."""
    request = {name: value for name, value in job.identity.request.items() if name != "Tags"}
    return request | _summary(job) | _progress(job.state, _artifact(job.identity.request, "model.tar.gz"))


def _progress(state: JobState, artifact: str) -> dict[str, Any]:
    seconds = int((state.ended - state.started).total_seconds()) if state.started and state.ended else None
    return present(
        {
            "ModelArtifacts": {"S3ModelArtifacts": artifact},
            "FailureReason": state.failure_reason,
            "TrainingStartTime": state.started,
            "SecondaryStatusTransitions": [
                present(
                    {
                        "Status": transition.status,
                        "StartTime": transition.start,
                        "EndTime": transition.end,
                        "StatusMessage": transition.message,
                    }
                )
                for transition in state.transitions
            ],
            "FinalMetricDataList": [dict(metric) for metric in state.metrics] or None,
            "TrainingTimeInSeconds": None if seconds is None else max(seconds, 1),
            "BillableTimeInSeconds": None if seconds is None else max(seconds, 1),
        }
    )


def _summary(job: Job) -> dict[str, Any]:
    return present(
        {
            "TrainingJobName": job.identity.name,
            "TrainingJobArn": job.identity.arn,
            "CreationTime": job.identity.created,
            "TrainingEndTime": job.state.ended,
            "LastModifiedTime": job.state.modified,
            "TrainingJobStatus": str(job.state.status),
            "SecondaryStatus": job.state.secondary,
        }
    )


def _check(request: Mapping[str, Any]) -> None:
    refuse(request, _REFUSED)
    refuse_value(request, "AlgorithmSpecification.TrainingInputMode", "Pipe", instead="File")
    refuse_value(request, "InputDataConfig.InputMode", "Pipe", instead="File")
    data_type = "InputDataConfig.DataSource.S3DataSource.S3DataType"
    refuse_value(request, data_type, "AugmentedManifestFile", "Converse", instead="S3Prefix or ManifestFile")
    single_instance(request.get("ResourceConfig", {}).get("InstanceCount"))
    for member, path in (("TrainingImage", "AlgorithmSpecification"), ("InstanceType", "ResourceConfig")):
        if member not in request.get(path, {}):
            raise invalid(f"{path}.{member} is required.")


def _plan(request: Mapping[str, Any]) -> JobPlan:
    algorithm = request["AlgorithmSpecification"]
    channels = request.get("InputDataConfig", ())
    entrypoint = tuple(algorithm.get("ContainerEntrypoint", ()))
    return JobPlan(
        program=Program(
            image_uri=algorithm["TrainingImage"],
            entrypoint=entrypoint,
            # Without an entrypoint of its own, SageMaker runs `docker run image train`.
            arguments=tuple(algorithm.get("ContainerArguments", () if entrypoint else ("train",))),
            environment=request.get("Environment", {}),
            metrics=tuple((item["Name"], item["Regex"]) for item in algorithm.get("MetricDefinitions", ())),
        ),
        sources=tuple(_source(channel) for channel in channels),
        destinations=_destinations(request),
        configuration=_configuration(request),
        folders=(f"{CONTAINER_ROOT}/model", f"{CONTAINER_ROOT}/output/data", f"{_INPUT}/data"),
        instance_type=request["ResourceConfig"]["InstanceType"],
        maximum_seconds=request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_SECONDS),
        log_group=_LOG_GROUP,
        kms_key_id=request["OutputDataConfig"].get("KmsKeyId") or None,
        keeps_output_when_stopped=True,
    )


def _configuration(request: Mapping[str, Any]) -> dict[str, Any]:
    instance_type = request["ResourceConfig"]["InstanceType"]
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": ["algo-1"]}
    return {
        f"{_INPUT}/config/hyperparameters.json": request.get("HyperParameters", {}),
        f"{_INPUT}/config/inputdataconfig.json": {
            channel["ChannelName"]: {
                "ContentType": channel.get("ContentType", ""),
                "TrainingInputMode": "File",
                "S3DistributionType": _s3(channel).get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            }
            for channel in request.get("InputDataConfig", ())
        },
        f"{_INPUT}/config/resourceconfig.json": {
            "current_host": "algo-1",
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        },
    }


def _destinations(request: Mapping[str, Any]) -> tuple[S3Destination, ...]:
    packed = request["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    return tuple(
        S3Destination(name, _artifact(request, f"{name}.tar.gz"), f"{CONTAINER_ROOT}/{folder}", archive=packed)
        for name, folder in (("model", "model"), ("output", "output/data"))
    )


def _artifact(request: Mapping[str, Any], archive: str) -> str:
    """Where an output goes: `<path>/<job>/output/model.tar.gz`, or the folder of that name if it is not packed."""
    output = request["OutputDataConfig"]
    name = archive if output.get("CompressionType", "GZIP") == "GZIP" else archive.removesuffix(".tar.gz") + "/"
    return f"{output['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output/{name}"


def _source(channel: Mapping[str, Any]) -> S3Source:
    source = _s3(channel)
    return S3Source(
        name=channel["ChannelName"],
        uri=source["S3Uri"],
        local_path=f"{_INPUT}/data/{channel['ChannelName']}",
        manifest=source["S3DataType"] == "ManifestFile",
    )


def _s3(channel: Mapping[str, Any]) -> Mapping[str, Any]:
    source: Mapping[str, Any] = channel["DataSource"]["S3DataSource"]
    return source
