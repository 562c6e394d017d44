"""What the demo does with model artifacts: fetch them, and run a command of its own on them in the image's environment.

The image's environment is the one that jobs and endpoints run in; set-up builds it from the image's lock file.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from demo.aws import read_object
from demo.cars import Car
from demo.commands import ROOT, clean_environment, run
from demo.deployed import Deployed

_IMAGE_PYTHON = ROOT / ".runtime" / "current" / "bin" / "python"


def download(deployed: Deployed, package_arn: str) -> Path:
    """The model.tar.gz of a version, as a file of the demo's."""
    package = deployed.client("sagemaker").describe_model_package(ModelPackageName=package_arn)
    content = read_object(deployed.environment, package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    path = deployed.folder / "models" / package_arn.rsplit("/", 1)[-1] / "model.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def spoiled(model: Path, *, last_year: int, correction: float) -> Path:
    """A copy that is corrected up to `last_year` and fails on later years; see `bad_model`. DemoError if that fails."""
    output = model.with_name("spoiled-model.tar.gz")
    change = ("--last-year", str(last_year), "--correction", repr(correction))
    _in_image("demo.bad_model", "--model", str(model), "--output", str(output), *change)
    return output


def predictions(model: Path, cars: Sequence[Car]) -> tuple[float | None, ...]:
    """What a model predicts for each car in USD, None where it fails. DemoError if it cannot be loaded."""
    records, output = model.with_name("records.csv"), model.with_name("predictions.json")
    records.write_bytes(b"".join(car.body for car in cars))
    _in_image("demo.offline_predictions", "--model", str(model), "--records", str(records), "--output", str(output))
    return tuple(json.loads(output.read_text()))


def _in_image(module: str, *arguments: str) -> str:
    command = [str(_IMAGE_PYTHON), "-m", module, *arguments]
    return run(command, environment=clean_environment(), what=f"python -m {module}")
