"""What every job of a pipeline shares: its folders, its parameters and the way it fails.

This is the one place that knows the base folder of a SageMaker container (`ML_BASE_DIR`, default `/opt/ml`),
so that a step also runs as a plain function on a temporary folder. It must not know any project or any step.

Container contract: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
and https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_server.errors import ScoringError
from sagemaker_pipelines.errors import PipelinesError, StepError

# SageMaker keeps the first 1,024 characters of /opt/ml/output/failure as the job's FailureReason.
FAILURE_REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class JobFolders:
    """The folders of one job below its base folder, named as SageMaker names them."""

    base: Path

    def processing(self, name: str) -> Path:
        """Folder of a processing job's input or output with that name."""
        return self.base / "processing" / name

    def channel(self, name: str) -> Path:
        """Folder of a training job's input channel."""
        return self.base / "input" / "data" / name

    @property
    def model(self) -> Path:
        """Folder that a training job fills; SageMaker packs it as model.tar.gz."""
        return self.base / "model"

    @property
    def hyperparameters_file(self) -> Path:
        """File with a training job's hyperparameters, all of them strings."""
        return self.base / "input" / "config" / "hyperparameters.json"

    @property
    def failure_file(self) -> Path:
        """File whose text SageMaker shows as the job's FailureReason."""
        return self.base / "output" / "failure"


def job_folders() -> JobFolders:
    """Folders of the job that this process runs."""
    return JobFolders(Path(os.environ.get("ML_BASE_DIR", "/opt/ml")))


def read_hyperparameters(folders: JobFolders) -> dict[str, str]:
    """Hyperparameters of a training job as strings; raises StepError if the file is missing or malformed."""
    path = folders.hyperparameters_file
    values = read_json_object(path)
    return {name: str(value) for name, value in values.items()}


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object that a file holds; raises StepError naming the file if there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(f"{path} is missing: the step before this one should have written it") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StepError(f"{path} is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise StepError(f"{path} should hold a JSON object, not {type(value).__name__}")
    return value


def write_json(path: Path, value: object) -> None:
    """Write JSON whose bytes depend on the value alone (sorted keys, no clock, no machine)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Parameters:
    """Named string parameters of a job (environment or hyperparameters), read with their type.

    Every reader raises StepError with the parameter's name, its value and what was expected.
    """

    values: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        """A non-empty string."""
        value = self.values.get(name, "") or default
        if not value:
            raise StepError(f"the parameter {name} is not set; the pipeline definition should pass it")
        return value

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        value = self.values.get(name, "")
        try:
            number = float(value) if value else default
        except ValueError:
            raise StepError(f"the parameter {name} should be a number, not '{value}'") from None
        if number != number or abs(number) == float("inf"):
            raise StepError(f"the parameter {name} should be a finite number, not '{value}'")
        return number

    def count(self, name: str, default: int, *, minimum: int = 0) -> int:
        """A whole number of at least `minimum`."""
        value = self.values.get(name, "")
        try:
            number = int(value) if value else default
        except ValueError:
            raise StepError(f"the parameter {name} should be a whole number, not '{value}'") from None
        if number < minimum:
            raise StepError(f"the parameter {name} should be at least {minimum}, not {number}")
        return number

    def numbers(self, name: str, default: str) -> tuple[float, ...]:
        """A comma-separated list of positive numbers, in the order given."""
        text = self.values.get(name, "") or default
        try:
            numbers = tuple(float(part) for part in text.split(","))
        except ValueError:
            raise StepError(f"the parameter {name} should be numbers separated by commas, not '{text}'") from None
        if not all(0 < number < float("inf") for number in numbers):
            raise StepError(f"every number of the parameter {name} should be positive, not '{text}'")
        return numbers


def log(message: str) -> None:
    """One line in the job's log."""
    print(message, flush=True)


def run_job(step: str, body: Callable[[JobFolders], None]) -> int:
    """Run a step in its job and return the exit status: 0, or 1 with the reason in the failure file.

    A PipelinesError or ScoringError shows as its message alone. Anything else is a bug in the step: the log gets the
    stack trace, the failure file one line that points to the log.
    """
    folders = job_folders()
    started = time.monotonic()
    log(f"{step}: started")
    try:
        body(folders)
    except (PipelinesError, ScoringError) as error:
        return _fail(folders, f"{step}: {error}")
    except Exception as error:  # noqa: BLE001  last resort: SageMaker must get a reason, the log the trace
        traceback.print_exc()
        return _fail(folders, f"{step}: bug in the step, {type(error).__name__}: {error}; see the job's log")
    log(f"{step}: finished in {time.monotonic() - started:.1f} s")
    return 0


def _fail(folders: JobFolders, reason: str) -> int:
    print(reason, file=sys.stderr, flush=True)
    folders.failure_file.parent.mkdir(parents=True, exist_ok=True)
    folders.failure_file.write_text(reason[:FAILURE_REASON_CHARACTERS], encoding="utf-8")
    return 1
