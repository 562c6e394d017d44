"""`python -m sagemaker_pipelines.watch --pipeline NAME`: follow an execution step by step, from the terminal.

boto3 alone, so it works against AWS and against any endpoint that AWS_ENDPOINT_URL names. Shows every change of a step
as one line, the reason and the end of the log of a job that failed, and at the end the evaluation's metrics and the
model package that waits for approval. It starts an execution only if asked to (--start) and approves nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_pipelines.errors import PipelinesError, WatchError
from sagemaker_pipelines.watch_evidence import evaluation_lines, failing_log_lines, waiting_package_lines

FINISHED = {"Succeeded", "Failed", "Stopped"}
# Against AWS a job takes minutes; its API allows a few calls per second to a whole account.
POLL_SECONDS = 5.0


@dataclass
class Progress:
    """What has been shown already. Changes as the execution goes on."""

    shown: dict[str, str] = field(default_factory=dict)

    def news(self, steps: list[dict[str, Any]]) -> Iterator[str]:
        """A line for every step whose status has changed since the last call."""
        for step in sorted(steps, key=lambda item: item.get("StartTime", datetime.max.replace(tzinfo=UTC))):
            name, status = step["StepName"], step["StepStatus"]
            if self.shown.get(name) != status:
                self.shown[name] = status
                yield describe_step(step)


def describe_step(step: dict[str, Any]) -> str:
    """One line: name, status, duration in seconds, cache hit, outcome of a condition, failure reason."""
    parts = [f"{step['StepName']:<16} {step['StepStatus']:<10}"]
    if "StartTime" in step and "EndTime" in step:
        parts.append(f"{(step['EndTime'] - step['StartTime']).total_seconds():6.1f} s")
    if step.get("CacheHitResult"):
        parts.append("from the cache")
    outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
    if outcome:
        parts.append(f"outcome {outcome}")
    if step.get("FailureReason"):
        parts.append(step["FailureReason"])
    return "  ".join(parts).rstrip()


def start_execution(client: Any, pipeline: str, parameters: dict[str, str]) -> str:
    """Start an execution and return its ARN."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    response = client.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=given)
    return str(response["PipelineExecutionArn"])


def newest_execution(client: Any, pipeline: str) -> str:
    """ARN of the newest execution; raises WatchError if there is none."""
    response = client.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    summaries = response["PipelineExecutionSummaries"]
    if not summaries:
        raise WatchError(f"the pipeline {pipeline} has no execution yet; start one with --start or upload data")
    return str(summaries[0]["PipelineExecutionArn"])


def list_steps(client: Any, execution: str) -> list[dict[str, Any]]:
    """All steps of an execution so far."""
    steps: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = client.list_pipeline_execution_steps(PipelineExecutionArn=execution, SortOrder="Ascending", **token)
        steps.extend(page["PipelineExecutionSteps"])
        if not page.get("NextToken"):
            return steps
        token = {"NextToken": page["NextToken"]}


def follow(client: Any, execution: str, *, show: Callable[[str], None], poll_seconds: float) -> dict[str, Any]:
    """Show the changes of an execution until it ends; its description and steps at the end."""
    progress = Progress()
    spinner = _Spinner()
    while True:
        # The status first: steps that are listed after the end cannot miss a last change.
        description = client.describe_pipeline_execution(PipelineExecutionArn=execution)
        steps = list_steps(client, execution)
        for line in progress.news(steps):
            spinner.clear()
            show(line)
        if description["PipelineExecutionStatus"] in FINISHED:
            spinner.clear()
            return {"description": description, "steps": steps}
        spinner.turn(steps)
        time.sleep(poll_seconds)  # the API has no way to wait for a change


class _Spinner:
    """The running steps with their time so far in the last line of a terminal; silent if there is no terminal."""

    def __init__(self) -> None:
        self._active = sys.stdout.isatty()

    def turn(self, steps: list[dict[str, Any]]) -> None:
        now = datetime.now(UTC)
        running = [
            f"{step['StepName']} {(now - step['StartTime']).total_seconds():.0f} s"
            for step in steps
            if step["StepStatus"] in ("Executing", "Starting") and "StartTime" in step
        ]
        if self._active:
            print(f"\r\033[K... {', '.join(running) or 'waiting'}", end="", flush=True)

    def clear(self) -> None:
        if self._active:
            print("\r\033[K", end="", flush=True)


def _parameter(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"'{text}' should be NAME=VALUE, for example DataVersion=0123456789abcdef")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_pipelines.watch", description="Follow an execution of a SageMaker pipeline."
    )
    parser.add_argument("--pipeline", required=True, metavar="NAME", help="name of the pipeline, e.g. car-prices-dev")
    parser.add_argument("--execution", metavar="ARN", help="execution to follow instead of the newest one")
    parser.add_argument("--start", action="store_true", help="start an execution first and follow that one")
    parser.add_argument(
        "--param", type=_parameter, action="append", default=[], metavar="NAME=VALUE", help="parameter for --start"
    )
    parser.add_argument("--poll", type=float, default=POLL_SECONDS, metavar="SECONDS", help="time between two looks")
    return parser


def _watch(arguments: argparse.Namespace) -> bool:
    client = boto3.client("sagemaker")
    if arguments.start:
        execution = start_execution(client, arguments.pipeline, dict(arguments.param))
    else:
        execution = arguments.execution or newest_execution(client, arguments.pipeline)
    print(f"following {execution}", flush=True)
    result = follow(client, execution, show=lambda line: print(line, flush=True), poll_seconds=arguments.poll)
    failed = [step for step in result["steps"] if step["StepStatus"] == "Failed"]
    for line in [
        *(line for step in failed for line in failing_log_lines(boto3.client, step)),
        *evaluation_lines(boto3.client, result["steps"]),
        *waiting_package_lines(boto3.client, result["steps"]),
    ]:
        print(line)
    status = result["description"]["PipelineExecutionStatus"]
    reason = result["description"].get("FailureReason")
    print(f"{status}: {reason}" if reason else status)
    return bool(status == "Succeeded")


def main(argv: list[str] | None = None) -> int:
    """Exit status 0 if the execution succeeded, 1 if not or if it cannot be followed."""
    arguments = _parser().parse_args(argv)
    if (arguments.param and not arguments.start) or (arguments.start and arguments.execution):
        print("error: --param goes with --start, and --start without --execution", file=sys.stderr)
        return 1
    try:
        return 0 if _watch(arguments) else 1
    except (PipelinesError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nno longer following; the execution goes on")
        return 1


if __name__ == "__main__":
    sys.exit(main())
