"""The pipeline on the local cloud against the same steps run as plain Python, on the same data."""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import BenchmarkError, Usage, measure
from benchmarks.report import Figure
from benchmarks.waiting import wait_for
from demo.aws import client
from demo.commands import clean_environment
from demo.commands import python as python_command

_STEPS = "sagemaker_pipelines.car_prices.steps"
_HYPERPARAMETERS = {"seed": "20", "ridge_alphas": "0.3,1,3", "tree_leaves": "31,8", "tree_iterations": "200"}
_LIMIT_SECONDS = 120


class PlainPipeline:
    """The five steps in one folder, one process each, without any service around them."""

    def __init__(self, python: Path, base: Path) -> None:
        self._python = python
        self._base = base
        self.usage = Usage(0.0, 0.0)

    def run(self, files: Sequence[Path]) -> Usage:
        """Run all steps on these data files; seconds of all of them together."""
        snapshot = self._processing("snapshot")
        snapshot.mkdir(parents=True)
        for file in files:
            shutil.copy(file, snapshot)
        self._step("validate_data")
        self._step("preprocess")
        self._train()
        self._step("export")
        self._step("evaluate")
        return self.usage

    def _processing(self, name: str) -> Path:
        return self._base / "processing" / name

    def _train(self) -> None:
        for channel in ("train", "validation", "features"):
            shutil.copytree(self._processing(channel), self._base / "input" / "data" / channel)
        configuration = self._base / "input" / "config" / "hyperparameters.json"
        configuration.parent.mkdir(parents=True)
        configuration.write_text(json.dumps(_HYPERPARAMETERS))
        self._step("train")
        archive = self._processing("trained") / "model.tar.gz"
        archive.parent.mkdir(parents=True)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(self._base / "model", arcname=".")

    def _step(self, name: str) -> None:
        environment = clean_environment({"ML_BASE_DIR": str(self._base), "DATA_VERSION": "0" * 16, "COMMIT": "none"})
        champion = self._processing("champion")
        if self._processing("no-champion").exists() and not champion.exists():
            shutil.copytree(self._processing("no-champion"), champion)
        step = measure([str(self._python), "-m", f"{_STEPS}.{name}"], environment=environment)
        self.usage = Usage(self.usage.wall + step.wall, self.usage.cpu + step.cpu)


def make_batch(folder: Path, years: str) -> Path:
    """The car catalogue of these model years as one file."""
    write = ("-m", "sagemaker_pipelines.car_prices.batches", "write", "--single-file", "--to", str(folder))
    measure(python_command(*write, "--years", years), environment=clean_environment())
    return folder / f"{years}.csv"


def compare(cloud: Mapping[str, str], outputs: Mapping[str, str], *, python: Path, batch: Path) -> Figure:
    """An execution that trains on one data file, against the same steps as plain Python on that file."""
    executed = _execution_seconds(cloud, outputs, batch)
    with tempfile.TemporaryDirectory() as folder:
        plain = PlainPipeline(python, Path(folder)).run([batch])
    return Figure(
        "pipeline execution, nothing cached",
        f"{executed:.1f} s",
        f"the same steps as plain Python: {plain.wall:.1f} s",
        f"{executed / plain.wall:.2f}x",
    )


def _execution_seconds(cloud: Mapping[str, str], outputs: Mapping[str, str], batch: Path) -> float:
    """Seconds from the start to the end of the execution that an upload of the file leads to."""
    sagemaker, pipeline = client("sagemaker", cloud), outputs["CarPricesPipelineName"]
    client("s3", cloud).upload_file(str(batch), outputs["LakeBucketName"], f"raw/car_prices/{batch.name}")

    def succeeded() -> Mapping[str, Any] | None:
        for summary in sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]:
            arn = summary["PipelineExecutionArn"]
            execution: Mapping[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if execution["PipelineExecutionStatus"] == "Succeeded":
                return execution
            if execution["PipelineExecutionStatus"] != "Executing":
                raise BenchmarkError(f"{arn}: {execution.get('FailureReason')}")
        return None

    # Looked at rarely, not to take time from the jobs; its own times are what counts.
    ended = wait_for(succeeded, what=f"an execution of {pipeline} to succeed", seconds=_LIMIT_SECONDS, pace=0.1)
    return float((ended["LastModifiedTime"] - ended["CreationTime"]).total_seconds())
