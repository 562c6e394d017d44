"""Runs the steps of the pipeline as SageMaker would: one process each, wired through folders."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_pipelines.tables import write_table
from tests.sagemaker_pipelines.cars import car_year

ROOT = Path(__file__).resolve().parents[2]
# With these two seeds Python iterates over a set of ONNX operator sets in different orders.
SERVER_HASH_SEED, OTHER_HASH_SEED = "1", "5"
HYPERPARAMETERS = {"seed": "20", "ridge_alphas": "1", "tree_leaves": "4", "tree_iterations": "20"}


class Interpreter:
    """The runtime image's Python. `run` uses a server that has loaded the steps, `run_fresh` a new process."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": SERVER_HASH_SEED,
        }
        self._server = subprocess.Popen(
            [str(python), "-m", "tests.sagemaker_pipelines.step_server"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, step: str, environment: Mapping[str, str]) -> "Outcome":
        """Run a step in a fork of the server."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({"step": step, "environment": dict(environment)}) + "\n")
        self._server.stdin.flush()
        return Outcome(**json.loads(self._server.stdout.readline()))

    def run_fresh(self, step: str, environment: Mapping[str, str]) -> "Outcome":
        """Run a step as the container does: one process, one command."""
        result = self.python_command(["-m", f"sagemaker_pipelines.car_prices.steps.{step}"], environment)
        return Outcome(result.returncode, result.stdout, result.stderr)

    def python_command(
        self, arguments: list[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run any Python command from the repository's root."""
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=ROOT,
            env={**self._environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=30)


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Job:
    """A base folder (ML_BASE_DIR) in which steps run with the interpreter of the runtime image."""

    interpreter: Interpreter
    base: Path
    fresh: bool = False

    def processing(self, name: str) -> Path:
        """Folder of a processing input or output."""
        return self.base / "processing" / name

    @property
    def failure(self) -> str:
        """The reason that the last failed step left."""
        return (self.base / "output" / "failure").read_text()

    @property
    def artifact(self) -> Path:
        """The exported model."""
        return self.processing("model") / "model.tar.gz"

    def read(self, path: str) -> dict[str, Any]:
        """A JSON file below the processing folder."""
        content: dict[str, Any] = json.loads((self.base / "processing" / path).read_text())
        return content

    def run(self, step: str, **environment: str) -> Outcome:
        """Run one step to its end, whatever that is."""
        run = self.interpreter.run_fresh if self.fresh else self.interpreter.run
        return run(step, {"ML_BASE_DIR": str(self.base), **environment})

    def succeed(self, step: str, **environment: str) -> None:
        """Run one step and insist that it succeeds."""
        result = self.run(step, **environment)
        assert result.returncode == 0, result.stdout + result.stderr

    def prepare(self, years: range) -> None:
        """Snapshot, validation and split of these model years."""
        for year in years:
            write_table(self.processing("snapshot") / f"{year}.csv", car_year(year))
        self.succeed("validate_data", MINIMUM_ROWS="100")
        self.succeed("preprocess")

    def train(self, hyperparameters: Mapping[str, str] = HYPERPARAMETERS, **environment: str) -> None:
        """The training job, with its channels and the archive that SageMaker makes of its model."""
        for channel in ("train", "validation", "features"):
            shutil.copytree(self.processing(channel), self.base / "input" / "data" / channel, dirs_exist_ok=True)
        configuration = self.base / "input" / "config" / "hyperparameters.json"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(json.dumps(hyperparameters))
        self.succeed("train", **environment)
        archive = self.processing("trained") / "model.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(self.base / "model", arcname=".")

    def export(self, **environment: str) -> str:
        """The artifact's digest."""
        self.succeed("export", **{"DATA_VERSION": "0123456789abcdef", "COMMIT": "abc", **environment})
        return str(self.read("export/export.json")["artifact_sha256"])
