"""Entry point of the function that verifies a deployment: takes a job of CodePipeline, answers it in any case.

Must hold no decisions. A job without an answer would hang, so that every error, whatever it is, ends the action.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.shared.errors import LambdaError, MalformedEventError, SettingsError
from lambdas.shared.json_log import JsonLog
from lambdas.shared.pipeline_job import JobAnswers, PipelineJob, parse_job
from lambdas.shared.settings import required_variables
from lambdas.verify_endpoint.deployment import Deployment
from lambdas.verify_endpoint.logic import Verification, parse_budget

# Kept back from the function's time limit for the answer to the pipeline.
_ANSWER_SECONDS = 20.0
# A caller of a price estimate does not wait longer; a retry would hide a failure.
_INVOCATION = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 1})

_LOG = JsonLog("verify_endpoint")


class Context(Protocol):
    """The part of Lambda's context object that is used here."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


def handle(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """Verify what the job names, and answer it; {"outcome": succeeded, failed or dropped}."""
    try:
        job = parse_job(event)
    except MalformedEventError as error:
        _LOG.error(str(error))
        return {"outcome": "dropped"}
    answers = JobAnswers(boto3.client("codepipeline"))
    try:
        variables, summary = _verify(job, lambda: context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS)
    except LambdaError as error:
        return _fail(job, answers, str(error))
    except (BotoCoreError, ClientError) as error:
        return _fail(job, answers, f"AWS refused a call of the verification: {error}")
    except Exception as error:  # noqa: BLE001  a bug must fail the action, not leave it hanging for an hour
        return _fail(job, answers, f"the verification itself failed ({type(error).__name__}: {error}); see its log")
    _LOG.info("endpoint verified", job=job.id, **variables)
    answers.succeed(job, variables=variables, summary=summary)
    return {"outcome": "succeeded"}


def _verify(job: PipelineJob, remaining: Callable[[], float]) -> tuple[dict[str, str], str]:
    endpoint, package_arn, stack = job.parameters("endpoint", "modelPackageArn", "stackName")
    deployment = Deployment(stack=stack, endpoint=endpoint, package_arn=package_arn)
    verified = verification().verify(deployment, remaining=remaining)
    return verified.variables(os.environ["AWS_REGION"]), verified.summary


def _fail(job: PipelineJob, answers: JobAnswers, reason: str) -> dict[str, str]:
    _LOG.error("endpoint not verified", job=job.id, reason=reason)
    answers.fail(job, reason=reason)
    return {"outcome": "failed"}


@cache
def verification() -> Verification:
    """The function's dependencies, made by the first invocation of each cold start."""
    names = ("LATENCY_BUDGET_MS", "LATENCY_INVOCATIONS")
    values = required_variables(os.environ, names)
    try:
        budget = parse_budget(dict(zip(names, values, strict=True)))
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Verification(
        cloudformation=boto3.client("cloudformation"),
        sagemaker=boto3.client("sagemaker"),
        runtime=boto3.client("sagemaker-runtime", config=_INVOCATION),
        s3=boto3.client("s3"),
        budget=budget,
    )
