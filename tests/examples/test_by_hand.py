"""A model from a notebook: what the examples make passes the checks of a release, and lands in the registry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambdas.shared.model_archive import ModelArchive, read_archive
from lambdas.start_release.checks import content_reasons
from lambdas.verify_endpoint.golden import golden_records
from sagemaker_pipelines.tables import Table, write_table
from tests.running_cloud import ROOT, RunningCloud
from tests.sagemaker_pipelines.cars import car_year


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that the notebook writes, run in the runtime image's Python."""
    folder = tmp_path_factory.mktemp("notebook")
    years = [car_year(year) for year in range(2001, 2006)]
    write_table(folder / "cars.csv", Table(years[0].columns, [row for year in years for row in year.rows]))
    python = os.environ.get("RUNTIME_PYTHON") or str(ROOT / ".runtime" / "current" / "bin" / "python")
    arguments = ["--data", str(folder / "cars.csv"), "--output", str(folder / "model.tar.gz")]
    subprocess.run([python, "-m", "examples.train_in_notebook", *arguments], cwd=ROOT, check=True, capture_output=True)
    return folder / "model.tar.gz"


@pytest.fixture(scope="session")
def read(archive: Path) -> ModelArchive:
    """That archive, read as the release reads it."""
    return read_archive([archive.read_bytes()])


def test_the_notebooks_archive_has_all_that_a_release_asks_for(read: ModelArchive) -> None:
    """Served form, golden records, manifest and proven parity; only the evaluation is still to come."""
    assert list(content_reasons(read)) == []
    assert read.documents["manifest.json"]["model"]["family"] == "gradient_boosting"


def test_the_notebooks_golden_records_can_be_sent_to_an_endpoint(read: ModelArchive) -> None:
    """In every content type, with a price for each."""
    golden = golden_records(read)
    assert len(golden.csv_body().splitlines()) == len(golden.json_records()) == len(golden.expected) == 20
    assert all(price > 0 for price in golden.expected)


def _deployed(cloud: RunningCloud) -> None:
    """What the example needs of a deployed stage: bucket, group and pipeline, and a stack that names them."""
    cloud.client("s3").create_bucket(Bucket="artifacts")
    template = (ROOT / "tests" / "examples" / "stage.json").read_text(encoding="utf-8")
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName="Cd4ml-dev-Everything", TemplateBody=template, Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="Cd4ml-dev-Everything", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


@pytest.mark.parametrize("way", ["boto3", "model-builder", "model-package"])
def test_a_model_from_a_notebook_lands_in_the_same_group(
    cloud: RunningCloud, archive: Path, way: str, tmp_path: Path
) -> None:
    """Pending, with its digest and the image that serves it, whether by boto3 or by the SageMaker SDK."""
    _deployed(cloud)
    command = [sys.executable, "-m", "examples.register_by_hand", "--model", str(archive), "--with", way]
    defaults = tmp_path / "sagemaker.yaml"
    # Without this the SDK reports its use to a public address.
    defaults.write_text("SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n")
    environment = {**cloud.environment, "SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults)}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    sagemaker = cloud.client("sagemaker")
    (summary,) = sagemaker.list_model_packages(ModelPackageGroupName="cars-dev")["ModelPackageSummaryList"]
    package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
    (container,) = package["InferenceSpecification"]["Containers"]
    digest = package["CustomerMetadataProperties"]["artifact_sha256"]
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert container["ModelDataUrl"] == f"s3://artifacts/pipelines/cars-dev/by-hand/{digest}/model.tar.gz"
    assert container["Image"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/cars:1"
    assert f"evaluate --package {summary['ModelPackageArn']}" in result.stdout
