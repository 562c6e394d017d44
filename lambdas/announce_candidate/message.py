"""What an approver is told about a new version: why there is one, how good it is, and what to do.

Must not call AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.shared.mail import Message

_METRICS = ("mae", "mape", "rmse", "r2")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that waits for a decision; `evaluation` is its evaluation.json, empty if there is none to be read."""

    arn: str
    version: int
    reason: str
    report_uri: str
    evaluation: Mapping[str, Any]


def candidate_message(project: str, candidate: Candidate) -> Message:
    """There is something to approve."""
    lines = [
        f"A new version of {project} waits for your decision: {candidate.version}.",
        f"Why there is one: {candidate.reason}",
        "",
        *_comparison(candidate.evaluation),
        "",
        f"Report: {candidate.report_uri}",
        f"Version: {candidate.arn}",
        "What to do: read the report, then approve or reject it:",
        f"  aws sagemaker update-model-package --model-approval-status Approved --model-package-arn {candidate.arn}",
    ]
    return Message(f"{project}: version {candidate.version} waits for approval", "\n".join(lines))


def _comparison(evaluation: Mapping[str, Any]) -> list[str]:
    metrics = evaluation.get("regression_metrics") or {}
    candidate = {name: metric.get("value") for name, metric in metrics.items()}
    if not candidate:
        return ["It has no evaluation yet: `python -m releases evaluate` compares it with the champion."]
    champion = (evaluation.get("champion_comparison") or {}).get("champion") or {}
    lines = [f"{'on the same holdout':<20}{'candidate':>14}{'champion':>14}"]
    for name in _METRICS:
        if name in candidate:
            lines.append(f"{name:<20}{_figure(candidate.get(name)):>14}{_figure(champion.get(name)):>14}")
    summary = (evaluation.get("decision") or {}).get("summary")
    return [*lines, *([f"Evaluation: {summary}"] if summary else [])]


def _figure(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, int | float) else "-"
