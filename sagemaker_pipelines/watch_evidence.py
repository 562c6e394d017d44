"""What `watch` shows when an execution has ended: the end of a failed job's log, metrics, the waiting package.

Reads only. What cannot be read is said in a line of its own: the evidence of one step must not hide that of another.
"""

import json
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

LOG_LINES = 20
_LOG_GROUPS = {"ProcessingJob": "/aws/sagemaker/ProcessingJobs", "TrainingJob": "/aws/sagemaker/TrainingJobs"}
_EVALUATION_FILE = "evaluation.json"


def failing_log_lines(client: Any, step: dict[str, Any]) -> list[str]:
    """Header and last lines of the CloudWatch log of a failed step's job; no line for a step without a job."""
    for kind, group in _LOG_GROUPS.items():
        arn = step.get("Metadata", {}).get(kind, {}).get("Arn")
        if arn:
            job = arn.rsplit("/", 1)[-1]
            return [f"log of {step['StepName']}, job {job}:", *_tail(client, group=group, job=job)]
    return []


def _tail(client: Any, *, group: str, job: str) -> list[str]:
    logs = boto3.client("logs", region_name=client.meta.region_name)
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return [f"  {group} has no log stream of this job"]
        events = logs.get_log_events(
            logGroupName=group, logStreamName=streams[0]["logStreamName"], limit=LOG_LINES, startFromHead=False
        )["events"]
    except (BotoCoreError, ClientError) as error:
        return [f"  the log cannot be read ({error})"]
    return [f"  {event['message'].rstrip()}" for event in events]


def evaluation_lines(client: Any, steps: list[dict[str, Any]]) -> list[str]:
    """Metrics and decision from the first step output that holds an evaluation.json; empty if none does."""
    for step in steps:
        arn = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if arn and step["StepStatus"] == "Succeeded":
            try:
                evaluation = _evaluation(client, job=arn.rsplit("/", 1)[-1])
            except (BotoCoreError, ClientError) as error:
                return [f"the evaluation of {step['StepName']} cannot be read ({error})"]
            if evaluation is not None:
                return _describe_evaluation(evaluation)
    return []


def _evaluation(client: Any, *, job: str) -> dict[str, Any] | None:
    description = client.describe_processing_job(ProcessingJobName=job)
    s3 = boto3.client("s3", region_name=client.meta.region_name)
    for output in description.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if output["OutputName"] != "evaluation":
            continue
        bucket, _, prefix = output["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
        body = s3.get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{_EVALUATION_FILE}")["Body"].read()
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


def waiting_package_lines(client: Any, steps: list[dict[str, Any]]) -> list[str]:
    """The model package that a step registered, with its approval status and how to approve it."""
    for step in steps:
        arn = step.get("Metadata", {}).get("RegisterModel", {}).get("Arn")
        if not arn:
            continue
        try:
            status = client.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]
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
