"""The definition of the car_prices pipeline: what runs, on what, and when a model is offered for approval.

ValidateData -> Preprocess -> Train -> Export -> Evaluate and Baseline -> CheckQuality -> RegisterModel or RejectModel.

Compiled by `sagemaker_pipelines.compile` in a process of its own; imports the SageMaker SDK, so nothing else may
import this module.
"""

from typing import Any

from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import (
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from sagemaker_pipelines.car_prices.registration import Evidence, package_request
from sagemaker_pipelines.definition import DefinitionInputs
from sagemaker_pipelines.sdk_steps import (
    Input,
    Output,
    RegisterModelStep,
    StepFactory,
    offline_session,
    output_of,
)

_STEPS = "sagemaker_pipelines.car_prices.steps"
_EVALUATION = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
_EXPORT = PropertyFile(name="Export", output_name="export", path="export.json")
# Names of the metrics as experiment tracking shows them, with the pattern of the Train step's log line.
_TRAINING_METRICS = {
    f"validation:{name}": rf"winner-validation-{name}=([-0-9.e+]+);" for name in ("mae", "rmse", "mape", "bias", "r2")
}


class _Parameters:
    """The pipeline's parameters, with the names that start-training and people use."""

    def __init__(self, inputs: DefinitionInputs) -> None:
        root = f"s3://{inputs.artifact_bucket}/pipelines/{inputs.pipeline_name}"
        # What Evaluate reads as "champion" while there is none. ValidateData writes it, so it always exists.
        self.no_champion_uri = f"{root}/no-champion"
        self.data_version = ParameterString("DataVersion")
        self.snapshot_files = ParameterString("SnapshotFiles")
        self.commit = ParameterString("Commit", default_value="unrecorded")
        self.champion_arn = ParameterString("ChampionModelPackageArn", default_value="none")
        self.champion_uri = ParameterString("ChampionModelUri", default_value=self.no_champion_uri)
        self.holdout_years = ParameterInteger("HoldoutYears", default_value=1)
        self.validation_years = ParameterInteger("ValidationYears", default_value=1)
        self.minimum_rows = ParameterInteger("MinimumRows", default_value=500)
        self.ridge_alphas = ParameterString("RidgeAlphas", default_value="0.3,1,3")
        self.tree_leaves = ParameterString("TreeLeaves", default_value="31,8")
        self.tree_iterations = ParameterInteger("TreeIterations", default_value=200)
        self.maximum_mape = ParameterFloat("MaximumMape", default_value=15.0)
        self.maximum_bias = ParameterFloat("MaximumBias", default_value=10.0)
        self.maximum_slice_mape = ParameterFloat("MaximumSliceMape", default_value=40.0)
        self.minimum_improvement = ParameterFloat("MinimumImprovement", default_value=0.0)
        self.processing_instance_type = ParameterString(
            "ProcessingInstanceType", default_value=inputs.processing_instance_type
        )
        self.training_instance_type = ParameterString(
            "TrainingInstanceType", default_value=inputs.training_instance_type
        )
        self.inference_instance_type = ParameterString(
            "InferenceInstanceType", default_value=inputs.inference_instance_type
        )

    def all(self) -> list[Any]:
        """Every parameter, in the order of its definition."""
        return [value for value in vars(self).values() if not isinstance(value, str)]


def build_pipeline(inputs: DefinitionInputs) -> Pipeline:
    """The pipeline as an SDK object; its `definition()` is the JSON text."""
    parameters = _Parameters(inputs)
    factory = StepFactory(
        inputs=inputs,
        session=offline_session(inputs.artifact_bucket),
        processing_instance_type=parameters.processing_instance_type,
        training_instance_type=parameters.training_instance_type,
    )
    validate = _validate_data(factory, parameters)
    preprocess = _preprocess(factory, parameters, validate)
    train = _train(factory, parameters, preprocess)
    export = _export(factory, parameters, preprocess=preprocess, train=train)
    evaluate = _evaluate(factory, parameters, preprocess=preprocess, export=export)
    baseline = _baseline(factory, preprocess=preprocess, export=export)
    evidence = Evidence(
        model_uri=Join(on="/", values=[output_of(export, "model"), "model.tar.gz"]),
        evaluation_uri=Join(on="/", values=[output_of(evaluate, "evaluation"), "evaluation.json"]),
        report_uri=Join(on="/", values=[output_of(evaluate, "evaluation"), "report.html"]),
        baseline_uri=output_of(baseline, "baseline"),
        artifact_sha256=JsonGet(step_name="Export", property_file=_EXPORT, json_path="artifact_sha256", step=export),
        metrics={name: _evaluated(evaluate, f"regression_metrics.{name}.value") for name in ("mae", "mape", "r2")},
        data_version=parameters.data_version,
        commit=parameters.commit,
        champion=parameters.champion_arn,
        instance_type=parameters.inference_instance_type,
    )
    check = _check_quality(evaluate, package_request(inputs, evidence))
    return Pipeline(
        name=inputs.pipeline_name,
        parameters=parameters.all(),
        steps=[validate, preprocess, train, export, evaluate, baseline, check],
        sagemaker_session=factory.session,
    )


def _evaluated(evaluate: ProcessingStep, path: str) -> JsonGet:
    return JsonGet(step_name="Evaluate", property_file=_EVALUATION, json_path=path, step=evaluate)


def _validate_data(factory: StepFactory, parameters: _Parameters) -> ProcessingStep:
    return factory.processing(
        "ValidateData",
        module=f"{_STEPS}.validate_data",
        inputs=[Input("snapshot", parameters.snapshot_files, data_type="ManifestFile")],
        outputs=[Output("validated"), Output("no-champion", parameters.no_champion_uri)],
        environment={"MINIMUM_ROWS": parameters.minimum_rows.to_string()},
        description="Checks every row of the snapshot against the data contract and joins the files.",
    )


def _preprocess(factory: StepFactory, parameters: _Parameters, validate: ProcessingStep) -> ProcessingStep:
    return factory.processing(
        "Preprocess",
        module=f"{_STEPS}.preprocess",
        inputs=[Input("validated", output_of(validate, "validated"))],
        outputs=[Output(name) for name in ("train", "validation", "holdout", "features")],
        environment={
            "HOLDOUT_YEARS": parameters.holdout_years.to_string(),
            "VALIDATION_YEARS": parameters.validation_years.to_string(),
        },
        description="Splits the data forward in model years and fits the feature specifications.",
    )


def _train(factory: StepFactory, parameters: _Parameters, preprocess: ProcessingStep) -> TrainingStep:
    return factory.training(
        "Train",
        module=f"{_STEPS}.train",
        channels={name: output_of(preprocess, name) for name in ("train", "validation", "features")},
        hyperparameters={
            "seed": "20",
            "ridge_alphas": parameters.ridge_alphas,
            "tree_leaves": parameters.tree_leaves,
            "tree_iterations": parameters.tree_iterations.to_string(),
        },
        metrics=_TRAINING_METRICS,
        description="Fits every candidate and keeps the one that predicts the validation years best.",
    )


def _export(
    factory: StepFactory, parameters: _Parameters, *, preprocess: ProcessingStep, train: TrainingStep
) -> ProcessingStep:
    return factory.processing(
        "Export",
        module=f"{_STEPS}.export",
        inputs=[
            Input("trained", train.properties.ModelArtifacts.S3ModelArtifacts),
            Input("holdout", output_of(preprocess, "holdout")),
        ],
        outputs=[Output("model"), Output("export")],
        environment={"DATA_VERSION": parameters.data_version, "COMMIT": parameters.commit},
        property_files=[_EXPORT],
        description="Converts the model to ONNX and proves that both forms predict the same.",
    )


def _evaluate(
    factory: StepFactory, parameters: _Parameters, *, preprocess: ProcessingStep, export: ProcessingStep
) -> ProcessingStep:
    return factory.processing(
        "Evaluate",
        module=f"{_STEPS}.evaluate",
        inputs=[
            Input("model", output_of(export, "model")),
            Input("holdout", output_of(preprocess, "holdout")),
            Input("features", output_of(preprocess, "features")),
            Input("champion", parameters.champion_uri),
        ],
        outputs=[Output("evaluation")],
        environment={
            "CHAMPION_MODEL_PACKAGE_ARN": parameters.champion_arn,
            "MAXIMUM_MAPE": parameters.maximum_mape.to_string(),
            "MAXIMUM_BIAS": parameters.maximum_bias.to_string(),
            "MAXIMUM_SLICE_MAPE": parameters.maximum_slice_mape.to_string(),
            "MINIMUM_IMPROVEMENT": parameters.minimum_improvement.to_string(),
        },
        property_files=[_EVALUATION],
        description="Judges the exported model on the newest model years and against the champion.",
    )


def _baseline(factory: StepFactory, *, preprocess: ProcessingStep, export: ProcessingStep) -> ProcessingStep:
    return factory.processing(
        "Baseline",
        module=f"{_STEPS}.baseline",
        inputs=[
            Input("model", output_of(export, "model")),
            Input("validation", output_of(preprocess, "validation")),
            Input("holdout", output_of(preprocess, "holdout")),
        ],
        outputs=[Output("baseline")],
        environment={},
        description="Writes down what the monitors compare the model with once it is live.",
    )


def _check_quality(evaluate: ProcessingStep, request: dict[str, Any]) -> ConditionStep:
    register = RegisterModelStep(
        "RegisterModel", request=request, description="Offers the model for approval; nothing approves itself."
    )
    reject = FailStep(
        name="RejectModel",
        error_message=Join(on=": ", values=["The candidate was rejected", _evaluated(evaluate, "decision.summary")]),
        description="Ends the execution with the reasons of the evaluation.",
    )
    return ConditionStep(
        name="CheckQuality",
        conditions=[ConditionEquals(left=_evaluated(evaluate, "decision.accepted"), right=1)],
        if_steps=[register],
        else_steps=[reject],
        description="Is every limit kept, and is the champion beaten?",
    )
