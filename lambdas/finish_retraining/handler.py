"""Entry point of the function that ends an execution of the retraining loop: parses, calls the logic, answers.

Trigger: the state machine of the loop, or EventBridge when that was ended from outside. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from lambdas.finish_retraining.logic import Finishing
from lambdas.finish_retraining.request import parse_ended
from lambdas.shared.event_sources import RETRAINING_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.mail import MailTopic
from lambdas.shared.retraining_lock import RetrainingLock
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables
from lambdas.shared.snapshots import Snapshots

_LOG = JsonLog("finish_retraining")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """End the execution; see `Finishing.finish` for the answer."""
    ended = parse_ended(event)
    answer = finishing().finish(ended, now=datetime.now(UTC))
    _LOG.info(answer["result"], execution=ended.execution, training=ended.training, failure=ended.failure)
    return answer


@cache
def finishing() -> Finishing:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, bus, table, lake, dataset, topic = required_variables(
        os.environ, ("PROJECT", "STAGE", "EVENT_BUS", "LOCK_TABLE", "LAKE_BUCKET", "DATASET", "APPROVAL_TOPIC_ARN")
    )
    return Finishing(
        sagemaker=boto3.client("sagemaker"),
        lock=RetrainingLock(boto3.client("dynamodb"), table, project),
        snapshots=Snapshots(Bucket(boto3.client("s3"), lake), dataset),
        bus=EventBus(boto3.client("events"), bus=bus, source=RETRAINING_SOURCE),
        approvers=MailTopic(boto3.client("sns"), topic),
        subject={"project": project, "stage": stage},
    )
