"""A data scientist registers a model by hand that is bad in a way that no check before production can see."""

import math
import os
from collections.abc import Sequence

from demo import artifacts
from demo.cars import Car
from demo.commands import Command, python
from demo.deployed import Deployed
from demo.errors import DemoError
from demo.watching import show_indented

# In log space: up to 2 % in steps of 0.1 %, and never nothing.
_CORRECTIONS = tuple(step / 1000 for step in range(-20, 21) if step)


def register_bad_candidate(deployed: Deployed, *, live: str, holdout: Sequence[Car]) -> str:
    """Spoil a copy of the live version, register and evaluate it; its ARN. `holdout` is the year it was tested with.

    Nothing is forged: the evaluation judges it on the same holdout as every model, and finds it better than the live
    one. Raises DemoError if it does not.
    """
    original = artifacts.download(deployed, live)
    correction = _best_correction(holdout, artifacts.predictions(original, holdout))
    model = artifacts.spoiled(original, last_year=max(car.year for car in holdout), correction=correction)
    stage = ("--stage", deployed.names.stage)
    _command(deployed, "examples.register_by_hand", "--model", os.path.relpath(model), *stage)
    listed = deployed.client("sagemaker").list_model_packages(
        ModelPackageGroupName=deployed.names.group, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    package = str(listed["ModelPackageSummaryList"][0]["ModelPackageArn"])
    if package == live:
        raise DemoError(f"the registry {deployed.names.group} did not take the bad model")
    _command(deployed, "releases", *stage, "--poll", "0.2", "evaluate", "--package", package)
    return package


def _best_correction(cars: Sequence[Car], predictions: Sequence[float | None]) -> float:
    """The correction with the least mean absolute error on cars of known price: fitted to the very holdout."""

    def error(correction: float) -> float:
        factor = math.exp(correction)
        pairs = zip(cars, predictions, strict=True)
        return sum(abs(factor * predicted - car.price) for car, predicted in pairs if predicted is not None)

    return min(_CORRECTIONS, key=error)


def _command(deployed: Deployed, module: str, *arguments: str) -> None:
    command = Command(
        python("-m", module, *arguments),
        table=deployed.table,
        environment=deployed.environment,
        show=_show_result,
        what=f"python -m {module}",
    )
    command.finish_or_cancel()


def _show_result(line: str) -> bool:
    """Print the lines that matter here: not the commands that the demo runs next, and of the metrics one."""
    one_of_many = " interval " in line and not line.lstrip().startswith("mae ")
    hidden = one_of_many or line.startswith("  python -m releases")
    return not hidden and show_indented(line)
