"""The decisions of the definition: order, caching, isolation, encryption, and what a model package must say."""

import json
from typing import Any

import pytest

from sagemaker_pipelines.car_prices.steps import evaluate, preprocess, validate_data
from sagemaker_pipelines.definition import PLACEHOLDERS
from sagemaker_pipelines.validation_model import flatten_steps
from tests.sagemaker_pipelines.definitions import car_prices_definition, step_of
from tests.sagemaker_pipelines.jobs import ROOT

JOBS = ("ValidateData", "Preprocess", "Train", "Export", "Evaluate", "Baseline")


def _arguments(name: str) -> dict[str, Any]:
    arguments: dict[str, Any] = step_of(car_prices_definition(), name)["Arguments"]
    return arguments


def test_the_steps_are_those_of_the_layout_contract() -> None:
    """Other parts of the system know the steps by these names."""
    names = [step.name for step in flatten_steps(car_prices_definition()["Steps"])]

    assert names == [*JOBS, "CheckQuality", "RegisterModel", "RejectModel"]


@pytest.mark.parametrize("name", JOBS)
def test_every_job_is_cached_for_thirty_days(name: str) -> None:
    """A repeated execution with the same inputs costs nothing."""
    assert step_of(car_prices_definition(), name)["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


@pytest.mark.parametrize("name", JOBS)
def test_no_job_has_network_access(name: str) -> None:
    """A job reads its inputs and writes its outputs; SageMaker carries both."""
    arguments = _arguments(name)

    assert arguments.get("EnableNetworkIsolation") or arguments["NetworkConfig"]["EnableNetworkIsolation"]


@pytest.mark.parametrize("name", JOBS)
def test_volumes_and_outputs_are_encrypted_with_the_project_s_key(name: str) -> None:
    """Neither falls back to an AWS-managed key."""
    text = json.dumps(_arguments(name))

    assert f'"VolumeKmsKeyId": "{PLACEHOLDERS.kms_key_arn}"' in text
    assert f'"KmsKeyId": "{PLACEHOLDERS.kms_key_arn}"' in text


@pytest.mark.parametrize("name", JOBS)
def test_every_job_runs_a_module_that_exists(name: str) -> None:
    """The entry point names a file of this repository and no absolute path."""
    arguments = _arguments(name)
    specification = arguments.get("AppSpecification") or arguments["AlgorithmSpecification"]
    python, option, module = specification["ContainerEntrypoint"]

    assert (python, option) == ("python", "-m")
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_outputs_lie_below_the_execution() -> None:
    """One execution never overwrites another; only the marker for "no champion" is shared, and it never changes."""
    for name in JOBS:
        for output in _arguments(name).get("ProcessingOutputConfig", {}).get("Outputs", []):
            uri = output["S3Output"]["S3Uri"]
            if output["OutputName"] == "no-champion":
                continue
            root, execution, *rest = uri["Std:Join"]["Values"]
            assert root == f"s3://{PLACEHOLDERS.artifact_bucket}/pipelines/{PLACEHOLDERS.pipeline_name}"
            assert execution == {"Get": "Execution.PipelineExecutionId"}
            assert rest == [name, output["OutputName"]]


def test_the_cache_key_of_a_job_holds_nothing_of_the_execution() -> None:
    """An execution id in environment or inputs would make every step run anew."""
    for name in JOBS:
        arguments = _arguments(name)
        keyed = {key: arguments.get(key) for key in ("Environment", "ProcessingInputs", "HyperParameters")}
        assert "Execution." not in json.dumps(keyed)


def test_a_model_waits_for_approval_always() -> None:
    """Nothing approves itself: the status is a constant, not a parameter."""
    assert _arguments("RegisterModel")["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_model_package_records_where_it_comes_from() -> None:
    """Commit, data version, execution, digest and champion are all variables of the run."""
    properties = _arguments("RegisterModel")["CustomerMetadataProperties"]

    assert properties["commit"] == {"Get": "Parameters.Commit"}
    assert properties["data_version"] == {"Get": "Parameters.DataVersion"}
    assert properties["pipeline_execution_arn"] == {"Get": "Execution.PipelineExecutionArn"}
    assert properties["champion_model_package_arn"] == {"Get": "Parameters.ChampionModelPackageArn"}
    assert properties["artifact_sha256"]["Std:JsonGet"]["Path"] == "artifact_sha256"


def test_a_model_package_has_metrics_baselines_and_a_card() -> None:
    """Statistics of the evaluation, what monitors compare the model with, and a card of valid JSON."""
    request = _arguments("RegisterModel")
    pieces = request["ModelCard"]["ModelCardContent"]["Std:Join"]["Values"]
    card = json.loads("".join(piece if isinstance(piece, str) else "1" for piece in pieces))

    assert list(request["ModelMetrics"]) == ["ModelQuality"]
    baselines = request["DriftCheckBaselines"]
    assert set(baselines) == {"ModelQuality", "ModelDataQuality", "Bias", "Explainability"}
    assert baselines["ModelDataQuality"]["Statistics"]["S3Uri"]["Std:Join"]["Values"][1] == "statistics.json"
    assert {item["name"] for item in card["evaluation_details"][0]["metric_groups"][0]["metric_data"]} == {
        "mae",
        "mape",
        "r2",
    }
    assert "<<" not in json.dumps(card)


def test_a_rejection_carries_the_reasons() -> None:
    """The failure reason of the execution is the evaluation's own sentence."""
    message = _arguments("RejectModel")["ErrorMessage"]["Std:Join"]

    assert message["Values"][1]["Std:JsonGet"]["Path"] == "decision.summary"


def test_every_environment_variable_is_one_that_its_step_reads() -> None:
    """A parameter whose name the step does not know would have no effect."""
    for name, module in (("ValidateData", validate_data), ("Preprocess", preprocess), ("Evaluate", evaluate)):
        source = (ROOT / f"{module.__name__.replace('.', '/')}.py").read_text()
        for variable in _arguments(name)["Environment"]:
            assert f'"{variable}"' in source
