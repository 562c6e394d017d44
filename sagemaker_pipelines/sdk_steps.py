"""Pipeline steps in this project's conventions, built with SageMaker SDK v3 and without any call to AWS.

Conventions: a job runs `python -m <module>` in the one runtime image, has no network, writes below
s3://<artifact bucket>/pipelines/<pipeline>/<execution id>/<step>/ under the project's KMS key, and is cached for 30
days on image, arguments, environment and inputs. The SDK's own script mode is not used: it uploads code at compile
time under names with a time stamp, so that two compilations differ.

Import this module in a process of its own (see `compile`): the SDK takes seconds to load and needs a region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    MetricDefinition,
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute, InputData, Networking, StoppingCondition
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import Properties, PropertyFile
from sagemaker.mlops.workflow.steps import (
    CacheConfig,
    ConfigurableRetryStep,
    ProcessingStep,
    StepTypeEnum,
    TrainingStep,
)
from sagemaker.train import ModelTrainer

from sagemaker_pipelines.definition import DefinitionInputs

CACHE = CacheConfig(enable_caching=True, expire_after="P30D")
MAXIMUM_RUNTIME_SECONDS = 3600
VOLUME_GB = 10
# Anything of SDK type: a string or a pipeline variable such as a parameter, a property or a Join.
Value = Any


@dataclass(frozen=True)
class Input:
    """An S3 input of a processing job, at /opt/ml/processing/<name>."""

    name: str
    uri: Value
    data_type: str = "S3Prefix"


@dataclass(frozen=True)
class Output:
    """An S3 output of a processing job, from /opt/ml/processing/<name>; `uri` only where the usual one will not do."""

    name: str
    uri: Value | None = None


def offline_session(bucket: str) -> PipelineSession:
    """A session that records requests and never sends one."""
    session = PipelineSession(boto_session=boto3.Session(region_name="us-east-1"), default_bucket=bucket)
    # Otherwise the SDK asks S3 whether the bucket exists and creates it if not.
    session._default_bucket = bucket
    return session


@dataclass(frozen=True)
class StepFactory:
    """Makes the steps of one pipeline."""

    inputs: DefinitionInputs
    session: PipelineSession
    processing_instance_type: Value
    training_instance_type: Value

    def output_uri(self, step: str, *names: str) -> Join:
        """S3 URI of a step's output in the running execution."""
        root = f"s3://{self.inputs.artifact_bucket}/pipelines/{self.inputs.pipeline_name}"
        return Join(on="/", values=[root, ExecutionVariables.PIPELINE_EXECUTION_ID, step, *names])

    def processing(
        self,
        name: str,
        *,
        module: str,
        inputs: Sequence[Input],
        outputs: Sequence[Output],
        environment: Mapping[str, Value],
        property_files: Sequence[PropertyFile] = (),
        description: str,
        cached: bool = True,
    ) -> ProcessingStep:
        """A processing job that runs one module."""
        processor = Processor(
            role=self.inputs.job_role_arn,
            image_uri=self.inputs.image_uri,
            instance_count=1,
            instance_type=self.processing_instance_type,
            entrypoint=["python", "-m", module],
            volume_size_in_gb=VOLUME_GB,
            volume_kms_key=self.inputs.kms_key_arn,
            output_kms_key=self.inputs.kms_key_arn,
            max_runtime_in_seconds=MAXIMUM_RUNTIME_SECONDS,
            env=dict(environment),
            network_config=NetworkConfig(enable_network_isolation=True),
            sagemaker_session=self.session,
        )
        arguments = processor.run(
            inputs=[_processing_input(one) for one in inputs],
            outputs=[_processing_output(one, one.uri or self.output_uri(name, one.name)) for one in outputs],
        )
        return ProcessingStep(
            name=name,
            step_args=arguments,
            property_files=list(property_files),
            cache_config=CACHE if cached else None,
            description=description,
        )

    def training(
        self,
        name: str,
        *,
        module: str,
        channels: Mapping[str, Value],
        hyperparameters: Mapping[str, Value],
        metrics: Mapping[str, str],
        description: str,
    ) -> TrainingStep:
        """A cached training job that runs one module; `metrics` maps names to the patterns of their log lines."""
        trainer = ModelTrainer(
            training_image=self.inputs.image_uri,
            role=self.inputs.job_role_arn,
            base_job_name=name,
            compute=Compute(
                instance_type=self.training_instance_type,
                instance_count=1,
                volume_size_in_gb=VOLUME_GB,
                volume_kms_key_id=self.inputs.kms_key_arn,
            ),
            networking=Networking(enable_network_isolation=True),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=MAXIMUM_RUNTIME_SECONDS),
            output_data_config=OutputDataConfig(
                s3_output_path=self.output_uri(name), kms_key_id=self.inputs.kms_key_arn
            ),
            hyperparameters=dict(hyperparameters),
            sagemaker_session=self.session,
        ).with_metric_definitions([MetricDefinition(name=metric, regex=pattern) for metric, pattern in metrics.items()])
        data = [InputData(channel_name=channel, data_source=uri) for channel, uri in channels.items()]
        step = _ModuleTrainingStep(
            name=name, step_args=trainer.train(input_data_config=data), cache_config=CACHE, description=description
        )
        step.module = module
        return step


class _ModuleTrainingStep(TrainingStep):  # type: ignore[misc]  # the SDK has no type information
    """A training job with an entry point of its own: ModelTrainer has one only for code that it uploads itself."""

    module = ""

    @property
    def arguments(self) -> dict[str, Any]:
        request: dict[str, Any] = dict(super().arguments)
        specification = request["AlgorithmSpecification"]
        specification["ContainerEntrypoint"] = ["python", "-m", self.module]
        return request


class RegisterModelStep(ConfigurableRetryStep):  # type: ignore[misc]  # the SDK has no type information
    """A RegisterModel step from a CreateModelPackage request.

    ModelBuilder.register(), the SDK's way, infers containers and payloads from a model that does not exist at compile
    time and asks AWS for buckets and images; the request that it would make is this one.
    """

    def __init__(self, name: str, *, request: Mapping[str, Any], description: str) -> None:
        super().__init__(name=name, step_type=StepTypeEnum.REGISTER_MODEL, description=description)
        self._request = dict(request)
        self._properties = Properties(step_name=name, step=self, shape_name="DescribeModelPackageOutput")

    @property
    def arguments(self) -> dict[str, Any]:
        """The request, with pipeline variables in it."""
        return self._request

    @property
    def properties(self) -> Properties:
        """Properties of the model package, for later steps."""
        return self._properties


def output_of(step: ProcessingStep, name: str) -> Value:
    """S3 URI of a processing step's output: also right when the step is taken from the cache."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _processing_input(one: Input) -> ProcessingInput:
    return ProcessingInput(
        input_name=one.name,
        s3_input=ProcessingS3Input(
            s3_uri=one.uri,
            local_path=f"/opt/ml/processing/{one.name}",
            s3_data_type=one.data_type,
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
        ),
    )


def _processing_output(one: Output, uri: Value) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=one.name,
        s3_output=ProcessingS3Output(
            s3_uri=uri, local_path=f"/opt/ml/processing/{one.name}", s3_upload_mode="EndOfJob"
        ),
    )
