"""Entry point of the function that announces new versions: parses the event, calls the logic, answers.

Trigger: EventBridge, "SageMaker Model Package State Change" of the project's group, for versions that wait for a
decision. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from lambdas.announce_candidate.announcements import Announcements
from lambdas.announce_candidate.logic import Candidates
from lambdas.announce_candidate.request import parse_version
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.event_sources import RETRAINING_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.mail import MailTopic
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables

_LOG = JsonLog("announce_candidate")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Announce the version; {"outcome": announced, repeated, decided or dropped}."""
    try:
        arn = parse_version(event)
    except MalformedEventError as error:
        _LOG.error(str(error), event_id=event.get("id"))
        return {"outcome": "dropped"}
    outcome = candidates().announce(arn, now=datetime.now(UTC))
    _LOG.info(outcome, package=arn)
    return {"outcome": str(outcome)}


@cache
def candidates() -> Candidates:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, pipeline, bucket, evidence, bus, topic = required_variables(
        os.environ,
        ("PROJECT", "STAGE", "PIPELINE_ARN", "ARTIFACT_BUCKET", "EVIDENCE_PREFIX", "EVENT_BUS", "APPROVAL_TOPIC_ARN"),
    )
    artifacts = Bucket(boto3.client("s3"), bucket)
    return Candidates(
        sagemaker=boto3.client("sagemaker"),
        announcements=Announcements(artifacts, project),
        artifacts=artifacts,
        evidence=evidence,
        pipeline_arn=pipeline,
        bus=EventBus(boto3.client("events"), bus=bus, source=RETRAINING_SOURCE),
        approvers=MailTopic(boto3.client("sns"), topic),
        subject={"project": project, "stage": stage},
    )
