"""The definition of the pipeline that watches a live model: one step, Analyze, over one window of captured requests.

The same for every project: which monitor, window, version and baseline it is about arrives as parameters, from the
function that the schedule calls. Compiled by `sagemaker_pipelines.compile` in a process of its own; imports the
SageMaker SDK, so nothing else may import this module.
"""

from collections.abc import Mapping

from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow.pipeline import Pipeline

from sagemaker_pipelines.definition import DefinitionInputs
from sagemaker_pipelines.sdk_steps import Input, Output, StepFactory, Value, offline_session

_PROCESSING = "/opt/ml/processing"
_TEXTS = (
    *("Monitor", "Analyses", "WindowStart", "WindowEnd", "ModelPackageArn", "EndpointName", "VariantName"),
    *("WindowFiles", "BaselineUri", "ModelUri", "OutputUri", "LabelledUri"),
)


def build_pipeline(inputs: DefinitionInputs) -> Pipeline:
    """The pipeline as an SDK object; its `definition()` is the JSON text."""
    parameters = {name: ParameterString(name) for name in _TEXTS}
    instance_type = ParameterString("ProcessingInstanceType", default_value=inputs.processing_instance_type)
    session = offline_session(inputs.artifact_bucket)
    factory = StepFactory(
        inputs=inputs,
        session=session,
        processing_instance_type=instance_type,
        training_instance_type=instance_type,
    )
    analyze = factory.processing(
        "Analyze",
        module="drift_monitor.job",
        inputs=[
            # Lists the request itself, too: SageMaker fails a job whose input is empty, and no traffic is no failure.
            Input("window", parameters["WindowFiles"], data_type="ManifestFile"),
            Input("baseline", parameters["BaselineUri"]),
            Input("model", parameters["ModelUri"]),
        ],
        outputs=[Output("result", parameters["OutputUri"]), Output("labelled", parameters["LabelledUri"])],
        environment=_environment(parameters),
        description="Compares the window with the baseline of the live version and reports what stands out.",
        cached=False,
    )
    return Pipeline(
        name=inputs.pipeline_name,
        parameters=[*parameters.values(), instance_type],
        steps=[analyze],
        sagemaker_session=session,
    )


def _environment(parameters: Mapping[str, ParameterString]) -> dict[str, Value]:
    """Model Monitor's container contract, and what ours knows beyond it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
    """
    return {
        "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
        "dataset_source": f"{_PROCESSING}/window",
        "output_path": f"{_PROCESSING}/result",
        "publish_cloudwatch_metrics": "Enabled",
        "baseline_statistics": f"{_PROCESSING}/baseline/statistics.json",
        "baseline_constraints": f"{_PROCESSING}/baseline/constraints.json",
        "start_time": parameters["WindowStart"],
        "end_time": parameters["WindowEnd"],
        "sagemaker_endpoint_name": parameters["EndpointName"],
        "sagemaker_monitoring_schedule_name": parameters["Monitor"],
        "analyses": parameters["Analyses"],
        "model_package_arn": parameters["ModelPackageArn"],
        "variant_name": parameters["VariantName"],
        "model_path": f"{_PROCESSING}/model/model.tar.gz",
        "labelled_path": f"{_PROCESSING}/labelled",
    }
