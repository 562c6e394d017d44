"""The pipeline definition in the template is the compiled one, with what only a deployment knows put in."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.definition import PLACEHOLDERS
from tests.templates.conftest import Resource, Templates


def _pipeline(templates: Templates, stack: str = "Training") -> Resource:
    (pipeline,) = (
        pipeline
        for pipeline in templates.resources("AWS::SageMaker::Pipeline")
        if pipeline.stack == f"Cd4ml-dev-{stack}"
    )
    return pipeline


def _body(pipeline: Resource) -> list[Any]:
    separator, parts = pipeline.properties["PipelineDefinition"]["PipelineDefinitionBody"]["Fn::Join"]
    assert separator == ""
    return list(parts)


def test_the_definition_is_the_compiled_one(templates: Templates) -> None:
    """With every reference turned back into its placeholder, the template holds the compiled text."""
    text = _with_placeholders(_pipeline(templates))
    constants = {
        "car-prices-dev": PLACEHOLDERS.pipeline_name,
        PLACEHOLDERS.model_package_group: f"{PLACEHOLDERS.pipeline_name}-suffix-of-the-stack",
        PLACEHOLDERS.processing_instance_type: "ml.m5.large",
        PLACEHOLDERS.training_instance_type: "ml.m5.large",
        PLACEHOLDERS.inference_instance_type: "ml.m5.large",
    }
    expected = compiled_definition("car_prices")
    for value, replacement in constants.items():
        text, expected = text.replace(value, replacement), expected.replace(value, replacement)

    assert json.loads(text) == json.loads(expected)


def _with_placeholders(pipeline: Resource) -> str:
    placeholders = {
        "Jobs": PLACEHOLDERS.job_role_arn,
        "ArtifactsBucket": PLACEHOLDERS.artifact_bucket,
        "Encryption": PLACEHOLDERS.kms_key_arn,
        "container-assets": PLACEHOLDERS.image_uri,
        "AWS::StackId": "suffix-of-the-stack",
    }
    text = ""
    for part in _body(pipeline):
        if isinstance(part, str):
            text += part
        else:
            (known,) = (value for key, value in placeholders.items() if key in json.dumps(part))
            text += known
    return text


def test_the_monitoring_pipeline_is_the_compiled_one(templates: Templates) -> None:
    """The same for every project: what differs are its parameters, which the starting function gives all of."""
    text = _with_placeholders(_pipeline(templates, "Monitoring"))
    expected = compiled_definition("monitoring").replace(PLACEHOLDERS.processing_instance_type, "ml.m5.large")

    assert json.loads(text) == json.loads(expected)


def test_no_placeholder_is_left(templates: Templates) -> None:
    """Nothing in a template still stands for something else."""
    assert "placeholder" not in json.dumps(templates.by_stack)
    assert "111122223333" not in json.dumps(templates.by_stack)


@pytest.mark.parametrize("stack", ["Training", "Monitoring"])
def test_every_job_runs_under_the_job_role(templates: Templates, stack: str) -> None:
    """The jobs do not run with the rights of the pipeline itself."""
    pipeline = _pipeline(templates, stack)
    roles = {json.dumps(part) for part in _body(pipeline) if not isinstance(part, str) and "Role" in json.dumps(part)}

    assert len(roles) == 1
    assert json.dumps(pipeline.properties["RoleArn"]) not in roles


def test_the_image_is_an_asset_of_the_assembly(templates: Templates) -> None:
    """What the jobs run is built from files of this repository, for the machines that SageMaker has."""
    pipeline = _pipeline(templates)
    manifest = json.loads((templates.assembly / f"{pipeline.stack}.assets.json").read_text())
    ((image_hash, image),) = manifest["dockerImages"].items()

    for user in ("Training", "Monitoring"):
        assert image_hash in json.dumps(_body(_pipeline(templates, user))), user
    assert image["source"]["platform"] == "linux/amd64"
    assert (templates.assembly / image["source"]["directory"] / image["source"]["dockerFile"]).is_file()


def test_the_image_holds_what_its_modules_import(templates: Templates) -> None:
    """A job finds every module of ours that it imports, in the very files that the image is built from."""
    context = _build_context(templates)
    missing = [
        f"{file.relative_to(context)} imports {name}"
        for file in context.rglob("*.py")
        for name in _imported_modules(file)
        if name.split(".")[0] in ("sagemaker_pipelines", "data_contracts", "drift_monitor", "model_server")
        and not ((context / name.replace(".", "/")).is_dir() or (context / f"{name.replace('.', '/')}.py").is_file())
    ]

    assert list((context / "sagemaker_pipelines").rglob("steps/*.py"))
    assert missing == []


def test_the_image_does_not_change_with_the_definition(templates: Templates) -> None:
    """Builders stay out: a changed parameter or gate neither makes a new image nor empties the step cache."""
    context = _build_context(templates)

    assert not [
        file.relative_to(context)
        for file in context.rglob("*.py")
        if {"sagemaker", "boto3"} & {name.split(".")[0] for name in _imported_modules(file)}
    ]
    assert not list(context.rglob("pipeline.py"))
    assert {path.name for path in context.iterdir()} == {
        "data_contracts",
        "drift_monitor",
        "images",
        "model_server",
        "sagemaker_pipelines",
    }


def _build_context(templates: Templates) -> Path:
    pipeline = _pipeline(templates)
    manifest = json.loads((templates.assembly / f"{pipeline.stack}.assets.json").read_text())
    (image,) = manifest["dockerImages"].values()
    return templates.assembly / str(image["source"]["directory"])


def _imported_modules(file: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules
