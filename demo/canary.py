"""Fourth act: a newer model takes over from the live one by canary, while callers use the endpoint."""

from demo.chapters import Chapter
from demo.errors import DemoError
from demo.rollout import Rollouts
from demo.summary import Evidence


def release_newer(rollouts: Rollouts, evidence: Evidence, *, live: str, model: str) -> Chapter:
    """Release a version under load in the place of `live` (an ARN); DemoError if it does not become live."""
    observed = rollouts.run(evidence.package_arn, live=live, why="better than the champion on the same holdout")
    released = observed.released
    if not released.succeeded:
        raise DemoError(
            f"version {released.version} was to go live, but its release ended as {released.status}: "
            f"{released.reason}\n  (on a machine that is busy otherwise, answers can be slow enough for the alarm)"
        )
    figures = observed.figures
    ending = f"went live by canary under load: {figures.requests:,} requests, {figures.failures} failed"
    return Chapter(released.version, model, evidence.evaluation, ending, observed, evidence.report)
