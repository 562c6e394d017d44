"""A model from a notebook on the deployed app: refused without evidence, judged like any other, then released."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.journeys.deployed_app import DeployedApp, csv_of
from tests.running_cloud import ROOT

YEARS = range(2001, 2011)


def _run(app: DeployedApp, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a person types it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=app.cloud.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def _trained(app: DeployedApp) -> None:
    """The pipeline has judged a model of its own, so that there is a holdout."""
    app.train("history.csv", csv_of(*YEARS))


def _registered(app: DeployedApp, folder: Path) -> dict[str, Any]:
    """A version whose model was trained on the same data, outside of any pipeline."""
    data, model = folder / "cars.csv", folder / "model.tar.gz"
    data.write_bytes(csv_of(*YEARS))
    python = os.environ.get("RUNTIME_PYTHON") or str(ROOT / ".runtime" / "current" / "bin" / "python")
    command = [python, "-m", "examples.train_in_notebook", "--data", str(data), "--output", str(model)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    registered = _run(app, "examples.register_by_hand", "--model", str(model))
    assert registered.returncode == 0, registered.stderr
    group = app.outputs["CarPricesModelPackageGroup"]
    sagemaker = app.cloud.client("sagemaker")
    versions = sagemaker.list_model_packages(ModelPackageGroupName=group, SortOrder="Descending")
    newest = versions["ModelPackageSummaryList"][0]["ModelPackageArn"]
    described: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=newest)
    return described


def test_a_model_from_a_notebook_takes_the_same_way(app: DeployedApp, tmp_path: Path) -> None:
    """Approved without evidence it is refused with the reason; evaluated on the same holdout it is released."""
    _trained(app)
    package = _registered(app, tmp_path)
    assert (package["ModelPackageVersion"], package["ModelApprovalStatus"]) == (2, "PendingManualApproval")

    refused = _run(app, "releases", "--poll", "0.2", "start", "--version", "2", "--approve")
    assert refused.returncode == 1
    assert "there is no evidence" in refused.stderr
    (event,) = app.events("Release Refused")
    assert event["detail"]["modelPackageArn"] == package["ModelPackageArn"]

    evaluated = _run(app, "releases", "--poll", "0.2", "evaluate", "--version", "2")
    assert evaluated.returncode == 0, evaluated.stdout + evaluated.stderr
    sagemaker = app.cloud.client("sagemaker")
    known = sagemaker.describe_model_package(ModelPackageName=package["ModelPackageArn"])["CustomerMetadataProperties"]
    evaluation = json.loads(app.object(known["evaluation_statistics"]))
    assert evaluation["candidate"]["sha256"] == known["artifact_sha256"]
    assert b"<html" in app.object(known["evaluation_report"]).lower()

    started = _run(app, "releases", "start", "--version", "2", "--reason", "better trees")
    assert started.returncode == 0, started.stderr
    assert "version 2 is being released in execution" in started.stdout
