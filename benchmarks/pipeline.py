"""The pipeline on the local cloud against the same steps run as plain Python, on the same data."""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Usage, measure
from benchmarks.report import Figure
from demo.commands import clean_environment

_STEPS = "sagemaker_pipelines.car_prices.steps"
_HYPERPARAMETERS = {"seed": "20", "ridge_alphas": "0.3,1,3", "tree_leaves": "31,8", "tree_iterations": "200"}


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


def compare(executed_seconds: float, *, python: Path, files: Sequence[Path]) -> Figure:
    """The figure for an execution that took `executed_seconds` on the same files."""
    with tempfile.TemporaryDirectory() as folder:
        plain = PlainPipeline(python, Path(folder)).run(files)
    return Figure(
        "pipeline execution, nothing cached",
        f"{executed_seconds:.1f} s",
        f"the same steps as plain Python: {plain.wall:.1f} s",
        f"{executed_seconds / plain.wall:.2f}x",
    )
