"""Entry point of the function that records releases: takes the pipeline's last job, or an event, calls the logic.

Trigger: the Record action of the release pipeline; and EventBridge, "CodePipeline Pipeline Execution State Change" of
executions that end before it. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.record_release.execution import Executions
from lambdas.record_release.logic import Recording
from lambdas.record_release.request import parse_unfinished
from lambdas.shared.champion import ChampionParameter
from lambdas.shared.errors import LambdaError, MalformedEventError
from lambdas.shared.event_sources import RELEASE_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.pipeline_job import JobAnswers, PipelineJob, parse_job
from lambdas.shared.release_records import ReleaseRecords
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables

VARIABLES = ("PROJECT", "STAGE", "RELEASE_PIPELINE", "ARTIFACT_BUCKET", "CHAMPION_PARAMETER", "EVENT_BUS")

_LOG = JsonLog("record_release")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Record the end of a release; {"outcome": recorded, failed, ignored or dropped, "record": URI}.

    A job is answered in any case; an event that could not be recorded raises, so that Lambda retries.
    """
    try:
        if "CodePipeline.job" in event:
            return _record_job(parse_job(event))
        ended = parse_unfinished(event)
    except MalformedEventError as error:
        _LOG.error(str(error), event_id=event.get("id"))
        return {"outcome": "dropped"}
    record = recording().fail(ended) if ended is not None else None
    return {"outcome": "recorded", "record": record} if record else {"outcome": "ignored"}


def _record_job(job: PipelineJob) -> dict[str, Any]:
    answers = JobAnswers(boto3.client("codepipeline"))
    try:
        execution_id, package_arn = job.parameters("executionId", "modelPackageArn")
        record = recording().complete(execution_id, package_arn)
    except (LambdaError, BotoCoreError, ClientError) as error:
        reason = f"production serves the new version, but it could not be recorded: {error}; retry the stage Record"
        return _fail(job, answers, reason)
    except Exception as error:  # noqa: BLE001  a bug must fail the action, not leave it hanging for an hour
        return _fail(job, answers, f"the recording itself failed ({type(error).__name__}: {error}); see its log")
    answers.succeed(job, variables={"Record": record}, summary=f"recorded as {record}")
    return {"outcome": "recorded", "record": record}


def _fail(job: PipelineJob, answers: JobAnswers, reason: str) -> dict[str, Any]:
    _LOG.error("release not recorded", job=job.id, reason=reason)
    answers.fail(job, reason=reason)
    return {"outcome": "failed"}


@cache
def recording() -> Recording:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, pipeline, bucket, parameter, bus = required_variables(os.environ, VARIABLES)
    return Recording(
        sagemaker=boto3.client("sagemaker"),
        executions=Executions(boto3.client("codepipeline"), pipeline),
        records=ReleaseRecords(Bucket(boto3.client("s3"), bucket), project),
        champion=ChampionParameter(boto3.client("ssm"), parameter),
        bus=EventBus(boto3.client("events"), bus=bus, source=RELEASE_SOURCE),
        stage=stage,
        log=_LOG,
    )
