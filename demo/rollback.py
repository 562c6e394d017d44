"""Last act: a model that passes every check and fails on real traffic is sent back by its own alarm."""

import json
from collections.abc import Sequence

from demo.aws import read_object
from demo.bad_candidate import register_bad_candidate
from demo.cars import Car
from demo.chapters import Chapter
from demo.errors import DemoError
from demo.rollout import Rollouts
from releases.registry import version_of

# How the local cloud tells of it; SageMaker itself says nothing.
_ROLLED_BACK = "Rolled back: Alarm"


def release_bad(rollouts: Rollouts, *, live: str, holdout: Sequence[Car]) -> Chapter:
    """Register a bad version and release it under load; DemoError if it is not rolled back to `live` (an ARN)."""
    package = register_bad_candidate(rollouts.deployed, live=live, holdout=holdout)
    observed = rollouts.run(package, live=live, why="better than the champion on the same holdout")
    released, figures = observed.released, observed.figures
    told = rollouts.history.changes(releasing=released.version)[-1].note
    if released.succeeded or released.record["live"] != live or not told.startswith(_ROLLED_BACK):
        raise DemoError(
            f"the bad version {released.version} was to be rolled back by its alarm, but its release ended as "
            f"{released.status}. {released.reason}"
        )
    serving = version_of(live)
    print(f"   {told}")
    print(f"   the release record says: {released.status}, live is version {serving}", flush=True)
    ending = (
        f"rolled back by its own alarm: {figures.failures} of {figures.requests:,} requests failed, "
        f"version {serving} went on serving"
    )
    described = rollouts.deployed.client("sagemaker").describe_model_package(ModelPackageName=package)
    statistics = described["CustomerMetadataProperties"]["evaluation_statistics"]
    evaluation = json.loads(read_object(rollouts.deployed.environment, statistics))
    last_year = max(car.year for car in holdout)
    model = f"version {version_of(live)}, corrected up to {last_year}"
    return Chapter(released.version, model, evaluation, ending, observed)
