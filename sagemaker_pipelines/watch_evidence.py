"""What `watch` shows when an execution has ended: the end of a failed job's log, metrics, the waiting package.

Reads only. What cannot be read is said in a line of its own: the evidence of one step must not hide that of another.
"""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LOG_LINES = 20
# Gives the client of a service, as boto3.client does.
Clients = Callable[[str], Any]
_EVALUATION_FILE = "evaluation.json"


def failing_log_lines(clients: Clients, step: dict[str, Any]) -> list[str]:
    """Header and last lines of the CloudWatch log of a failed step's job; no line for a step without a job."""
    sagemaker = clients("sagemaker")
    describe = {"ProcessingJob": sagemaker.describe_processing_job, "TrainingJob": sagemaker.describe_training_job}
    for kind, call in describe.items():
        arn = step.get("Metadata", {}).get(kind, {}).get("Arn")
        if not arn:
            continue
        try:
            # The ARN has the name in lower case, the log stream has it as it is.
            job = call(**{f"{kind}Name": _job_name(arn)})[f"{kind}Name"]
            lines = _tail(clients("logs"), group=f"/aws/sagemaker/{kind}s", job=job)
        except (BotoCoreError, ClientError) as error:
            return [f"the log of {step['StepName']} cannot be read ({error})"]
        return [f"log of {step['StepName']}, job {job}:", *lines]
    return []


def _job_name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _tail(logs: Any, *, group: str, job: str) -> list[str]:
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    if not streams:
        return [f"  {group} has no log stream of this job"]
    events = logs.get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], limit=LOG_LINES, startFromHead=False
    )["events"]
    return [f"  {event['message'].rstrip()}" for event in events]


def evaluation_lines(clients: Clients, steps: list[dict[str, Any]]) -> list[str]:
    """Metrics and decision from the first step output that holds an evaluation.json; empty if none does."""
    for step in steps:
        arn = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if arn and step["StepStatus"] == "Succeeded":
            try:
                evaluation = _evaluation(clients, job=_job_name(arn))
            except (BotoCoreError, ClientError) as error:
                return [f"the evaluation of {step['StepName']} cannot be read ({error})"]
            if evaluation is not None:
                return _describe_evaluation(evaluation)
    return []


def _evaluation(clients: Clients, *, job: str) -> dict[str, Any] | None:
    description = clients("sagemaker").describe_processing_job(ProcessingJobName=job)
    for output in description.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output["OutputName"] != "evaluation":
            continue
        bucket, _, prefix = output["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
        body = clients("s3").get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{_EVALUATION_FILE}")["Body"].read()
        content: dict[str, Any] = json.loads(body)
        return content
    return None


def _describe_evaluation(evaluation: dict[str, Any]) -> list[str]:
    lines = ["evaluation on the holdout:"]
    for name, metric in evaluation["regression_metrics"].items():
        interval = f"95 % interval {metric['interval_95_low']:.5g} to {metric['interval_95_high']:.5g}"
        lines.append(f"  {name:<5} {metric['value']:>12.5g}  {interval}")
    comparison = evaluation.get("champion_comparison")
    if comparison:
        lines.append(f"  MAE against the champion: {comparison['mae_change_percent']:+.1f} %")
    decision = evaluation["decision"]
    lines.append(f"  {'accepted' if decision['accepted'] else 'rejected'}: {decision['summary']}")
    return lines


def waiting_package_lines(clients: Clients, steps: list[dict[str, Any]]) -> list[str]:
    """The model package that a step registered, with its approval status and how to approve it."""
    for step in steps:
        arn = step.get("Metadata", {}).get("RegisterModel", {}).get("Arn")
        if not arn:
            continue
        try:
            status = clients("sagemaker").describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
        except (BotoCoreError, ClientError) as error:
            return [f"model package {arn} cannot be described ({error})"]
        lines = [f"model package {arn}: {status}"]
        if status == "PendingManualApproval":
            lines.append(
                f"  approve with: aws sagemaker update-model-package --model-package-arn {arn} "
                "--model-approval-status Approved --approval-description '...'"
            )
        return lines
    return []
