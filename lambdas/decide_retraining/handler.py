"""Entry point of the function that decides whether to train: parses the input, calls the logic, answers.

Trigger: the state machine of the retraining loop, with {"trigger", "execution"}. Errors propagate to it. Must hold no
decisions.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3

from lambdas.decide_retraining.logic import Limits, Retraining
from lambdas.decide_retraining.trainings import Trainings
from lambdas.decide_retraining.trigger import parse_trigger
from lambdas.shared.champion import ChampionParameter
from lambdas.shared.champion_search import ChampionSearch
from lambdas.shared.event_sources import RETRAINING_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.retraining_lock import RetrainingLock
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables
from lambdas.shared.snapshots import Snapshots

_LOG = JsonLog("decide_retraining")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Decide; see `Retraining.decide` for the answer."""
    trigger = parse_trigger(event["trigger"])
    answer = retraining().decide(trigger, execution=str(event["execution"]), now=datetime.now(UTC))
    _LOG.info(f"{trigger.reason}: {answer['decision']}", why=answer["reason"], trigger=trigger.description)
    return answer


@cache
def retraining() -> Retraining:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, pipeline, group, parameter, bus = required_variables(
        os.environ, ("PROJECT", "STAGE", "PIPELINE_NAME", "MODEL_PACKAGE_GROUP", "CHAMPION_PARAMETER", "EVENT_BUS")
    )
    table, lake, dataset, cooldown, rows = required_variables(
        os.environ, ("LOCK_TABLE", "LAKE_BUCKET", "DATASET", "COOLDOWN_HOURS", "MINIMUM_NEW_ROWS")
    )
    sagemaker = boto3.client("sagemaker")
    return Retraining(
        states=boto3.client("stepfunctions"),
        trainings=Trainings(sagemaker, pipeline),
        lock=RetrainingLock(boto3.client("dynamodb"), table, project),
        snapshots=Snapshots(Bucket(boto3.client("s3"), lake), dataset),
        champions=ChampionSearch(sagemaker, ChampionParameter(boto3.client("ssm"), parameter), group),
        bus=EventBus(boto3.client("events"), bus=bus, source=RETRAINING_SOURCE),
        limits=Limits(timedelta(hours=int(cooldown)), int(rows)),
        subject={"project": project, "stage": stage},
    )
