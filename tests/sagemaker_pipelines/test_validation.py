"""Each mistake that people make in a definition is found, with the step and the field."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_pipelines.validation import main, validate_definition
from tests.sagemaker_pipelines.definitions import car_prices_definition, step_of

Spoil = Callable[[dict[str, Any]], None]


def _set(step: str, *path: str | int, value: Any) -> Spoil:
    def spoil(definition: dict[str, Any]) -> None:
        target: Any = step_of(definition, step)
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return spoil


def _remove(step: str, *path: str | int) -> Spoil:
    def spoil(definition: dict[str, Any]) -> None:
        target: Any = step_of(definition, step)
        for key in path[:-1]:
            target = target[key]
        del target[path[-1]]

    return spoil


def _metrics_source(definition: dict[str, Any]) -> None:
    source = step_of(definition, "RegisterModel")["Arguments"]["ModelMetrics"]["ModelQuality"]["Statistics"]
    source["ContentType"], source["S3Uri"] = source["S3Uri"], source["ContentType"]


def _duplicate(definition: dict[str, Any]) -> None:
    definition["Steps"].append(dict(step_of(definition, "Train")))


def _add_default(definition: dict[str, Any]) -> None:
    definition["Parameters"].append({"Name": "Extra", "Type": "Integer", "DefaultValue": "7"})


S3_URI = ("Arguments", "ProcessingInputs", 0, "S3Input", "S3Uri")
VALIDATED = "Steps.ValidateData.ProcessingOutputConfig.Outputs"

MISTAKES: dict[str, tuple[Spoil, str]] = {
    "unknown parameter": (
        _set("ValidateData", *S3_URI, value={"Get": "Parameters.Snapshot"}),
        "step ValidateData, Arguments.ProcessingInputs[0].S3Input.S3Uri: there is no parameter 'Snapshot'",
    ),
    "unknown step": (
        _set("Preprocess", *S3_URI, value={"Get": "Steps.Validate.ProcessingOutputConfig"}),
        "step Preprocess, Arguments.ProcessingInputs[0].S3Input.S3Uri: there is no step 'Validate'",
    ),
    "unknown property": (
        _set("Export", *S3_URI, value={"Get": "Steps.Train.ModelArtifacts.S3Model"}),
        "step Export, Arguments.ProcessingInputs[0].S3Input.S3Uri: the Training step 'Train' has no property",
    ),
    "unknown output": (
        _set("Preprocess", *S3_URI, value={"Get": f"{VALIDATED}['data'].S3Output.S3Uri"}),
        "the Processing step 'ValidateData' has no output 'data'; it has: no-champion, validated",
    ),
    "property that is no value": (
        _set("Preprocess", *S3_URI, value={"Get": f"{VALIDATED}['validated'].S3Output"}),
        "of the Processing step 'ValidateData' is a structure, no value",
    ),
    "unknown execution variable": (
        _set("RegisterModel", "Arguments", "CustomerMetadataProperties", "commit", value={"Get": "Execution.Arn"}),
        "step RegisterModel, Arguments.CustomerMetadataProperties.commit: there is no execution variable 'Arn'",
    ),
    "reference into a branch": (
        _set("Evaluate", "Arguments", "Environment", "X", value={"Get": "Steps.RegisterModel.ModelPackageArn"}),
        "step Evaluate, Arguments.Environment.X: the step 'RegisterModel' is in the branch CheckQuality.IfSteps",
    ),
    "unknown condition type": (
        _set("CheckQuality", "Arguments", "Conditions", 0, "Type", value="ConditionEquals"),
        "step CheckQuality, Arguments.Conditions[0].Type: 'ConditionEquals' is no condition type",
    ),
    "step of no type": (
        _set("Train", "Type", value="TrainingJob"),
        "step Train, Type: 'TrainingJob' is no step type",
    ),
    "missing member": (
        _remove("Train", "Arguments", "OutputDataConfig"),
        "step Train, Arguments.OutputDataConfig: is missing",
    ),
    "unknown member": (
        _set("Train", "Arguments", "Bogus", value=1),
        "step Train, Arguments.Bogus: unknown member of CreateTrainingJobRequest",
    ),
    "value of no enumeration": (
        _set("RegisterModel", "Arguments", "ModelApprovalStatus", value="Pending"),
        "step RegisterModel, Arguments.ModelApprovalStatus: 'Pending' is none of Approved",
    ),
    "wrong pattern": (
        _metrics_source,
        "step RegisterModel, Arguments.ModelMetrics.ModelQuality.Statistics.S3Uri: 'application/json' does not match",
    ),
    "number too small": (
        _set("Train", "Arguments", "StoppingCondition", "MaxRuntimeInSeconds", value=0),
        "step Train, Arguments.StoppingCondition.MaxRuntimeInSeconds: 0 is less than the minimum of 1",
    ),
    "number for a string": (
        _set("Train", "Arguments", "HyperParameters", "seed", value=20),
        "step Train, Arguments.HyperParameters.seed: should be a string, not 20",
    ),
    "number parameter for a string": (
        _set("Train", "Arguments", "HyperParameters", "seed", value={"Get": "Parameters.TreeIterations"}),
        "step Train, Arguments.HyperParameters.seed: needs a string, but the parameter 'TreeIterations' is Integer",
    ),
    "property file of no output": (
        _set("Evaluate", "PropertyFiles", 0, "OutputName", value="report"),
        "step Evaluate, PropertyFiles[0].OutputName: 'report' is no output of the step; there are: evaluation",
    ),
    "condition on no property file": (
        _remove("Evaluate", "PropertyFiles"),
        "step CheckQuality, Arguments.Conditions[0].LeftValue.Std:JsonGet.PropertyFile: the step 'Evaluate' has no "
        "property file 'Evaluation'",
    ),
    "unknown dependency": (
        _set("Train", "DependsOn", value=["Prepare"]),
        "step Train, DependsOn: there is no step 'Prepare'",
    ),
    "cycle": (
        _set("ValidateData", "DependsOn", value=["Evaluate"]),
        "the steps wait for each other: ",
    ),
    "name used twice": (_duplicate, "step Train, Name: 2 steps have this name"),
    "duration": (
        _set("Train", "CacheConfig", "ExpireAfter", value="30 days"),
        "step Train, CacheConfig.ExpireAfter: '30 days' is no ISO 8601 duration",
    ),
    "default of another type": (_add_default, "definition, Parameters.Extra: DefaultValue '7' is no Integer"),
}


def test_the_project_s_definition_has_no_findings() -> None:
    """What we deploy passes."""
    assert validate_definition(car_prices_definition()) == []


@pytest.mark.parametrize(("spoil", "message"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_named_with_step_and_field(spoil: Spoil, message: str) -> None:
    """One mistake in an otherwise good definition is found, where it is."""
    definition = car_prices_definition()
    spoil(definition)

    findings = [str(finding) for finding in validate_definition(definition)]

    assert any(message in finding for finding in findings), findings


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"Version": "2020-12-01", "Steps": []}, "Steps: should be a list with at least one step"),
        ({"Version": "1", "Steps": [{"Name": "A"}]}, "Version: should be '2020-12-01'"),
        ({"Version": "2020-12-01", "Steps": ["A"]}, "Steps[0]: should have a Name"),
        ({"Version": "2020-12-01", "Steps": [{"Name": "A"}], "Steps2": []}, "Steps2: unknown member"),
    ],
)
def test_what_is_no_definition_at_all_is_said_so(definition: dict[str, Any], message: str) -> None:
    """A malformed document gives findings, not an exception."""
    assert any(message in str(finding) for finding in validate_definition(definition))


def test_the_command_prints_findings_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script can rely on the exit status."""
    definition = car_prices_definition()
    step_of(definition, "Train")["Type"] = "Nope"
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(definition))

    assert main([str(path)]) == 1
    assert "step Train, Type: 'Nope' is no step type" in capsys.readouterr().out


def test_the_command_names_a_file_that_is_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No stack trace for a wrong file."""
    path = tmp_path / "definition.json"
    path.write_text("{")

    assert main([str(path)]) == 1
    assert "cannot be read as JSON" in capsys.readouterr().err
