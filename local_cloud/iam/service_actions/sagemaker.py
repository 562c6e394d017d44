"""SageMaker, its runtime and its feature store: API operations to resources.

SageMaker evaluates resource names in lower case, whatever case the resource was created with. A model package is
registered and listed as `model-package/<group>/*`, because its version is not known before.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission, permissions

_NOUN_OPERATION = re.compile(r"(?:Create|Describe|Delete|Update|Start|Stop)(\w+)")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")

# Nouns whose parameter is "<noun>Name" and whose resource type is the noun in kebab case.
_REGULAR_NOUNS = (
    "Action",
    "Algorithm",
    "CodeRepository",
    "CompilationJob",
    "Context",
    "Endpoint",
    "EndpointConfig",
    "Experiment",
    "FeatureGroup",
    "HyperParameterTuningJob",
    "Image",
    "InferenceComponent",
    "LabelingJob",
    "Model",
    "ModelCard",
    "ModelPackage",
    "ModelPackageGroup",
    "MonitoringSchedule",
    "NotebookInstance",
    "Pipeline",
    "ProcessingJob",
    "TrainingJob",
    "TransformJob",
)

# noun or operation -> (parameter that names the resource, resource type; "" where the parameter is an ARN)
_RESOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **{noun: (f"{noun}Name", _WORD.sub("-", noun).lower()) for noun in _REGULAR_NOUNS},
        "AutoMLJob": ("AutoMLJobName", "automl-job"),
        "AutoMLJobV2": ("AutoMLJobName", "automl-job"),
        "DataQualityJobDefinition": ("JobDefinitionName", "data-quality-job-definition"),
        "Domain": ("DomainId", "domain"),
        "EndpointWeightsAndCapacities": ("EndpointName", "endpoint"),
        "FeatureMetadata": ("FeatureGroupName", "feature-group"),
        "InferenceRecommendationsJob": ("JobName", "inference-recommendations-job"),
        "MlflowTrackingServer": ("TrackingServerName", "mlflow-tracking-server"),
        "ModelBiasJobDefinition": ("JobDefinitionName", "model-bias-job-definition"),
        "ModelExplainabilityJobDefinition": ("JobDefinitionName", "model-explainability-job-definition"),
        "ModelPackageGroupPolicy": ("ModelPackageGroupName", "model-package-group"),
        "ModelQualityJobDefinition": ("JobDefinitionName", "model-quality-job-definition"),
        "PipelineDefinitionForExecution": ("PipelineExecutionArn", ""),
        "PipelineExecution": ("PipelineExecutionArn", ""),
        "PipelineVersion": ("PipelineArn", ""),
        "Record": ("FeatureGroupName", "feature-group"),
        "Trial": ("TrialName", "experiment-trial"),
        "TrialComponent": ("TrialComponentName", "experiment-trial-component"),
        "AddTags": ("ResourceArn", ""),
        "AssociateTrialComponent": ("TrialComponentName", "experiment-trial-component"),
        "BatchPutMetrics": ("TrialComponentName", "experiment-trial-component"),
        "DeleteTags": ("ResourceArn", ""),
        "DisassociateTrialComponent": ("TrialComponentName", "experiment-trial-component"),
        "GetModelPackageGroupPolicy": ("ModelPackageGroupName", "model-package-group"),
        "GetRecord": ("FeatureGroupName", "feature-group"),
        "InvokeEndpoint": ("EndpointName", "endpoint"),
        "InvokeEndpointAsync": ("EndpointName", "endpoint"),
        "InvokeEndpointWithResponseStream": ("EndpointName", "endpoint"),
        "ListModelCardVersions": ("ModelCardName", "model-card"),
        "ListPipelineExecutions": ("PipelineName", "pipeline"),
        "ListPipelineExecutionSteps": ("PipelineExecutionArn", ""),
        "ListPipelineParametersForExecution": ("PipelineExecutionArn", ""),
        "ListPipelineVersions": ("PipelineName", "pipeline"),
        "ListTags": ("ResourceArn", ""),
        "ListTrainingJobsForHyperParameterTuningJob": ("HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
        "PutModelPackageGroupPolicy": ("ModelPackageGroupName", "model-package-group"),
        "PutRecord": ("FeatureGroupName", "feature-group"),
        "RetryPipelineExecution": ("PipelineExecutionArn", ""),
        "SendPipelineExecutionStepFailure": ("PipelineExecutionArn", ""),
        "SendPipelineExecutionStepSuccess": ("PipelineExecutionArn", ""),
        "StartPipelineExecution": ("PipelineName", "pipeline"),
        "UpdateMonitoringAlert": ("MonitoringScheduleName", "monitoring-schedule"),
        "UpdateModelPackage": ("ModelPackageArn", "model-package"),
    }
)

# A second resource that the same action is checked against.
_FURTHER_RESOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "AssociateTrialComponent": ("TrialName", "experiment-trial"),
        "CreateEndpoint": ("EndpointConfigName", "endpoint-config"),
        "CreateInferenceComponent": ("EndpointName", "endpoint"),
        "CreateTrial": ("ExperimentName", "experiment"),
        "DisassociateTrialComponent": ("TrialName", "experiment-trial"),
        "UpdateEndpoint": ("EndpointConfigName", "endpoint-config"),
    }
)


def required(call: ApiCall) -> tuple[Permission, ...]:
    """Permissions of a SageMaker call; a create with tags also needs sagemaker:AddTags on the new resource."""
    resources = tuple(_resources(call))
    needed = permissions(f"sagemaker:{call.operation}", resources)
    if call.operation.startswith("Create") and call.structures("Tags"):
        return (*needed, Permission("sagemaker:AddTags", needed[0].resource))
    return needed


def _resources(call: ApiCall) -> Iterator[str]:
    if call.operation in ("CreateModelPackage", "ListModelPackages"):
        yield _packages_of_group(call)
        return
    if call.operation == "BatchDescribeModelPackage":
        yield from (_lower_case(arn) for arn in call.texts("ModelPackageArnList"))
        return
    if call.operation in ("BatchGetRecord", "BatchWriteRecord"):
        for identifier in call.structures("Identifiers"):
            yield _arn(call, "feature-group", str(identifier.get("FeatureGroupName")))
        return
    noun = _NOUN_OPERATION.fullmatch(call.operation)
    primary = _RESOURCES.get(call.operation) or (_RESOURCES.get(noun.group(1)) if noun else None)
    for entry in (primary, _FURTHER_RESOURCES.get(call.operation)):
        if entry is not None and (name := call.text(entry[0])) is not None:
            yield _arn(call, entry[1], name)


def _packages_of_group(call: ApiCall) -> str:
    """`model-package/<group>/*` of a versioned package, `model-package/<name>` of an unversioned one."""
    group = call.text("ModelPackageGroupName")
    if group is None:
        return _arn(call, "model-package", call.text("ModelPackageName") or "*")
    if group.startswith("arn:"):
        return _lower_case(group).replace(":model-package-group/", ":model-package/", 1) + "/*"
    return _arn(call, "model-package", f"{group}/*")


def _arn(call: ApiCall, resource_type: str, name: str) -> str:
    if name.startswith("arn:"):
        return _lower_case(name)
    return call.arn("sagemaker", f"{resource_type}/{name.lower()}")


def _lower_case(arn: str) -> str:
    """The ARN with its resource in lower case."""
    prefix, separator, resource = arn.rpartition(":")
    return f"{prefix}{separator}{resource.lower()}"
