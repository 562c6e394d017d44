"""What an approver is told about a training that the loop began: why, with which result, and what to do.

Must not call AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_METRICS = ("mae", "mape", "rmse", "r2")
_SUBJECT_CHARACTERS = 99


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that waits for a decision; `evaluation` is its evaluation.json, empty if it cannot be read."""

    arn: str
    version: int
    report_uri: str
    evaluation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail: SNS takes a subject of less than 100 ASCII characters."""

    subject: str
    text: str


def candidate_message(project: str, *, reason: str, candidate: Candidate) -> Message:
    """There is something to approve."""
    lines = [
        f"A new version of {project} waits for your decision: {candidate.version}.",
        f"Why it was trained: {reason}",
        "",
        *_comparison(candidate.evaluation),
        "",
        f"Report: {candidate.report_uri}",
        f"Version: {candidate.arn}",
        "What to do: read the report, then approve or reject it:",
        f"  aws sagemaker update-model-package --model-approval-status Approved --model-package-arn {candidate.arn}",
    ]
    return Message(_subject(f"{project}: version {candidate.version} waits for approval"), "\n".join(lines))


def failure_message(project: str, *, reason: str, failure: str, subject: str) -> Message:
    """There is nothing to approve, and why; `subject` is the ARN of the pipeline's or the state machine's execution."""
    lines = [
        f"A training of {project} brought no version to approve; the live version stays.",
        f"Why it was asked for: {reason}",
        f"What happened: {failure}",
        f"Execution: {subject}",
        "What to do: look at the execution's steps, and read the failure reason or the evaluation's report. A pipeline "
        "that the loop did not wait for may still run: a version that it registers waits for a decision, too.",
        'To train again, start the state machine with the input {"reason": "manual"}.',
    ]
    return Message(_subject(f"{project}: the training brought no new version"), "\n".join(lines))


def _subject(text: str) -> str:
    return text.encode("ascii", "replace").decode()[:_SUBJECT_CHARACTERS]


def _comparison(evaluation: Mapping[str, Any]) -> list[str]:
    metrics = evaluation.get("regression_metrics") or {}
    candidate = {name: metric.get("value") for name, metric in metrics.items()}
    champion = (evaluation.get("champion_comparison") or {}).get("champion") or {}
    lines = [f"{'on the same holdout':<20}{'candidate':>14}{'champion':>14}"] if candidate else []
    for name in _METRICS:
        if name in candidate:
            lines.append(f"{name:<20}{_figure(candidate.get(name)):>14}{_figure(champion.get(name)):>14}")
    summary = (evaluation.get("decision") or {}).get("summary")
    return [*lines, *([f"Evaluation: {summary}"] if summary else [])]


def _figure(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, int | float) else "-"
